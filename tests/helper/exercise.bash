# exercise.bash - what the tests of the tutorial's exercises share (tests/exercise)
#
# A test's name begins with the number of its exercise. An exercise that has no answer which is right or wrong has the tag `open`: its test measures, and
# fails only where there is nothing to measure. The programs are the reader's own; where SOLUTIONS names a folder, those in its folder 02.3
# (tests/exercises.bats).

load "${BATS_TEST_DIRNAME%/exercises}/helper/course"

setup() {
    begin_test
    [[ -z ${SOLUTIONS-} ]] || PROGRAMS=$SOLUTIONS/${BATS_TEST_DESCRIPTION%% *}
}

# has_option STAGE/NAME OPTION - fails where the program's usage does not name the option
has_option() {
    under_test "$1" -h
    [[ $("${command[@]}" 3>&-) =~ (^|[^a-zA-Z-])$2($|[^a-zA-Z]) ]] ||
        fail "expected: ${1##*/} has an option $2, and ${1##*/} -h tells of it"$'\n'"came: $("${command[@]}" 2>&1 3>&- | head -n 3)"
}

# expect WANTED CAME WHAT - fails where they differ, with the words of the exercises
expect() {
    [[ $2 == "$1" ]] || fail "$3"$'\n'"expected: $1"$'\n'"came: ${2:0:2000}"
}

# measured LINE - shows a line of a measurement
measured() {
    printf '# %s\n' "$1" >&3
}

# counter NAME FILE - prints a counter of the kernel's SCTP: /proc/net/sctp/snmp, or the file
counter() {
    awk -v name="$1" '$1 == name { print $2 }' "${2-/proc/net/sctp/snmp}"
}
