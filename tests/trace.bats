#!/usr/bin/env bats
# lab/trace: packets as a ladder; and the experiment that needs two hosts.

load helper/course

# ladder ARGUMENT... - runs lab/trace with them, without colour
ladder() {
    run --separate-stderr "$TREE/lab/trace" "$@"
}

# has LINE... - the ladder's lines contain these texts, in this order
has() {
    local rest=$output line
    for line; do
        [[ $rest == *"$line"* ]] || fail "not there, or not in this order: $line in $output"
        rest=${rest#*"$line"}
    done
}

# bats test_tags=host
@test "the ladder of stage 01: the chunks in their order, with stream, SSN, flags, PPID, TSN and length, and the direction of each" {
    ladder -o "$BATS_TEST_TMPDIR/ladder.svg" -t 'a & b <c>' "$TREE/01-one-to-one/demo"
    assert_success
    refute_output --partial $'\e' # no colour, it is not on a terminal
    has $'one\ntwo\n' '|--- INIT out 10 in 65535 ' '->|' '|<-- INIT ACK out 10 in 10 ' '|--- COOKIE ECHO -' '|<-- COOKIE ACK -' \
        '|--- DATA tsn 1 sid 0 ssn 0 BE ppid 0 4 bytes "one" -' 'DATA tsn 1 sid 0 ssn 0 BE ppid 0 4 bytes "one" ' \
        '|--- SHUTDOWN tsn 2 -' '|<-- SHUTDOWN ACK -' '|--- SHUTDOWN COMPLETE -' 'counted from 1'
    has '|<-- ' 'DATA tsn 2 sid 0 ssn 1 BE ppid 0 4 bytes "two"'

    # As a picture: every chunk once as a drawn line, and once in the text alternative.
    local svg chunks
    svg=$(<"$BATS_TEST_TMPDIR/ladder.svg")
    [[ $svg == *'<title id="title">a &amp; b &lt;c&gt;</title>'* ]] || fail "no title: ${svg:0:500}"
    chunks=$(count "$output" ' DATA tsn ')
    assert_equal "$(count "$svg" '>DATA tsn ') drawn" "$(count "$output" '- DATA tsn ') drawn"
    assert_equal "$(count "$svg" 'DATA tsn ')" "$((2 * chunks))"
    has '|<-- '
    ! command -v xmllint >/dev/null || xmllint --noout "$BATS_TEST_TMPDIR/ladder.svg"
}

# bats test_tags=host
@test "bundles, IPv6, fragments, unordered messages, several associations, the reason of an abort; the exit status is the command's" {
    make -s -C "$TREE/tests/tools"
    cat >"$BATS_TEST_TMPDIR/scene" <<END
        exec {answer}< <(exec '$TREE/02-one-to-many/echo_server' -p 0)
        read -r line <&"\$answer"
        port=\${line##* }
        echo hello | '$TREE/02-one-to-many/echo_client' "[::1]:\$port"
        '$TREE/tests/tools/peer' 127.0.0.1 "\$port" on:7:42:u text:\$'<a&\x01\xff>' recv send:4000 recv send:65537 end
        kill \$!
        exit 7
END
    ladder -o "$BATS_TEST_TMPDIR/ladder.svg" bash "$BATS_TEST_TMPDIR/scene"
    assert_failure 7
    has 'A   ::1 port ' 'B   127.0.0.1 port ' 'A  |--- COOKIE ECHO -' $'\n            A  |  + DATA tsn 1 sid 0 ssn 0 BE ppid 0 6 bytes "hello"' \
        'B  |--- DATA tsn 1 sid 7 ssn 0 UBE ppid 42 6 bytes "<a&..>" -' 'DATA tsn 2 sid 7 ssn 0 UB ppid 42 1452 bytes' \
        'DATA tsn 3 sid 7 ssn 0 U ppid 42 1452 bytes' 'DATA tsn 4 sid 7 ssn 0 UE ppid 42 1096 bytes' 'B  |<-- ABORT cause 12: message too long -'
    ! command -v xmllint >/dev/null || xmllint --noout "$BATS_TEST_TMPDIR/ladder.svg"
}

# bats test_tags=host
@test "a captured file that begins in the middle: RE-CONFIG, a chunk that is sent again, the path of each packet" {
    make -s -C "$TREE/tests/tools"
    cat >"$BATS_TEST_TMPDIR/scene" <<END
        '$TREE/lab/two-hosts' up
        exec {answer}< <(exec ip netns exec far '$TREE/03-events/event_server' 2>/dev/null)
        mkfifo /run/go
        ip netns exec near '$TREE/tests/tools/peer' -x 10.1.0.2 2013 text:before recv line reset line text:after recv </run/go &
        peer=\$!
        exec 5>/run/go
        until [[ \$line == *SENDER_DRY* ]]; do read -r line <&"\$answer"; done
        exec {listening}< <(exec ip netns exec near tcpdump -i any -n -s 4096 -U --immediate-mode -w '$BATS_TEST_TMPDIR/middle' sctp 2>&1)
        tcpdump=\$!
        until [[ \$line == *'listening on'* ]]; do read -r line <&"\$listening"; done
        echo >&5
        until [[ \$line == *SCTP_STREAM_RESET_EVENT* ]]; do read -r line <&"\$answer"; done
        # What far sends by path 1 is lost, so that near does not know that its packets come through.
        ip netns exec far tc qdisc add dev path1 root netem loss 100%
        echo >&5
        wait "\$peer"
        kill -INT "\$tcpdump"
        while read -r line <&"\$listening"; do :; done # until it has written all
END
    "$TREE/lab/run" --timeout 60 bash "$BATS_TEST_TMPDIR/scene"
    ladder -r "$BATS_TEST_TMPDIR/middle"
    assert_success
    has 'ms  10.' '|--- RE-CONFIG outgoing SSN reset -' '|  10.1.0.1 - 10.1.0.2' 'RE-CONFIG response' 'DATA tsn 1 ' '|  10.2.0.1 - 10.2.0.2'
    assert_line --regexp 'DATA tsn 1 .* \(again\)'
}

# bats test_tags=host
@test "nothing to see, no command, no such file, a tool that is missing: said in one line, with the remedy" {
    ladder true
    assert_failure 125
    assert_equal "$stderr" 'lab/trace: no SCTP packet was seen'
    ladder -r /nonexistent
    assert_failure 125
    assert_equal "$stderr" 'lab/trace: cannot read /nonexistent'
    echo 'not a capture' >"$BATS_TEST_TMPDIR/text"
    ladder -r "$BATS_TEST_TMPDIR/text"
    assert_failure 125
    assert_regex "$stderr" '^lab/trace: cannot decode'
    for arguments in '' -x -o '-r file command'; do
        # shellcheck disable=SC2086 # several words
        ladder $arguments
        assert_failure 2
        assert_regex "$stderr" '^lab/trace: .*usage: '
    done
    ladder -h
    assert_success
    mkdir "$BATS_TEST_TMPDIR/bin"
    ln -s "$(command -v bash)" "$BATS_TEST_TMPDIR/bin"
    run env "PATH=$BATS_TEST_TMPDIR/bin" bash "$TREE/lab/trace" true
    assert_failure 125
    assert_output 'lab/trace: tshark is missing. Install it:  lab/setup trace'
}

# bats test_tags=host
@test "make trace STAGE=...: each stage has a demonstration, and its ladder; without STAGE it says which there are" {
    cd "$TREE"
    local stage
    for stage in 02-one-to-many 03-events 04-sendall; do
        run make trace "STAGE=$stage"
        assert_success
        has 'INIT' 'COOKIE ECHO' 'DATA tsn 1 ' 'counted from 1' "build/$stage.svg"
        [[ $(<"build/$stage.svg") == *"<title id=\"title\">$stage</title>"* ]]
    done
    run make trace
    assert_failure 2
    assert_line --partial '01-one-to-one 02-one-to-many 03-events 04-sendall'
}

# bats test_tags=host
@test "the conversation goes on when its path is cut, by the other one, and comes back when that is mended" {
    run "$TREE/lab/run" --timeout 60 "$TREE/03-events/failover" 200
    assert_success
    has 'SCTP_COMM_UP' 'data goes by path 1' 'path 1 is cut' 'data goes by path 2' 'SCTP_ADDR_UNREACHABLE assoc=' 'address=10.1.0.2' \
        'path 1 is mended' 'SCTP_ADDR_AVAILABLE assoc=' 'lines said' 'path given up after' $'\n200 '
    assert_regex "$output" '([0-9]+) lines said, ([0-9]+) answered'
    assert_equal "${BASH_REMATCH[2]}" "${BASH_REMATCH[1]}"
    # The first attempt takes up to 200 ms, and another two have to fail after it: a second, or some more where the machine is busy.
    assert_regex "$output" $'\n200 +([0-9]+) ms +([0-9]+) ms'
    ((BASH_REMATCH[2] >= 400 && BASH_REMATCH[2] < 20000)) || fail "the path was given up after ${BASH_REMATCH[2]} ms"
    run "$TREE/03-events/failover" soon
    assert_failure 2
}
