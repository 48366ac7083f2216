#!/usr/bin/env bats
# What a lab offers to who is in it: several hosts, links with faults, and the tools to look at them.

load helper/course

# two_hosts - makes hosts `near` (10.9.0.1) and `far` (10.9.0.2) with a link between them
two_hosts() {
    ip netns add near
    ip netns add far
    ip link add near netns near type veth peer name far netns far
    set_up near near 10.9.0.1/24
    set_up far far 10.9.0.2/24
}

# set_up HOST INTERFACE ADDRESS
set_up() {
    ip -n "$1" address add "$3" dev "$2"
    ip -n "$1" link set lo up
    ip -n "$1" link set "$2" up
}

teardown() {
    end_test
    local host
    for host in near router far; do
        ip netns delete "$host" 2>/dev/null || true
    done
}

# at HOST COMMAND...
at() {
    ip netns exec "$@"
}

# echo_at_far - starts the echo server at the host far
echo_at_far() {
    PROGRAM_NETNS=far start_server 01-one-to-one/echo_server
}

# round_trips COUNT - says so many lines, each when the echo of the one before has come, and sets elapsed to the milliseconds that took
round_trips() {
    local i begin end
    start_client walker ip netns exec near "$PROGRAMS/01-one-to-one/echo_client" -p "$port" 10.9.0.2
    say walker first
    hears walker first
    begin=$EPOCHREALTIME
    for ((i = 0; i < $1; i++)); do
        say walker "$i"
        hears walker "$i"
    done
    end=$EPOCHREALTIME
    hang_up walker
    await_exit "${pid[walker]}"
    elapsed=$(((${end/./} - ${begin/./}) / 1000))
}

# bats test_tags=lab
@test "two hosts on a link: SCTP between them, and tcpdump sees its chunks" {
    two_hosts
    echo_at_far
    capture_with ip netns exec far tcpdump -i far -n -l --immediate-mode sctp
    run at near "$PROGRAMS/01-one-to-one/echo_client" -p "$port" 10.9.0.2 <<<'over there'
    assert_output 'over there'
    captured 'SHUTDOWN COMPLETE'
    local chunk
    for chunk in 'INIT]' 'INIT ACK]' 'COOKIE ECHO]' 'COOKIE ACK]' 'DATA]' 'SACK]' 'SHUTDOWN]' 'SHUTDOWN ACK]'; do
        [[ $packets == *"[$chunk"* ]] || fail "no [$chunk in $packets"
    done
}

# bats test_tags=lab
@test "a link may delay: each round trip takes the delay of both directions" {
    two_hosts
    at near tc qdisc add dev near root netem delay 30ms
    at far tc qdisc add dev far root netem delay 20ms
    echo_at_far
    round_trips 4
    ((elapsed >= 200 && elapsed < 2000)) || fail "4 round trips of 50 ms took $elapsed ms"
}

# bats test_tags=lab
@test "a link may have a rate: 100 kB at 1 Mbit/s take 0.8 s" {
    two_hosts
    at near tc qdisc add dev near root netem rate 1mbit
    echo_at_far
    local begin=$EPOCHREALTIME end
    line_of 50000 | at near "$PROGRAMS/01-one-to-one/echo_client" -p "$port" 10.9.0.2 >/dev/null
    line_of 50000 | at near "$PROGRAMS/01-one-to-one/echo_client" -p "$port" 10.9.0.2 >/dev/null
    end=$EPOCHREALTIME
    elapsed=$(((${end/./} - ${begin/./}) / 1000))
    ((elapsed >= 800 && elapsed < 8000)) || fail "it took $elapsed ms"
}

# bats test_tags=lab
@test "a link may lose packets: SCTP delivers all the same, and tc counts the lost ones" {
    two_hosts
    at near tc qdisc add dev near root netem loss 5%
    echo_at_far
    line_of 1000 >"$BATS_TEST_TMPDIR/line" # each in a packet of its own
    local i
    for ((i = 0; i < 300; i++)); do
        printf '%s\n' "$(<"$BATS_TEST_TMPDIR/line")"
    done >"$BATS_TEST_TMPDIR/lines"
    # One that is lost again and again takes its time: 1 s, 2 s, 4 s, ...
    timeout 100 ip netns exec near "$PROGRAMS/01-one-to-one/echo_client" -p "$port" 10.9.0.2 \
        <"$BATS_TEST_TMPDIR/lines" >"$BATS_TEST_TMPDIR/echo"
    cmp "$BATS_TEST_TMPDIR/lines" "$BATS_TEST_TMPDIR/echo"
    [[ $(at near tc -s qdisc show dev near) =~ dropped\ ([0-9]+) ]]
    ((BASH_REMATCH[1] > 0)) || fail 'no packet was lost'
}

# bats test_tags=lab
@test "a link may change the order of packets" {
    two_hosts
    at near tc qdisc add dev near root netem delay 100ms reorder 50%
    capture_with ip netns exec far tcpdump -i far -n -l --immediate-mode -A udp
    # Each number in a packet of its own.
    printf '<%s>' {10..29} | at near socat -u -b 4 STDIN UDP4-SENDTO:10.9.0.2:9
    local line='' came=''
    while ((${#came} < 60)); do
        read -r -u "$capture" line || fail "not all has come: $came"
        [[ ! $line =~ \<([0-9]+)\> ]] || came+="${BASH_REMATCH[1]} "
    done
    assert_not_equal "$came" "$(printf '%s ' {10..29})"
    assert_equal "$(tr ' ' '\n' <<<"$came" | sort -n | tr -s '\n' ' ')" " $(printf '%s ' {10..29})"
}

# bats test_tags=lab
@test "ss --sctp shows endpoints and associations" {
    two_hosts
    echo_at_far
    start_client walker ip netns exec near "$PROGRAMS/01-one-to-one/echo_client" -p "$port" 10.9.0.2
    say walker hello
    hears walker hello
    run at far ss --sctp -a -n
    assert_line --regexp "^LISTEN .*:$port "
    assert_line --regexp 'ESTAB .*10\.9\.0\.2.*10\.9\.0\.1'
}

# bats test_tags=lab
@test "gdb stops a program in the lab and looks at it; strace sees its system calls" {
    run gdb -batch -ex 'break main' -ex run -ex bt -ex kill --args "$PROGRAMS/01-one-to-one/echo_server" -p 0
    assert_line --regexp '^Breakpoint 1, .*main \('
    assert_line --regexp '^#0 .*main \('
    run strace -f -e trace=socket "$PROGRAMS/01-one-to-one/echo_client" -p 1 127.0.0.1 </dev/null
    assert_line --partial 'IPPROTO_SCTP) = '
}

# bats test_tags=lab
@test "nft translates addresses: a server behind a router sees the router, with SCTP and UDP" {
    nft list ruleset 2>/dev/null || skip 'this kernel has no nftables; that of make lab-kernel has'
    ip netns add near
    ip netns add router
    ip netns add far
    ip link add near netns near type veth peer name inner netns router
    ip link add far netns far type veth peer name outer netns router
    set_up near near 10.9.1.2/24
    set_up router inner 10.9.1.1/24
    set_up router outer 10.9.0.1/24
    set_up far far 10.9.0.2/24
    ip -n near route add default via 10.9.1.1
    at router sysctl -q net.ipv4.ip_forward=1
    at router nft -f - <<'END'
        table ip nat {
            chain postrouting {
                type nat hook postrouting priority srcnat
                oifname "outer" masquerade
            }
        }
END
    echo_at_far
    start_client walker ip netns exec near "$PROGRAMS/01-one-to-one/echo_client" -p "$port" 10.9.0.2
    say walker 'from behind'
    hears walker 'from behind'
    run at far ss --sctp -n
    assert_output --regexp 'ESTAB .*10\.9\.0\.2\]?:.* [^ ]*10\.9\.0\.1\]?:'
    refute_output --partial 10.9.1.2

    capture_with ip netns exec far tcpdump -i far -n -l --immediate-mode udp
    echo hello | at near socat -u STDIN UDP4-SENDTO:10.9.0.2:9899
    captured '> 10.9.0.2.9899'
    [[ $packets == *'IP 10.9.0.1.'* ]] || fail "not the router's address: $packets"
}

# bats test_tags=lab
@test "2,000 associations fit into the lab's memory" {
    start_server 04-sendall/chat_server
    ulimit -n 4096
    start_client crowd "$PEER" -n 2000 localhost "$port" wait
    await_associations 2000
    [[ $(</proc/meminfo) =~ MemAvailable:\ +([0-9]+) ]]
    ((BASH_REMATCH[1] > 50000)) || fail "only ${BASH_REMATCH[1]} kB are left"
    hang_up crowd
    await_associations 0
}

# bats test_tags=lab
@test "programs that start processes may be killed at any moment: the lab stays" {
    local i
    for ((i = 0; i < 40; i++)); do
        "$TREE/tests/tools/forker" &
        breathe
        kill -KILL "$!"
        wait "$!" || true
    done
}

@test "--kernel native where the kernel has SCTP, as here: one is root of another network, and tcpdump runs" {
    ip link add outside type veth peer name inner
    # shellcheck disable=SC2016 # expanded there
    run timeout 60 "$TREE/lab/run" --kernel native --timeout 50 bash -c '
        id -u; ls /sys/class/net /run; cat /sys/class/net/lo/mtu
        tcpdump -i lo -n -l --immediate-mode -c 1 "sctp[12] = 1" 2>"$1/said" & # an INIT
        tcpdump=$!
        until grep -q "listening on" "$1/said"; do kill -0 "$tcpdump" || { cat "$1/said"; exit 1; }; done
        "$2" -h >/dev/null; "$3" 127.0.0.1 9 >/dev/null 2>&1
        wait "$tcpdump"' bash "$BATS_TEST_TMPDIR" "$PROGRAMS/01-one-to-one/echo_client" "$PEER"
    ip link delete outside
    assert_success
    assert_line --index 0 0
    refute_line inner
    assert_line 1500
    assert_line --partial '[INIT]'
}
