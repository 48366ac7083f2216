#!/usr/bin/env bats
# The exercises of stage 03 (TUTORIAL.md). tests/exercise runs them.

load ../helper/exercise

# talk_across [OPTION...] - a client at near and a server at far, with timeouts of 200 ms; the client has said a line
talk_across() {
    "$TREE/lab/two-hosts" up
    PROGRAM_NETNS=far start_server 03-events/event_server -t 200
    ignore_reports
    start_client client program_at near 03-events/event_client -t 200 "$@" -p "$port" 10.1.0.2
    say client hello
    hears_at_last client hello
}

@test "03.1 event_client -w says the next line when the one before has been acknowledged" {
    has_option 03-events/event_client -w
    "$TREE/lab/two-hosts" up
    "$TREE/lab/two-hosts" path 1 delay 200ms # an acknowledgement takes 400 ms: who does not wait has said more by then
    PROGRAM_NETNS=far start_server 03-events/event_server -a 10.1.0.2
    ignore_reports
    capture_with ip netns exec near tcpdump -i path1 -n -l --immediate-mode sctp
    seq 8 >"$BATS_TEST_TMPDIR/lines"
    PROGRAM_NETNS=near run --separate-stderr timed 03-events/event_client -w -p "$port" 10.1.0.2 <"$BATS_TEST_TMPDIR/lines"
    expect "$(seq 8)" "$(grep -x '[0-9]*' <<<"$output")" "8 lines, and their replies; on standard error: $stderr"
    captured '[SHUTDOWN COMPLETE]'
    expect 1 "$(awk '
        /> 10\.1\.0\.2\.[0-9]+: / { waiting += gsub(/\[DATA\]/, ""); if (waiting > most) most = waiting }
        /> 10\.1\.0\.1\.[0-9]+: .*\[SACK\]/ { waiting = 0 }
        END { print most + 0 }' <<<"$packets")" 'the most messages of the client that were under way at a time, not acknowledged yet'
}

# primary - prints which address of the server is the client's primary one
primary() {
    sed -n 's/.*<-> .*\*\([0-9.]*\).*/\1/p' "/proc/${pid[client]}/net/sctp/assocs"
}

@test "03.2 event_client -s: when its primary path is given up, the other becomes the primary, and stays it" {
    has_option 03-events/event_client -s
    talk_across -s
    expect 10.1.0.2 "$(primary)" 'the primary address before all'
    "$TREE/lab/two-hosts" cut 1
    hears_at_last client 'SCTP_PEER_ADDR_CHANGE SCTP_ADDR_UNREACHABLE .*address=10.1.0.2.*'
    await_value 10.2.0.2 primary 'path 1 is cut; the primary address'
    "$TREE/lab/two-hosts" mend 1
    hears_at_last client 'SCTP_PEER_ADDR_CHANGE SCTP_ADDR_AVAILABLE .*address=10.1.0.2.*'
    say client 'still here'
    hears_at_last client 'still here'
    expect 10.2.0.2 "$(primary)" 'path 1 is mended; the primary address'
    "$TREE/lab/two-hosts" cut 2
    hears_at_last client 'SCTP_PEER_ADDR_CHANGE SCTP_ADDR_UNREACHABLE .*address=10.2.0.2.*'
    await_value 10.1.0.2 primary 'then path 2 is cut; the primary address'
}

@test "03.3 event_client -u FILE writes into the file what could not be delivered" {
    local file=$BATS_TEST_TMPDIR/unsaid i
    has_option 03-events/event_client -u
    run --separate-stderr timed 03-events/event_client -u "$file" -p 9 127.0.0.1 <<<'is anybody there?'
    expect 'is anybody there?' "$(cat "$file" 2>&1)" 'nobody listens, and one line was said; the file'
    rm "$file"
    talk_across -u "$file"
    cut_both
    for ((i = 0; i < 5; i++)); do
        say client "line $i"
    done
    await_exit "${pid[client]}" || expect 1 "$?" 'the peer is lost; exit status of event_client'
    expect "$(printf 'line %d\n' {0..4})" "$(sort "$file" 2>&1)" 'hello was answered, five lines were not; the file'
}

# bats test_tags=open
@test "03.4 how soon a path is given up that is cut, and how often one that only loses packets" {
    local ms=${MS:-100} i start took longest=0 alarms answered=0
    "$TREE/lab/two-hosts" up
    "$TREE/lab/two-hosts" path 1 delay 20ms loss 5%
    "$TREE/lab/two-hosts" path 2 delay 20ms loss 5%
    PROGRAM_NETNS=far start_server 03-events/event_server -t "$ms"
    ignore_reports
    start_client client program_at near 03-events/event_client -t "$ms" -p "$port" 10.1.0.2
    for ((i = 0; i < 90; i++)); do
        if ((i == 60)); then
            alarms=$(grep -c ADDR_UNREACHABLE "$BATS_TEST_TMPDIR/heard") || true
            "$TREE/lab/two-hosts" cut 1
        fi
        start=${EPOCHREALTIME/./}
        say client "line $i"
        hears_at_last client "line $i" >>"$BATS_TEST_TMPDIR/heard"
        took=$(((${EPOCHREALTIME/./} - start) / 1000))
        ((i < 60 || took <= longest)) || longest=$took
        answered=$((answered + 1))
    done
    measured "timeouts of at most $ms ms (make exercise N=03.4 MS=50), both paths with a delay of 20 ms and a loss of 5 %"
    measured "$answered lines answered; 60 before path 1 was cut, with $alarms paths given up in vain"
    measured "then no answer for $longest ms"
}
