#!/usr/bin/env bats
# The exercises of the tutorial: what tells whether one is solved is right. On the host.
#
# tests/exercises/solutions/NUMBER.patch solves one, as a patch against the course's own programs. Above the patch stand
#   what it does        (the first line)
#   mistake: SCRIPT     a mistake that one makes here: what sed is to do to the solution
#   says: REGEX         what is said about it
# Without the solution the tests of an exercise fail, with it they pass, with the mistake one fails, and says so.

load helper/course
# shellcheck source=tests/helper/patched.bash
source "$TREE/tests/helper/patched.bash"

EXERCISES=$TREE/tests/exercises

setup_file() {
    make -s -C "${BATS_TEST_DIRNAME%/tests}" all 3>&-
    make -s -C "$BATS_TEST_DIRNAME/tools" 3>&-
}

# build PATCH FOLDER [SCRIPT] - makes in the folder the stages that the patch changes, with the patch, and with what sed then does to them
build() {
    local changed stages folder
    mapfile -t changed < <(sed -n 's,^+++ b/\([^[:blank:]]*\).*,\1,p' "$1")
    cd "$TREE" || return
    mapfile -t stages < <(printf '%s\n' "${changed[@]%/*}" | sort -u)
    mkdir -p "$2"
    for folder in common 0*/ appendix; do # what is not changed is this tree's
        [[ " ${stages[*]} " == *" ${folder%/} "* ]] || ln -s "$TREE/${folder%/}" "$2"
    done
    cp -a "${stages[@]}" "$2" # with what has been built: only what is patched is built again
    apply_patch "$1" "$2" || fail "${1##*/} does not apply"
    if (($# > 2)); then
        cat "${changed[@]/#/$2/}" >"$2/solved"
        sed -i -e "$3" "${changed[@]/#/$2/}"
        ! cat "${changed[@]/#/$2/}" | cmp -s - "$2/solved" || fail "${1##*/}: the mistake changes nothing"
    fi
    run make -s -C "$2/${stages[0]}" CFLAGS="-O1${3:+ -w}" 3>&- # a mistake may leave something unused
    assert_output ''
    assert_success
}

# numbers FILE TAG - prints the exercises whose tests have the tag: `open`, or none
numbers() {
    awk -v tag="$2" '/^# bats test_tags=/ { has = substr($0, 18) } /^@test / { if (has == tag) print substr($2, 2); has = "" }' "$1" | sort -u
}

# failed TAP NUMBER - prints, of the tests of an exercise that have failed, what they have said
failed() {
    awk -v wanted="$2 " '/^(not )?ok / { mine = 0 } /^not ok / { sub(/^not ok [0-9]+ /, ""); mine = index($0, wanted) == 1 } mine' "$1"
}

# proves CHAPTER - all its exercises, in one lab
proves() {
    local work=$BATS_TEST_TMPDIR patch number numbers file=$EXERCISES/$1.bats way
    mapfile -t numbers < <(numbers "$file" '')
    ((${#numbers[@]} >= 2))
    for number in "${numbers[@]}"; do
        patch=$EXERCISES/solutions/$number.patch
        [[ -f $patch ]] || fail "$number has no solution"
        build "$patch" "$work/solved/$number"
        build "$patch" "$work/mistaken/$number" "$(header mistake "$patch")"
    done
    cd "$work" || return
    # shellcheck disable=SC2016 # the lab's shell is to expand it
    "$TREE/lab/run" --clock skip --timeout 300 bash -c '
        DEADLINE=4 bats --tap --filter-tags "!open" "$0" >without.tap
        SOLUTIONS=$PWD/solved bats --tap --filter-tags "!open" "$0" >solved.tap
        DEADLINE=4 SOLUTIONS=$PWD/mistaken bats --tap --filter-tags "!open" "$0" >mistaken.tap
        true' "$file" 3>&-
    for number in "${numbers[@]}"; do
        [[ $(failed without.tap "$number") =~ (^|$'\n')'# '(expected|came): ]] || fail "$number is solved before one begins, or the message does not help: $(failed without.tap "$number")"
        [[ -z $(failed solved.tap "$number") ]] || fail "$number, solved: $(failed solved.tap "$number")"
        [[ -n $(failed mistaken.tap "$number") ]] || fail "$number, with the mistake, is taken for solved"
        failed mistaken.tap "$number" | grep -qE -e "$(header says "$EXERCISES/solutions/$number.patch")" ||
            fail "$number, with the mistake: nothing says '$(header says "$EXERCISES/solutions/$number.patch")': $(failed mistaken.tap "$number")"
    done
    # What measures does so with the course's own programs, and needs a clock. Timeouts of 100 ms would take a busy machine for a cut path.
    PAUSE=1 MS=400 "$TREE/lab/run" --timeout 100 bats --tap --filter-tags open "$file" >open.tap 3>&- || fail "$(<open.tap)"
    while IFS= read -r number; do
        grep -q "^ok .* $number " open.tap || fail "$(<open.tap)"
        (($(grep -cE '^# .* [0-9]' open.tap) >= 2)) || fail "$number measures nothing: $(<open.tap)"
    done < <(numbers "$file" open)
}

# bats test_tags=host
@test "stage 01: without its solution an exercise fails, with it it passes, with a mistake it says which" {
    proves 01
}

# bats test_tags=host
@test "stage 02: likewise" {
    proves 02
}

# bats test_tags=host
@test "stage 03: likewise" {
    proves 03
}

# bats test_tags=host
@test "stage 04: likewise" {
    proves 04
}

# bats test_tags=host
@test "stage 05: likewise" {
    proves 05
}

# bats test_tags=host
@test "the appendix: likewise" {
    proves A
}

# bats test_tags=host
@test "the tutorial has an exercise for each number, each chapter three to five, the last one open" {
    local file told last
    for file in "$EXERCISES"/*.bats; do
        mapfile -t told < <(sed -n "s/^- \*\*\($(basename "$file" .bats)\.[1-9]\) .*/\1/p" "$TREE/TUTORIAL.md")
        assert_equal "$(printf '%s\n' "${told[@]}")" "$({ numbers "$file" '' && numbers "$file" open; } | sort)"
        ((${#told[@]} >= 3 && ${#told[@]} <= 5)) || fail "$file: ${#told[@]} exercises"
        last=${told[-1]}
        assert_equal "$last" "$(numbers "$file" open)"
        grep -q "^- \*\*${last//./\\.} .*(open)" "$TREE/TUTORIAL.md" || fail "the tutorial does not say that $last is open"
    done
    for file in "$EXERCISES"/solutions/*.patch; do
        grep -q "^@test \"$(basename "$file" .patch) " "$EXERCISES"/*.bats || fail "$file solves nothing"
    done
}

# bats test_tags=host
@test "make exercise: solved is 0, not yet is 1, a number that is not there 2, and what is open measures" {
    cd "$TREE" || return
    build "$EXERCISES/solutions/01.1.patch" "$BATS_TEST_TMPDIR/solved/01.1"
    cd "$TREE" || return
    SOLUTIONS=$BATS_TEST_TMPDIR/solved run tests/exercise 01.1 3>&-
    assert_success
    assert_output $'yes       01.1 echo_server -w names every address of its peer\n01.1: solved'
    run tests/exercise 01.1 3>&-
    assert_failure 1
    assert_line --partial 'expected: echo_server has an option -w'
    assert_line '01.1: not yet'
    run make -s --no-print-directory exercise N=01.9 3>&-
    assert_failure
    assert_line --regexp 'There are: 01\.1 .*02\.4 .*A\.4'
    run tests/exercise 01.4 3>&-
    assert_success
    assert_line --regexp '^ +SCTP: [0-9]+ packets'
    assert_line --partial '01.4 is open'
}
