# tests.awk - lists the tests of a bats file that give points: "STAGE<tab>POINTS<tab>NAME" for each
#
# Usage: only=REGEX awk -v stage=04-sendall -f grade/tests.awk FILE     REGEX (in the environment): only such names; may be empty

/^# bats test_tags=/ { points = match($0, /points:[0-9]+/) ? substr($0, RSTART + 7, RLENGTH - 7) : "" }

/^@test / {
    name = $0
    sub(/^@test "/, "", name)
    sub(/" \{$/, "", name)
    gsub(/\\\\/, "\\", name)
    if (points != "" && name ~ ENVIRON["only"])
        printf "%s\t%s\t%s\n", stage, points, name
    points = ""
}
