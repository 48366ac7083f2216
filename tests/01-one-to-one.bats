#!/usr/bin/env bats
# Stage 01: echo over one-to-one sockets. Every test holds for any correct implementation.

load helper/course

# echoed HOST [OPTION...] - sends standard input through echo_client and prints what came back, byte for byte
echoed() {
    timed 01-one-to-one/echo_client "${@:2}" -p "$port" "$1"
}

# echoes_file FILE HOST [OPTION...] - the file must come back as it is
echoes_file() {
    local status=0
    echoed "${@:2}" <"$1" >"$BATS_TEST_TMPDIR/back" || status=$?
    cmp "$1" "$BATS_TEST_TMPDIR/back" ||
        fail "what came back ($(wc -c <"$BATS_TEST_TMPDIR/back") bytes) differs from what was sent ($(wc -c <"$1") bytes); the client ended with exit status $status"
    assert_equal "echo_client: exit status $status" 'echo_client: exit status 0'
}

# at_server - prints how many associations there are at the server's side, in whatever state
# shellcheck disable=SC2016 # it is awk's
at_server() {
    count_rows '$12 == port'
}

# bats test_tags=points:2
@test "echo: lines come back in order, an empty one and a last one without newline too" {
    hint 'How different from TCP is it?' 'A message goes back as it came: as many bytes as the receive call has returned, no more. A last line without newline is sent too. What is printed must not wait in a buffer.'
    start_server 01-one-to-one/echo_server
    printf 'one\n\ntwo words\nlast' >"$BATS_TEST_TMPDIR/text"
    echoes_file "$BATS_TEST_TMPDIR/text" 127.0.0.1
}

# bats test_tags=points:2
@test "echo: any bytes come back: all 256 values, NUL among them" {
    hint 'Where does a message end?' 'A message is bytes, not a string: no strlen(), no printf with %s. Its length is what the receive call has returned.'
    start_server 01-one-to-one/echo_server
    local octal
    printf 'zero\0terminated\n' >"$BATS_TEST_TMPDIR/bytes"
    for ((i = 0; i < 256; i++)); do
        printf -v octal '\\%03o' "$i"
        # shellcheck disable=SC2059 # the format is the byte
        printf "$octal"
    done >>"$BATS_TEST_TMPDIR/bytes"
    echoes_file "$BATS_TEST_TMPDIR/bytes" 127.0.0.1
}

# bats test_tags=points:2
@test "echo: messages of 1, 1452, 1453, 65535 and 65536 bytes come back" {
    hint 'Where does a message end?' 'A message holds up to 65,536 bytes. A receive call may return a piece of it; the last one has MSG_EOR.'
    start_server 01-one-to-one/echo_server
    for size in 1 1452 1453 65535 65536; do
        line_of "$size"
    done >"$BATS_TEST_TMPDIR/lines"
    echoes_file "$BATS_TEST_TMPDIR/lines" 127.0.0.1
}

# bats test_tags=points:1
@test "echo_client refuses a line of 65537 bytes by naming the limit, and goes on with the next" {
    hint 'Things to know before you copy this code' 'What is longer than 65,536 bytes is refused with an error, and the next line goes on.'
    start_server 01-one-to-one/echo_server
    { line_of 65537 && echo next; } >"$BATS_TEST_TMPDIR/lines"
    run --separate-stderr echoed 127.0.0.1 <"$BATS_TEST_TMPDIR/lines"
    assert_output 'next'
    names_limit
}

# bats test_tags=points:3
@test "echo_server keeps message boundaries: two messages sent back to back come back as two" {
    hint 'Where does a message end?' 'One message in, one message out: one send for each, and nothing joined or sent twice.'
    start_server 01-one-to-one/echo_server
    run "$PEER" 127.0.0.1 "$port" text:first text:second recv recv
    assert_output $'message 5: first\nmessage 6: second'
}

# bats test_tags=points:2
@test "echo_server puts a message together that comes in pieces (MSG_EOR)" {
    hint 'Where does a message end?' 'Only the last piece of a message has MSG_EOR. What comes before it is kept, and sent back when the message is whole.'
    small_buffers # a long message does not fit, and is handed over piece by piece
    start_server 01-one-to-one/echo_server
    run "$PEER" 127.0.0.1 "$port" send:60000 same send:100 same print:whole
    assert_output whole
}

# bats test_tags=points:1
@test "on the wire two messages are two DATA chunks, each way" {
    hint 'What goes over the wire?' 'Each line is a message of its own, there and back: four DATA chunks for two lines.'
    start_server 01-one-to-one/echo_server
    start_capture
    printf 'first\nsecond\n' | echoed 127.0.0.1 >/dev/null
    captured 'SHUTDOWN COMPLETE'
    assert_equal "DATA chunks: $(count "$packets" '[DATA]')" 'DATA chunks: 4'
}

# bats test_tags=points:1
@test "on the wire: the four-way handshake, and the graceful shutdown" {
    hint 'What goes over the wire?' 'An SCTP association ends gracefully by shutdown(), or by close() with nothing unread, not by an abort (SO_LINGER).'
    start_server 01-one-to-one/echo_server
    start_capture
    echo hello | echoed 127.0.0.1 >/dev/null
    captured 'SHUTDOWN COMPLETE'
    local chunks
    chunks=$(grep -oE '\[(INIT|INIT ACK|COOKIE ECHO|COOKIE ACK|SHUTDOWN|SHUTDOWN ACK|SHUTDOWN COMPLETE|ABORT)\]' <<<"$packets")
    assert_equal "$chunks" $'[INIT]\n[INIT ACK]\n[COOKIE ECHO]\n[COOKIE ACK]\n[SHUTDOWN]\n[SHUTDOWN ACK]\n[SHUTDOWN COMPLETE]'
}

# bats test_tags=points:2
@test "the server serves IPv4 and IPv6, and by -a only the address that it names" {
    hint 'Several addresses' 'Without -a a server serves IPv4 and IPv6, by one IPv6 socket that is not IPV6_V6ONLY, say; with -a this address alone.'
    start_server 01-one-to-one/echo_server
    assert_equal "$(echo four | echoed 127.0.0.1)" 'four'
    assert_equal "$(echo six | echoed ::1)" 'six'
    start_server 01-one-to-one/echo_server -a ::1
    assert_equal "$(echo six | echoed ::1)" 'six'
    ends_with 1 01-one-to-one/echo_client -p "$port" 127.0.0.1 </dev/null
}

# bats test_tags=points:2
@test "-p chooses the port, and without it a server has 2013" {
    hint 'How different from TCP is it?' 'A port is given to the kernel in network byte order: htons().'
    local option
    for option in '-p 2014' ''; do
        # shellcheck disable=SC2086 # two words, or none
        start_client "server$option" program 01-one-to-one/echo_server $option
        port=${option#-p } server_pid=${pid[server$option]}
        port=${port:-2013}
        hears "server$option" "Listening on port $port"
        is_listening
        assert_equal "$(echo hello | echoed 127.0.0.1)" hello
    done
    assert_equal "$(echo hello | timed 01-one-to-one/echo_client 127.0.0.1)" hello
}

# bats test_tags=points:2
@test "several -a make the server multihomed: the association knows both addresses" {
    hint 'Several addresses' 'bind() takes one address; sctp_bindx() adds the others.'
    start_server 01-one-to-one/echo_server -a 127.0.0.1 -a 127.0.0.2
    start_client one program 01-one-to-one/echo_client -p "$port" 127.0.0.1
    say one hello
    hears one hello
    run awk -v port="$port" '$13 == port' /proc/net/sctp/assocs
    local address
    for address in 127.0.0.1 127.0.0.2; do
        [[ $output == *'<->'*" *$address"* || $output == *'<->'*" $address"* ]] ||
            fail "the client's association must know the server's address $address; the kernel has: $output"
    done
}

# bats test_tags=points:3
@test "50 clients at once: each gets its own replies" {
    hint 'How different from TCP is it?' 'Clients are served side by side: a process or a thread for each, or poll().'
    start_server 01-one-to-one/echo_server
    run "$PEER" -n 50 127.0.0.1 "$port" send:100 send:2000 recv same
    assert_success
    assert_equal "$(count "$output" 'message 100:') replies" '50 replies'
}

# bats test_tags=points:2
@test "a client that sends nothing, or aborts, does not keep others from being served" {
    hint 'How different from TCP is it?' 'A server must not wait in recv() for one client while another client calls, and not end because one has gone badly.'
    start_server 01-one-to-one/echo_server
    start_client mute "$PEER" 127.0.0.1 "$port" wait
    await_associations 1
    "$PEER" 127.0.0.1 "$port" text:bye abort
    assert_equal "another client hears: $(echo still | echoed 127.0.0.1)" 'another client hears: still'
}

# bats test_tags=points:1
@test "echo_server closes on a message of 65537 bytes, and goes on serving" {
    hint 'Things to know before you copy this code' 'A longer message is not echoed, not even in part: its association is closed, the others go on.'
    start_server 01-one-to-one/echo_server
    run "$PEER" 127.0.0.1 "$port" send:65537 end
    assert_success
    refute_output --partial message
    assert_equal "$(echo still | echoed 127.0.0.1)" 'still'
}

# bats test_tags=points:2
@test "-t is TCP: the same echo, no SCTP on the wire, many clients" {
    hint 'How different from TCP is it?' 'With -t the protocol given to socket() is IPPROTO_TCP, and nothing else differs.'
    start_server 01-one-to-one/echo_server -t
    { printf 'one\n\0\xff\n' && line_of 65536 && line_of 65536; } >"$BATS_TEST_TMPDIR/bytes"
    echoes_file "$BATS_TEST_TMPDIR/bytes" 127.0.0.1 -t
    echoes_file "$BATS_TEST_TMPDIR/bytes" ::1 -t
    start_capture
    assert_equal "$(echo hello | echoed 127.0.0.1 -t)" 'hello'
    captured 'Flags [F.]'
    refute_regex "$packets" 'sctp'
    run "$PEER" -t -n 50 127.0.0.1 "$port" send:100 same
    assert_success
    run echoed 127.0.0.1 </dev/null
    assert_failure 1 # an SCTP client finds no server there
}

# bats test_tags=points:2
@test "SIGTERM and SIGINT end the server with 0: what is queued is answered, then a graceful shutdown" {
    hint 'Things to know before you copy this code' 'A signal asks the server to end: it answers what is queued, shuts its associations down, and ends with exit status 0.'
    for signal in TERM INT; do
        start_server 01-one-to-one/echo_server
        start_client quick "$PEER" 127.0.0.1 "$port" send:60000 same print:served line text:queued print:sent recv end
        hears quick served
        family=()
        family_of "$server_pid"
        kill -STOP "${family[@]}" # so that the message is queued indeed when the signal comes
        say quick go
        hears quick sent
        kill -"$signal" "$server_pid"
        kill -CONT "${family[@]}"
        hears quick 'message 6: queued'
        hears quick 'shutdown'
        await_exit "$server_pid" || fail "after SIG$signal the exit status was $?"
        rm "$BATS_TEST_TMPDIR"/quick.*
    done
}

# bats test_tags=points:1
@test "SIGTERM ends the server though a client reads nothing" {
    hint 'Things to know before you copy this code' 'A server that is to end waits for its clients for up to 5 s, and aborts the rest.'
    start_server 01-one-to-one/echo_server
    start_client deaf "$PEER" 127.0.0.1 "$port" flood wait
    hears deaf full
    kill -TERM "$server_pid"
    # It takes 5 s and a little. A busy machine may add some; a server that waits for this client takes for ever.
    await_exit "$server_pid" || fail "the exit status was $? (124: it was still there)"
    await_value 0 at_server 'associations with the server that has ended, in any state: it must abort them'
}

# bats test_tags=points:1
@test "echo_client says so and ends with 1 when the server is killed" {
    hint 'What if nobody is there?' 'The server has gone: recv() returns 0 or an error. That is a reason on standard error, and exit status 1.'
    start_server 01-one-to-one/echo_server
    start_client left program 01-one-to-one/echo_client -p "$port" 127.0.0.1
    say left hello
    hears left hello
    kill -KILL "$server_pid"
    local status=0
    await_exit "${pid[left]}" || status=$?
    assert_equal "exit status $status" 'exit status 1'
    has_said 01-one-to-one/echo_client "$(excerpt "$BATS_TEST_TMPDIR/left.err")"
}

# bats test_tags=points:2
@test "much input comes back: echo_client reads replies while it still has lines to send" {
    hint 'How different from TCP is it?' 'Who sends everything before it reads the first reply waits for ever: both ends have their buffers full, and neither reads. poll() for both, or a process or a thread for each direction.'
    start_server 01-one-to-one/echo_server
    line_of 60000 >"$BATS_TEST_TMPDIR/line"
    local i
    for ((i = 0; i < 150; i++)); do
        cat "$BATS_TEST_TMPDIR/line"
    done >"$BATS_TEST_TMPDIR/lines"
    echoes_file "$BATS_TEST_TMPDIR/lines" 127.0.0.1
}

# bats test_tags=points:1
@test "a port in use, and a server that is not there, are errors with a reason and exit status 1" {
    hint 'What if nobody is there?' 'A failure is one line "PROGRAM: what failed: reason" on standard error, and exit status 1.'
    start_server 01-one-to-one/echo_server
    ends_with 1 01-one-to-one/echo_server -p "$port"
    assert_equal "$output" ''
    local option
    for option in '' -t; do
        ends_with 1 01-one-to-one/echo_client $option -p 1 127.0.0.1 </dev/null
    done
}

# bats test_tags=points:1
@test "echo_client gives up on a black hole, with SCTP and TCP" {
    hint 'What if nobody is there?' 'connect() tries for minutes. SO_SNDTIMEO limits it, or a socket that does not block, with poll().'
    # It takes 9 s here, and some more where the machine is busy; by itself SCTP would go on for minutes.
    black_hole
    capture_with tcpdump -i hole0 -n -l --immediate-mode 'sctp or tcp'
    local start=$SECONDS
    for option in -p2013 -t; do
        start_client "hole$option" program 01-one-to-one/echo_client "$option" 10.99.0.2
    done
    for option in -p2013 -t; do
        local status=0
        await_exit "${pid[hole$option]}" || status=$?
        assert_equal "$option: exit status $status (124: it was still there)" "$option: exit status 1 (124: it was still there)"
        has_said 01-one-to-one/echo_client "$(excerpt "$BATS_TEST_TMPDIR/hole$option.err")"
    done
    local took=$((SECONDS - start))
    captured '[INIT]' # it has knocked
    captured 'Flags [S]'
    ((took <= DEADLINE)) || fail "it took $took s"
}

# bats test_tags=points:1
@test "other people's programs are served: socat and ncat" {
    hint 'How different from TCP is it?' 'A client of somebody else sends a line, and stays open until it is answered.'
    start_server 01-one-to-one/echo_server
    start_client socat socat - "SCTP:127.0.0.1:$port"
    say socat 'from socat'
    hears socat 'from socat'
    start_client ncat ncat --sctp --no-shutdown 127.0.0.1 "$port"
    say ncat 'from ncat'
    hears ncat 'from ncat'
}

# bats test_tags=points:1
@test "on a terminal the peer's control characters are shown as \\xNN, and UTF-8 as it is" {
    hint 'Things to know before you copy this code' 'Where standard output is a terminal (isatty), what a peer has sent must not steer it.'
    start_server 01-one-to-one/echo_server
    printf 'a\e]0;title\a \xc2\x9b \xff \xe2\x80\xae \xc3\xa9t\xc3\xa9\n' >"$BATS_TEST_TMPDIR/evil"
    run on_terminal "$BATS_TEST_TMPDIR/evil" 01-one-to-one/echo_client -p "$port" 127.0.0.1
    shown_safely $'a\\x1B]0;title\\x07 \\xC2\\x9B \\xFF \\xE2\\x80\\xAE \xc3\xa9t\xc3\xa9'
}

# bats test_tags=points:1
@test "help goes to standard output with 0, bad usage to standard error with 2" {
    hint 'How different from TCP is it?' '-h is not an error: its text goes to standard output. Bad usage: standard error, exit status 2.'
    local name
    for name in echo_server echo_client; do
        helps 01-one-to-one/$name -x '-p' '-p 65536' '-p -1' '-p 12x' 'one two'
    done
    ends_with 2 01-one-to-one/echo_client
}

# bats test_tags=points:1
@test "who has come and gone leaves no descriptor and no process behind" {
    hint 'How different from TCP is it?' 'Who serves a client closes its descriptor when it has gone, also the parent after fork(); and a child that has ended is waited for.'
    start_server 01-one-to-one/echo_server
    leaves_nothing_behind "$PEER" -n 10 127.0.0.1 "$port" text:hello
}

# bats test_tags=points:1
@test "who has gone before the server looked leaves nothing behind either" {
    hint 'How different from TCP is it?' 'accept() may give an association that has ended already: it is closed like others.'
    start_server 01-one-to-one/echo_server
    local before
    before=$(resources)
    kill -STOP "$server_pid"
    "$PEER" -n 3 127.0.0.1 "$port" text:hello
    kill -CONT "$server_pid"
    assert_equal "$(echo after | echoed 127.0.0.1)" 'after' # it was accepted after them
    await_resources "$before"
}

# bats test_tags=points:1
@test "valgrind finds no error and no leak" {
    under_valgrind
    start_server 01-one-to-one/echo_server
    assert_equal "$(printf 'one\ntwo\n' | echoed localhost)" $'one\ntwo'
    kill -TERM "$server_pid"
    await_exit "$server_pid" || fail "the server's exit status was $?"
    valgrind_finds_nothing
}
