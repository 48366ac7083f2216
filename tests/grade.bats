#!/usr/bin/env bats
# How one submission is graded: what is taken of it, what becomes of it, and what the grade says.

load helper/course

setup_file() {
    [[ -z ${SCTP_LAB-} ]] || skip 'this is a lab already; a submission is graded in one of its own'
}

# grade ARGUMENT... - grades, and sets `grade` to the path of grade.json
grade() {
    grade=$BATS_TEST_TMPDIR/graded/grade.json
    timeout --kill-after=1 300 "$TREE/grade/grade" -o "${grade%/*}" "$@" 3>&-
}

# quickly ARGUMENT... - grades with one test of stage 01
quickly() {
    grade -t 'lines come back' "$@"
}

# says FILTER EXPECTED - what jq finds in the grade is this
says() {
    assert_equal "$1: $(jq -cr "$1" "$grade")" "$1: $2"
}

# reference FOLDER [STAGE] - puts the reference's programs of a stage there
reference() {
    mkdir -p "$1"
    cp "$TREE/${2:-01-one-to-one}"/*.[ch] "$1"
}

# takes STAGE-OR-NOTHING EXPECTED... - of the folder `handed`, these are taken, each "FILE from PLACE"
takes() {
    local out=$BATS_TEST_TMPDIR/out
    rm -rf "$out"
    mkdir "$out"
    # shellcheck disable=SC2086 # nothing, or a stage
    run "$TREE/grade/take" "$BATS_TEST_TMPDIR/handed" "$out" $1
    assert_equal "$(sort -z "$out/taken" | tr '\0' '\n')" "$(sort -z "$out/taken" | tr '\0' '\n')"
    assert_equal "$(paste -d'|' - - < <(tr '\0' '\n' <"$out/taken") | sort)" "$(printf '%s\n' "${@:2}" | sort)"
}

# bats test_tags=host
@test "what students hand in is found: the whole course, a stage's folder, bare files, all that a folder deeper, odd names" {
    cd "$BATS_TEST_TMPDIR"
    reference handed/01-one-to-one
    reference handed/04-sendall 04-sendall
    takes '' '01-one-to-one/echo_client.c|01-one-to-one/echo_client.c' '01-one-to-one/echo_server.c|01-one-to-one/echo_server.c' \
        '04-sendall/chat_client.c|04-sendall/chat_client.c' '04-sendall/chat_server.c|04-sendall/chat_server.c' \
        '04-sendall/laggards.h|04-sendall/laggards.h' '04-sendall/room.h|04-sendall/room.h'
    takes 01-one-to-one '01-one-to-one/echo_client.c|01-one-to-one/echo_client.c' '01-one-to-one/echo_server.c|01-one-to-one/echo_server.c'
    local folder
    for folder in 'Müller, Jörg/01-one-to-one' 'Stage 1 (final)' '01' 'x/lab01/src' $'new\nline/01_echo'; do
        rm -rf handed
        reference "handed/$folder"
        if [[ $folder != *$'\n'* ]]; then
            takes '' "01-one-to-one/echo_client.c|$folder/echo_client.c" "01-one-to-one/echo_server.c|$folder/echo_server.c"
        else
            run "$TREE/grade/take" handed "$BATS_TEST_TMPDIR/out"
            assert_success
            assert_equal "$(ls out/sources/01-one-to-one)" $'echo_client.c\necho_server.c'
        fi
    done
    # shellcheck disable=SC2016 # they are to be just names
    for folder in . 'one deep' '-dash/$(touch run)' '@' '*' 'a]b[c'; do
        rm -rf handed
        reference "handed/$folder"
        folder=${folder#.}
        takes 01-one-to-one "01-one-to-one/echo_client.c|$folder${folder:+/}echo_client.c" "01-one-to-one/echo_server.c|$folder${folder:+/}echo_server.c"
    done
    [[ ! -e run ]] || fail 'a name was executed'
    rm -rf handed
    mkdir -p handed/server handed/client
    cp "$TREE/01-one-to-one/echo_server.c" handed/server
    cp "$TREE/01-one-to-one/echo_client.c" handed/client
    takes 01-one-to-one '01-one-to-one/echo_client.c|client/echo_client.c' '01-one-to-one/echo_server.c|server/echo_server.c'
}

# bats test_tags=host
@test "of two that would do, the one that is named for the stage is taken, then the one with more of it, then the less deep" {
    cd "$BATS_TEST_TMPDIR"
    reference handed/old/01-one-to-one
    reference handed/copy
    takes 01-one-to-one '01-one-to-one/echo_client.c|old/01-one-to-one/echo_client.c' '01-one-to-one/echo_server.c|old/01-one-to-one/echo_server.c'
    rm -rf handed
    reference handed/a/b
    mkdir handed/c
    cp "$TREE/01-one-to-one/echo_server.c" handed/c
    takes 01-one-to-one '01-one-to-one/echo_client.c|a/b/echo_client.c' '01-one-to-one/echo_server.c|a/b/echo_server.c'
    rm -rf handed
    reference handed/a/b
    reference handed/c
    takes 01-one-to-one '01-one-to-one/echo_client.c|c/echo_client.c' '01-one-to-one/echo_server.c|c/echo_server.c'
    rm -rf handed
    reference handed/05-unordered-streams 05-unordered-streams # has a chat_server, too
    run "$TREE/grade/take" handed out 04-sendall
    assert_failure 1
    assert_regex "$(<out/problem)" '04-sendall/chat_server.c'
}

# bats test_tags=host
@test "links, pipes, what is too large and what is no source are not taken, and it is said why" {
    cd "$BATS_TEST_TMPDIR"
    mkdir -p handed/01-one-to-one/tests handed/__MACOSX/01-one-to-one out
    cp "$TREE/01-one-to-one/echo_server.c" handed/01-one-to-one
    ln -s "$TREE/01-one-to-one/echo_client.c" handed/01-one-to-one/echo_client.c
    ln -s "$TREE/common" handed/01-one-to-one/more
    mkfifo handed/01-one-to-one/pipe.c
    head -c 2000000 /dev/zero >handed/01-one-to-one/large.c
    touch handed/01-one-to-one/Makefile handed/01-one-to-one/tests/01-one-to-one.bats handed/__MACOSX/01-one-to-one/._echo_server.c
    takes '' '01-one-to-one/echo_server.c|01-one-to-one/echo_server.c'
    run tr '\0' '\n' <out/ignored
    assert_line '01-one-to-one/echo_client.c: a link'
    assert_line '01-one-to-one/more: a link'
    assert_line '01-one-to-one/pipe.c: no regular file'
    assert_line '01-one-to-one/large.c: larger than 1048576 bytes'
    assert_line '01-one-to-one/Makefile: no C source'
    assert_line '01-one-to-one/tests/01-one-to-one.bats: no C source'
    assert_line '__MACOSX/01-one-to-one/._echo_server.c: made by macOS'
}

# bats test_tags=host
@test "a zip and a tar: with blanks and umlauts in names, CRLF line ends, an author's own header; the grade names what it is of" {
    cd "$BATS_TEST_TMPDIR"
    reference 'Jörg Müller/Stage 1'
    cd 'Jörg Müller/Stage 1'
    sed -i 's/$/\r/' echo_client.c
    { echo '#include "my own.h"' && cat "$TREE/01-one-to-one/echo_server.c"; } >echo_server.c
    touch 'my own.h'
    cd ../..
    bsdtar -c -f 'Jörg Müller.zip' --format zip 'Jörg Müller'
    mkdir packed
    tar -czf packed/work.tar.gz --no-recursion . --recursion 'Jörg Müller' # with an entry for the folder itself
    local archive
    for archive in 'Jörg Müller.zip' packed/work.tar.gz; do
        quickly "$archive"
        says '[.score, .max, .problem]' '[2,2,""]'
        says '[.taken[] | .file + " from " + .from] | join(", ")' \
            '01-one-to-one/echo_client.c from Jörg Müller/Stage 1/echo_client.c, 01-one-to-one/echo_server.c from Jörg Müller/Stage 1/echo_server.c, 01-one-to-one/my own.h from Jörg Müller/Stage 1/my own.h'
        archive=${archive##*/}
        says '.submission' "${archive%%.*}"
        says '.kernel' "Linux $("$TREE/lab/run" --kernel uml uname -r), User Mode Linux"
        assert_regex "$(jq -r .course "$grade")" '^[0-9a-f]{16}'
        assert_equal "$(jq -r '.taken[0].sha256' "$grade")" "$(sha256sum <'Jörg Müller/Stage 1/echo_client.c' | cut -c 1-64)"
        cmp 'Jörg Müller/Stage 1/echo_client.c' graded/sources/01-one-to-one/echo_client.c
    done
}

# bats test_tags=host
@test "archives that want to do harm: names that lead out, a bomb, links, a name with a newline; and what is no archive" {
    cd "$BATS_TEST_TMPDIR"
    reference 01-one-to-one
    truncate -s 4G bomb.c
    bsdtar -c -z -f bomb.tgz 01-one-to-one bomb.c
    quickly bomb.tgz
    says '.score' 2
    assert_regex "$(jq -r .problem "$grade")" 'could not be unpacked whole'
    bsdtar -c -f leads-out.zip --format zip -s '|^01-one-to-one/echo_client.c|../../../../tmp/intruder|' 01-one-to-one
    quickly leads-out.zip
    says '[.taken[].file] | join(" ")' 01-one-to-one/echo_server.c
    [[ ! -e /tmp/intruder ]] || fail 'it has led out'
    mkdir -p links/01-one-to-one $'links/new\nline'
    ln -s "$TREE/01-one-to-one/echo_server.c" "$TREE/01-one-to-one/echo_client.c" links/01-one-to-one
    touch $'links/new\nline/x.c'
    tar -cf links.tar links
    quickly links.tar
    says '.score' 0
    assert_regex "$(jq -r .problem "$grade")" 'no folder that is named as a stage'
    says '[.ignored[] | select(.why == "a link") | .from] | join(" ")' 'links/01-one-to-one/echo_client.c links/01-one-to-one/echo_server.c'
    echo 'no archive' >work.zip
    quickly work.zip
    says '[.score, .max]' '[0,0]'
    assert_regex "$(jq -r .problem "$grade")" '.'
}

# bats test_tags=host
@test "what does not compile is shown with what the compiler said, and the other program is still tested" {
    reference "$BATS_TEST_TMPDIR/handed/01-one-to-one"
    echo 'int main(void) { return undeclared; }' >"$BATS_TEST_TMPDIR/handed/01-one-to-one/echo_client.c"
    grade -t 'back to back|lines come back' "$BATS_TEST_TMPDIR/handed"
    says '.compiled[0].ok' false
    assert_regex "$(jq -r '.compiled[0].output' "$grade")" 'undeclared'
    says '[.tests[] | .status] | join(" ")' 'failed passed'
}

# bats test_tags=host
@test "hidden tests and other weights: from the instructor's folder and file; a failure's message says what was expected and what came" {
    cd "$BATS_TEST_TMPDIR"
    reference handed/01-one-to-one
    mkdir hidden
    sed 's/^TEST/@test/' >hidden/01-secret.bats <<'END'
load helper/course

# bats test_tags=points:5
TEST "the server answers in capitals" {
    start_server 01-one-to-one/echo_server
    run "$PEER" 127.0.0.1 "$port" text:hello recv
    assert_output 'message 5: HELLO'
}
END
    grade -s 1 -t 'capitals|back to back' -x hidden handed
    says '[.tests[] | [.name, .status, .points, .max, .hidden]]' \
        '[["echo_server keeps message boundaries: two messages sent back to back come back as two","passed",3,3,false],["the server answers in capitals","failed",0,5,true]]'
    assert_regex "$(jq -r '.tests[1].message' "$grade")" 'expected : message 5: HELLO.*actual   : message 5: hello'
    says '.tests[1].read' 'TUTORIAL.md, stage 01'
}

# bats test_tags=host
@test "tests that cannot be run, for they are wrong or the machine lacks something, are an error of grading and no zero" {
    cd "$BATS_TEST_TMPDIR"
    reference handed/01-one-to-one
    mkdir -p no_end/hidden no_setup/hidden
    printf '# bats test_tags=points:1\n@test "one" {\n    true\n' >no_end/hidden/01-more.bats
    printf 'setup_file() {\n    no_such_command\n}\n# bats test_tags=points:1\n@test "one" {\n    true\n}\n# bats test_tags=points:1\n@test "one more" {\n    true\n}\n' >no_setup/hidden/01-more.bats
    local case
    for case in no_end no_setup; do
        run --separate-stderr grade -s 1 -t one -x "$case/hidden" handed
        assert_failure 1
        assert_output ''
        [[ ! -e $BATS_TEST_TMPDIR/graded/grade.json ]] || fail 'there is a grade'
        if [[ $case == no_end ]]; then
            assert_regex "$stderr" '^grade/grade: .*/no_end/hidden/01-more.bats is no bats file: line [0-9]+: syntax error'
        else
            assert_regex "$stderr" 'not all tests of hidden-01-more.bats have been run.*no_such_command'
        fi
    done
}

# bats test_tags=host
@test "bad usage ends with 2; what cannot be graded, with 1 and a reason" {
    local arguments
    for arguments in '' '-s 9 x' '-s' '-x' '-q x' 'x y'; do
        # shellcheck disable=SC2086 # several words
        run --separate-stderr "$TREE/grade/grade" $arguments
        assert_equal "$arguments: $status" "$arguments: 2"
        assert_regex "$stderr" 'usage: grade/grade'
    done
    run --separate-stderr "$TREE/grade/grade" -h
    assert_success
    assert_regex "$output" '^usage: grade/grade'
    for arguments in "$BATS_TEST_TMPDIR/missing" '-x /nowhere .' '-w /nowhere .' /dev/null; do
        # shellcheck disable=SC2086
        run --separate-stderr "$TREE/grade/grade" $arguments
        assert_failure 1
        assert_regex "$stderr" '^grade/grade: .'
        assert_equal "$output" ''
    done
    run --separate-stderr env LAB_UML=/bin/false "$TREE/grade/grade" "$TREE"
    assert_failure 1
    assert_regex "$stderr" 'has failed'
}

# bats test_tags=host
@test "graded is on a lab kernel of its own: User Mode Linux, QEMU where that cannot be had, or as GRADE_KERNEL says" {
    assert_equal "$(GRADE_KERNEL=native "$TREE/grade/kernel")" native
    assert_equal "$("$TREE/grade/kernel")" uml
    # A course without any: no kernel built, no package.
    mkdir -p "$BATS_TEST_TMPDIR/course"/{grade,lab}
    cp "$TREE/grade/kernel" "$BATS_TEST_TMPDIR/course/grade"
    printf '#!/bin/sh\nexit 125\n' >"$BATS_TEST_TMPDIR/course/lab/run"
    chmod +x "$BATS_TEST_TMPDIR/course/lab/run"
    assert_equal "$("$BATS_TEST_TMPDIR/course/grade/kernel")" qemu
    assert_equal "$(LAB_UML=/nowhere "$BATS_TEST_TMPDIR/course/grade/kernel")" uml # lab/run then says what is wrong with it
}
