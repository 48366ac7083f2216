#!/usr/bin/env bats
# The experiments of the appendix, run as a reader runs them. Times are compared with one another, never with a clock.

load helper/course

setup_file() {
    make -s -C "$TREE/appendix" && make -s -C "$TREE/01-one-to-one"
}

# measured NAME - sets `value` to the median that the table has for it, in microseconds
measured() {
    value=$(awk -v name="$1" '$1 (($2 == "interleaved") ? "-i" : "") == name { print int($3 * 1000) }' <<<"$output")
    [[ -n $value ]] || fail "the table has no line for $1: $output"
}

# needs_buffers - skips where the system does not give the buffers that the experiment needs
needs_buffers() {
    [[ $output != *'buffer: '*' instead of '* ]] || skip "net.core.wmem_max is too low here: $output"
}

# bats test_tags=host
@test "schedulers: with priority the chat waits for one message of the file, with interleaving for none; I-DATA only then" {
    local value fcfs prio chunks capture=$BATS_TEST_TMPDIR/capture
    run timeout 60 "$TREE/appendix/schedulers" -n 4 -w "$capture" fcfs prio prio-i
    needs_buffers
    assert_success
    # The medians: a busy machine lets the whole lab stand still for half a second at times, which spoils a few messages, and so p99.
    measured fcfs && fcfs=$value
    measured prio && prio=$value
    measured prio-i
    ((prio * 2 < fcfs)) || fail "with priority the chat waits more than half as long as first come, first served: $output"
    ((value * 3 < prio)) || fail "with interleaving the chat waits more than a third as long as without: $output"

    # The three associations in their order: of each packet of the sender's the stream and flags of its data chunks.
    chunks=$(tshark -r "$capture" -Y 'ip.src == 10.1.0.1 && (sctp.chunk_type == 0 || sctp.chunk_type == 64)' -T fields \
        -e sctp.srcport -e sctp.chunk_type -e sctp.data_sid -e sctp.data_b_bit -e sctp.data_e_bit 2>/dev/null)
    run awk '
        function is(text) { return text == "1" || text == "True" }
        !($1 in seen) { seen[$1] = ++n }
        {
            # inside: a message of the file has begun and not ended
            split($2, type, ","); split($4, begins, ","); split($5, ends, ",")
            count = split($3, stream, ",")
            for (i = 1; i <= count; i++) {
                if (!((n, type[i]) in known)) types[n] = types[n] " " type[i]
                known[n, type[i]] = 1
                if (stream[i] + 0 == 0) between[n] += inside[n]
                else if (is(ends[i])) inside[n] = 0
                else inside[n] = 1
            }
        }
        END { for (i = 1; i <= n; i++) print "association " i ": chunks" types[i] ", " (between[i] ? "interleaved" : "whole messages") }
    ' <<<"$chunks"
    assert_output "association 1: chunks 0, whole messages
association 2: chunks 0, whole messages
association 3: chunks 64, interleaved"
}

# bats test_tags=host
@test "schedulers: every scheduler that the kernel has is in the table; every message has come" {
    local value name known=(fcfs-i rr rr-i)
    run timeout 60 "$TREE/appendix/schedulers" -n 1 fcfs-i rr rr-i fc fc-i wfq wfq-i
    needs_buffers
    assert_success
    [[ $output != *wfq* ]] || known+=(fc fc-i wfq wfq-i)
    for name in "${known[@]}"; do
        measured "$name"
    done
    assert_equal "${#lines[@]}" $((1 + ${#known[@]}))
}

# bats test_tags=host
@test "mixed_sender and mixed_receiver: interleaving needs the sysctl, and both ends; unknown schedulers are refused" {
    run timeout 30 "$TREE/lab/run" sh -c "cd '$TREE/appendix' && ./mixed_sender -i localhost"
    assert_failure 1
    assert_output --partial 'is the sysctl net.sctp.intl_enable 1?): Operation not permitted'
    # Where one end alone asks for it there is none, and all comes as ever.
    run timeout 30 "$TREE/lab/run" bash -c "cd '$TREE/appendix' && sysctl -q -w net.sctp.intl_enable=1
        coproc ./mixed_receiver -p 0 && read -r _ _ _ port <&\"\${COPROC[0]}\" && exec {heard}<&\"\${COPROC[0]}\" &&
        ./mixed_sender -i -n 2 -c 3 -p \"\$port\" localhost && cat <&\"\$heard\""
    needs_buffers
    assert_success
    assert_equal "$(count "$output" 'file 262144, in ')" 2
    assert_equal "$(count "$output" 'chat ')" 3
    run "$TREE/appendix/mixed_sender" -s fifo localhost
    assert_failure 2
    assert_line "mixed_sender: there is no scheduler 'fifo'"
    run "$TREE/appendix/schedulers" -n 3 lifo
    assert_failure 2
    assert_line "schedulers: there is no scheduler 'lifo'"
}

# bats test_tags=host
@test "through-nat: plain SCTP does not leave the house; in UDP the programs of stage 01 get their echo" {
    run timeout 60 "$TREE/appendix/through-nat"
    [[ $output != *'Linux before 5.11'* ]] || skip 'this kernel cannot put SCTP into UDP'
    assert_success
    local plain=${output%%'In UDP:'*} udp=${output#*'In UDP:'}
    assert_regex "$plain" 'no answer within 4 s'
    assert_regex "$plain" 'the house: +192\.168\.1\.2 > 203\.0\.113\.2 SCTP [0-9]+ > 2013 INIT'
    assert_regex "$plain" 'outside: +none'
    assert_regex "$udp" $'\n +hello\n'
    local inside=${udp%%'outside:'*} outside=${udp#*'outside:'} line from=192.168.1.2 mapped=9899
    assert_regex "$inside" '192\.168\.1\.2 > 203\.0\.113\.2 UDP 9899 > 9899 SCTP [0-9]+ > 2013 INIT'
    if [[ $output == *'one address for all in the house'* ]]; then
        from=203.0.113.1 mapped='61[0-9]{3}'
    fi
    # The address and the UDP port are the router's, SCTP's own ports are not: those it did not see.
    [[ $inside =~ SCTP\ ([0-9]+)\ \>\ 2013\ INIT ]] && port=${BASH_REMATCH[1]}
    assert_regex "$outside" "$from > 203\.0\.113\.2 UDP $mapped > 9899 SCTP $port > 2013 INIT"
    assert_regex "$outside" "203\.0\.113\.2 > $from UDP 9899 > $mapped SCTP 2013 > $port DATA"
    assert_regex "$outside" 'SHUTDOWN COMPLETE'
    refute_regex "$outside" '[0-9.]+ > ([0-9]+\.)+[0-9]+ SCTP'
}
