#!/usr/bin/env bats
# The exercises of the appendix (TUTORIAL.md). tests/exercise runs them.

load ../helper/exercise

# slow_path - two hosts, with 10 Mbit/s between them
slow_path() {
    local host
    "$TREE/lab/two-hosts" up
    "$TREE/lab/two-hosts" path 1 rate 10mbit delay 5ms
    for host in near far; do
        ip -n "$host" link set path1 gso_max_size 1500 # packets as on a wire
    done
}

# mix OPTION... - mixed_sender sends a file and a chat over the slow path; mixed_receiver's lines go to $BATS_TEST_TMPDIR/mixed
mix() {
    PROGRAM_NETNS=far start_server appendix/mixed_receiver
    PROGRAM_NETNS=near run timed appendix/mixed_sender -p "$port" "$@" 10.1.0.2
    expect '' "$output" "mixed_sender $*"
    timeout "$DEADLINE" cat <&"$server_out" >"$BATS_TEST_TMPDIR/mixed"
}

# files_before_chat - prints how many messages of the file have come before the first one of the chat
files_before_chat() {
    sed '/^chat/,$d' "$BATS_TEST_TMPDIR/mixed" | grep -c '^file' || true
}

@test "A.1 mixed_sender -w CHAT:FILE gives the two streams these priorities" {
    has_option appendix/mixed_sender -w
    slow_path
    mix -s prio -w 2:1 -n 4 -c 10
    expect 4 "$(files_before_chat)" 'with -s prio -w 2:1 the file goes first; messages of the file, of four, that came before the chat'
    mix -s prio -w 1:2 -n 4 -c 10
    (($(files_before_chat) < 4)) || fail $'expected: with -s prio -w 1:2 the chat goes before the rest of the file\ncame: all of the file before the chat'
}

@test "A.2 echo_client -u PORT sends its packets in UDP, to that port" {
    local host
    has_option 01-one-to-one/echo_client -u
    "$TREE/lab/two-hosts" up
    for host in near far; do
        ip netns exec "$host" sysctl -q -w net.sctp.udp_port=9899
    done
    PROGRAM_NETNS=far start_server 01-one-to-one/echo_server
    capture_with "${at_near[@]}" tcpdump -i path1 -n -v -l -B 4096 --immediate-mode 'src host 10.1.0.1 and (ip proto 132 or udp)'
    PROGRAM_NETNS=near run timed 01-one-to-one/echo_client -u 9899 -p "$port" 10.1.0.2 <<<hello
    expect hello "$output" 'echo_client -u 9899'
    captured '> 10.1.0.2.'
    [[ $packets == *'proto UDP (17)'*'> 10.1.0.2.9899:'* ]] || fail $'expected: the first packet is UDP, to port 9899\ncame: '"$packets"
}

@test "A.3 echo_client -j says strings as a browser does, and an empty one" {
    local out
    has_option 02-one-to-many/echo_client -j
    start_server 02-one-to-many/echo_server
    out=$(printf 'hello\n\nbye' | timed 02-one-to-many/echo_client -j "[::1]:$port")
    reports 'assoc [0-9]+ stream 0 ppid 51: 5 bytes .*'
    reports 'assoc [0-9]+ stream 0 ppid 56: 1 bytes .*'
    reports 'assoc [0-9]+ stream 0 ppid 51: 3 bytes .*'
    expect "[::1]:$port: hello"$'\n'"[::1]:$port: "$'\n'"[::1]:$port: bye" "$out" 'the replies to "hello", an empty line, and "bye"'
}

# bats test_tags=open
@test "A.4 a chat beside a file, cut into messages of several lengths, without interleaving" {
    local length start
    slow_path
    for length in 262144 65536 16384 4096 1400; do
        start=${EPOCHREALTIME/./}
        mix -s prio -n $((262144 / length)) -l "$length" -c 15
        measured "messages of $length bytes: the chat is under way for $(sed -n 's/^chat //p' "$BATS_TEST_TMPDIR/mixed" | sort -n | sed -n 8p) ms (p50), and all is over after $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
    done
}
