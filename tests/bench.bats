#!/usr/bin/env bats
# The benchmarks: they run, they notice what is lost, and they leave what they promise. Their figures are not judged here.

load helper/course

# bats test_tags=host
@test "make bench: every bench runs, prints its table, and leaves JSON and drawings" {
    for tool in gnuplot iperf3; do
        type -P "$tool" >/dev/null || skip "$tool is not installed (lab/setup bench)"
    done
    local bench=$BATS_TEST_TMPDIR/course name kind
    mkdir "$bench"
    cp -r "$TREE"/{0*,common,lab,bench,Makefile} "$bench" # its results are not to replace those of the user
    run env NO_COLOR=1 "$bench/bench/run" -q
    assert_success
    assert_line --partial 'Wall time of a delivery, 64 bytes, one message in flight'
    assert_line --regexp '^SENDALL +[0-9.]+ '
    assert_line --regexp '^(met|missed) +one message in flight: within 1.15 times of the limit: '
    assert_line --regexp '^wait 1 s, then abort +100 +100 %'
    assert_line --partial 'stage 02'
    for name in fanout spoiled means echo; do
        jq -e '.results | length > 5' "$bench/build/bench/$name.json" >/dev/null
        jq -e '[.results[] | select(.error)] == []' "$bench/build/bench/$name.json" >/dev/null
    done
    for name in fanout spoiled echo; do
        assert_regex "$(head -c 200 "$bench/build/bench/$name.svg")" '<svg'
        assert_regex "$(head -c 4 "$bench/build/bench/$name.png" | tr -d '\0')" 'PNG'
    done
}

# bats test_tags=host
@test "fanout and echo notice what a server loses, doubles, or does not send at all" {
    # A room of 60, whose messages do not fit into the send buffer: what does not fit is lost.
    run "$TREE/lab/run" --timeout 60 sh -c "cd '$TREE/bench' && (./bare_server -n -o -p 2020 & ./fanout -l 2 -p 2020 -n 60 1000:8:50)"
    assert_failure 1
    assert_line --regexp '^fanout: (client|message) [0-9]+'
    # A chat room of two is an echo server that says everything twice.
    run "$TREE/lab/run" --timeout 60 sh -c "cd '$TREE/bench' && (../04-sendall/chat_server -p 2021 & ./echo -l 2 -p 2021 64:1:3000 & one=\$!
        ./echo -l 2 -p 2021 64:1:3000; two=\$?; wait \$one && exit \$two)"
    assert_failure 1
    assert_line --regexp '^echo: .*(more comes|after byte|byte)' # two of them write at the same time
    # Nobody there.
    run "$TREE/lab/run" --timeout 60 "$TREE/bench/fanout" -l 2 -p 2022 64:1:10
    assert_failure
    assert_output --partial 'refused'
}

# bats test_tags=host
@test "bench/run and its programs: help with 0, bad usage with 2" {
    run "$TREE/bench/run" -h
    assert_success
    assert_line --partial 'usage: bench/run'
    local arguments
    for arguments in -x '-r 0' '-r x' -r nonsense; do
        # shellcheck disable=SC2086 # several words
        run "$TREE/bench/run" $arguments
        assert_failure 2
        assert_line --partial 'usage: bench/run'
    done
    for arguments in fanout bare_server echo means; do
        run "$TREE/bench/$arguments" -h
        assert_success
        assert_line --regexp "^usage: $arguments"
        run "$TREE/bench/$arguments" -p x 1
        assert_failure 2
    done
}
