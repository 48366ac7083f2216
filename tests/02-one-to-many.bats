#!/usr/bin/env bats
# Stage 02: one one-to-many socket for many peers. Every test holds for any correct implementation.

load helper/course

# echoed HOST... - sends standard input through echo_client and prints its replies
echoed() {
    timed 02-one-to-many/echo_client -p "$port" "$@"
}

# echoes_file FILE HOST - the file's lines must come back as they are, each behind "HOST: "
echoes_file() {
    local status=0
    echoed "$2" <"$1" >"$BATS_TEST_TMPDIR/replies" || status=$?
    sed "s/^$2: //" "$BATS_TEST_TMPDIR/replies" | cmp "$1" - ||
        fail "what came back ($(wc -c <"$BATS_TEST_TMPDIR/replies") bytes) differs from what was sent ($(wc -c <"$1") bytes, and '$2: ' before each line)"
    assert_equal "echo_client: exit status $status" 'echo_client: exit status 0'
}

# descriptors - prints how many the server has open
descriptors() {
    local open=("/proc/$server_pid/fd"/*)
    printf '%s descriptors\n' "${#open[@]}"
}

# large_buffers - this test needs the 8 MB that a lab allows for a socket's buffers
large_buffers() {
    (($(</proc/sys/net/core/rmem_max) >= 4194304)) ||
        skip 'net.core.rmem_max is too low: with default buffers many large messages at once collapse (TUTORIAL.md, stage 02)'
}

# half_has_passed - prints yes when 30,000 bytes have gone from near to far
half_has_passed() {
    [[ $(ip netns exec near tc -s qdisc show dev path1) =~ Sent\ ([0-9]+)\ bytes ]]
    ((BASH_REMATCH[1] < 30000)) || echo yes
}

# bats test_tags=points:3
@test "a message goes back on its association and stream, with its PPID, in the order that it came in, and is reported" {
    hint 'So whose message is it?' 'The reply has the association, the stream, the PPID and SCTP_UNORDERED of the message; ntohl() is for what is printed. Something else than the message that is reported may be a notification (MSG_NOTIFICATION); nothing, that standard output is not line-buffered.'
    start_server 02-one-to-many/echo_server
    start_client two "$PEER" -v -o 40 127.0.0.1 "$port" on:7:42: text:hello recv on:39:4294967295:u text:'not ordered' recv line
    hears two 'message 5 stream 7 ppid 42: hello'
    hears two 'message 11 stream 39 ppid 4294967295 unordered: not ordered'
    reports 'assoc [0-9]+ stream 7 ppid 42: 5 bytes from 127\.0\.0\.1 port [0-9]+'
    reports 'assoc [0-9]+ stream 39 ppid 4294967295: 11 bytes from 127\.0\.0\.1 port [0-9]+'
}

# bats test_tags=points:1
@test "the report names the peer's port, and an IPv6 address as it is" {
    hint 'So whose message is it?' 'The address comes with each message; an IPv4 peer of an IPv6 socket (::ffff:) is reported as dotted IPv4.'
    start_server 02-one-to-many/echo_server
    "$PEER" -l 4711 127.0.0.1 "$port" text:one recv
    reports 'assoc [0-9]+ stream 0 ppid 0: 3 bytes from 127\.0\.0\.1 port 4711'
    "$PEER" ::1 "$port" text:seven77 recv
    reports 'assoc [0-9]+ stream 0 ppid 0: 7 bytes from ::1 port [0-9]+'
}

# bats test_tags=points:1
@test "the reply comes on stream 0 where the peer accepts no such stream as it sent on" {
    hint 'So whose message is it?' 'A peer may accept fewer streams than it sends on: then sending gives EINVAL, and stream 0 is left.'
    start_server 02-one-to-many/echo_server
    run "$PEER" -v -o 10 -i 3 127.0.0.1 "$port" on:2:1: text:two recv on:9:1: text:nine recv
    assert_output $'message 3 stream 2 ppid 1: two\nmessage 4 stream 0 ppid 1: nine'
}

# bats test_tags=points:2
@test "any bytes come back: all 256 values, messages of 1, 1452, 1453, 65535 and 65536 bytes" {
    hint 'So whose message is it?' 'A message is as many bytes as the receive call has returned, NUL or not. The client stays until its last reply has come.'
    start_server 02-one-to-many/echo_server
    local octal size
    {
        printf 'one\n\ntwo words\nzero\0terminated\n'
        for ((i = 0; i < 256; i++)); do
            printf -v octal '\\%03o' "$i"
            # shellcheck disable=SC2059 # the format is the byte
            printf "$octal"
        done
        printf '\n'
        for size in 1 1452 1453 65535 65536; do
            line_of "$size"
        done
    } >"$BATS_TEST_TMPDIR/bytes"
    echoes_file "$BATS_TEST_TMPDIR/bytes" 127.0.0.1
    assert_equal "$(printf 'last' | echoed localhost)" 'localhost: last'
}

# bats test_tags=points:2
@test "boundaries: two messages sent back to back come back as two" {
    hint 'So whose message is it?' 'One message in, one message out.'
    start_server 02-one-to-many/echo_server
    run "$PEER" 127.0.0.1 "$port" text:first text:second recv recv
    assert_output $'message 5: first\nmessage 6: second'
}

# bats test_tags=points:2
@test "a message of 65537 bytes, or 200000: its sender is aborted with the reason 'message too long', the others stay" {
    hint 'Things to know before you copy this code' 'SCTP_ABORT in the flags, with "message too long" as the message, aborts an association with a reason. What still comes of the message is thrown away.'
    start_server 02-one-to-many/echo_server
    start_client stays program 02-one-to-many/echo_client -p "$port" 127.0.0.1
    say stays before
    hears stays '127.0.0.1: before'
    reports '.* 7 bytes from .*'
    local size
    for size in 65537 200000; do
        run "$PEER" 127.0.0.1 "$port" send:"$size" end
        assert_output 'lost cause=12 reason=message too long'
    done
    say stays after
    hears stays '127.0.0.1: after'
    reports '.* 6 bytes from .*' # no rest of a long message was taken for another one
}

# bats test_tags=points:3
@test "a message longer than one read comes back whole (MSG_EOR), for many at once" {
    hint 'So whose message is it?' 'Only the last piece of a message has MSG_EOR; between the pieces of one association may come those of another: keep them for each association.'
    variables=("LD_PRELOAD=$PRELOADS/short_reads.so") # the kernel is asked for 1,000 bytes at a time
    start_server 02-one-to-many/echo_server
    variables=()
    run "$PEER" -n 8 127.0.0.1 "$port" send:5000 send:3000 recv same send:65536 same
    assert_success
    assert_equal "$(count "$output" 'message 5000:')" 8
}

# bats test_tags=points:2
@test "partial delivery: pieces that come before the message is whole are put together too" {
    hint 'So whose message is it?' 'Only the last piece of a message has MSG_EOR.'
    small_receive_buffer 02-one-to-many/echo_server
    run "$PEER" -n 2 127.0.0.1 "$port" send:60000 same send:100 same
    assert_success
}

# bats test_tags=points:2
@test "an unfinished message of one client does not hold up the messages of others" {
    hint 'So whose message is it?' 'Without SCTP_FRAGMENT_INTERLEAVE a message of which a piece has been read holds up all others.'
    "$TREE/lab/two-hosts" up 1
    "$TREE/lab/two-hosts" path 1 rate 50kbit # 60,000 bytes take ten seconds
    PROGRAM_NETNS=far
    small_receive_buffer 02-one-to-many/echo_server
    start_client slow ip netns exec near "$PEER" 10.1.0.2 "$port" text:one recv send:60000 print:sent recv
    hears slow 'message 3: one'
    hears slow sent
    start_client quick ip netns exec far "$PEER" 127.0.0.1 "$port" text:two recv line text:three recv
    reports '.* 3 bytes from 10\.1\.0\.1 .*'
    reports '.* 3 bytes from 127\.0\.0\.1 .*'
    await_value yes half_has_passed 'half of the message of 60,000 bytes has come through'
    "$TREE/lab/two-hosts" cut 1 # the rest of it does not come before it may
    say quick go
    reports '.* 5 bytes from 127\.0\.0\.1 .*' # before the long one, of which a piece has been read by then
    "$TREE/lab/two-hosts" mend 1
    reports '.* 60000 bytes from 10\.1\.0\.1 .*'
}

# bats test_tags=points:3
@test "50 clients send 64 KiB each at the same time: each gets its own back" {
    hint 'What does it cost?' 'One socket has one receive buffer for all associations (SO_RCVBUF, SO_SNDBUF). With the usual one, many large messages at once get stuck: ask for 4 MB.'
    large_buffers
    start_server 02-one-to-many/echo_server
    run "$PEER" -n 50 127.0.0.1 "$port" send:65536 same
    assert_success
}

# bats test_tags=points:3
@test "200 associations at once on one socket: each gets its own replies, and the server's descriptors stay the same" {
    hint 'Do I need a descriptor for each client?' 'One socket for all, no descriptor for each. The association in the struct of the send call says who gets the reply.'
    start_server 02-one-to-many/echo_server
    ignore_reports
    local before
    before=$(descriptors)
    start_client crowd "$PEER" -n 200 127.0.0.1 "$port" send:101 send:500 recv same print:served line
    local i
    for ((i = 0; i < 200; i++)); do
        hears crowd 'message 101: '
    done
    hears crowd served
    assert_equal "$(associations) associations" '200 associations'
    assert_equal "$(descriptors)" "$before"
    hang_up crowd
    await_associations 0
}

# bats test_tags=points:2
@test "a client that sends 300 fragments and dies in the middle of the message leaves nothing wrong for the others" {
    hint 'Things to know before you copy this code' 'An association ends in the middle of a message: its pieces must go, and the others must not notice.'
    small_receive_buffer 02-one-to-many/echo_server
    start_client stays "$PEER" 127.0.0.1 "$port" text:before recv line text:after recv
    hears stays 'message 6: before'
    reports '.* 6 bytes from .*'
    kill -STOP "$server_pid" # so that it is the middle indeed: the rest does not fit
    start_client dies "$PEER" -m 500 127.0.0.1 "$port" linger send:150000 print:sent wait
    hears dies sent
    kill -KILL "${pid[dies]}"
    await_associations 1
    kill -CONT "$server_pid"
    say stays go
    hears stays 'message 5: after'
    reports '.* 5 bytes from .*'
    assert_equal "$(echo new | echoed 127.0.0.1)" '127.0.0.1: new'
    reports '.* 4 bytes from .*'
}

# bats test_tags=points:2
@test "a client that does not read its replies does not keep others from theirs" {
    hint 'What does it cost?' 'One send buffer for all: who does not read its replies fills it, and a send that waits for room then waits for ever. SO_SNDTIMEO or MSG_DONTWAIT, and that one is aborted.'
    start_server 02-one-to-many/echo_server
    ignore_reports
    start_client rude "$PEER" 127.0.0.1 "$port" flood wait
    hears rude full
    assert_equal "another client hears: $(echo hello | echoed 127.0.0.1)" 'another client hears: 127.0.0.1: hello'
}

# bats test_tags=points:1
@test "-c closes an association on which nothing has come for so long, gracefully; without it none is closed" {
    hint 'What does it cost?' 'SCTP_AUTOCLOSE, in seconds.'
    start_server 02-one-to-many/echo_server
    start_client kept "$PEER" 127.0.0.1 "$port" text:one recv line text:two recv
    hears kept 'message 3: one'
    local kept=$server_pid
    start_server 02-one-to-many/echo_server -c 1
    run "$PEER" 127.0.0.1 "$port" text:hello recv end
    assert_output $'message 5: hello\nshutdown'
    kill -0 "$kept"
    say kept go
    hears kept 'message 3: two'
}

# bats test_tags=points:2
@test "on the wire: the first message travels with the COOKIE ECHO, for sending it sets up the association" {
    hint 'Can one socket call, too?' 'The first message to an address sets up the association: no connect(), no sctp_connectx().'
    start_server 02-one-to-many/echo_server
    start_capture
    echo hello | echoed 127.0.0.1 >/dev/null
    captured 'SHUTDOWN COMPLETE'
    [[ $packets == *'[COOKIE ECHO]'*'[DATA]'*$'\n'* ]] || fail "no COOKIE ECHO, or no DATA: $packets"
    local line
    while IFS= read -r line; do
        [[ $line != *'[COOKIE ECHO]'* ]] || assert_regex "$line" '\[COOKIE ECHO\].*\[DATA\]'
    done <<<"$packets"
}

# bats test_tags=points:3
@test "echo_client talks to several servers from one socket, and says whose each reply is" {
    hint 'Can one socket call, too?' 'One socket sends each line to every server; a reply is printed as OPERAND: reply.'
    start_server 02-one-to-many/echo_server
    local first=$port
    start_server 02-one-to-many/echo_server
    start_client all program 02-one-to-many/echo_client -p "$first" 127.0.0.1 "[::1]:$port"
    local line replies='' i
    say all one
    for ((i = 0; i < 2; i++)); do
        await_line "${ear[all]}" line || fail "two servers must reply; so far: $replies; on standard error: $(excerpt "$BATS_TEST_TMPDIR/all.err")"
        replies+=$line$'\n'
    done
    assert_equal "$(sort <<<"$replies")" $'\n'"$(printf '%s\n' '127.0.0.1: one' "[::1]:$port: one" | sort)"
    run awk -v one="$first" -v other="$port" '$13 == one || $13 == other { print $12 }' /proc/net/sctp/assocs
    assert_equal "local ports: $(sort -u <<<"$output" | wc -l)" 'local ports: 1' # the two associations have one socket
    hang_up all
    local status=0
    await_exit "${pid[all]}" || status=$?
    assert_equal "exit status $status" 'exit status 0'
}

# What echo_client of the course does; another program may do something else.
@test "echo_client says so where two of its operands are the same server" {
    start_server 02-one-to-many/echo_server
    run --separate-stderr echoed '[::1]' "localhost:$port" <<<hello
    assert_failure 1
    assert_output '[::1]: hello'
    assert_regex "$stderr" "^echo_client: localhost:$port: .+"
}

# bats test_tags=points:3
@test "one dead server does not stop the others, is named, and gives exit status 1" {
    hint 'Can one socket call, too?' 'That a server is not there is told by a notification (SCTP_CANT_STR_ASSOC). It is named on standard error, the others go on, and the exit status is 1.'
    start_server 02-one-to-many/echo_server
    black_hole
    start_client all program 02-one-to-many/echo_client -p "$port" 10.99.0.2 127.0.0.1 127.0.0.1:1 nowhere.invalid
    say all one
    hears all '127.0.0.1: one'
    say all two
    hears all '127.0.0.1: two'
    hang_up all
    local status=0 name
    await_exit "${pid[all]}" || status=$?
    assert_equal "exit status $status" 'exit status 1'
    for name in '10\.99\.0\.2' '127\.0\.0\.1:1' 'nowhere\.invalid'; do
        grep -qE "^echo_client: .*$name" "$BATS_TEST_TMPDIR/all.err" ||
            fail "a server that is not there must be named on standard error, 'echo_client: what failed: reason': $name; it said: $(excerpt "$BATS_TEST_TMPDIR/all.err")"
    done
}

# bats test_tags=points:2
@test "a server that goes away, by a shutdown or by an abort, is named with the reason, and the others go on" {
    hint 'Can one socket call, too?' 'That an association has ended is told by a notification. The server is named on standard error, the others go on, and the exit status is 1.'
    start_server 02-one-to-many/echo_server
    local stays=$port how line status
    for how in shutdown abort; do
        start_server 02-one-to-many/echo_server
        start_client "$how" program 02-one-to-many/echo_client "127.0.0.1:$port" "127.0.0.1:$stays"
        say "$how" one
        await_line "${ear[$how]}" line
        await_line "${ear[$how]}" line
        if [[ $how == abort ]]; then # its kernel says goodbye like this where something is unread
            kill -STOP "$server_pid"
            say "$how" unread
            hears "$how" "127.0.0.1:$stays: unread"
        fi
        kill -KILL "$server_pid"
        wait "$server_pid" || true
        port=$stays await_associations 1
        say "$how" two
        hears "$how" "127.0.0.1:$stays: two"
        hang_up "$how"
        status=0
        await_exit "${pid[$how]}" || status=$?
        assert_equal "$how: exit status $status" "$how: exit status 1"
        has_said 02-one-to-many/echo_client "$(excerpt "$BATS_TEST_TMPDIR/$how.err")"
        [[ $(excerpt "$BATS_TEST_TMPDIR/$how.err") == *"127.0.0.1:$port"* ]] || fail "it must name the server that has gone: 127.0.0.1:$port"
    done
}

# bats test_tags=points:1
@test "echo_client tries all addresses of a name: localhost is found where the server has IPv4 alone" {
    hint 'Can one socket call, too?' 'localhost is ::1 and 127.0.0.1: where one refuses, the other is tried.'
    start_server 02-one-to-many/echo_server -a 127.0.0.1
    assert_equal "$(printf 'one\ntwo\n' | echoed localhost)" $'localhost: one\nlocalhost: two'
    ends_with 1 02-one-to-many/echo_client -p "$port" '[::1]' <<<hello
}

# bats test_tags=points:1
@test "echo_client refuses a line of 65537 bytes by naming the limit, and goes on with the next" {
    hint 'Things to know before you copy this code' 'What is longer than 65,536 bytes is refused with an error, and the next line goes on.'
    start_server 02-one-to-many/echo_server
    { line_of 65537 && echo next; } >"$BATS_TEST_TMPDIR/lines"
    run --separate-stderr echoed 127.0.0.1 <"$BATS_TEST_TMPDIR/lines"
    assert_success
    assert_output '127.0.0.1: next'
    names_limit
}

# bats test_tags=points:2
@test "500 lines to two servers: all come back, in order for each" {
    hint 'Can one socket call, too?' 'Each server gets every line, in order, and the client stays until the last one is answered.'
    start_server 02-one-to-many/echo_server
    ignore_reports
    local first=$port i
    start_server 02-one-to-many/echo_server
    ignore_reports
    for ((i = 0; i < 500; i++)); do
        printf '%d\n' "$i"
    done >"$BATS_TEST_TMPDIR/lines"
    echoed "127.0.0.1:$first" '[::1]' <"$BATS_TEST_TMPDIR/lines" >"$BATS_TEST_TMPDIR/replies"
    local host
    for host in "127.0.0.1:$first" '\[::1\]'; do
        sed -n "s/^$host: //p" "$BATS_TEST_TMPDIR/replies" | cmp "$BATS_TEST_TMPDIR/lines" ||
            fail "the replies of $host must be all lines that it has been sent, in order; there are $(grep -c "^$host: " "$BATS_TEST_TMPDIR/replies") of 500"
    done
}

# bats test_tags=points:2
@test "SIGTERM and SIGINT: what is queued is answered, all associations are shut down gracefully, and it ends with 0" {
    hint 'Things to know before you copy this code' 'A server that is to end answers what is queued, and then ends each association by SCTP_EOF.'
    local signal name
    for name in echo_server peeloff_server; do
        for signal in TERM INT; do
            start_server "02-one-to-many/$name"
            start_client mute "$PEER" 127.0.0.1 "$port" print:here end
            start_client quick "$PEER" 127.0.0.1 "$port" text:one recv line text:queued text:more print:sent recv recv end
            hears mute here
            hears quick 'message 3: one'
            family=()
            family_of "$server_pid"
            kill -STOP "${family[@]}" # so that both messages are queued indeed when the signal comes
            say quick go
            hears quick sent
            kill -"$signal" "$server_pid"
            kill -CONT "${family[@]}"
            hears quick 'message 6: queued'
            hears quick 'message 4: more'
            hears quick 'shutdown'
            hears mute 'shutdown'
            await_exit "$server_pid" || fail "$name: after SIG$signal the exit status was $?"
            rm "$BATS_TEST_TMPDIR"/{mute,quick}.*
        done
    done
}

# bats test_tags=points:1
@test "SIGTERM ends a server though a client reads nothing: that one is aborted" {
    hint 'Things to know before you copy this code' 'Whoever has not agreed to end after 5 s is aborted.'
    local name pids=()
    for name in echo_server peeloff_server; do
        start_server "02-one-to-many/$name"
        ignore_reports
        start_client "deaf$name" "$PEER" 127.0.0.1 "$port" flood line end
        hears "deaf$name" full
        pids+=("$server_pid")
    done
    kill -TERM "${pids[@]}"
    for name in "${pids[@]}"; do
        await_exit "$name" || fail "the exit status was $? (124: it was still there)"
    done
}

# bats test_tags=points:2
@test "peeloff_server echoes and reports as echo_server does, for many at once, and refuses what is too long" {
    hint 'And if the slow one is a good customer?' 'The message by which an association is noticed is still to be answered, after sctp_peeloff().'
    start_server 02-one-to-many/peeloff_server
    run "$PEER" -v -o 40 -l 4712 127.0.0.1 "$port" on:39:42:u text:hello recv on:7:1: text:again recv
    assert_output $'message 5 stream 39 ppid 42 unordered: hello\nmessage 5 stream 7 ppid 1: again'
    reports 'assoc [0-9]+ stream 39 ppid 42: 5 bytes from 127\.0\.0\.1 port 4712'
    reports 'assoc [0-9]+ stream 7 ppid 1: 5 bytes from 127\.0\.0\.1 port 4712'
    run "$PEER" 127.0.0.1 "$port" text:hello recv send:65537 end
    assert_output $'message 5: hello\nlost cause=12 reason=message too long'
    run "$PEER" 127.0.0.1 "$port" send:200000 end
    assert_output 'lost cause=12 reason=message too long'
    ignore_reports
    run "$PEER" -n 20 ::1 "$port" send:100 send:65536 recv same
    assert_success
}

# bats test_tags=points:2
@test "peeloff_server puts pieces together, also where the first was read before the association was branched off" {
    hint 'And if the slow one is a good customer?' 'A piece may have been read from the listening socket before sctp_peeloff(), the others come from the new one.'
    small_receive_buffer 02-one-to-many/peeloff_server
    run "$PEER" 127.0.0.1 "$port" send:60000 same send:50000 same
    assert_success
}

# bats test_tags=points:3
@test "peeloff_server serves a slow one apart: others have their replies meanwhile, and it misses none" {
    hint 'And if the slow one is a good customer?' 'sctp_peeloff() makes a descriptor; a process or a thread for it, or poll(), makes it independent.'
    start_server 02-one-to-many/peeloff_server
    ignore_reports
    local i
    for ((i = 0; i < 1000; i++)); do
        printf '%d%20000d\n' "$i" "$i"
    done >"$BATS_TEST_TMPDIR/lines"
    # Its output is a pipe, from which nobody reads for a while.
    mkfifo "$BATS_TEST_TMPDIR/pipe"
    program 02-one-to-many/echo_client -p "$port" 127.0.0.1 <"$BATS_TEST_TMPDIR/lines" >"$BATS_TEST_TMPDIR/pipe" &
    running+=("$!")
    exec {slow}<"$BATS_TEST_TMPDIR/pipe"
    read -r -N 1 -u "$slow" i # it has begun
    assert_equal "another client hears: $(echo hello | echoed 127.0.0.1)" 'another client hears: 127.0.0.1: hello'
    { printf '%s' "$i" && cat <&"$slow"; } | sed 's/^127.0.0.1: //' | cmp "$BATS_TEST_TMPDIR/lines"
}

# bats test_tags=points:1
@test "who has come and gone leaves no descriptor and no process behind" {
    hint 'And if the slow one is a good customer?' 'The peeled-off descriptor is closed when its association has ended, also in the parent after fork(); a child is waited for.'
    local name
    for name in echo_server peeloff_server; do
        start_server "02-one-to-many/$name"
        leaves_nothing_behind "$PEER" -n 10 127.0.0.1 "$port" text:hello
        leaves_nothing_behind "$PEER" 127.0.0.1 "$port" text:hello recv abort
    done
}

# bats test_tags=points:2
@test "other people's programs are served: socat, sctp_darn and sctp_test" {
    hint 'Do I need a descriptor for each client?' 'A client of somebody else sends what it wants, and stays open until it is answered.'
    start_server 02-one-to-many/echo_server
    start_client socat socat - "SCTP:127.0.0.1:$port"
    say socat 'from socat'
    hears socat 'from socat'
    reports '.* 11 bytes from .*'
    command -v sctp_darn >/dev/null || skip 'sctp_darn is not installed (lksctp-tools)'
    start_client darn sctp_darn -H 127.0.0.1 -P 4713 -h 127.0.0.1 -p "$port" -s
    say darn 'from darn'
    reports '.* stream 0 ppid 0: [0-9]+ bytes from 127\.0\.0\.1 port 4713'
    start_client test sctp_test -H :: -P 4714 -h ::1 -p "$port" -s -c 1 -x 1
    local size
    for size in 1452 2904 4356; do
        reports "assoc [0-9]+ stream 0 ppid [0-9]+: $size bytes from ::1 port 4714"
    done
    ignore_reports
    say socat 'after all'
    hears socat 'after all'
}

# bats test_tags=points:1
@test "by -a the servers serve only the addresses that it names, several make them multihomed" {
    hint 'Do I need a descriptor for each client?' 'bind() takes one address; sctp_bindx() adds the others.'
    local name
    for name in echo_server peeloff_server; do
        start_server "02-one-to-many/$name" -a 127.0.0.1 -a 127.0.0.2
        start_client "$name" program 02-one-to-many/echo_client -p "$port" 127.0.0.2
        say "$name" hello
        hears "$name" '127.0.0.2: hello'
        run awk -v port="$port" '$12 == port' /proc/net/sctp/assocs
        assert_output --regexp '127\.0\.0\.1.*<->'
        assert_output --regexp '127\.0\.0\.2.*<->'
        ends_with 1 02-one-to-many/echo_client -p "$port" '[::1]' <<<hello
    done
}

# bats test_tags=points:1
@test "a port in use is an error with a reason and exit status 1" {
    hint 'Do I need a descriptor for each client?' 'A failure is one line "PROGRAM: what failed: reason" on standard error, and exit status 1.'
    start_server 02-one-to-many/echo_server
    local name
    for name in echo_server peeloff_server; do
        ends_with 1 "02-one-to-many/$name" -p "$port"
        assert_equal "$output" ''
    done
}

# bats test_tags=points:1
@test "on a terminal the peer's control characters are shown as \\xNN, and UTF-8 as it is" {
    hint 'Things to know before you copy this code' 'Where standard output is a terminal (isatty), what a peer has sent must not steer it.'
    start_server 02-one-to-many/echo_server
    printf 'a\e]0;title\a \xc2\x9b \xff \xe2\x80\xae \xc3\xa9t\xc3\xa9\n' >"$BATS_TEST_TMPDIR/evil"
    run on_terminal "$BATS_TEST_TMPDIR/evil" 02-one-to-many/echo_client -p "$port" 127.0.0.1
    shown_safely $'127.0.0.1: a\\x1B]0;title\\x07 \\xC2\\x9B \\xFF \\xE2\\x80\\xAE \xc3\xa9t\xc3\xa9'
}

# bats test_tags=points:1
@test "help goes to standard output with 0, bad usage to standard error with 2" {
    hint 'Can one socket call, too?' '-h is not an error: its text goes to standard output. Bad usage: standard error, exit status 2.'
    local name more
    for name in echo_server echo_client peeloff_server; do
        more=(operand)
        [[ $name != echo_server ]] || more+=('-c' '-c 0' '-c -1' '-c soon')
        [[ $name != echo_client ]] || more=(::1 '[::1' '[]' ':2013' 'localhost:' 'localhost:0' '[::1]2013' '[::1]:http')
        helps 02-one-to-many/$name -x '-p 65536' "${more[@]}"
    done
    ends_with 2 02-one-to-many/echo_client
}

# bats test_tags=points:1
@test "valgrind finds no error and no leak" {
    under_valgrind
    local name
    for name in echo_server peeloff_server; do
        small_receive_buffer "02-one-to-many/$name"
        "$PEER" 127.0.0.1 "$port" text:hello recv # the first message takes valgrind seconds: this one is patient
        assert_equal "$(printf 'one\ntwo\n' | echoed localhost)" $'localhost: one\nlocalhost: two'
        # One that dies in the middle of a message, of which the server has a piece already.
        start_client "dies$name" "$PEER" -m 500 127.0.0.1 "$port" text:one recv linger send:150000 print:sent wait
        hears "dies$name" 'message 3: one'
        kill -STOP "$server_pid" # so that it is the middle indeed: the rest does not fit
        say "dies$name" go
        hears "dies$name" sent
        await_value yes knocked 'the client has tried in vain to send more'
        kill -KILL "${pid[dies$name]}"
        await_associations 0
        kill -CONT "$server_pid"
        kill -TERM "$server_pid"
        await_exit "$server_pid" || fail "the exit status of $name was $?"
    done
    valgrind_finds_nothing
}
