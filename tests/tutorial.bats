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

# slugs FILE - the headings of a text, as a link names them, one a line
slugs() {
    sed -n 's/^##* //p' "$1" | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9\n_-'
}

# links FILE [FOLDER] - every link of a text, which readers find in FOLDER, leads to a file of the course, and to a heading in it
links() {
    local target file folder=${2-$(dirname "$1")}
    while IFS= read -r target; do
        [[ $target != http* ]] || continue
        file=$folder/${target%%#*}
        [[ $target != '#'* ]] || file=$1
        [[ -e $file ]] || fail "$1: no file $target"
        if [[ $target == *'#'* ]]; then
            grep -qx -e "${target#*\#}" <<<"$(slugs "$file")" || fail "$1: no heading for $target"
        fi
    done < <(grep -o '](\([^)]*\))' "$1" | sed 's/^](//; s/)$//')
}

# chapters - the headings within each stage's chapter, one a line: 02 What does it cost?
chapters() {
    awk '/^## / { stage = $2 == "Stage" ? substr($3, 1, 2) : "" } stage && sub(/^### /, "") { print stage, $0 }' "$TREE/TUTORIAL.md"
}

# named FILE... - the sections that these files send a reader to: 02 What does it cost?
# They do it by `hint 'What does it cost?' ...` in the tests of a stage, and by words, the stage and the heading in quotes (in comments over several lines).
named() {
    local file
    grep -slE "hint '|[Ss]tage 0" "$@" | while IFS= read -r file; do
        [[ $file != */tests/0*.bats ]] || sed -n "s/^ *hint '\([^']*\)'.*/\1/p" "$file" | sed "s/^/$(basename "$file" | cut -c 1-2) /"
        sed 's/^[+ -]* *\(\/\/\|#\) *//' "$file" | tr '\n' ' ' | grep -oiE 'stage 0[0-9][:,] "[^"]+"(, "[^"]+")*' |
            awk -F '"' '{ for (i = 2; i < NF; i += 2) print substr($1, 7, 2), $i }'
    done
}

# untold FILE - the commands in a text that no test types: number and line of what a reader would type in a block that tests/tools/follow passes by.
# Such a block is told by "(by hand)" in the paragraph before it.
untold() {
    local line number=0 before='' block='' inside='' word
    while IFS= read -r line; do
        number=$((number + 1))
        if [[ $line == '```'* ]]; then
            if [[ -n $inside ]]; then
                inside=''
            else
                inside=${line#'```'}
                inside=${inside:-none}
                block=first
            fi
            before=''
        elif [[ -n $inside ]]; then
            [[ $inside != 'c '* ]] || continue
            if [[ $inside == console ]]; then
                [[ $block != first || $line == 'lab# '* || $line == '$ '* ]] || printf '%d: %s\n' "$number" "$line"
                block=''
            else
                printf '%d: %s\n' "$number" "$line"
            fi
        elif [[ $line == '    '* && $before != *'(by hand)'* ]]; then
            line=${line#'    '}
            word=${line#'lab# '} word=${word#'$ '}
            [[ $word == "$line" ]] && ! type -t -- "${word%% *}" >/dev/null || printf '%d: %s\n' "$number" "$line"
        elif [[ -n $line && $line != '    '* ]]; then
            before=$line
        fi
    done <"$1"
}

# bats test_tags=host
@test "TUTORIAL.md: every excerpt is the file's own text, every link leads somewhere" {
    excerpts TUTORIAL.md
    cd "$TREE"
    local text
    for text in *.md lab/*.md; do
        links "$text"
    done
    links grade/student/README.md .
}

# bats test_tags=host
@test "the sections of TUTORIAL.md that tests, programs and reports send a reader to are there" {
    cd "$TREE"
    local there section seen=0
    there=$(chapters)
    while IFS= read -r section; do
        # "Things to know" will do for "Things to know before you copy this code"
        [[ $'\n'$there == *$'\n'"$section"* ]] || fail "there is no section $section"
        seen=$((seen + 1))
    done < <(named "$TREE"/tests/*.bats "$TREE"/tests/helper/*.bash "$TREE"/tests/mutants/*/* "$TREE"/0*/*.[ch] "$TREE"/common/*.[ch] "$TREE"/appendix/* "$TREE"/grade/starter.awk)
    ((seen > 150)) || fail "only $seen sections are named"
}

# bats test_tags=host
@test "TUTORIAL.md and lab/README.md: every command that is shown is typed by a test, or has (by hand) before it" {
    local text
    for text in TUTORIAL.md lab/README.md; do
        assert_equal "$(untold "$TREE/$text")" ''
    done
    (($(grep -c '(by hand)' "$TREE/TUTORIAL.md") <= 3)) || fail 'more than two blocks are by hand'
}

# bats test_tags=host
@test "TUTORIAL.md, README.md and lab/README.md: the commands for one's own shell give the output that is shown" {
    # In a copy: some compile programs that other tests are running.
    cp -a "$TREE" "$BATS_TEST_TMPDIR/course"
    cd "$BATS_TEST_TMPDIR/course"
    tests/tools/follow TUTORIAL.md '$ '
    tests/tools/follow README.md '$ '
    tests/tools/follow lab/README.md '$ '
    tests/tools/follow CONTRIBUTING.md '$ '
}

# bats test_tags=host
@test "TUTORIAL.md and lab/README.md: the commands for the shell in the lab give the output that is shown" {
    cd "$TREE"
    lab/run --timeout 600 tests/tools/follow TUTORIAL.md 'lab# '
    lab/run --timeout 120 tests/tools/follow lab/README.md 'lab# '
}

# shown WORDS - what has come out is what the appendix "when it does not work" has
shown() {
    assert_output --partial "$1"
    sed -n '/^## Appendix: when/,$p' "$TREE/TUTORIAL.md" | grep -qF -e "\`$1\`" || fail "TUTORIAL.md does not show: $1"
}

# bats test_tags=host
@test "TUTORIAL.md: what programs say on a kernel without SCTP is what it shows" {
    [[ $("$TREE/lab/run" --version) == *"this machine's kernel has no SCTP"* ]] || skip 'this kernel has SCTP'
    run "$TREE/01-one-to-one/echo_server" -p 0
    shown 'socket: Protocol not supported'
    run "$TREE/02-one-to-many/echo_server" -p 0
    shown 'socket: Socket type not supported'
    run ncat --sctp 127.0.0.1 2013 </dev/null
    shown 'Ncat: Protocol not supported.'
    run socat - SCTP:127.0.0.1:2013 </dev/null
    shown 'E socket(2, 1, 132): Protocol not supported'
    run checksctp
    shown 'checksctp: Protocol not supported'
}

# bats test_tags=host
@test "TUTORIAL.md: what the cookie needs, and what is said where it is missing, is what it shows" {
    [[ -x /usr/bin/linux.uml ]] || skip 'there is no kernel whose hmac is a module (package user-mode-linux)'
    # shellcheck disable=SC2016 # the variable is perl's; 176 is delete_module: there need be no rmmod
    LAB_UML=/usr/bin/linux.uml run "$TREE/lab/run" --kernel uml --timeout 60 sh -c \
        'perl -e "my \$name = q(hmac); syscall(176, \$name, 0) == 0 or die"; timeout 5 "$0" -p 0; dmesg | tail -n 1' "$TREE/02-one-to-many/echo_server"
    shown 'listen: Function not implemented'
    shown 'sctp: failed to load transform for md5: -2'
}
