#!/usr/bin/env bats
# Programs that attack the grader: tests/hostile/. Each becomes part of the reference's echo_server; its mark is that of what is left of the server.

load helper/course
load helper/hostile

ATTACKS=$BATS_TEST_DIRNAME/hostile

setup_file() {
    [[ -z ${SCTP_LAB-} ]] || skip 'this is a lab already; a submission is graded in one of its own'
}

# attack NAME - grades the submission, in the background
attack() {
    compose_attack "$1" "$BATS_TEST_TMPDIR/$1/01-one-to-one" "$BATS_TEST_TMPDIR"
    timeout --kill-after=1 500 "$TREE/grade/grade" -t 'lines come back|50 clients' -o "$BATS_TEST_TMPDIR/$1.graded" "$BATS_TEST_TMPDIR/$1" \
        >"$BATS_TEST_TMPDIR/$1.report" 2>&1 3>&- || echo "grading failed: $?" >>"$BATS_TEST_TMPDIR/$1.report"
}

# attacks NAME... - does them all, two at a time, and compares the marks; nothing outside has changed
attacks() {
    local name mark says
    touch "$BATS_TEST_TMPDIR/before"
    for name; do
        while (($(jobs -pr | wc -l) >= 2)); do wait -n; done
        attack "$name" &
    done
    wait
    for name; do
        case $(expects "$name") in
            full) mark='["passed","passed"]' ;;
            first) mark='["passed","failed"]' ;;
            none) mark='["failed","failed"]' ;;
            *) fail "$name says not what is to be expected" ;;
        esac
        assert_equal "$name: $(jq -c '[.tests[].status]' "$BATS_TEST_TMPDIR/$name.graded/grade.json" || cat "$BATS_TEST_TMPDIR/$name.report")" "$name: $mark"
        says=$(sed -n 's,^// says: ,,p' "$ATTACKS/$name.c")
        [[ -z $says ]] || assert_regex "$(jq -r '[.compiled[].output, .tests[].message] | join(" ")' "$BATS_TEST_TMPDIR/$name.graded/grade.json")" "$says"
    done
    run find "$TREE"/{tests,common,grade,lab,0*} -newer "$BATS_TEST_TMPDIR/before" -type f ! -path '*/build/*'
    assert_output ''
    pgrep -f "umid=sctp-lab.*$TREE" | while read -r name; do
        grep -qz "^BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR\$" "/proc/$name/environ" 2>/dev/null && fail "process $name is left"
    done || true
}

# bats test_tags=host
@test "what tries to get at others, at the tests or at the system has no effect, and full marks" {
    attacks become_root forge kill_all network read_secrets stop_parent take_ports write_everywhere fill_tmp
}

# bats test_tags=host
@test "what prints results, or leaves a server behind for the next test, gets no mark for it" {
    attacks exit_code forge_stdout leave_behind print_early
}

# bats test_tags=host
@test "what takes time, memory, processes or output without an end loses its own marks, and is graded to the end" {
    attacks fork_bomb loop memory output
}

# bats test_tags=host
@test "sources on which a compiler would choke, or read what it should not" {
    attacks big_diagnostics big_object embed_solution include_itself include_solution include_tower include_zero
}

# bats test_tags=host
@test "every attack of tests/hostile is in one of these tests" {
    local source
    for source in "$ATTACKS"/*.c; do
        source=${source##*/}
        grep -Eq "^    attacks .*\\b${source%.c}\\b" "$BATS_TEST_FILENAME" || fail "$source is in none"
    done
}
