#!/usr/bin/env bats
# The texts: what they show is what is there, and what they tell the reader to do gives what they say.

load helper/course

# excerpts FILE - every block that begins with ```c PATH must be the text of that file, without what marks its exercises (grade/starter.awk)
excerpts() {
    local line path='' block='' text seen=0
    while IFS= read -r line; do
        if [[ $line =~ ^\`\`\`c\ (.+)$ ]]; then
            path=${BASH_REMATCH[1]} block=''
        elif [[ $line == '```' && -n $path ]]; then
            text=$(awk -f "$TREE/grade/starter.awk" -v want=reference "$TREE/$path")
            [[ $'\n'$text$'\n' == *$'\n'"$block"* ]] || fail "$1 shows as a part of $path what is not: $block"
            path='' seen=$((seen + 1))
        else
            block+=$line$'\n'
        fi
    done <"$TREE/$1"
    ((seen > 0)) || fail "$1 has no excerpt"
    ! grep -nE '// (exercise|until then): ' "$TREE/$1" || fail "$1 shows what marks an exercise"
}

# links FILE - every link to a file of the course, or to a heading of the text, leads somewhere
links() {
    local target headings
    headings=$(sed -n 's/^##* //p' "$TREE/$1" | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9\n_-')
    while IFS= read -r target; do
        case $target in
            http*) ;;
            '#'*) grep -qx -e "${target#\#}" <<<"$headings" || fail "$1: no heading for $target" ;;
            *) [[ -e $TREE/${target%%#*} ]] || fail "$1: no file $target" ;;
        esac
    done < <(grep -o '](\([^)]*\))' "$TREE/$1" | sed 's/^](//; s/)$//')
}

# bats test_tags=host
@test "TUTORIAL.md: every excerpt is the file's own text, every link leads somewhere" {
    excerpts TUTORIAL.md
    links TUTORIAL.md
    links README.md
    links INSTRUCTORS.md
    links CONTRIBUTING.md
    links CHANGELOG.md
    cd "$TREE/lab"
    TREE=$PWD links README.md
}

# bats test_tags=host
@test "TUTORIAL.md and README.md: the commands for one's own shell give the output that is shown" {
    cd "$TREE"
    tests/tools/follow TUTORIAL.md '$ '
    tests/tools/follow README.md '$ '
    tests/tools/follow CONTRIBUTING.md '$ '
}

# bats test_tags=host
@test "TUTORIAL.md and lab/README.md: the commands for the shell in the lab give the output that is shown" {
    cd "$TREE"
    lab/run --timeout 120 tests/tools/follow TUTORIAL.md 'lab# '
    lab/run --timeout 120 tests/tools/follow lab/README.md 'lab# '
}
