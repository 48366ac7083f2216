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
    [[ $heard =~ ^$2$ ]] || fail "$1 was to hear a line like: $2; it heard: ${heard:0:500}"
}

# hears_who NAME NICK... - the client's next line is the answer to /who: these are here, in any order
hears_who() {
    local heard=''
    await_line "${ear[$1]}" heard || fail "$1 heard nothing more within $DEADLINE s; expected the answer to /who: * here: ..."
    [[ $heard == '* here: '* && $(sorted "${heard#'* here: '}") == $(sorted "$(printf '%s, ' "${@:2}")") ]] ||
        fail "$1 was to hear the answer to /who, \"* here: \" and then, in any order: ${*:2}. It heard: ${heard:0:500}"
}

# sorted NAMES - prints the names, between which stands ", ", in order
sorted() {
    tr -d ' ' <<<"${1%, }" | tr ',' '\n' | LC_ALL=C sort
}

# guest_joins NAME... - the next line at each of them says that a guest has joined, who has not said its name; sets `guest` to guestN, whatever
# the server's N
guest_joins() {
    local heard=''
    await_line "${ear[$1]}" heard || fail "$1 heard nothing more within $DEADLINE s; expected: * guestN joined"
    [[ $heard =~ ^'* '(guest[0-9]+)' joined'$ ]] || fail "$1 was to hear: * guestN joined; it heard: ${heard:0:500}"
    guest=${BASH_REMATCH[1]}
    (($# == 1)) || all_hear "* $guest joined" "${@:2}"
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

# does NAME COMMAND... - gives a chat_client commands of its own, and waits until it has obeyed: then it has the answer to the next line
does() {
    local command
    for command in "${@:2}" /who; do
        say "$1" "$command"
    done
    one_answer "$1" '\* here: .+'
}

setup() {
    begin_test
    present=()
}

# -- names

# bats test_tags=points:3
@test "who comes with a name is announced to all, and what it says has the name before it" {
    hint 'Who has come, and who has gone?' 'A client that gives its name does so in its first message; until then, or for a second, the server holds the announcement back. What it says goes to everyone as NICK: MESSAGE.'
    start_server "$STAGE/chat_server"
    enter alice bob
    say alice 'hello, bob'
    all_hear 'alice: hello, bob' alice bob
    say bob ''
    all_hear 'bob: ' alice bob
}

# bats test_tags=points:2
@test "who gives no name is guestN: announced when it first says something, or after a second of silence" {
    hint 'Who has come, and who has gone?' 'Who has not said its name is announced at its first message, or when it has been there for a second: poll() with a timeout.'
    start_server "$STAGE/chat_server"
    enter alice
    start_client socat socat - "SCTP:127.0.0.1:$port"
    await_associations 2
    local guest
    say socat 'good morning'
    guest_joins alice socat
    all_hear "$guest: good morning" alice socat
    start_client ncat ncat --sctp --no-shutdown 127.0.0.1 "$port" # says nothing
    guest_joins alice socat ncat
    start_client gone "$PEER" 127.0.0.1 "$port" end # comes and goes within that second: nobody has seen it
    await_associations 4
    kill -KILL "${pid[gone]}"
    await_associations 3
    say alice bye
    all_hear 'alice: bye' alice socat ncat
}

# bats test_tags=points:2
@test "/nick changes a name, and everybody is told" {
    hint 'Who has come, and who has gone?' 'Everybody hears: * OLD is now NEW. What was its name is free again.'
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
    hint 'Whose words are these?' 'A nick is 1 to 16 letters, digits, - or _, that nobody else has, and not guest and a number. Who asks, and nobody else, gets: * nick refused: REASON.'
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
    hint 'Whose words are these?' 'A refused nick changes nothing: it is a guest still.'
    start_server "$STAGE/chat_server"
    enter alice
    start_client bob program "$STAGE/chat_client" -n alice -p "$port" 127.0.0.1
    one_answer bob '\* nick refused: .+'
    local guest
    say bob hello
    guest_joins alice bob
    all_hear "$guest: hello" alice bob
}

# bats test_tags=points:3
@test "/who and unknown commands are answered to who asks alone; // says a line that begins with a slash" {
    hint 'A room is a stream' 'What begins with one slash is a command, answered to who has sent it: snd_assoc_id, no SENDALL. Of two slashes one goes, and the rest is said.'
    start_server "$STAGE/chat_server"
    enter alice bob
    say bob /who
    hears_who bob alice bob
    say bob '/dance tango'
    hears bob '* unknown command: /dance'
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
    hint 'Whose words are these?' 'ncat -C sends CR LF, other programs a NUL: at the end of a command they do not count.'
    start_server "$STAGE/chat_server"
    enter alice
    start_client ncat ncat --sctp --no-shutdown -C 127.0.0.1 "$port" # which sends CR LF
    await_associations 2
    say ncat '/nick carol '
    all_hear '* carol joined' alice ncat
    printf '/nick dave\r\n\0' >"$BATS_TEST_TMPDIR/bytes"
    start_client socat socat - "SCTP:127.0.0.1:$port"
    await_associations 3
    cat "$BATS_TEST_TMPDIR/bytes" >&"${mouth[socat]}" # in one write
    all_hear '* dave joined' alice ncat socat
    printf '/who\0' >&"${mouth[socat]}"
    hears_who socat alice carol dave
}

# bats test_tags=points:3
@test "nobody can fake a line: a message is one line, with its newline, and starts with the name of who sent it" {
    hint 'Whose words are these?' 'One message is one line: a newline in the middle becomes a blank, a missing one at the end is added.'
    start_server "$STAGE/chat_server"
    enter alice
    start_client watcher "$PEER" -v 127.0.0.1 "$port" text:'/nick eve' recv recv recv recv wait
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

# bats test_tags=points:2
@test "who goes is told of: left, aborted with its reason, aborted without one, killed" {
    hint 'Who has come, and who has gone?' 'SCTP_ASSOC_CHANGE says how each association ends: SCTP_SHUTDOWN_COMP is left, SCTP_COMM_LOST is gone, and sac_info has the words of an abort. They become part of a line of the server: escape them. A name is free when its owner has gone.'
    start_server "$STAGE/chat_server"
    enter alice bob carol
    hang_up bob
    all_hear '* bob left' alice carol
    kill -KILL "${pid[carol]}" # its kernel shuts the association down for it
    hears alice '* carol left'
    "$PEER" -r $'had enough \e[31m of \xe2\x80\xae it' 127.0.0.1 "$port" text:'/nick dave' recv abort
    hears alice '* dave joined'
    one_answer alice '\* dave is gone: had enough \\x1[Bb]\[31m of \\x[Ee]2\\x80\\x[Aa][Ee] it'
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
    hint 'A room is a stream' 'What comes on stream N goes out on stream N. The client shows the streams that it wants to see, with [N] of the stream on which a line came, and every notice.'
    start_server "$STAGE/chat_server"
    enter alice bob carol
    does bob '/join 3'
    say alice '/room 3'
    say alice 'in room three'
    all_hear '[3] alice: in room three' alice bob
    say alice '/room 0'
    say alice 'in room zero' # which is the next that carol hears
    all_hear 'alice: in room zero' alice bob carol
    does bob '/part 3' '/part 0'
    say carol '/room 15'
    say carol 'in the last room'
    hears carol '[15] carol: in the last room'
    say alice '/nick al'
    all_hear '* alice is now al' alice bob carol # a notice is for all, also for who is not in room 0
    say alice '/room 3'
    say alice 'three again'
    say alice '/room 0'
    say alice 'and zero'
    say alice '/nick alice'
    hears bob '* al is now alice'
    hears alice '[3] al: three again'
}

# bats test_tags=points:1
@test "the client's own commands never reach the server, and say what is wrong with them" {
    hint 'A room is a stream' '/join, /part, /room, /u, /help and /quit are obeyed by chat_client, and not sent.'
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
    [[ $output != *'unknown command'* ]] || fail "the server has answered: a command of the client's own has reached it. $output"
    # shellcheck disable=SC2154 # run sets it
    (($(grep -c . <<<"$stderr") >= 6)) || fail "six commands could not be obeyed; chat_client is to say for each of them what is wrong, on standard error. It said: ${stderr:0:500}"
    hears watcher 'message 15: * alice joined'
    hears watcher ''
    hears watcher 'message 13: alice: hello'
}

# bats test_tags=points:1
@test "the help comes at once in a pipe, too; where it cannot be written, chat_client ends with 1" {
    start_server "$STAGE/chat_server"
    enter alice
    say alice /help
    hears_at_last alice '.*/join.*'
    # shellcheck disable=SC2016 # the inner shell expands them
    under_test "$STAGE/chat_client" -p "$port" 127.0.0.1
    run -1 bash -c '"$@" <<</help >/dev/full' sh "${command[@]}"
    [[ $output == chat_client:*'No space left on device' ]] || fail "chat_client was to say why its standard output cannot be written; it said: ${output:0:500}"
}

# bats test_tags=points:3
@test "on the wire: stream, U bit and PPID are those with which a message came; notices are ordered, on stream 0" {
    hint 'A room is a stream' 'A message is passed on with rcv_sid, with SCTP_UNORDERED of rcv_flags, and with rcv_ppid as it is; notices and answers have none of them.'
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
    one_answer bob 'message 19 stream 0 ppid 0: \* here: (alice, bob|bob, alice)'
}

# bats test_tags=points:3
@test "on the wire: chat_client -u and /u set the U bit, /room chooses the stream, to the server and from it" {
    hint 'A room is a stream' 'snd_sid is the room, snd_flags has SCTP_UNORDERED with -u or after /u.'
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
    [[ $output =~ ^'said '('0 ')?'U7 7 12 U12; heard 0 U7 7 12 U12'$ || $output =~ ^'said U0 U7 7 12 U12; heard 0 U7 7 12 U12'$ ]] ||
        fail "of the streams, with U for unordered, expected: said 0 U7 7 12 U12; heard 0 U7 7 12 U12; captured: $output"
}

# bats test_tags=points:3
@test "one system call reaches everyone in a room, too, ordered or not: 1 sendmsg for a message on stream 7" {
    hint 'A room is a stream' 'SCTP_SENDALL takes a stream and SCTP_UNORDERED like any other send.'
    command -v strace >/dev/null || skip 'strace is not installed'
    tracer=(strace -f -qq -e 'trace=sendmsg,sendto,sendmmsg,write,writev' -o "$BATS_TEST_TMPDIR/calls")
    start_server "$STAGE/chat_server"
    tracer=()
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
    local calls
    calls=$(calls_with "$BATS_TEST_TMPDIR/calls" 'from [ab]')
    ((calls == 4)) || fail "4 messages on stream 7 to 2 clients took $calls sending calls; expected: 4, one with SCTP_SENDALL for each"
}

# bats test_tags=points:3
@test "a client with fewer streams misses nothing, nor do those after it: it gets on stream 0 what it has no stream for" {
    hint 'What if somebody has fewer streams?' 'SENDALL ends with EINVAL at the first association that lacks the stream, and those behind it get nothing. Then a loop: on stream 0 for those that lack it.'
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
        does "bob$option" '/room 5' '/join 6'
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

# bats test_tags=points:1
@test "a notice is ordered, on stream 0, also where what brings it comes as its first message unordered, in another room" {
    hint 'A room is a stream' 'A notice goes ordered, on stream 0, whatever message has brought it about.'
    start_server "$STAGE/chat_server"
    start_client watcher "$PEER" -v 127.0.0.1 "$port" text:'/nick eve' recv recv recv wait
    hears watcher 'message 13 stream 0 ppid 0: * eve joined'
    hears watcher ''
    start_client guest "$PEER" -o 16 127.0.0.1 "$port" on:5:0:u text:apples wait
    local line stream=()
    for _ in 1 2; do # the notice and the message are on streams of their own: either may come first
        await_line "${ear[watcher]}" line || fail "watcher heard nothing more within $DEADLINE s; expected: * guestN joined, and what it says"
        case $line in
            *' joined') stream[0]=${line%: \**} ;;
            *) stream[1]=${line%: guest*} ;;
        esac
        hears watcher ''
    done
    [[ ${stream[0]-} =~ ' stream 0 ppid 0'$ ]] || fail "'* guestN joined' must come ordered on stream 0, with PPID 0; it came as: ${stream[0]-}"
    [[ ${stream[1]-} =~ ' stream 5 ppid 0 unordered'$ ]] || fail "what the guest has said must come unordered on stream 5; it came as: ${stream[1]-}"
}

# -- order

# lossy_room - a server at far; alice and bob are in its room 3 at near, on path 1, and carol at far itself, where nothing is lost
lossy_room() {
    "$TREE/lab/two-hosts" up 1 # by another path it would come again
    PROGRAM_NETNS=far start_server "$STAGE/chat_server"
    start_client carol program_at far "$STAGE/chat_client" -n carol -p "$port" 127.0.0.1
    hears carol '* carol joined'
    start_client alice program_at near "$STAGE/chat_client" "$@" -n alice -p "$port" 10.1.0.2
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

# order_at NAME LINE... - sets `came` to the numbers of these lines, in the order in which the client hears them
order_at() {
    local i heard lines=("${@:2}")
    came=''
    for ((i = 1; i < $#; i++)); do
        await_line "${ear[$1]}" heard || fail "$1 heard nothing more within $DEADLINE s; before: $came"
        local number found=''
        for number in "${!lines[@]}"; do
            [[ $heard != "${lines[number]}" ]] || found=$((number + 1))
        done
        came+=${found:-"($heard)"}
    done
}

# overtaking ROUND ALLOWED WANTED - calls ROUND, until `came` is WANTED; each time it must be what the pattern ALLOWED allows. What was
# lost is sent again when its time has come, and on a busy machine that may be before the next is said.
overtaking() {
    local i
    for ((i = 0; i < 15; i++)); do
        "$1" "$i"
        [[ $came =~ ^($2)$ ]] || fail "1 was lost and sent again; what came, came in the order $came, which must be like $2"
        [[ $came != "$3" ]] || return 0
    done
    fail 'in 15 rounds nothing has overtaken what was lost'
}

from_alice() {
    say alice '/room 0'
    loses alice "lost $1"
    say alice "ordered $1"
    say alice '/room 3'
    say alice "elsewhere $1"
    say alice '/room 0'
    say alice /u
    say alice "unordered $1"
    say alice /u
    order_at carol "alice: lost $1" "alice: ordered $1" "[3] alice: elsewhere $1" "alice: unordered $1"
}

# bats test_tags=points:3
@test "a lost message does not hold up a later unordered one, and holds up a later ordered one of the same room only" {
    hint 'Who waits for a lost message?' 'Each room is a stream with an order of its own; what is unordered waits for nothing. SCTP_NODELAY, else it waits in the sender.'
    lossy_room
    does carol '/join 3'
    overtaking from_alice '1.*2.*|[34]1.*2.*|(34|43)12' 3412
    "$TREE/lab/two-hosts" down
}

to_alice() {
    "$TREE/lab/two-hosts" cut 1
    say carol "lost $1"
    all_hear "carol: lost $1" bob carol
    "$TREE/lab/two-hosts" mend 1
    say bob "unordered $1"
    say carol "ordered $1"
    order_at bob "bob: unordered $1" "carol: ordered $1"
    order_at carol "bob: unordered $1" "carol: ordered $1"
    order_at alice "carol: lost $1" "bob: unordered $1" "carol: ordered $1"
}

# bats test_tags=points:2
@test "what is lost on the way to a client does not hold up a later unordered message, and holds up a later ordered one" {
    hint 'Who waits for a lost message?' 'The server passes on unordered what came unordered.'
    lossy_room
    start_client bob program_at far "$STAGE/chat_client" -u -n bob -p "$port" 127.0.0.1
    all_hear '* bob joined' alice bob carol
    overtaking to_alice '1[23]{2}|213' 213
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
        program_at near "$STAGE/chat_client" "${option[@]}" -n "c$i" -p "$port" 10.1.0.2 \
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

# bats test_tags=points:2
@test "20 clients in 16 rooms, 10,000 deliveries: everyone shows what was said in its rooms, all of it, once, in order" {
    hint 'A room is a stream' 'Everything goes to everyone, each client shows its rooms.'
    everyone_everywhere delay 1ms
}

# bats test_tags=robust
@test "20 clients in 16 rooms, 10,000 deliveries, over a path that loses packets: the same" {
    everyone_everywhere delay 2ms loss 3%
}

# -- the client, in a pipe and on a terminal

# bats test_tags=points:2
@test "chat_client is exact in a pipe, ordered and unordered: 500 lines come back as they were said, and it ends with 0" {
    hint 'A room is a stream' 'It prints what comes as it is, at once, and stays until the answers to all that it has said are there.'
    start_server "$STAGE/chat_server"
    local option
    seq -f 'line %.0f' 500 >"$BATS_TEST_TMPDIR/lines"
    for option in '' -u; do
        # shellcheck disable=SC2086 # nothing, or an option
        said $option -n alice <"$BATS_TEST_TMPDIR/lines" >"$BATS_TEST_TMPDIR/heard" || fail "its exit status was $?"
        { echo '* alice joined' && sed 's/^/alice: /' "$BATS_TEST_TMPDIR/lines"; } >"$BATS_TEST_TMPDIR/wanted"
        same_bytes "$BATS_TEST_TMPDIR/wanted" "$BATS_TEST_TMPDIR/heard" 'lines are missing, changed, or in the wrong order'
    done
    waits_for_receipts -n bob
}

# bats test_tags=points:2
@test "any bytes, and messages of up to 65,536, in a room, too: they come back whole, with the name" {
    hint 'Whose words are these?' 'A message may hold any bytes, and with the name before it 65,600 of them: clients have to accept so many.'
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
    { echo '* abcdefghijklmnop joined' && sed 's/^/[9] abcdefghijklmnop: /' "$BATS_TEST_TMPDIR/bytes" && echo; } >"$BATS_TEST_TMPDIR/wanted"
    same_bytes "$BATS_TEST_TMPDIR/wanted" "$BATS_TEST_TMPDIR/heard" 'what chat_client printed is not what it has said'
}

# bats test_tags=points:1
@test "the end of the input: each room has its own order, so receipts may come in another one than what was said; chat_client waits for all" {
    hint 'Things to know before you copy this code' 'Between streams there is no order: a receipt may come before that of an earlier line.'
    lossy_room
    loses alice 'lost, and sent again'
    say alice '/room 3'
    say alice 'in another room'
    hang_up alice
    await_exit "${pid[alice]}" || fail "its exit status was $?: $(excerpt "$BATS_TEST_TMPDIR/alice.err")"
    order_at alice 'alice: lost, and sent again' '[3] alice: in another room'
    [[ $came == 12 || $came == 21 ]] || fail "two lines were said in two rooms; they came as $came"
    "$TREE/lab/two-hosts" down
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
    hint 'A room is a stream' 'The answer to a command is waited for like a receipt.'
    start_server "$STAGE/chat_server"
    assert_equal "$(printf '/nick alice\n/who' | said)" $'* alice joined\n* here: alice'
    assert_equal "$(printf '/nick alice\n/nick bob\n/nick a b\n/x' | said | sed 's/nick refused: ..*/nick refused: REASON/')" $'* alice joined\n* alice is now bob\n* nick refused: REASON\n* unknown command: /x'
    assert_equal "$(echo /quit | said -n alice)" '* alice joined'
}

# bats test_tags=points:1
@test "chat_client ends with 1 after 5 s of silence, where an answer does not come" {
    hint 'A room is a stream' 'When nothing has come for 5 s chat_client gives up: poll() with a timeout.'
    # A server that takes all and says nothing; it tells when it listens.
    start_client mute socat -dd -u SCTP-LISTEN:2014,reuseaddr /dev/null
    until [[ $(<"$BATS_TEST_TMPDIR/mute.err") == *listening* ]]; do
        kill -0 "${pid[mute]}"
        breathe
    done
    local start=$SECONDS
    patient 12
    port=2014 run --separate-stderr said -n alice <<<'is anybody there?'
    ((status != 124)) || fail "chat_client was still waiting after $DEADLINE s"
    assert_failure 1
    assert_equal "$output" ''
    # shellcheck disable=SC2154 # run sets it
    has_said "$STAGE/chat_client" "$stderr"
    ((SECONDS - start >= 4)) || fail "chat_client waits 5 s for an answer; it has ended after $((SECONDS - start)) s"
}

# bats test_tags=points:1
@test "chat_client says why and ends with 1: server killed, ended, not there" {
    client_says_why
}

# bats test_tags=points:1
@test "on a terminal chat_client shows control characters as \\xNN, and UTF-8 as it is: in a message and in a reason" {
    start_server "$STAGE/chat_server"
    printf 'a\e]0;title\a \rbob: \xc2\x9b \xff \xe2\x80\xae \xc3\xa9t\xc3\xa9\n' >"$BATS_TEST_TMPDIR/evil"
    run on_terminal "$BATS_TEST_TMPDIR/evil" "$STAGE/chat_client" -n alice -p "$port" 127.0.0.1
    shown_safely $'alice: a\\x1B]0;title\\x07 \\x0Dbob: \\xC2\\x9B \\xFF \\xE2\\x80\\xAE \xc3\xa9t\xc3\xa9'
}

# -- the server

# bats test_tags=points:2
@test "SIGTERM and SIGINT: what is queued is relayed, then all associations are shut down, and it ends with 0" {
    hint 'Things to know before you copy this code' 'Stage 04, "Things to know": the server handles what is queued, shuts all associations down (SCTP_EOF), and waits.'
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
    hint 'What if somebody has fewer streams?' 'Stage 04, "Is it really one call?": where it fails with EINVAL for want of SENDALL, the server says so, and takes the loop.'
    command -v strace >/dev/null || skip 'strace is not installed'
    tracer=(strace -f -qq -e 'trace=sendmsg,sendto,sendmmsg' -e inject=sendmsg:error=EINVAL:when=1 -o "$BATS_TEST_TMPDIR/calls") # the first one fails
    start_server "$STAGE/chat_server"
    tracer=()
    enter alice bob
    say alice hello
    all_hear 'alice: hello' alice bob
    [[ $(<"$BATS_TEST_TMPDIR/server.err") == *SENDALL* ]] ||
        fail "the server does not say on standard error that there is no SENDALL: $(excerpt "$BATS_TEST_TMPDIR/server.err")"
    local calls
    calls=$(calls_with "$BATS_TEST_TMPDIR/calls" hello)
    ((calls == 2)) || fail "1 message to 2 clients took $calls sending calls without SENDALL; expected: 2"
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
    local name
    for name in chat_server chat_client; do
        helps "$STAGE/$name" -x '-p' '-p 65536' '-p 12x' 'one two'
    done
}

# bats test_tags=points:1
@test "who has come and gone leaves no descriptor and no process behind" {
    hint 'Who has come, and who has gone?' 'What is opened for a guest is closed when it goes.'
    start_server "$STAGE/chat_server"
    leaves_nothing_behind "$PEER" -n 10 127.0.0.1 "$port" text:hello
}

# bats test_tags=points:1
@test "messages that have come and gone leave no memory behind" {
    hint 'Things to know before you copy this code' 'For each malloc() there is a free(), when the message has been sent.'
    memory_stays
}

# bats test_tags=robust
@test "valgrind finds no error and no leak" {
    under_valgrind
    start_server "$STAGE/chat_server"
    "$PEER" 127.0.0.1 "$port" text:hello recv recv # the first message takes valgrind seconds: this one is patient
    assert_equal "$(printf 'one\n/who\n//two\n/nick bob\n/room 5\n/u\nthree\n/x' | said -n alice)" \
        $'* alice joined\nalice: one\n* here: alice\nalice: /two\n* alice is now bob\n[5] bob: three\n* unknown command: /x'
    kill -TERM "$server_pid"
    await_exit "$server_pid" || fail "the server's exit status was $?"
    valgrind_finds_nothing
}

# --- rude clients and load
# What stage 04 promises about rude clients holds here, too. Here fewer messages are said: the means are the same.

# ear_witness NICK - a chat_client that writes down what it hears, in $BATS_TEST_TMPDIR/NICK.heard; sets pid[NICK]
ear_witness() {
    program 05-unordered-streams/chat_client -n "$1" -p "$port" 127.0.0.1 <"$BATS_TEST_TMPDIR/never" >"$BATS_TEST_TMPDIR/$1.heard" 2>"$BATS_TEST_TMPDIR/$1.err" &
    pid[$1]=$!
    running+=("$!")
    await_heard "$1" "\\* $1 joined"
}

# await_heard NICK PATTERN - waits until the witness has heard such a line
await_heard() {
    local end=$((SECONDS + DEADLINE))
    until grep -qaE "^$2\$" "$BATS_TEST_TMPDIR/$1.heard"; do
        ((SECONDS <= end)) || fail "$1 has not heard within $DEADLINE s: $2; the last notices: $(grep -a '^\* ' "$BATS_TEST_TMPDIR/$1.heard" | tail -n 5)"
        breathe
    done
}

# said_to NICK - prints what the witness has heard others say
said_to() {
    grep -av '^\* ' "$BATS_TEST_TMPDIR/$1.heard"
}

# bats test_tags=points:3
@test "a client that stops reading stalls nobody, is told why, and the others read that it is gone" {
    hint 'Who has come, and who has gone?' 'Stage 04, "What can one do about it?": room.h and laggards.h. Who is aborted is gone, and everybody is told.'
    local option longest before
    for option in '' -l; do
        small_send_buffer 05-unordered-streams/chat_server $option
        fan_out -g -n 10 1000:8:200 # a room in which everyone reads
        before=$longest
        ear_witness "ann$option"
        ear_witness "deaf$option"
        kill -STOP "${pid[deaf$option]}"
        fan_out -g -n 10 1000:8:1500
        # It takes 1 s to know that someone does not read; a busy machine adds to that what it adds to everything.
        awk -v now="$longest" -v before="$before" 'BEGIN { exit !(now < 2.8 + 10 * before) }' ||
            fail "while one did not read, somebody waited $longest s for a message, and $before s when everyone read"
        await_heard "ann$option" "\\* deaf$option is gone: .+"
        kill -CONT "${pid[deaf$option]}"
        local status=0
        await_exit "${pid[deaf$option]}" || status=$?
        assert_equal "exit status of a client that the server has sent away: $status" 'exit status of a client that the server has sent away: 1'
        has_said "$STAGE/chat_client" "$(excerpt "$BATS_TEST_TMPDIR/deaf$option.err")"
    done
}

# bats test_tags=points:1
@test "who has stopped reading has no hole: what it got is the beginning of all that was said" {
    hint 'Who has come, and who has gone?' 'Stage 04, "Who does not read?": who cannot have a message is aborted, with a reason.'
    start_server 05-unordered-streams/chat_server
    ear_witness deaf
    kill -STOP "${pid[deaf]}"
    seq -f 'sam: %01000.0f' 400 >"$BATS_TEST_TMPDIR/lines"
    cut -c 6- "$BATS_TEST_TMPDIR/lines" | said -n sam >/dev/null || fail "the one who speaks ended with $?"
    kill -CONT "${pid[deaf]}"
    { printf '* deaf joined\n* sam joined\n' && cat "$BATS_TEST_TMPDIR/lines" && echo '* sam left'; } >"$BATS_TEST_TMPDIR/wanted"
    misses_nothing 'the one who had stopped reading' "${pid[deaf]}" "$BATS_TEST_TMPDIR/deaf.heard" "$BATS_TEST_TMPDIR/wanted" "$BATS_TEST_TMPDIR/deaf.err"
}

# bats test_tags=points:1
@test "someone who reads slowly misses nothing, and is not disconnected" {
    small_send_buffer 05-unordered-streams/chat_server
    start_client slow "$PEER" 127.0.0.1 "$port" text:hi slow:403:3 recv
    await_associations 1
    seq -f '%01000.0f' 401 | said -n sam >/dev/null || fail "the one who speaks ended with $?"
    hears slow '403 slowly' # "joined" and "hi" of its own, "joined" of sam, and 400 lines
    hears slow 'message 1006: '
    refute_regex "$(<"$BATS_TEST_TMPDIR/server.err")" 'aborted'
}

# bats test_tags=points:1
@test "one with a single stream and one that has vanished: those after them in the list get all, in every room, and once" {
    hint 'What if somebody has fewer streams?' 'Whatever is the matter with one association, those behind it in the list get the message, and nobody gets it twice.'
    "$TREE/lab/two-hosts" up
    local option i
    for option in '' -l; do
        PROGRAM_NETNS=far start_server 05-unordered-streams/chat_server $option
        start_client "few$option" "${at_near[@]}" "$PEER" -v -i 1 -o 1 10.1.0.2 "$port" text:hi recv recv recv recv recv recv recv recv recv wait
        await_far_associations 1
        start_client "gone$option" "${at_near[@]}" "$PEER" -b 10.2.0.1 10.2.0.2 "$port" text:hi wait
        await_far_associations 2
        start_client "ann$option" program_at near 05-unordered-streams/chat_client -n ann -p "$port" 10.1.0.2
        hears "ann$option" '* ann joined'
        "$TREE/lab/two-hosts" cut 2
        say "ann$option" 'one'
        say "ann$option" '/room 5'
        for i in two three; do
            say "ann$option" "$i"
        done
        say "ann$option" '/room 0'
        say "ann$option" 'four'
        # chat_client may say a thing in room 0 while one in room 5 is on its way.
        for i in 1 2 3 4; do
            await_line "${ear[ann$option]}" line
            printf '%s\n' "$line"
        done | LC_ALL=C sort >"$BATS_TEST_TMPDIR/heard"
        assert_equal "$(<"$BATS_TEST_TMPDIR/heard")" $'[5] ann: three\n[5] ann: two\nann: four\nann: one'
        for i in '\* guest[0-9]+ joined' 'guest[0-9]+: hi' '\* guest[0-9]+ joined' 'guest[0-9]+: hi' '\* ann joined'; do
            hears_at_last "few$option" "message [0-9]+ stream 0 ppid 0: $i"
        done
        for i in 1 2 3 4; do
            hears "few$option" ''
            await_line "${ear[few$option]}" line
            printf '%s\n' "${line#message }"
        done | LC_ALL=C sort >"$BATS_TEST_TMPDIR/heard"
        assert_equal "$(<"$BATS_TEST_TMPDIR/heard")" $'10 stream 0 ppid 0: ann: four\n11 stream 0 ppid 0: ann: three\n9 stream 0 ppid 0: ann: one\n9 stream 0 ppid 0: ann: two'
        "$TREE/lab/two-hosts" mend 2
        kill -KILL "$server_pid"
    done
    "$TREE/lab/two-hosts" down
}

# hears_besides PATTERN NAME TEXT - the client's next line is this one, or the one after a line that fits the pattern
hears_besides() {
    local heard=''
    await_line "${ear[$2]}" heard || fail "$2 heard nothing more within $DEADLINE s; expected: $3"
    # shellcheck disable=SC2053 # a pattern it is
    if [[ $heard == $1 ]]; then hears "$2" "$3"; else assert_equal "$2: $heard" "$2: $3"; fi
}

# bats test_tags=points:1
@test "one in the middle of its shutdown: those after it in the list get all, in every room, and once" {
    hint 'Things to know before you copy this code' 'To send to an association that is ending fails with EPIPE, and SIGPIPE kills who does not ignore it. The others must have the message all the same.'
    local option
    for option in '' -l; do
        start_server 05-unordered-streams/chat_server $option
        start_client "closing$option" "$PEER" 127.0.0.1 "$port" line shut wait
        await_associations 1
        # 120 lines of 1000 bytes are more than fits into the buffer of a client that does not read.
        seq -f '%01000.0f' 120 | said -n sam >/dev/null || fail "the one who speaks ended with $?"
        say "closing$option" go
        await_value 1 shutting_down 'associations in their shutdown'
        start_client "ann$option" program 05-unordered-streams/chat_client -n ann -p "$port" 127.0.0.1
        hears "ann$option" '* ann joined'
        say "ann$option" 'who is left?'
        hears_besides '\* guest1 is gone*' "ann$option" 'ann: who is left?' # on a busy machine, it is taken for one that does not read
        say "ann$option" '/room 5'
        say "ann$option" 'and here?'
        hears_besides '\* guest1 is gone*' "ann$option" '[5] ann: and here?'
        kill -KILL "$server_pid"
    done
}

# bats test_tags=robust
@test "one that floods is slowed down, the others are heard meanwhile, and the server ends all the same" {
    start_server 05-unordered-streams/chat_server
    # It sends as fast as it can, and reads what comes back.
    yes 'a line of a flood, which has no end' | socat - "SCTP:127.0.0.1:$port" >/dev/null 2>&1 &
    running+=("$!")
    await_associations 1
    local i
    for ((i = 1; i <= 2; i++)); do
        heard_in_flood "can you hear me? $i" sam
    done
    [[ $("$PEER" 127.0.0.1 "$port" recv) == message* ]] || fail 'the flood does not go on'
    kill -TERM "$server_pid"
    await_exit "$server_pid" 10 || fail "the flood keeps the server from ending: exit status $? (124: it was still there)"
}

# bats test_tags=robust
@test "someone asks and asks, and reads no answer, or changes his nick over and over: that one goes, the others talk on" {
    start_server 05-unordered-streams/chat_server
    ear_witness ann
    local ask longest number=0
    for ask in '/who' '/nick a|/nick b'; do
        start_client "rude$((++number))" "$PEER" 127.0.0.1 "$port" "text:/nick rude$number" "ask:$ask" end
        await_associations 2
        fan_out -g -n 5 64:4:300
        hears "rude$number" 'no more'
        hears_at_last "rude$number" 'lost cause=12 reason=.+'
        await_heard ann "\\* (rude$number|a|b) is gone: .+"
    done
}

# bats test_tags=points:1
@test "8 clients say 65536 bytes in a row, all at the same time: everyone hears all" {
    start_server 05-unordered-streams/chat_server
    local recv=() i
    for ((i = 0; i < 24; i++)); do
        recv+=(recv) # that they have joined, and what they say
    done
    run "$PEER" -n 8 127.0.0.1 "$port" send:65536 send:65536 "${recv[@]}"
    assert_success
    local whole
    whole=$(count "$output" 'message 655') # with "guestN: " before it, and its newline
    ((whole == 128)) || fail "16 messages of 65536 bytes to 8 clients each: 128 deliveries were expected, and there are $whole"
}

# bats test_tags=robust
@test "someone joins while much is waiting to be said: what that one hears has no hole" {
    only_here
    small_send_buffer 05-unordered-streams/chat_server # which has no place for a long message to three at a time
    ear_witness ann
    start_client cyd program 05-unordered-streams/chat_client -n cyd -p "$port" 127.0.0.1
    hears cyd '* cyd joined'
    kill -STOP "$server_pid"
    say cyd 1
    line_of 50000 2 >&"${mouth[cyd]}"
    say cyd 3
    await_value 1 unread 'clients whose messages have reached the server, which does not read'
    program 05-unordered-streams/chat_client -n bob -p "$port" 127.0.0.1 <"$BATS_TEST_TMPDIR/never" >"$BATS_TEST_TMPDIR/bob.heard" 2>&1 &
    running+=("$!")
    await_associations 3
    kill -CONT "$server_pid"
    await_heard ann '\* bob joined'
    say cyd 4
    await_heard bob 'cyd: 4'
    run cut -c 1-6 <(said_to bob)
    assert_regex "$output" $'^((cyd: 1\ncyd: 2\n)?cyd: 3\n)?cyd: 4$'
}

# to_be_read - prints "yes" where something that the server has not read yet has come from a client
to_be_read() {
    awk -v port="$port" '$12 == port && $9 > 0 { yes = "yes" } END { print yes }' /proc/net/sctp/assocs
}

# bats test_tags=robust
@test "someone with one stream joins while a message in room 5 waits to be passed on: those who join after that one get it, too" {
    start_server 05-unordered-streams/chat_server
    enter ann
    say ann '/room 5'
    kill -STOP "$server_pid"
    say ann 'is anybody there?'
    await_value yes to_be_read 'a message that waits to be passed on'
    start_client one "$PEER" -v -i 1 -o 1 127.0.0.1 "$port" recv wait
    await_associations 2
    start_client two "$PEER" -v -i 16 -o 16 127.0.0.1 "$port" recv recv wait
    await_associations 3
    kill -CONT "$server_pid"
    hears ann '[5] ann: is anybody there?'
    hears one 'message 23 stream 0 ppid 0: ann: is anybody there?'
    hears two 'message 23 stream 5 ppid 0: ann: is anybody there?'
}

# crash_and_return BEFORE AFTER - a guest, of streams BEFORE, crashes; it comes back from the same port, with streams AFTER
crash_and_return() {
    start_client "first$1" "${at_near[@]}" "$PEER" -i "$1" -o 16 -b 10.1.0.1 -l 4000 10.1.0.2 "$port" linger "text:/nick crash$1" wait
    await_far_associations 1
    start_client "ann$1" program_at near 05-unordered-streams/chat_client -n "ann$1" -p "$port" 10.1.0.2
    hears "ann$1" "* ann$1 joined"
    cut_both # so that nobody hears its kernel say goodbye for it
    kill -KILL "${pid[first$1]}"
    wait "${pid[first$1]}" || true
    mend_both
    start_client "again$1" "${at_near[@]}" "$PEER" -v -i "$2" -o 16 -b 10.1.0.1 -l 4000 10.1.0.2 "$port" 'text:I am back' recv recv recv recv wait
    hears_at_last "ann$1" "\\* crash$1 is gone: .+"
    hears_at_last "ann$1" '\* guest[0-9]+ joined'
    hears_at_last "ann$1" 'guest[0-9]+: I am back'
    hears_at_last "again$1" 'message [0-9]+ stream 0 ppid 0: guest[0-9]+: I am back'
}

# bats test_tags=points:1
@test "SCTP_RESTART: a guest crashes and comes back with more streams, or with less: everyone hears every room" {
    hint 'Who has come, and who has gone?' 'A restart is a new guest behind the same association: it has no name yet, and perhaps other streams (stage 03, "A peer that crashes and comes back").'
    "$TREE/lab/two-hosts" up
    PROGRAM_NETNS=far
    local few
    for few in 1 16; do
        start_server 05-unordered-streams/chat_server
        crash_and_return "$few" $((17 - few))
        say "ann$few" '/room 5'
        say "ann$few" 'do you hear me?'
        hears "ann$few" "[5] ann$few: do you hear me?"
        # It has one stream now, or had one before.
        hears_at_last "again$few" "message [0-9]+ stream [05] ppid 0: ann$few: do you hear me\\?"
        kill -KILL "$server_pid"
    done
    "$TREE/lab/two-hosts" down
}

# bats test_tags=robust
@test "one that reads, but hardly anything, holds up the room for seconds and not for good" {
    only_here
    start_server 05-unordered-streams/chat_server
    ear_witness ann
    start_client slow "$PEER" 127.0.0.1 "$port" 'text:/nick sipper' sip:2500:300 end # 64 KB take it eight seconds
    await_heard ann '\* sipper joined'
    lines 8 >"$BATS_TEST_TMPDIR/heard" || fail "the one who speaks ended with $? (124: it had not heard its lines after $DEADLINE s)"
    await_heard ann '\* sipper is gone: .+'
}

# bats test_tags=robust
@test "who is killed in the middle of a message, or aborts there: nobody hears a part of it, and its name is free again" {
    ulimit -c 0
    small_receive_buffer 05-unordered-streams/chat_server
    start_client ann program 05-unordered-streams/chat_client -n ann -p "$port" 127.0.0.1
    hears ann '* ann joined'
    local how
    for how in wait abort; do
        start_client "dies$how" "$PEER" -m 500 127.0.0.1 "$port" 'text:/nick dora' text:hello linger line send:65000 print:sent "$how"
        hears ann '* dora joined'
        hears ann 'dora: hello'
        kill -STOP "$server_pid" # so that it is the middle indeed: the rest does not fit
        say "dies$how" go
        hears "dies$how" sent
        [[ $how == abort ]] || await_value yes knocked 'the client has tried in vain to send more'
        [[ $how == abort ]] || kill -KILL "${pid[dies$how]}"
        await_associations 1
        kill -CONT "$server_pid"
        one_answer ann '\* dora is gone: .+'
        say ann 'what was that?'
        hears ann 'ann: what was that?'
    done
    say ann '/who'
    hears ann '* here: ann'
}

# bats test_tags=points:1
@test "SIGTERM though a guest reads nothing: the others hear how it ends, and the server ends with 0" {
    start_server 05-unordered-streams/chat_server
    ear_witness ann
    ear_witness bob
    start_client deaf "$PEER" 127.0.0.1 "$port" flood wait
    hears deaf full
    kill -TERM "$server_pid"
    patient 12
    # It takes 5 s and a little. A busy machine may add some; a server that waits for this client takes for ever.
    await_exit "$server_pid" || fail "the exit status was $? (124: it was still there)"
    local name
    for name in ann bob; do
        await_exit "${pid[$name]}" && fail 'a client whose server has ended must end with 1'
        has_said "$STAGE/chat_client" "$(excerpt "$BATS_TEST_TMPDIR/$name.err")"
    done
}

# bats test_tags=robust
@test "where the kernel has no memory for what is said, nobody has a hole without being told" {
    only_here
    local option before
    before=$(</proc/sys/net/sctp/sctp_mem)
    for option in '' -l; do
        start_server 05-unordered-streams/chat_server $option
        echo '100 120 150' >/proc/sys/net/sctp/sctp_mem # pages, for all of SCTP
        run "$FANOUT" -g -n 10 -s 30 -l 8 -p "$port" 1000:8:300 # which may fail, but not for a message that is missing
        echo "$before" >/proc/sys/net/sctp/sctp_mem
        ((status < 126)) || fail "$FANOUT does not run"
        refute_output --regexp 'what comes is not|nothing came|neither a notice|not one line'
        kill -0 "$server_pid"
    done
}

# The last tests are load, and give no points: see 04-sendall.bats. With -g the tools take the names off before they
# compare, and speak in all rooms.

# bats test_tags=robust
@test "guests who shut down and read nothing, while much is queued for them, do not keep the others from hearing all" {
    only_here
    deaf_and_shut 3
}

# bats test_tags=robust
@test "a crowd of 60 in 16 rooms, that comes and goes at random: all hear the same in each, and the notices are true" {
    only_here
    local option seconds=2
    for option in '' -l; do
        start_server 05-unordered-streams/chat_server $option
        run "$TREE/tests/tools/crowd" -g -n 60 -t $((seconds--)) -r 60 -c 30 -k 1 -i 0 -P "$server_pid" 127.0.0.1 "$port"
        assert_success
        assert_output --partial ' missing 0, twice 0, out of order 0, '
        assert_output --regexp 'descriptors first ([0-9]+) last \1; notices [0-9]+, false 0'
    done
}

# bats test_tags=robust
@test "200 guests who come and go at the same time are announced in few messages, not each to each in one of its own" {
    only_here
    start_server 05-unordered-streams/chat_server
    run "$TREE/tests/tools/crowd" -g -n 200 -t 1 -r 5 -c 0 -k 0 -i 0 127.0.0.1 "$port"
    assert_success
    [[ $output =~ 'notices '([0-9]+) ]]
    ((BASH_REMATCH[1] < 25000)) || fail "${BASH_REMATCH[1]} messages with notices; each of its own, they would be 40,000"
}

# bats test_tags=robust
@test "2000 messages and commands of guests with random options and few streams: the room is right afterwards" {
    only_here
    survives fuzz -g 2000
}

# bats test_tags=robust
@test "3000 random packets, in a chat: the room is right afterwards" {
    only_here
    survives packets -g 3000
}

# bats test_tags=robust
@test "valgrind finds no error and no leak, whatever the guests do" {
    only_here
    clean_under_load -g
}
