#!/usr/bin/env bats
# Stage 05: the chat with names and rooms. Every test holds for any correct implementation.

load helper/course
load helper/chat
STAGE=05-unordered-streams

# enter NICK... - starts a chat_client with each of these names, one after the other; all of them hear who has come after them
enter() {
    local nick name
    for nick; do
        start_client "$nick" program "$STAGE/chat_client" -n "$nick" -p "$port" 127.0.0.1
        present+=("$nick")
        for name in "${present[@]}"; do
            hears "$name" "* $nick joined"
        done
    done
}

# one_answer NAME REGEX - the client's next line matches
one_answer() {
    local heard=''
    await_line "${ear[$1]}" heard || fail "$1 heard nothing more within $DEADLINE s; expected: $2"
    assert_regex "$heard" "^$2\$"
}

# gets NAME "STREAM[ unordered]: TEXT"... - what a peer -v receives next, with PPID 0
gets() {
    local name=$1 what text
    for what in "${@:2}"; do
        text=${what#*: } what=${what%%: *}
        hears "$name" '' # the newline of the one before
        hears "$name" "message $((${#text} + 1)) stream ${what%% *} ppid 0${what#"${what%% *}"}: $text"
    done
}

# watchers_port - prints the port of the one client that there is
watchers_port() {
    awk -v port="$port" '$13 == port { print $12 }' /proc/net/sctp/assocs
}

setup() {
    begin_test
    present=()
}

# -- names

# bats test_tags=points:2
@test "who comes with a name is announced to all, and what it says has the name before it" {
    start_server "$STAGE/chat_server"
    enter alice bob
    say alice 'hello, bob'
    all_hear 'alice: hello, bob' alice bob
    say bob ''
    all_hear 'bob: ' alice bob
}

# bats test_tags=points:2
@test "who gives no name is guestN: announced when it first says something, or after a second of silence" {
    start_server "$STAGE/chat_server"
    enter alice
    start_client socat socat - "SCTP:127.0.0.1:$port"
    await_associations 2
    say socat 'good morning'
    all_hear '* guest2 joined' alice socat
    all_hear 'guest2: good morning' alice socat
    start_client ncat ncat --sctp --no-shutdown 127.0.0.1 "$port" # says nothing
    all_hear '* guest3 joined' alice socat ncat
    start_client gone "$PEER" 127.0.0.1 "$port" end # comes and goes within that second: nobody has seen it
    await_associations 4
    kill -KILL "${pid[gone]}"
    await_associations 3
    say alice bye
    all_hear 'alice: bye' alice socat ncat
}

# bats test_tags=points:2
@test "/nick changes a name, and everybody is told" {
    start_server "$STAGE/chat_server"
    enter alice bob
    say alice '/nick Al-1_x'
    all_hear '* alice is now Al-1_x' alice bob
    say alice hello
    all_hear 'Al-1_x: hello' alice bob
    say bob '/nick alice' # nobody's any more
    all_hear '* bob is now alice' alice bob
}

# bats test_tags=points:2
@test "/nick is refused, with a reason for that client alone: not 1 to 16 letters, digits, - and _; taken; guestN" {
    start_server "$STAGE/chat_server"
    enter alice bob
    local nick
    for nick in alice ALICE '' ' ' guest7 Guest12 'two words' $'t\e[31mred' 'bob:' 'a.b' '*' é 12345678901234567; do
        say bob "/nick $nick"
        one_answer bob '\* nick refused: .+'
    done
    for nick in 1234567890123456 guest guest7x bob; do
        say bob "/nick $nick"
        all_hear "* ${before:-bob} is now $nick" alice bob
        local before=$nick
    done
}

# bats test_tags=points:1
@test "a client whose name is refused stays, as guestN" {
    start_server "$STAGE/chat_server"
    enter alice
    start_client bob program "$STAGE/chat_client" -n alice -p "$port" 127.0.0.1
    one_answer bob '\* nick refused: .+'
    say bob hello
    all_hear '* guest2 joined' alice bob
    all_hear 'guest2: hello' alice bob
}

# bats test_tags=points:2
@test "/who and unknown commands are answered to who asks alone; // says a line that begins with a slash" {
    start_server "$STAGE/chat_server"
    enter alice bob
    say bob /who
    hears bob '* here: alice, bob'
    say bob '/dance tango'
    hears bob '* unknown command: /dance'
    say bob $'/\e]0;title\a'
    hears bob '* unknown command: /\x1B]0;title\x07'
    say bob /whoever
    hears bob '* unknown command: /whoever'
    say bob /
    hears bob '* unknown command: /'
    say bob '//who'
    all_hear 'bob: /who' alice bob
    say bob '///who'
    all_hear 'bob: //who' alice bob
    say bob ' /who'
    all_hear 'bob:  /who' alice bob
}

# bats test_tags=points:1
@test "NUL, CR, LF and blanks at the end of a command do not count: other programs add them" {
    start_server "$STAGE/chat_server"
    enter alice
    start_client ncat ncat --sctp --no-shutdown -C 127.0.0.1 "$port" # which sends CR LF
    await_associations 2
    say ncat '/nick carol '
    all_hear '* carol joined' alice ncat
    start_client socat socat - "SCTP:127.0.0.1:$port"
    await_associations 3
    printf '/nick dave\r\n\0' >"$BATS_TEST_TMPDIR/bytes"
    cat "$BATS_TEST_TMPDIR/bytes" >&"${mouth[socat]}" # in one write
    all_hear '* dave joined' alice ncat socat
    printf '/who\0' >&"${mouth[socat]}"
    hears socat '* here: alice, carol, dave'
}

# bats test_tags=points:2
@test "nobody can fake a line: a message is one line, with its newline, and starts with the name of who sent it" {
    start_server "$STAGE/chat_server"
    enter alice
    start_client watcher "$PEER" -v 127.0.0.1 "$port" text:'/nick eve' recv recv recv recv
    hears alice '* eve joined'
    hears watcher 'message 13 stream 0 ppid 0: * eve joined'
    hears watcher ''
    start_client mallory "$PEER" 127.0.0.1 "$port" text:'/nick mallory' recv text:$'one\nalice: two\n* bob joined\n' text:'no newline' text:$'* eve left\n\n' wait
    hears alice '* mallory joined'
    hears watcher 'message 17 stream 0 ppid 0: * mallory joined'
    hears watcher ''
    all_hear 'mallory: one alice: two * bob joined' alice
    hears watcher 'message 37 stream 0 ppid 0: mallory: one alice: two * bob joined'
    hears watcher ''
    hears alice 'mallory: no newline'
    hears watcher 'message 20 stream 0 ppid 0: mallory: no newline'
    hears alice 'mallory: * eve left '
}

# -- who comes and goes

# bats test_tags=points:3
@test "who goes is told of: left, aborted with its reason, aborted without one, killed" {
    start_server "$STAGE/chat_server"
    enter alice bob carol
    hang_up bob
    all_hear '* bob left' alice carol
    kill -KILL "${pid[carol]}" # its kernel shuts the association down for it
    hears alice '* carol left'
    start_client rude program 03-events/event_client -e abort -r $'had enough \e[31m of \xe2\x80\xae it' -p "$port" 127.0.0.1
    say rude '/nick dave'
    hang_up rude
    hears alice '* dave joined'
    hears alice '* dave is gone: had enough \x1B[31m of \xE2\x80\xAE it'
    "$PEER" 127.0.0.1 "$port" text:'/nick eve' recv linger
    hears alice '* eve joined'
    one_answer alice '\* eve is gone: .+'
    "$PEER" 127.0.0.1 "$port" text:'/nick zoe' recv send:65537 end >"$BATS_TEST_TMPDIR/why"
    hears alice '* zoe joined'
    one_answer alice '\* zoe is gone: .+'
    assert_equal "$(<"$BATS_TEST_TMPDIR/why")" $'message 13: * zoe joined\n\nlost cause=12 reason=message too long'
    say alice /who
    hears alice '* here: alice'
}

# -- rooms

# bats test_tags=points:3
@test "a room is a stream: what is said there is seen by those who have joined it, with its number" {
    start_server "$STAGE/chat_server"
    enter alice bob carol
    say bob '/join 3'
    say alice '/room 3'
    say alice 'in room three'
    all_hear '[3] alice: in room three' alice bob
    say alice '/room 0'
    say alice 'in room zero' # which is the next that carol hears
    all_hear 'alice: in room zero' alice bob carol
    say bob '/part 3'
    say bob '/part 0'
    say carol '/room 15'
    say carol 'in the last room'
    hears carol '[15] carol: in the last room'
    say alice /nick\ al
    all_hear '* alice is now al' alice bob carol # a notice is for all, also for who is not in room 0
    say al '/room 3' 2>/dev/null || say alice '/room 3'
    say alice 'three again'
    say alice '/room 0'
    say alice 'and zero'
    say alice '/nick alice'
    hears bob '* al is now alice'
    hears alice '[3] al: three again'
}

# bats test_tags=points:1
@test "the client's own commands never reach the server, and say what is wrong with them" {
    start_server "$STAGE/chat_server"
    start_client watcher "$PEER" 127.0.0.1 "$port" text:'/nick watcher' recv recv recv wait
    hears watcher 'message 17: * watcher joined'
    hears watcher ''
    printf '%s\n' '/nick alice' /help /u '/join 5' /join '/join 16' '/join -1' '/room x' '/part 1 2' '/room 99999999999999999999' hello /quit 'too late' >"$BATS_TEST_TMPDIR/lines"
    run --separate-stderr said <"$BATS_TEST_TMPDIR/lines"
    assert_success
    assert_line '* alice joined'
    assert_line --partial /part # of the help
    assert_line 'alice: hello'
    refute_line --partial 'too late'
    refute_line --partial 'unknown command'
    # shellcheck disable=SC2154 # run sets it
    assert_equal "$(grep -c '15' <<<"$stderr")" 6
    hears watcher 'message 15: * alice joined'
    hears watcher ''
    hears watcher 'message 13: alice: hello'
}

# bats test_tags=points:3
@test "on the wire: stream, U bit and PPID are those with which a message came; notices are ordered, on stream 0" {
    start_server "$STAGE/chat_server"
    enter alice
    start_client bob "$PEER" -o 16 -v 127.0.0.1 "$port" text:'/nick bob' recv on:5:77:u text:'apples' recv on:9:78: text:'pears' recv on:3:79:u text:/who recv wait
    hears alice '* bob joined'
    hears bob 'message 13 stream 0 ppid 0: * bob joined'
    hears bob ''
    hears bob 'message 12 stream 5 ppid 77 unordered: bob: apples'
    hears bob ''
    hears bob 'message 11 stream 9 ppid 78: bob: pears'
    hears bob ''
    hears bob 'message 19 stream 0 ppid 0: * here: alice, bob'
}

# bats test_tags=points:3
@test "on the wire: chat_client -u and /u set the U bit, /room chooses the stream, to the server and from it" {
    start_server "$STAGE/chat_server"
    start_client watcher "$PEER" -v 127.0.0.1 "$port" text:'/nick eve' recv wait
    hears watcher 'message 13 stream 0 ppid 0: * eve joined'
    hears watcher ''
    local watcher
    watcher=$(watchers_port)
    start_capture
    printf '%s\n' '/room 7' 'one' /u 'two' '/room 12' 'three' /u 'four' | said -u -n alice >"$BATS_TEST_TMPDIR/heard"
    captured '[SHUTDOWN]'
    # Of each DATA chunk: U where the bit is set, and its stream.
    run awk -v port="$port" -v watcher="$watcher" '
        { from = $1; sub(/.*\./, "", from); to = $3; sub(/:$/, "", to); sub(/.*\./, "", to) }
        /sctp \(1\)/ {
            way = to == port && from != watcher ? "said" : to == watcher ? "heard" : ""
            count = split($0, chunks, /\[DATA\]/)
            for (i = 2; i <= count && way != ""; i++) {
                match(chunks[i], /SID: [0-9]+/)
                seen[way] = seen[way] (chunks[i] ~ /^ \(U\)/ ? " U" : " ") substr(chunks[i], RSTART + 5, RLENGTH - 5)
            }
        }
        END { print "said" seen["said"] "; heard" seen["heard"] }' <<<"$packets"
    assert_output 'said 0 U7 7 12 U12; heard 0 U7 7 12 U12'
}

# bats test_tags=points:3
@test "one system call reaches everyone in a room, too, ordered or not: 1 sendmsg for a message on stream 7" {
    command -v strace >/dev/null || skip 'strace is not installed'
    wrapper=(strace -f -qq -e 'trace=sendmsg,sendto,sendmmsg,write,writev' -o "$BATS_TEST_TMPDIR/calls")
    start_server "$STAGE/chat_server"
    wrapper=()
    enter ann bob
    local name
    for name in ann bob; do
        say "$name" '/room 7'
        say "$name" "from $name"
        all_hear "[7] $name: from $name" ann
        say "$name" /u
        say "$name" "from $name, unordered"
        all_hear "[7] $name: from $name, unordered" ann
    done
    assert_equal "system calls for 4 messages: $(grep -c ': from [ab]' "$BATS_TEST_TMPDIR/calls")" 'system calls for 4 messages: 4'
}

# bats test_tags=points:3
@test "a client with fewer streams misses nothing, nor do those after it: it gets on stream 0 what it has no stream for" {
    local option
    for option in '' -l; do
        start_server "$STAGE/chat_server" $option
        start_client "one$option" "$PEER" -v -i 1 -o 1 127.0.0.1 "$port" text:'/nick one' recv recv recv recv recv recv recv recv wait
        hears "one$option" 'message 13 stream 0 ppid 0: * one joined'
        start_client "six$option" "$PEER" -v -i 6 -o 6 127.0.0.1 "$port" text:'/nick six' recv recv recv recv recv recv recv wait
        hears "six$option" 'message 13 stream 0 ppid 0: * six joined'
        start_client "ann$option" program "$STAGE/chat_client" -n ann -p "$port" 127.0.0.1
        hears "ann$option" '* ann joined'
        start_client "bob$option" program "$STAGE/chat_client" -n bob -p "$port" 127.0.0.1
        all_hear '* bob joined' "ann$option" "bob$option"
        say "bob$option" '/room 5'
        say "bob$option" '/join 6'
        say "ann$option" '/room 5'
        say "ann$option" 'to room 5'
        all_hear '[5] ann: to room 5' "ann$option" "bob$option"
        say "ann$option" /u
        say "ann$option" '/room 6'
        say "ann$option" 'to room 6'
        all_hear '[6] ann: to room 6' "ann$option" "bob$option"
        say "ann$option" '/room 0'
        say "ann$option" 'to room 0'
        all_hear 'ann: to room 0' "ann$option" "bob$option"
        gets "one$option" '0: * six joined' '0: * ann joined' '0: * bob joined' '0: ann: to room 5' '0 unordered: ann: to room 6' '0 unordered: ann: to room 0'
        gets "six$option" '0: * ann joined' '0: * bob joined' '5: ann: to room 5' '0 unordered: ann: to room 6' '0 unordered: ann: to room 0'
        kill -KILL "$server_pid"
    done
}

# -- order

# lossy_room - a server at far; alice and bob are in its room 3 at near, on path 1, and carol at far itself, where nothing is lost
lossy_room() {
    "$TREE/lab/two-hosts" up
    PROGRAM_NETNS=far start_server "$STAGE/chat_server"
    start_client carol ip netns exec far "$PROGRAMS/$STAGE/chat_client" -n carol -p "$port" 127.0.0.1
    hears carol '* carol joined'
    start_client alice "${at_near[@]}" "$PROGRAMS/$STAGE/chat_client" "$@" -n alice -p "$port" 10.1.0.2
    all_hear '* alice joined' alice carol
}

# lost - prints how many packets the cut has swallowed at alice's end; loses NAME TEXT - says it while the path is cut
lost() {
    ip netns exec near tc -s qdisc show dev path1 | awk '/dropped/ { sub(/,/, "", $7); print ($7 > 0 ? "some" : "none") }'
}

loses() {
    "$TREE/lab/two-hosts" cut 1
    say "$1" "$2"
    await_value some lost 'packets lost'
    "$TREE/lab/two-hosts" mend 1
}

# bats test_tags=points:3
@test "a lost message does not hold up a later unordered one, and holds up a later ordered one of the same room only" {
    lossy_room
    say carol '/join 3'
    loses alice 'the first'
    say alice 'the second, ordered'
    say alice '/room 3'
    say alice 'in another room'
    say alice '/room 0'
    say alice /u
    say alice 'the third, unordered'
    hears carol '[3] alice: in another room'
    hears carol 'alice: the third, unordered'
    hears carol 'alice: the first'
    hears carol 'alice: the second, ordered'
    "$TREE/lab/two-hosts" down
}

# bats test_tags=points:2
@test "what is lost on the way to a client does not hold up a later unordered message, and holds up a later ordered one" {
    lossy_room
    start_client bob ip netns exec far "$PROGRAMS/$STAGE/chat_client" -u -n bob -p "$port" 127.0.0.1
    all_hear '* bob joined' alice bob carol
    "$TREE/lab/two-hosts" cut 1
    say carol 'lost on its way to alice'
    all_hear 'carol: lost on its way to alice' bob carol
    "$TREE/lab/two-hosts" mend 1
    say bob 'unordered'
    say carol 'ordered'
    hears alice 'bob: unordered'
    hears alice 'carol: lost on its way to alice'
    hears alice 'carol: ordered'
    "$TREE/lab/two-hosts" down
}

# What 20 clients say and show, in awk: client 0 is in all rooms, client 1 in room 9 alone, the others in two of three. Each says
# 25 messages in its rooms, one after the other. The clients with odd numbers say theirs unordered.
rooms='function joined(i, room) { return i == 0 || (i == 1 ? room == 9 : (room + i) % 3 != 0) }
function spoken_in(i, k,   n, room) {
    for (n = 0; n <= k;)
        for (room = 0; room < 16 && n <= k; room++)
            n += joined(i, room)
    return room - 1
}'

# shown - prints "right" where the clients have shown what was said in their rooms, all of that and nothing else, each once, and what
# was ordered in order per sender and room; or else what is wrong
shown() {
    awk "$rooms"'
        FNR == 1 { j = FILENAME; sub(/.*\/c/, "", j); sub(/\.out/, "", j) }
        /^\* / { next }
        {
            room = 0
            if ($0 ~ /^\[[0-9]+\] /) { room = substr($1, 2, length($1) - 2); sub(/^[^ ]* /, "") }
            i = substr($1, 2, length($1) - 2); k = $2
            if ($0 != "c" i ": " k " in " room || !joined(j, room) || room != spoken_in(i, k)) wrong = wrong "; c" j " shows in room " room ": " $0
            if (seen[j, i, k]++) wrong = wrong "; c" j " shows twice: " $0
            if (i % 2 == 0 && (j, i, room) in last && last[j, i, room] >= k + 0) wrong = wrong "; c" j " shows too late: " $0
            last[j, i, room] = k + 0
        }
        END {
            for (j = 0; j < 20; j++)
                for (i = 0; i < 20; i++)
                    for (k = 0; k < 25; k++)
                        missing += joined(j, spoken_in(i, k)) && !((j, i, k) in seen)
            print missing + 0 == 0 && wrong == "" ? "right" : missing + 0 " missing" wrong
        }' "$BATS_TEST_TMPDIR"/c*.out
}

# everyone_everywhere FAULT... - these 20 clients, over a path that gets these faults when all are there: 10,000 deliveries
everyone_everywhere() {
    local i option
    "$TREE/lab/two-hosts" up
    PROGRAM_NETNS=far start_server "$STAGE/chat_server"
    for ((i = 0; i < 20; i++)); do
        option=()
        ((i % 2 == 0)) || option=(-u)
        mkfifo "$BATS_TEST_TMPDIR/c$i.in"
        "${at_near[@]}" "$PROGRAMS/$STAGE/chat_client" "${option[@]}" -n "c$i" -p "$port" 10.1.0.2 \
            <"$BATS_TEST_TMPDIR/c$i.in" >"$BATS_TEST_TMPDIR/c$i.out" 2>"$BATS_TEST_TMPDIR/c$i.err" 3>&- &
        pid[c$i]=$!
        running+=("$!")
        exec {speak}>"$BATS_TEST_TMPDIR/c$i.in"
        mouth[c$i]=$speak
    done
    await_far_associations 20
    awk -v folder="$BATS_TEST_TMPDIR" "$rooms"'
        BEGIN {
            for (i = 0; i < 20; i++) {
                file = folder "/c" i ".lines"
                for (room = 0; room < 16; room++)
                    print (joined(i, room) ? "/join " : "/part ") room >file
                print "/who" >file
                for (k = 0; k < 25; k++)
                    print "/room " spoken_in(i, k) "\n" k " in " spoken_in(i, k) >file
            }
        }'
    # First all of them join their rooms, then they speak.
    for ((i = 0; i < 20; i++)); do
        head -n 17 "$BATS_TEST_TMPDIR/c$i.lines" >&"${mouth[c$i]}"
    done
    await_value 20 ready 'clients that are in their rooms'
    "$TREE/lab/two-hosts" path 1 "$@"
    for ((i = 0; i < 20; i++)); do
        tail -n +18 "$BATS_TEST_TMPDIR/c$i.lines" >&"${mouth[c$i]}" &
    done
    DEADLINE=60 await_value right shown 'what the clients have shown'
    for ((i = 0; i < 20; i++)); do
        hang_up "c$i"
    done
    for ((i = 0; i < 20; i++)); do
        await_exit "${pid[c$i]}" || fail "client $i ended with $?: $(<"$BATS_TEST_TMPDIR/c$i.err")"
    done
    assert_equal "$(shown)" right # and nothing more
    [[ $* != *loss* ]] || assert_equal "packets lost: $(lost)" 'packets lost: some'
    "$TREE/lab/two-hosts" down
}

# ready - prints how many of them have heard the answer to their /who
ready() {
    cat "$BATS_TEST_TMPDIR"/c*.out | grep -c '^\* here: '
}

# bats test_tags=points:3
@test "20 clients in 16 rooms, 10,000 deliveries: everyone shows what was said in its rooms, all of it, once, in order" {
    everyone_everywhere delay 1ms
}

# bats test_tags=points:3
@test "20 clients in 16 rooms, 10,000 deliveries, over a path that loses packets: the same" {
    everyone_everywhere delay 2ms loss 3%
}

# -- the client, in a pipe and on a terminal

# bats test_tags=points:2
@test "chat_client is exact in a pipe, ordered and unordered: 500 lines come back as they were said, and it ends with 0" {
    start_server "$STAGE/chat_server"
    local option
    seq -f 'line %.0f' 500 >"$BATS_TEST_TMPDIR/lines"
    for option in '' -u; do
        # shellcheck disable=SC2086 # nothing, or an option
        said $option -n alice <"$BATS_TEST_TMPDIR/lines" >"$BATS_TEST_TMPDIR/heard" || fail "its exit status was $?"
        { echo '* alice joined' && sed 's/^/alice: /' "$BATS_TEST_TMPDIR/lines"; } | cmp - "$BATS_TEST_TMPDIR/heard"
    done
}

# bats test_tags=points:2
@test "any bytes, and messages of up to 65,536, in a room, too: they come back whole, with the name" {
    start_server "$STAGE/chat_server"
    local octal size i
    {
        for ((i = 1; i < 256; i++)); do
            printf -v octal '\\%03o' "$i"
            # shellcheck disable=SC2059 # the format is the byte
            ((i == 10)) || printf "$octal"
        done
        printf '\0zero\n'
        for size in 1 1452 65535 65536; do
            line_of "$size"
        done
        printf 'a last line without newline'
    } >"$BATS_TEST_TMPDIR/bytes"
    { echo '/room 9' && cat "$BATS_TEST_TMPDIR/bytes"; } | said -n abcdefghijklmnop >"$BATS_TEST_TMPDIR/heard" || fail "its exit status was $?"
    { echo '* abcdefghijklmnop joined' && sed 's/^/[9] abcdefghijklmnop: /' "$BATS_TEST_TMPDIR/bytes" && echo; } | cmp - "$BATS_TEST_TMPDIR/heard"
}

# bats test_tags=points:1
@test "chat_client refuses a line of 65537 bytes by naming the limit, and goes on with the next" {
    start_server "$STAGE/chat_server"
    { line_of 65537 && echo next; } >"$BATS_TEST_TMPDIR/lines"
    run --separate-stderr said -n alice <"$BATS_TEST_TMPDIR/lines"
    assert_success
    assert_output $'* alice joined\nalice: next'
    # shellcheck disable=SC2154 # run sets it
    assert_regex "$stderr" '65,?536'
}

# bats test_tags=points:1
@test "at the end of its input chat_client waits for answers, too" {
    start_server "$STAGE/chat_server"
    assert_equal "$(printf '/nick alice\n/who' | said)" $'* alice joined\n* here: alice'
    assert_equal "$(printf '/nick alice\n/nick bob\n/nick a b\n/x' | said)" $'* alice joined\n* alice is now bob\n* nick refused: a nick is 1 to 16 letters, digits, - or _\n* unknown command: /x'
    assert_equal "$(echo /quit | said -n alice)" '* alice joined'
}

# bats test_tags=points:1
@test "chat_client ends with 1 after 5 s of silence, where an answer does not come" {
    # A server that takes all and says nothing; it tells when it listens.
    start_client mute socat -dd -u SCTP-LISTEN:2014,reuseaddr /dev/null
    until [[ $(<"$BATS_TEST_TMPDIR/mute.err") == *listening* ]]; do
        kill -0 "${pid[mute]}"
        breathe
    done
    port=2014 run --separate-stderr said -n alice <<<'is anybody there?'
    assert_failure 1
    assert_equal "$output" ''
    # shellcheck disable=SC2154 # run sets it
    assert_regex "$stderr" '^chat_client: .+'
}

# bats test_tags=points:2
@test "chat_client says why and ends with 1: server killed, ended, not there" {
    local signal status
    for signal in KILL TERM; do
        start_server "$STAGE/chat_server"
        join "left$signal"
        kill -"$signal" "$server_pid"
        status=0
        await_exit "${pid[left$signal]}" || status=$?
        assert_equal "SIG$signal: $status" "SIG$signal: 1"
        assert_regex "$(<"$BATS_TEST_TMPDIR/left$signal.err")" '^chat_client: .+'
        wait "$server_pid" || true
    done
    run --separate-stderr said <<<'nobody is there any more'
    assert_failure 1
    assert_regex "$stderr" '^chat_client: .*[Cc]onnection refused'
}

# bats test_tags=points:2
@test "on a terminal chat_client shows control characters as \\xNN, and UTF-8 as it is: in a message and in a reason" {
    start_server "$STAGE/chat_server"
    printf 'a\e]0;title\a \rbob: \xc2\x9b \xff \xe2\x80\xae \xc3\xa9t\xc3\xa9\n' >"$BATS_TEST_TMPDIR/evil"
    run script -qec "$PROGRAMS/$STAGE/chat_client -n alice -p $port 127.0.0.1 <$BATS_TEST_TMPDIR/evil" /dev/null
    assert_output --partial $'alice: a\\x1B]0;title\\x07 \\x0Dbob: \\xC2\\x9B \\xFF \\xE2\\x80\\xAE \xc3\xa9t\xc3\xa9'
}

# -- the server

# bats test_tags=points:2
@test "SIGTERM and SIGINT: what is queued is relayed, then all associations are shut down, and it ends with 0" {
    local signal
    for signal in TERM INT; do
        start_server "$STAGE/chat_server"
        start_client "one$signal" "$PEER" 127.0.0.1 "$port" text:'/nick one' recv line text:queued print:sent recv end
        hears "one$signal" 'message 13: * one joined'
        hears "one$signal" ''
        kill -STOP "$server_pid" # so that the message is queued indeed when the signal comes
        say "one$signal" go
        hears "one$signal" sent
        kill -"$signal" "$server_pid"
        kill -CONT "$server_pid"
        hears "one$signal" 'message 12: one: queued'
        hears "one$signal" ''
        hears "one$signal" 'shutdown'
        await_exit "$server_pid" || fail "after SIG$signal the exit status was $?"
    done
}

# bats test_tags=points:1
@test "where the kernel has no SCTP_SENDALL the server says so, and sends to one after the other" {
    command -v strace >/dev/null || skip 'strace is not installed'
    wrapper=(strace -qq -e trace=sendmsg -e inject=sendmsg:error=EINVAL:when=1 -o "$BATS_TEST_TMPDIR/calls") # the first one fails
    start_server "$STAGE/chat_server"
    wrapper=()
    assert_regex "$(<"$BATS_TEST_TMPDIR/server.err")" '^chat_server: .*no SCTP_SENDALL'
    enter alice bob
    say alice hello
    all_hear 'alice: hello' alice bob
    assert_equal "$(grep -c '"alice: hello' "$BATS_TEST_TMPDIR/calls")" 2
}

# bats test_tags=points:1
@test "a port in use is an error with a reason and exit status 1; -a serves the addresses that it names" {
    start_server "$STAGE/chat_server" -a 127.0.0.1 -a 127.0.0.2
    run --separate-stderr timed "$STAGE/chat_server" -p "$port" -a 127.0.0.2
    assert_failure 1
    assert_equal "$output" ''
    assert_regex "$stderr" '^chat_server: .*[Aa]ddress already in use'
    host=127.0.0.2 join ann
    run timed "$STAGE/chat_client" -p "$port" ::1 </dev/null
    assert_failure 1
}

# bats test_tags=points:1
@test "help goes to standard output with 0, bad usage to standard error with 2" {
    local name arguments
    for name in chat_server chat_client; do
        run --separate-stderr timed "$STAGE/$name" -h
        assert_success
        assert_regex "$output" "^usage: $name"
        for arguments in -x '-p' '-p 65536' '-p 12x' 'one two'; do
            # shellcheck disable=SC2086 # several words
            run --separate-stderr timed "$STAGE/$name" $arguments </dev/null
            assert_failure 2
            assert_equal "$output" ''
            assert_regex "$stderr" "^$name: .*usage: "
        done
    done
}

# bats test_tags=points:1
@test "who has come and gone leaves no descriptor and no process behind" {
    start_server "$STAGE/chat_server"
    leaves_nothing_behind "$PEER" -n 10 127.0.0.1 "$port" text:hello
}

# bats test_tags=points:1
@test "valgrind finds no error and no leak" {
    under_valgrind
    start_server "$STAGE/chat_server"
    assert_equal "$(printf 'one\n/who\n//two\n/nick bob\n/room 5\n/u\nthree\n/x' | said -n alice)" \
        $'* alice joined\nalice: one\n* here: alice\nalice: /two\n* alice is now bob\n[5] bob: three\n* unknown command: /x'
    kill -TERM "$server_pid"
    await_exit "$server_pid" || fail "the server's exit status was $?"
    valgrind_finds_nothing
}
