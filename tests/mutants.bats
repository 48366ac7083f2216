#!/usr/bin/env bats
# What tests the tests: the driver of the mutants, and that they can be tried. All of them are tried by make mutants, which takes long.

load helper/course
load helper/patched

MUTANTS=$TREE/tests/mutants
setup_file() {
    make -s -C "${BATS_TEST_DIRNAME%/tests}"
}

# mutants ARGUMENT... - runs the driver
mutants() {
    "$MUTANTS/run" "$@" 3>&-
}

# mutant NAME CAUGHT_BY SAYS - writes a mutant of stage 01 into the folder `own`; its patch is standard input
mutant() {
    own=$BATS_TEST_TMPDIR/own
    mkdir -p "$own/01-one-to-one"
    {
        printf 'one of the test\ncaught by: %s\nsays: %s\n\n' "$2" "$3"
        cat
    } >"$own/01-one-to-one/$1.patch"
}

# bats test_tags=host
@test "every mutant says what it is and which test catches it, and its patch applies and changes something" {
    local patch stage count copy=$BATS_TEST_TMPDIR/copy
    for patch in "$MUTANTS"/*/*.patch; do
        stage=${patch%/*} stage=${stage##*/}
        mkdir "$copy"
        cp -r "$TREE/$stage" "$copy"
        apply_patch "$patch" "$copy" || fail "$patch does not apply"
        ! diff -q -r "$TREE/$stage" "$copy/$stage" >/dev/null || fail "$patch changes nothing"
        rm -r "$copy"
        # The test is in the stage's file, and gives points.
        count=$(awk -v RS= '/points:/ { while (match($0, /@test "[^\n]*" \{/)) { print substr($0, RSTART, RLENGTH); $0 = substr($0, RSTART + RLENGTH) } }' "$TREE/tests/$stage.bats" |
            grep -cE -e "$(header 'caught by' "$patch")")
        ((count >= 1)) || fail "$patch: there is no test by which it could be caught"
        [[ -n $(sed -n 1p "$patch") && -n $(header says "$patch") ]] || fail "$patch does not say what it is, and what is said about it"
    done
    for stage in "$MUTANTS"/*/; do
        count=$(find "$stage" -name '*.patch' | wc -l)
        ((count >= 12)) || fail "$stage has $count mutants"
        stage=${stage%/}
        count=$(find "$TREE/tests/variants/${stage##*/}" -mindepth 1 -maxdepth 1 | wc -l)
        ((count >= 2)) || fail "${stage##*/} has $count variants"
    done
}

# bats test_tags=host
@test "a mutant of each stage is caught, by the test that is to" {
    run mutants -q -n replies-whole-buffer -n stream-0 -n error-byte-order -m "$MUTANTS"
    assert_success
    assert_line --regexp '^caught  *01-one-to-one  *replies-whole-buffer  *2 of  *2  sends back the whole buffer'
    assert_line --regexp '^caught  *02-one-to-many  *stream-0  *3 of  *3  '
    assert_line --regexp '^caught  *03-events  *error-byte-order '
    assert_line --regexp '^ *2 +echo: lines come back'
    assert_line '3 as they should, 0 not, 0 could not be tried'
}

# bats test_tags=host
@test "a variant has full marks, and one that is wrong loses points" {
    local variants=$BATS_TEST_TMPDIR/variants
    mkdir -p "$variants/01-one-to-one/wrong"
    sed 's/  setvbuf(stdout.*//' "$TREE/01-one-to-one/echo_server.c" >"$variants/01-one-to-one/wrong/echo_server.c"
    cp -r "$TREE/tests/variants/01-one-to-one/table" "$variants/01-one-to-one"
    DEADLINE=2 run mutants -s 01 -t 'lines come back|boundaries|50 clients' -v "$variants"
    assert_failure 1
    assert_line --regexp '^full marks  *01-one-to-one  *table  *0 of  *8  '
    assert_line --regexp '^LOSES POINTS  *01-one-to-one  *wrong  *8 of  *8  '
    assert_line --partial 'line-buffered'
}

# bats test_tags=host
@test "a mutant that changes nothing has survived; so has one that passes its test; and it is wrong where the message does not help" {
    local comment='--- a/01-one-to-one/echo_server.c
+++ b/01-one-to-one/echo_server.c
@@ -1 +1 @@
-// echo_server - stage 01: sends back what it receives, over one-to-one sockets
+// echo_server - stage 01
'
    mutant nothing 'echo: lines' '.' <<<"$comment"
    mutant words 'echo: lines' 'htons.. has been forgotten' <"$MUTANTS/01-one-to-one/drops-last-line.patch"
    mutant other 'lines come back' '.' <"$MUTANTS/01-one-to-one/bad-usage-1.patch"
    sed -i '5,7d' "$own"/01-one-to-one/{words,other}.patch
    run mutants -q -m "$own"
    assert_failure 1
    assert_line --regexp '^SURVIVES  *01-one-to-one  *nothing  *0 of  *2 '
    assert_line --regexp '^MESSAGE  *01-one-to-one  *words  *2 of  *2 '
    assert_line --partial "the message does not say 'htons.. has been forgotten':"
    assert_line --regexp '^SURVIVES  *01-one-to-one  *other '
    assert_line '0 as they should, 3 not, 0 could not be tried'
}

# bats test_tags=host
@test "a patch that does not apply, a program that does not compile, and a mutant that says nothing, are errors" {
    mutant elsewhere 'echo' '.' <<<'--- a/01-one-to-one/echo_server.c
+++ b/01-one-to-one/echo_server.c
@@ -1 +1 @@
-what is not there
+what is'
    mutant broken 'echo' '.' <<<'--- a/01-one-to-one/echo_server.c
+++ b/01-one-to-one/echo_server.c
@@ -1 +1 @@
-// echo_server - stage 01: sends back what it receives, over one-to-one sockets
+echo_server - stage 01'
    mutant silent '' '' </dev/null
    run mutants -q -m "$own"
    assert_failure 2
    assert_line --partial 'the patch does not apply'
    assert_line --partial 'echo_server.c does not compile'
    assert_line --partial 'it does not say by which test it is caught'
    assert_line '0 as they should, 0 not, 3 could not be tried'
    run mutants -n no-such-name
    assert_failure 2
    run mutants -z
    assert_failure 2
}

# bats test_tags=host
@test "make mutants takes STAGE and NAME" {
    cd "$TREE"
    run make -s mutants STAGE=01 NAME=no-such-name
    assert_failure
    assert_output --partial 'there is none with this STAGE and NAME'
    run make -s mutants STAGE=02 MUTANTS_FLAGS=-l
    assert_success
    assert_line --regexp '^mutant +02-one-to-many +stream-0 +answers on stream 0 always'
    assert_line --regexp '^variant +02-one-to-many +classic '
    refute_output --partial '01-one-to-one'
}
