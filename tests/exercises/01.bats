#!/usr/bin/env bats
# The exercises of stage 01 (TUTORIAL.md). tests/exercise runs them.

load ../helper/exercise

@test "01.1 echo_server -w names every address of its peer" {
    local line first second
    has_option 01-one-to-one/echo_server -w
    "$TREE/lab/two-hosts" up
    PROGRAM_NETNS=far start_server 01-one-to-one/echo_server -w -a 10.1.0.2 -a 10.2.0.2
    "${at_near[@]}" "$PEER" 10.1.0.2 "$port" text:hello recv >/dev/null
    await_line "$server_out" first || fail 'expected: a line for each address of the peer'$'\n''came: nothing'
    await_line "$server_out" second || fail $'expected: peer 10.1.0.1 port N, and peer 10.2.0.1 port N\ncame: '"$first"
    line=$(printf '%s\n' "$first" "$second" | sort | sed 's/ port [1-9][0-9]*$/ port N/')
    expect $'peer 10.1.0.1 port N\npeer 10.2.0.1 port N' "$line" 'the client has two addresses'
}

@test "01.2 echo_client -b finds the server when either path is cut, and tries both addresses for one association" {
    local cut other
    has_option 01-one-to-one/echo_client -b
    "$TREE/lab/two-hosts" up
    PROGRAM_NETNS=far start_server 01-one-to-one/echo_server -a 10.1.0.2 -a 10.2.0.2
    for cut in 1 2; do # which address comes first is the kernel's choice
        other=$((3 - cut))
        tc -n far qdisc replace dev "path$cut" root netem loss 100% # an INIT still comes that way; what answers it does not
        capture_with "${at_near[@]}" tcpdump -i any -n -v -l -B 4096 --immediate-mode sctp
        PROGRAM_NETNS=near run --separate-stderr timed 01-one-to-one/echo_client -p "$port" -b "10.$other.0.2" "10.$cut.0.2" <<<hello
        expect hello "$output" "path $cut is cut, path $other is not; echo_client said on standard error: $stderr"
        captured '[COOKIE ACK]'
        expect 1 "$(grep -o '\[INIT\] \[init tag: [0-9]*\]' <<<"$packets" | sort -u | grep -c .)" \
            'all INITs belong to one association, and have the same initiate tag: sctp_connectx() takes both addresses at once; different tags'
        tc -n far qdisc delete dev "path$cut" root
    done
}

@test "01.3 echo_server -s answers a message with PPID 1 by the number of messages and bytes so far" {
    has_option 01-one-to-one/echo_server -s
    start_server 01-one-to-one/echo_server -s
    run "$PEER" 127.0.0.1 "$port" text:one text:two recv recv on:0:1: text:end recv
    expect $'message 3: one\nmessage 3: two\nmessage 20: 2 messages, 6 bytes' "$output" '"one" and "two" were said, and then something with PPID 1'
    run "$PEER" 127.0.0.1 "$port" on:0:1: text:end recv on:0:7: send:65536 same on:0:1: text:end recv
    expect $'message 20: 0 messages, 0 bytes\n\nmessage 24: 1 messages, 65536 bytes' "$output" 'each association is counted for itself; a PPID other than 1 means nothing; what has PPID 1 does not count'
}

# segments - prints how many TCP segments this lab has sent
segments() {
    awk '/^Tcp: [0-9]/ { print $12 }' /proc/net/snmp
}

# bats test_tags=open
@test "01.4 the packets of an echo of 1,000 lines" {
    local before chunks start
    start_server 01-one-to-one/echo_server
    seq 1001 2000 >"$BATS_TEST_TMPDIR/lines"
    before=$(counter SctpOutSCTPPacks) chunks=$(counter SctpOutOrderChunks) start=${EPOCHREALTIME/./}
    timed 01-one-to-one/echo_client -p "$port" 127.0.0.1 <"$BATS_TEST_TMPDIR/lines" >"$BATS_TEST_TMPDIR/heard"
    cmp "$BATS_TEST_TMPDIR/lines" "$BATS_TEST_TMPDIR/heard"
    measured "SCTP: $(($(counter SctpOutSCTPPacks) - before)) packets for $(($(counter SctpOutOrderChunks) - chunks)) DATA chunks, both ways, in $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
    start_server 01-one-to-one/echo_server -t
    before=$(segments) start=${EPOCHREALTIME/./}
    timed 01-one-to-one/echo_client -t -p "$port" 127.0.0.1 <"$BATS_TEST_TMPDIR/lines" >"$BATS_TEST_TMPDIR/heard"
    cmp "$BATS_TEST_TMPDIR/lines" "$BATS_TEST_TMPDIR/heard"
    measured "TCP:  $(($(segments) - before)) packets, both ways, in $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
}
