#!/usr/bin/env bats
# INSTRUCTORS.md: its numbers are those of the tests, its sessions have 90 minutes, its commands give what it shows. On the host.

load helper/course

TEXT=$TREE/INSTRUCTORS.md

# bats test_tags=host
@test "INSTRUCTORS.md: the tests and points of each stage are those of the tests' tags" {
    local stage name tests points
    while read -r stage _; do
        read -r tests points < <(only='' awk -v stage="$stage" -f "$TREE/grade/tests.awk" "$TREE/tests/$stage.bats" |
            awk -F '\t' '{ points += $2 } END { print NR, points }')
        name="[$stage]($stage)"
        assert_equal "$(grep -F "| $name |" "$TEXT")" "| ${stage:1:1} | $name | $tests | $points |"
    done < <(grep -v '^#' "$TREE/grade/stages")
}

# bats test_tags=host
@test "INSTRUCTORS.md: each of the five sessions has a plan of 90 minutes, without a gap" {
    run awk -F '[ –|]+' '
        /^### Session / { session++; minute = 0 }
        /^## / { done = session }
        session && !done && /^\| [0-9]+–/ { if ($2 != minute || $3 <= minute) print "session " session " at minute " minute ": " $0; minute = $3; ended[session] = minute }
        END { for (i = 1; i <= session; i++) print i, ended[i] }' "$TEXT"
    assert_output $'1 90\n2 90\n3 90\n4 90\n5 90'
}

# bats test_tags=host
@test "INSTRUCTORS.md: every link into another text leads to a heading of it, every target of make is there" {
    local target file heading
    while IFS= read -r target; do
        file=${target%%#*} heading=${target#*#}
        sed -n 's/^##* //p' "$TREE/${file:-INSTRUCTORS.md}" | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9\n_-' | grep -qxe "$heading" || fail "no heading for $target"
    done < <(grep -o '](\([^)h][^)]*\)\?#[^)]*)' "$TEXT" | sed 's/^](//; s/)$//')
    grep -oE '(`|^\$ )make [a-z][a-z-]*' "$TEXT" | sed 's/.*make //' | sort -u >"$BATS_TEST_TMPDIR/targets"
    (($(wc -l <"$BATS_TEST_TMPDIR/targets") > 10))
    while read -r target; do
        grep -q "^$target:" "$TREE/Makefile" || fail "there is no make $target"
    done <"$BATS_TEST_TMPDIR/targets"
}

# bats test_tags=host
@test "INSTRUCTORS.md: the commands give the output that is shown, with the hidden test that it shows" {
    [[ -z ${SCTP_LAB-} ]] || skip 'this is a lab already; a submission is graded in one of its own'
    cd "$TREE"
    rm -rf build/class build/grades build/hidden
    mkdir -p build/hidden
    awk '/^```bash$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$TEXT" >build/hidden/01-more.bats
    timeout 500 tests/tools/follow INSTRUCTORS.md '$ ' 3>&-
}
