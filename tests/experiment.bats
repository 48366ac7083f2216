#!/usr/bin/env bats
# The experiment on head-of-line blocking: what it leaves, and that its programs notice what is wrong. hol.bats has its goals.

load helper/course
load helper/experiment

# bats test_tags=host
@test "make hol: every experiment runs, prints its table, and leaves JSON, CSV and drawings" {
    copy_course
    run env NO_COLOR=1 timeout 200 "$course/$HOL/hol" -q -r 1
    assert_success
    assert_line --regexp '^unordered( +[0-9.]+){5} +[0-9]+$'
    assert_line --partial 'p99 of the delay in ms against the loss'
    assert_line --regexp '^RTO.Min 200 ms( +[0-9.]+){5}$'
    assert_line --regexp '^unordered / ordered +[0-9.]+ \['
    local name
    for name in tail loss timers lossless; do
        jq -e '.results | length > 3' "$course/build/hol/$name.json" >/dev/null
    done
    for name in tail loss; do
        assert_regex "$(head -c 200 "$course/build/hol/$name.svg")" '<svg'
        assert_regex "$(head -c 4 "$course/build/hol/$name.png" | tr -d '\0')" 'PNG'
    done
    assert_equal "$(wc -l <"$course/build/hol/tail.csv")" 1201
    assert_equal "$(head -n 1 "$course/build/hol/summary.csv" | tr -d '"')" \
        experiment,way,run,loss,at_once,messages,late,p50,p90,p99,max,mean,rate,receiver_cpu,sender_cpu
    # Interrupted, it leaves nothing behind.
    TMPDIR=$BATS_TEST_TMPDIR "$course/$HOL/hol" tail >/dev/null 2>&1 3>&- &
    local hol=$! here
    until here=$(pgrep -P "$hol" -f inside); do breathe; done
    kill "$hol"
    await_exit "$hol" 10 || (($? != 124))
    run pgrep -f "$course/$HOL/hol"
    assert_output ''
}

# bats test_tags=host
@test "hol and its programs: help with 0, bad usage with 2, a failure with 1" {
    local arguments name
    for name in hol hol_sender hol_receiver; do
        run "$TREE/$HOL/$name" -h
        assert_success
        assert_line --regexp "^usage: .*$name"
        run "$TREE/$HOL/$name" -x
        assert_failure 2
        assert_line --regexp "^usage: .*$name"
    done
    for arguments in '-r 0' '-r x' '-n 99' '-p 50' '-p -1' '-d ten' '-l 65537' -k nonsense '-p 1 nonsense'; do
        # shellcheck disable=SC2086 # several words
        run "$TREE/$HOL/hol" $arguments
        assert_failure 2
        assert_line --partial 'usage: '
    done
    for arguments in '' '-t -u localhost' '-l 30 localhost' '-s 0 localhost' 'localhost localhost'; do
        # shellcheck disable=SC2086
        run "$TREE/$HOL/hol_sender" $arguments
        assert_failure 2
    done
    run "$TREE/$HOL/hol_receiver" -t -d 100
    assert_failure 2
    # Nobody there; a receiver that goes; and a sender that does not send what is expected.
    run "$TREE/lab/run" --timeout 60 "$TREE/$HOL/hol_sender" -p 2016 127.0.0.1
    assert_failure 1
    assert_output --partial 'cannot reach 127.0.0.1 port 2016'
    run "$TREE/lab/run" --timeout 60 bash -c "'$TREE/$HOL/hol_receiver' & sleep 1; (sleep 1; kill \$!) & '$TREE/$HOL/hol_sender' -i 1000 -n 10000 localhost"
    assert_failure 1
    assert_output --regexp 'hol_sender: message [0-9]+: sctp_sendv: '
    run "$TREE/lab/run" --timeout 60 bash -c "'$TREE/$HOL/hol_receiver' -t -p 2017 & sleep 1; seq 1000 >/dev/tcp/127.0.0.1/2017; wait \$!"
    assert_failure 1
    assert_output --partial 'hol_receiver: after 0 messages comes what is none'
}
