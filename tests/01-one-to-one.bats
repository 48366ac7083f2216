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
    cmp "$1" "$BATS_TEST_TMPDIR/back" || fail "what came back differs from what was sent (TUTORIAL.md, stage 01: bytes, not strings)"
    assert_equal "$status" 0
}

# bats test_tags=points:2
@test "echo: lines come back in order, an empty one and a last one without newline too" {
    start_server 01-one-to-one/echo_server
    printf 'one\n\ntwo words\nlast' >"$BATS_TEST_TMPDIR/text"
    echoes_file "$BATS_TEST_TMPDIR/text" 127.0.0.1
}

# bats test_tags=points:2
@test "echo: any bytes come back: all 256 values, NUL among them" {
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
    start_server 01-one-to-one/echo_server
    for size in 1 1452 1453 65535 65536; do
        line_of "$size"
    done >"$BATS_TEST_TMPDIR/lines"
    echoes_file "$BATS_TEST_TMPDIR/lines" 127.0.0.1
}

# bats test_tags=points:1
@test "echo_client refuses a line of 65537 bytes by naming the limit, and goes on with the next" {
    start_server 01-one-to-one/echo_server
    { line_of 65537 && echo next; } >"$BATS_TEST_TMPDIR/lines"
    run --separate-stderr echoed 127.0.0.1 <"$BATS_TEST_TMPDIR/lines"
    assert_output 'next'
    assert_regex "$stderr" '65,?536'
}

# bats test_tags=points:3
@test "echo_server keeps message boundaries: two messages sent back to back come back as two" {
    start_server 01-one-to-one/echo_server
    run "$PEER" 127.0.0.1 "$port" text:first text:second recv recv
    assert_output $'message 5: first\nmessage 6: second'
}

# bats test_tags=points:2
@test "echo_server puts a message together that comes in pieces (MSG_EOR)" {
    local usual small=/proc/sys/net/core/rmem_default
    [[ -w $small ]] || skip 'this lab does not let one choose how small a receive buffer is'
    usual=$(<"$small")
    echo 8192 >"$small" # a long message does not fit, and is handed over piece by piece
    start_server 01-one-to-one/echo_server
    # In an association of its own the server has that buffer still, the client has the usual one.
    start_client long "$PEER" 127.0.0.1 "$port" line send:60000 same print:whole
    await_associations 1
    echo "$usual" >"$small"
    say long go
    hears long whole
}

# bats test_tags=points:1
@test "on the wire two messages are two DATA chunks, each way" {
    start_server 01-one-to-one/echo_server
    start_capture
    printf 'first\nsecond\n' | echoed 127.0.0.1 >/dev/null
    captured 'SHUTDOWN COMPLETE'
    assert_equal "DATA chunks: $(count "$packets" '[DATA]')" 'DATA chunks: 4'
}

# bats test_tags=points:1
@test "on the wire: the four-way handshake, and the graceful shutdown" {
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
    start_server 01-one-to-one/echo_server
    assert_equal "$(echo four | echoed 127.0.0.1)" 'four'
    assert_equal "$(echo six | echoed ::1)" 'six'
    start_server 01-one-to-one/echo_server -a ::1
    assert_equal "$(echo six | echoed ::1)" 'six'
    run echoed 127.0.0.1 </dev/null
    assert_failure 1
}

# bats test_tags=points:1
@test "several -a make the server multihomed: the association knows both addresses" {
    start_server 01-one-to-one/echo_server -a 127.0.0.1 -a 127.0.0.2
    start_client one program 01-one-to-one/echo_client -p "$port" 127.0.0.2
    say one hello
    hears one hello
    run awk -v port="$port" '$13 == port' /proc/net/sctp/assocs
    assert_output --regexp '<->.*127\.0\.0\.1'
    assert_output --regexp '<->.*127\.0\.0\.2'
}

# bats test_tags=points:3
@test "50 clients at once: each gets its own replies" {
    start_server 01-one-to-one/echo_server
    run "$PEER" -n 50 127.0.0.1 "$port" send:100 send:2000 recv same
    assert_success
    assert_equal "$(count "$output" 'message 100:')" 50
}

# bats test_tags=points:2
@test "a client that sends nothing, or aborts, does not keep others from being served" {
    start_server 01-one-to-one/echo_server
    start_client mute "$PEER" 127.0.0.1 "$port" wait
    await_associations 1
    "$PEER" 127.0.0.1 "$port" text:bye abort
    assert_equal "$(echo still | echoed 127.0.0.1)" 'still'
}

# bats test_tags=points:1
@test "echo_server closes on a message of 65537 bytes, and goes on serving" {
    start_server 01-one-to-one/echo_server
    run "$PEER" 127.0.0.1 "$port" send:65537 end
    assert_success
    refute_output --partial message
    assert_equal "$(echo still | echoed 127.0.0.1)" 'still'
}

# bats test_tags=points:2
@test "-t is TCP: the same echo, no SCTP on the wire, many clients" {
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
    for signal in TERM INT; do
        start_server 01-one-to-one/echo_server
        start_client quick "$PEER" 127.0.0.1 "$port" send:60000 same print:served line text:queued print:sent recv end
        hears quick served
        read -r -a all <"/proc/$server_pid/task/$server_pid/children" || true
        all+=("$server_pid")
        kill -STOP "${all[@]}" # so that the message is queued indeed when the signal comes
        say quick go
        hears quick sent
        kill -"$signal" "$server_pid"
        kill -CONT "${all[@]}"
        hears quick 'message 6: queued'
        hears quick 'shutdown'
        await_exit "$server_pid" || fail "after SIG$signal the exit status was $?"
        rm "$BATS_TEST_TMPDIR"/quick.*
    done
}

# bats test_tags=points:1
@test "SIGTERM ends the server though a client reads nothing" {
    start_server 01-one-to-one/echo_server
    start_client deaf "$PEER" 127.0.0.1 "$port" flood wait
    hears deaf full
    kill -TERM "$server_pid"
    # It takes 5 s and a little. A busy machine may add some; a server that waits for this client takes for ever.
    await_exit "$server_pid" || fail "the exit status was $? (124: it was still there)"
}

# bats test_tags=points:1
@test "echo_client says so and ends with 1 when the server is killed" {
    start_server 01-one-to-one/echo_server
    start_client left program 01-one-to-one/echo_client -p "$port" 127.0.0.1
    say left hello
    hears left hello
    kill -KILL "$server_pid"
    local status=0
    await_exit "${pid[left]}" || status=$?
    assert_equal "$status" 1
    assert_regex "$(<"$BATS_TEST_TMPDIR/left.err")" '^echo_client: .+'
}

# bats test_tags=points:1
@test "a port in use, and a server that is not there, are errors with a reason and exit status 1" {
    start_server 01-one-to-one/echo_server
    run --separate-stderr timed 01-one-to-one/echo_server -p "$port"
    assert_failure 1
    assert_equal "$output" ''
    assert_regex "$stderr" '^echo_server: .*[Aa]ddress already in use'
    for option in '' -t; do
        run --separate-stderr timed 01-one-to-one/echo_client $option -p 1 127.0.0.1 </dev/null
        assert_failure 1
        assert_regex "$stderr" '^echo_client: .*[Cc]onnection refused'
    done
}

# bats test_tags=points:1
@test "echo_client gives up on a black hole, with SCTP and TCP" {
    # Nobody answers at the other end of this wire, and no error comes back either. It takes 9 s here, and some more where the
    # machine is busy; by itself SCTP would go on for minutes.
    ip link add hole0 type veth peer name hole1
    ip address add 10.99.0.1/24 dev hole0
    ip link set hole0 up
    ip link set hole1 up
    ip neighbour add 10.99.0.2 lladdr 02:00:00:00:00:02 dev hole0
    capture_with tcpdump -i hole0 -n -l --immediate-mode 'sctp or tcp'
    local start=$SECONDS
    for option in -p2013 -t; do
        start_client "hole$option" program 01-one-to-one/echo_client "$option" 10.99.0.2
    done
    for option in -p2013 -t; do
        local status=0
        await_exit "${pid[hole$option]}" || status=$?
        assert_equal "$option: $status" "$option: 1"
        assert_regex "$(<"$BATS_TEST_TMPDIR/hole$option.err")" '^echo_client: .+'
    done
    local took=$((SECONDS - start))
    captured '[INIT]' # it has knocked
    captured 'Flags [S]'
    ip link delete hole0 # this may wait for what still refers to it
    ((took <= DEADLINE)) || fail "it took $took s"
}

# bats test_tags=points:1
@test "other people's programs are served: socat and ncat" {
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
    start_server 01-one-to-one/echo_server
    printf 'a\e]0;title\a \xc2\x9b \xff \xe2\x80\xae \xc3\xa9t\xc3\xa9\n' >"$BATS_TEST_TMPDIR/evil"
    run on_terminal "$BATS_TEST_TMPDIR/evil" 01-one-to-one/echo_client -p "$port" 127.0.0.1
    assert_output --partial $'a\\x1B]0;title\\x07 \\xC2\\x9B \\xFF \\xE2\\x80\\xAE \xc3\xa9t\xc3\xa9'
}

# bats test_tags=points:1
@test "help goes to standard output with 0, bad usage to standard error with 2" {
    local name
    for name in echo_server echo_client; do
        helps 01-one-to-one/$name -x '-p' '-p 65536' '-p -1' '-p 12x' 'one two'
    done
    run --separate-stderr timed 01-one-to-one/echo_client
    assert_failure 2
}

# bats test_tags=points:1
@test "who has come and gone leaves no descriptor and no process behind" {
    start_server 01-one-to-one/echo_server
    leaves_nothing_behind "$PEER" -n 10 127.0.0.1 "$port" text:hello
}

# bats test_tags=points:1
@test "who has gone before the server looked leaves nothing behind either" {
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
