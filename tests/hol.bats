#!/usr/bin/env bats
# Head-of-line blocking, measured. These figures want the machine for themselves: tests/run runs them alone.

load helper/course
load helper/experiment

# bats test_tags=host
@test "hol goal: p99 of unordered and of 32 streams is at most a third of that of one ordered stream, the median of five runs" {
    copy_course
    run env NO_COLOR=1 timeout 300 "$course/$HOL/hol" -r 5 -n 4000 -k 15 goal
    assert_success
    assert_line --regexp '^met +p99 of 32 streams at most a third .* median of 5 runs: '
    assert_line --regexp '^met +p99 of unordered at most a third .* median of 5 runs: '
    assert_line --regexp '^unordered( +[0-9.]+){5}$'
    # Every message went the way that the line in the table says, and all of them came.
    run jq -e '.results | length == 15 and all(.messages == 4000)
        and all(.[] | select(.what == "unordered"); .unordered == 4000 and .streams == 1)
        and all(.[] | select(.what == "32 streams"); .unordered == 0 and .streams == 32)
        and all(.[] | select(.what == "one ordered stream"); .unordered == 0 and .streams == 1)' "$course/build/hol/goal.json"
    assert_success
}
