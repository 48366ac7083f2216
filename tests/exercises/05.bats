#!/usr/bin/env bats
# The exercises of stage 05 (TUTORIAL.md). tests/exercise runs them.

STAGE=05-unordered-streams
load ../helper/exercise
load ../helper/chat

# texts - prints of what peer -v has printed the lines that are not empty, without the lengths
texts() {
    sed -n 's/^message [0-9]* //p' <<<"$1"
}

# next_from NAME [TEXT] - sets `line` to the next message that a peer hears, with this text in it
next_from() {
    at_last "${ear[$1]}" "message .*${2-}.*" "$1 did not hear" "$1.err"
}

@test "05.1 chat_server knows /topic, and tells who joins" {
    local line
    start_server "$STAGE/chat_server"
    run "$PEER" 127.0.0.1 "$port" text:'/nick alice' recv text:/topic recv text:'/topic tea or coffee?' recv text:/topic recv
    expect $'* alice joined\n* no topic\n* alice set the topic: tea or coffee?\n* topic: tea or coffee?' \
        "$(sed -n 's/^message [0-9]*: //p' <<<"$output")" 'alice joins, and says /topic, /topic tea or coffee?, and /topic again'
    start_client carol "$PEER" -v 127.0.0.1 "$port" text:'/nick carol' recv recv recv recv wait
    hears carol 'message 15 stream 0 ppid 0: * carol joined'
    await_line "${ear[carol]}" line # each notice ends in a newline of its own
    hears carol 'message 24 stream 0 ppid 0: * topic: tea or coffee?'
    await_line "${ear[carol]}" line
    run "$PEER" -v 127.0.0.1 "$port" text:'/nick bob' recv recv text:hello recv
    expect $'stream 0 ppid 0: * bob joined\nstream 0 ppid 0: * topic: tea or coffee?\nstream 0 ppid 0: bob: hello' "$(texts "$output")" 'bob joins, and says hello'
    hears carol 'message 13 stream 0 ppid 0: * bob joined'
    await_line "${ear[carol]}" line
    hears carol 'message 11 stream 0 ppid 0: bob: hello' # who is here already is not told again
}

# tries - prints how often a packet of the server has been sent again; after three times it is old
tries() {
    awk '{ n += ($1 == "SctpT3RtxExpireds") * $2 } END { print (n > 3 ? 3 : n) }' "/proc/$server_pid/net/sctp/snmp"
}

@test "05.2 chat_server -t 200: what came unordered, and has not arrived within 200 ms, is given up; the rest is not" {
    local path line=''
    has_option "$STAGE/chat_server" -t
    "$TREE/lab/two-hosts" up
    PROGRAM_NETNS=far start_server "$STAGE/chat_server" -t 200
    start_client bob "${at_near[@]}" "$PEER" 10.1.0.2 "$port" text:'/nick bob' recv print:ready recv recv recv wait
    hears_at_last bob ready
    start_client alice "${at_near[@]}" "$PEER" 10.1.0.2 "$port" text:'/nick alice' recv print:ready line \
        on:0:0:u text:stale on:0:0: text:kept print:said line on:0:0:u text:fresh wait
    hears_at_last alice ready
    hears_at_last bob '.*alice joined'
    for path in 1 2; do
        tc -n far qdisc replace dev "path$path" root netem loss 100% # the server hears, and is not heard
    done
    say alice ''
    hears_at_last alice said
    await_value 3 tries 'packets that the server has sent again, for nothing of it arrives'
    for path in 1 2; do
        tc -n far qdisc delete dev "path$path" root
    done
    next_from bob
    expect 'message 12: alice: kept' "$line" 'alice said "stale" unordered and "kept" in order, while nothing came through; what bob hears when it does'
    say alice ''
    next_from bob
    expect 'message 13: alice: fresh' "$line" 'then alice said "fresh" unordered; what bob hears next'
}

@test "05.3 chat_server -g gives who has fewer streams as many as there are rooms, where its kernel agrees" {
    local line
    has_option "$STAGE/chat_server" -g
    start_server "$STAGE/chat_server" -g
    start_client carol "$PEER" -v -x -i 4 127.0.0.1 "$port" text:'/nick carol' recv print:ready recv recv recv wait
    hears_at_last carol ready
    start_client dave "$PEER" -v -i 4 127.0.0.1 "$port" text:'/nick dave' recv print:ready recv recv recv wait
    hears_at_last dave ready
    run "$PEER" -o 16 127.0.0.1 "$port" on:7:0: text:'can you hear me?' recv recv
    next_from carol 'guest[0-9]*: can'
    [[ $line == *' stream 7 '* ]] || fail $'something was said in room 7; carol accepts 4 streams, and to be given more\nexpected: she hears it on stream 7\ncame: '"$line"
    next_from dave 'guest[0-9]*: can'
    [[ $line == *' stream 0 '* ]] || fail $'something was said in room 7; dave accepts 4 streams, and cannot be given more\nexpected: he hears it on stream 0\ncame: '"$line"
}

# bats test_tags=open
@test "05.4 what a line costs that is said in a room of two, where eight are in the chat" {
    local i before packets
    start_server "$STAGE/chat_server"
    for i in {1..7}; do
        start_client "c$i" program "$STAGE/chat_client" -n "c$i" -p "$port" 127.0.0.1
        say "c$i" "/room $i"
    done
    start_client c8 program "$STAGE/chat_client" -n c8 -p "$port" 127.0.0.1
    say c8 '/room 7'
    for i in {1..8}; do
        hears_at_last "c$i" "\* c$i joined"
    done
    say c8 hello
    hears_at_last c8 '\[7\] c8: hello' # the last one is in its room
    before=$(counter SctpOutOrderChunks) packets=$(counter SctpOutSCTPPacks)
    for ((i = 0; i < 20; i++)); do
        say c7 "line $i"
        hears_at_last c8 "\[7\] c7: line $i"
        hears_at_last c7 "\[7\] c7: line $i"
    done
    measured "20 lines in room 7: $(($(counter SctpOutOrderChunks) - before)) DATA chunks in $(($(counter SctpOutSCTPPacks) - packets)) packets"
    measured "60 chunks would do: each line goes to the server once, and to the 2 who are in the room"
}
