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
@test "an ordinary user gets a ladder, too" {
    ((EUID == 0)) || skip 'whoever runs the tests is an ordinary user already'
    # In a copy, because nobody may not look into root's home.
    cp -a "$TREE/lab" "$TREE/common" "$TREE/01-one-to-one" "$BATS_TEST_TMPDIR"
    chmod -R a+rX "$BATS_RUN_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    run --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent lab/trace 01-one-to-one/demo
    assert_success
    has '|--- INIT ' '|--- DATA tsn 1 ' '|--- SHUTDOWN COMPLETE '
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
        'DATA tsn 3 sid 7 ssn 0 U ppid 42 1452 bytes' 'DATA tsn 4 sid 7 ssn 0 UE ppid 42 1096 bytes' 'B  |<-- ABORT cause 12 User-Initiated Abort: message too long -'
    local tsn
    for ((tsn = 6; tsn < 50; tsn++)); do
        has "DATA tsn $tsn sid 7 ssn 0 U ppid 42 1452 bytes"
    done
    refute_output --partial 'the capture lacks'
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
    has 'ms  10.' '|--- RE-CONFIG outgoing SSN reset -' '|  10.1.0.1 - 10.1.0.2' 'RE-CONFIG response: performed' 'DATA tsn 1 ' '|  10.2.0.1 - 10.2.0.2'
    assert_line --regexp 'DATA tsn 1 .* \(again\)'
}

# bats test_tags=host
@test "two clients with one port number, a server's port that belongs to another protocol, a backslash, a packet cut off by tcpdump" {
    make -s -C "$TREE/tests/tools"
    # 38412 is the port of NGAP, which a message of ours is not.
    cat >"$BATS_TEST_TMPDIR/scene" <<END
        exec {answer}< <(exec '$TREE/02-one-to-many/echo_server' -p 38412)
        read -r line <&"\$answer"
        exec {listening}< <(exec tcpdump -i lo -n -s 80 -U --immediate-mode -w '$BATS_TEST_TMPDIR/short' sctp 2>&1)
        tcpdump=\$!
        until [[ \$line == *'listening on'* ]]; do read -r line <&"\$listening"; done
        for number in 2 3; do
            '$TREE/tests/tools/peer' -b 127.0.0.\$number -l 4000 127.0.0.1 38412 'text:a\\b"' recv
        done
        until [[ \$(tcpdump -n -r '$BATS_TEST_TMPDIR/short' 2>/dev/null) == *'SHUTDOWN COMPLETE'*'SHUTDOWN COMPLETE'* ]]; do :; done
        kill \$! "\$tcpdump"
END
    ladder -o "$BATS_TEST_TMPDIR/ladder.svg" bash "$BATS_TEST_TMPDIR/scene"
    assert_success
    has 'A   127.0.0.2 port 4000 to 127.0.0.1 port 38412' 'B   127.0.0.3 port 4000 to 127.0.0.1 port 38412' \
        'A  |<-- INIT ACK out ' 'addresses 127.0.0.1' 'A  |--- DATA tsn 1 sid 0 ssn 0 BE ppid 0 4 bytes "a\b"" -' 'A  |--- SHUTDOWN COMPLETE' \
        'B  |--- INIT out ' 'B  |--- DATA tsn 1 sid 0 ssn 0 BE ppid 0 4 bytes "a\b"" -' 'B  |--- SHUTDOWN COMPLETE'
    refute_output --partial '(again)'
    ladder -r "$BATS_TEST_TMPDIR/short"
    assert_success
    has 'A  |--- (the capture lacks the rest of 82 bytes) -' 'A  |--- DATA tsn 1 sid 0 '
}

# packet NUMBER TAG CHUNK... - a packet of such chunks, in hexadecimal, from 10.0.0.1 (or 10.0.0.2, for tag 1) with the same port at both ends
packet() {
    local from=1 to=2
    (($2 != 1)) || from=2 to=1
    printf '%s' "${@:3}" | sed 's/../& /g; s/^/0000 /' |
        text2pcap -q -l 1 -4 "10.0.0.$from,10.0.0.$to" -s "2013,2013,$2" - "$BATS_TEST_TMPDIR/$1.pcap" 2>/dev/null
}

# bats test_tags=host
@test "what the stages seldom send: gaps, FORWARD TSN, I-DATA with MID and FSN, one port at both ends, ports used again, TSNs as they were sent" {
    packet 1 0 01000014 00000001 00000100 000a000a fffffffe
    packet 2 1 02000014 00000002 00000100 000a000a 00000064
    packet 3 2 00030014 fffffffe 00050000 00000000 61626364
    packet 4 2 00070014 00000001 00050000 0000002a 65660a00
    packet 5 1 03000018 fffffffe 00001000 00020000 00020003 00050005
    packet 6 2 c0000008 00000000
    packet 7 2 40020018 00000001 00030000 00000009 0000002a 61626364 40090018 00000002 00030000 00000009 00000001 61626364
    packet 8 2 c2000008 00000002
    packet 9 2 00030020 0000000a 00050011 00000000 48656c6c6f20776f 726c642c2068656c
    packet 10 2 00030020 0000000a 00050011 00000000 48656c6c6f20776f 726c642c2068656c
    packet 11 2 06010004
    packet 12 0 01000014 00000001 00000100 000a000a 00000007
    mergecap -a -F pcap -w "$BATS_TEST_TMPDIR/seldom" "$BATS_TEST_TMPDIR"/{1,2,3,4,5,6,7,8,9,10,11,12}.pcap
    ladder -r "$BATS_TEST_TMPDIR/seldom"
    assert_success
    has 'A   10.0.0.1 port 2013 to 10.0.0.2 port 2013' 'A  |--- INIT out 10 in 10 a_rwnd 256 -' 'A  |<-- INIT ACK ' \
        'A  |--- DATA tsn 1 sid 5 ssn 0 BE ppid 0 4 bytes "abcd" -' 'A  |--- DATA tsn 4 sid 5 ssn 0 UBE ppid 42 4 bytes "ef.." -' \
        'A  |<-- SACK tsn 1 gap +2..+3 gap +5 a_rwnd 4096 -' 'A  |--- FORWARD TSN tsn 3 -' \
        'A  |--- I-DATA tsn 4 sid 3 mid 9 B ppid 42 4 bytes' 'A  |  + I-DATA tsn 5 sid 3 mid 9 EI fsn 1 4 bytes' \
        'A  |--- I-FORWARD TSN tsn 5 -' \
        'A  |--- DATA tsn 13 sid 5 ssn 17 BE ppid 0 16 bytes "Hello world, h"' ' 16 bytes "Hello~" (again)' 'A  |--- ABORT -' 'B  |--- INIT '
    ladder -a -r "$BATS_TEST_TMPDIR/seldom"
    has 'DATA tsn 4294967294 ' 'DATA tsn 1 ' 'SACK tsn 4294967294 gap' 'TSNs are as they were sent'
}

# bats test_tags=host
@test "nothing to see, no command, no such file, a tool that is missing: said in one line, with the remedy" {
    ladder true
    assert_failure 125
    assert_equal "$stderr" 'lab/trace: no SCTP packet was seen'
    ladder sh -c 'exit 3'
    assert_failure 3
    run -127 --separate-stderr "$TREE/lab/trace" no-such-command
    assert_regex "$stderr" 'no-such-command: command not found'
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
    run env -u SCTP_LAB "$TREE/lab/two-hosts" up # a machine's own network is left alone
    assert_failure 1
    assert_output --partial 'this is not a lab'
}
