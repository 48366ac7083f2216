#!/usr/bin/env bats
# The exercises of stage 04 (TUTORIAL.md). tests/exercise runs them.

STAGE=04-sendall
load ../helper/exercise
load ../helper/chat

@test "04.1 chat_server -o sends what somebody says to the others" {
    has_option "$STAGE/chat_server" -o
    start_server "$STAGE/chat_server" -o
    start_client alice "$PEER" 127.0.0.1 "$port" line text:'alice was here' print:said recv wait
    start_client bob "$PEER" 127.0.0.1 "$port" recv line text:'bob was here' print:said recv wait
    start_client carol "$PEER" 127.0.0.1 "$port" recv recv line text:'carol too' print:said wait
    await_associations 3
    say alice ''
    hears alice said
    hears bob 'message 14: alice was here'
    hears carol 'message 14: alice was here'
    say bob ''
    hears bob said
    hears alice 'message 12: bob was here'
    hears carol 'message 12: bob was here'
    say carol ''
    hears bob 'message 9: carol too'
}

# arrived - prints how many DATA chunks have come to sockets of this lab
arrived() {
    counter SctpInOrderChunks
}

@test "04.2 chat_server -m 2: who comes third is aborted, with a reason, and nothing of it is heard" {
    local before
    has_option "$STAGE/chat_server" -m
    start_server "$STAGE/chat_server" -m 2
    start_client alice "$PEER" 127.0.0.1 "$port" line text:hello recv wait
    await_associations 1
    start_client bob "$PEER" 127.0.0.1 "$port" recv wait
    await_associations 2
    kill -STOP "$server_pid"
    before=$(arrived)
    start_client carol "$PEER" 127.0.0.1 "$port" text:'let me in' end
    await_value $((before + 1)) arrived 'DATA chunks that have come, with what carol has said before the server knew of her'
    kill -CONT "$server_pid"
    hears carol 'lost cause=12 reason=the room is full'
    say alice ''
    hears bob 'message 5: hello'
    hears alice 'message 5: hello'
    hang_up bob
    await_associations 1
    run "$PEER" 127.0.0.1 "$port" text:'and now?' recv
    expect 'message 8: and now?' "$output" 'bob has left, and carol comes again'
}

@test "04.3 chat_server -k 3: a newcomer hears the last three messages first, and each message once" {
    local i before
    has_option "$STAGE/chat_server" -k
    start_server "$STAGE/chat_server" -k 3
    start_client alice "$PEER" 127.0.0.1 "$port" text:1 recv text:2 recv text:3 recv text:4 recv print:four line text:5 print:five recv line text:6 recv wait
    hears_at_last alice four
    start_client bob "$PEER" 127.0.0.1 "$port" print:bob recv recv recv recv recv wait
    for i in bob 'message 1: 2' 'message 1: 3' 'message 1: 4'; do hears bob "$i"; done
    kill -STOP "$server_pid"
    before=$(arrived)
    say alice ''
    hears alice five
    await_value $((before + 1)) arrived 'DATA chunks that have come, with what alice has said before carol came'
    start_client carol "$PEER" 127.0.0.1 "$port" recv recv recv recv wait
    await_associations 3
    kill -CONT "$server_pid"
    hears alice 'message 1: 5'
    say alice ''
    hears alice 'message 1: 6'
    for i in 5 6; do hears bob "message 1: $i"; done
    for i in 3 4 5 6; do hears carol "message 1: $i"; done
}

# bats test_tags=open
@test "04.4 a room of ten, and one more who does not read for a while" {
    local pause=${PAUSE:-3} line messages
    start_server "$STAGE/chat_server"
    start_client late "$PEER" 127.0.0.1 "$port" line slow:1000000:0
    await_associations 1
    run --separate-stderr "$FANOUT" -l 20 -d "$pause" -p "$port" -n 10 1000:8:1000000
    [[ $output =~ \"messages\":([0-9]+).*\"p50\":([0-9.]+).*\"max\":([0-9.]+) ]] || fail "the ten have not heard everything: $stderr"
    messages=${BASH_REMATCH[1]}
    measured "$messages messages in $pause s (make exercise N=04.4 PAUSE=10); the ten had half of them within ${BASH_REMATCH[2]} s, and all within ${BASH_REMATCH[3]} s"
    say late ''
    kill -TERM "$server_pid"
    at_last "${ear[late]}" '.* slowly' 'the late one did not end' late.err
    measured "the one who did not read meanwhile has got ${line% slowly} of them, in the end"
    measured "the server said: $(excerpt "$BATS_TEST_TMPDIR/server.err")"
}
