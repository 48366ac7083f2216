#!/usr/bin/env bats
# What students are given: starters that build, lead, and give nothing away. On the host.

load helper/course

# hand_out [OPTION...] - makes a handout; sets `given` to its folder
hand_out() {
    "$TREE/grade/handout" "$@" -o "$BATS_TEST_TMPDIR/out" >"$BATS_TEST_TMPDIR/said" 3>&-
    given=$BATS_TEST_TMPDIR/out/handout
}

# stages - all of them, one a line; exercises STAGE... - their sources that have exercises
stages() {
    awk '!/^#/ { print $1 }' "$TREE/grade/stages"
}

exercises() {
    local stage
    for stage; do
        (cd "$TREE" && grep -l '^ *// exercise: ' "$stage"/*.[ch])
    done
}

# solutions FILE... - the distinctive lines of their solutions, without their indentation: those of 50 characters or more, but for what everyone writes so
solutions() {
    local file
    for file; do
        awk -f "$TREE/grade/starter.awk" -v want=solution "$TREE/$file"
    done | sed 's/^ *//' | awk 'length($0) >= 50' | sort -u | grep -vxF "$(printf '%s\n' \
        'struct sctp_assoc_ids *list = list_associations(fd);' \
        'for (uint32_t i = 0; i < list->gaids_number_of_ids; i++) {' \
        'for (uint32_t i = 0; i < list->gaids_number_of_ids; i++)' \
        'struct sctp_status status = {.sstat_assoc_id = association};' \
        'if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &status, &size) < 0)' \
        'int fd = socket(local->family, SOCK_SEQPACKET, IPPROTO_SCTP);' \
        'errx(1, "the server does not agree to end the association");' \
        'if (setsockopt(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &with_info, sizeof with_info) < 0)')"
}

# found FOLDER... - prints where one of the lines in $BATS_TEST_TMPDIR/solutions stands in a source there
found() {
    local file
    while IFS= read -r file; do
        sed 's/^ *//' "$file" | grep -nxFf "$BATS_TEST_TMPDIR/solutions" | sed "s|^|$file:|" || true
    done < <(find "$@" -name '*.[ch]')
}

# bats test_tags=host
@test "the handout builds alone, without a word, with gcc and with clang: each program, and what its tests need" {
    hand_out
    cd "$given"
    local compiler stage program
    for compiler in gcc clang; do
        command -v "$compiler" >/dev/null || continue
        for stage in 0*/ tests/tools/ bench/; do
            run make -j2 -C "$stage" --no-print-directory "CC=$compiler"
            assert_success
            assert_output ''
        done
        while read -r stage program; do
            for program in $program; do
                [[ -x $stage/$program ]] || fail "$stage/$program has not been built"
            done
        done < <(grep -v '^#' "$TREE/grade/stages")
        run make clean
        assert_success
        assert_output ''
    done
    cd "$BATS_TEST_TMPDIR/out"
    mkdir unpacked
    tar -C unpacked -xzf handout.tar.gz
    diff -r handout unpacked/handout # also: make clean has removed all that was built
}

# bats test_tags=host
@test "no solution is in it: no line of one in the programs, no file whole, nothing of grade/ but what make grade needs" {
    local stages sources file lines
    mapfile -t stages < <(stages)
    mapfile -t sources < <(exercises "${stages[@]}")
    ((${#sources[@]} >= 16)) || fail "only ${#sources[@]} files have exercises"
    solutions "${sources[@]}" >"$BATS_TEST_TMPDIR/solutions"
    (($(wc -l <"$BATS_TEST_TMPDIR/solutions") > 200))
    hand_out
    cd "$given"
    assert_equal "$(found 0*)" ''
    for file in "${sources[@]}"; do
        grep -q '// TODO: ' "$file" || fail "$file has nothing to do"
        ! cmp -s "$file" "$TREE/$file" || fail "$file is the reference"
        solutions "$file" >"$BATS_TEST_TMPDIR/solutions"
        lines=$(grep -cFf "$BATS_TEST_TMPDIR/solutions" TUTORIAL.md || true)
        ((lines <= 5)) || fail "the tutorial shows $lines lines of the solution of $file"
    done
    assert_equal "$(grep -rlE '// (exercise|until then): ' . | head -n 3)" ''
    assert_equal "$(ls -A)" "$(printf '%s\n' .clang-format .gitignore 01-one-to-one 02-one-to-many 03-events 04-sendall 05-unordered-streams LICENSE \
        Makefile README.md TUTORIAL.md bench common figures grade lab tests | LC_ALL=C sort)"
    assert_equal "$(find tests -mindepth 1 -maxdepth 1 ! -name '0*.bats' -printf '%f\n' | sort)" $'exercise\nexercises\nhelper\nrun\ntools'
    assert_equal "$(echo tests/exercises/*)" "$(printf 'tests/exercises/%s.bats ' 01 02 03 04 05 | sed 's/ $//')" # and no solution
    for file in grade/*; do
        assert_regex "${file#grade/}" '^(Makefile|grade|stage|kernel|inside|jail|confine\.c|take|gather|gather\.jq|stages|tests\.awk|version|weights|weights\.jq|report|formats)$'
    done
}

# bats test_tags=host
@test "STAGE=: that stage alone, and no line of its solution anywhere, in common/ either" {
    local stage sources
    for stage in $(stages); do
        hand_out -s "$stage"
        cd "$given"
        assert_equal "$(compgen -G 'tests/*.bats')" "tests/$stage.bats"
        assert_equal "$(echo 0*/*.c | tr ' ' '\n' | grep -v "^$stage/" || true)" ''
        mapfile -t sources < <(exercises "$stage")
        solutions "${sources[@]}" >"$BATS_TEST_TMPDIR/solutions"
        (($(wc -l <"$BATS_TEST_TMPDIR/solutions") > 10))
        assert_equal "$(found 0* common)" ''
        run make -j2 -C "$stage" --no-print-directory CFLAGS=-O0
        assert_success
        assert_output ''
    done
    local name
    for name in 04 4; do
        hand_out -s "$name"
        [[ -f $given/tests/04-sendall.bats && ! -e $given/tests/05-unordered-streams.bats ]]
    done
}

# bats test_tags=host
@test "make exercise in the handout: an exercise of the tutorial is not solved yet, and one of another stage is not there" {
    hand_out -s 01
    cd "$given"
    run timeout 300 make -s --no-print-directory exercise N=01.1 3>&-
    assert_failure
    assert_output --regexp '^not yet   01\.1 .*expected: echo_server has an option -w.*01\.1: not yet'
    run timeout 300 make -s --no-print-directory exercise N=02.1 3>&-
    assert_failure
    assert_line 'The exercises are in TUTORIAL.md, under "Your turn". There are: 01.1 01.2 01.3 01.4'
}

# bats test_tags=host
@test "a stage that is not there is refused with a list of those that are, and what was made before stays" {
    hand_out -s 01
    run --separate-stderr "$TREE/grade/handout" -s 06-more -o "$BATS_TEST_TMPDIR/out"
    assert_failure 2
    assert_output ''
    # shellcheck disable=SC2154 # run sets it
    assert_regex "$stderr" "^grade/handout: there is no stage '06-more'; there are: $(stages | tr '\n' ' ' | sed 's/ $//')"
    [[ -d $given ]]
    run make -C "$TREE" --no-print-directory handout STAGE=06-more
    assert_failure
    assert_output --partial "there is no stage '06-more'"
}

# bats test_tags=host
@test "made again, at another time and with another umask, the archive is the same" {
    hand_out -s 05
    cp "$given.tar.gz" "$BATS_TEST_TMPDIR/first"
    sleep 1.1 # so that a time in it would differ
    umask 077
    hand_out -s 05
    cmp "$BATS_TEST_TMPDIR/first" "$given.tar.gz"
    assert_equal "$(tar -tvzf "$given.tar.gz" | awk '{ print $2 }' | sort -u)" '0/0'
}

# bats test_tags=host
@test "the texts of the handout: every link leads somewhere, every target that they name is there" {
    hand_out
    cd "$given"
    local target file
    while IFS= read -r target; do
        [[ $target != http* ]] || continue
        file=${target%%#*}
        [[ -z $file || -e $file ]] || fail "no file $file"
        [[ $target != *'#'* ]] || grep -qx -e "${target#*\#}" <<<"$(sed -n 's/^##* //p' "${file:-TUTORIAL.md}" | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9\n_-')" ||
            fail "no heading for $target"
    done < <(grep -oh '](\([^)]*\))' TUTORIAL.md README.md | sed 's/^](//; s/)$//' | sort -u)
    run make help
    for target in all grade exercise 'test-STAGE' trace shell lab-kernel clean help; do
        assert_line --regexp "^ +make $target +.+"
    done
    grep -q '^\[lab/run\|(lab/README.md)' README.md
    run tests/run -h
    assert_output --partial 'NAME is one of: '
    refute_output --partial tutorial
}

# bats test_tags=host
@test "an exercise that is not well marked is refused" {
    local text
    for text in '// exercise: one\n// exercise: two\n// until then: nothing\n' 'x\n// until then: nothing\n' '// exercise: one\nx\n'; do
        # shellcheck disable=SC2059 # it is a format
        printf "$text" >"$BATS_TEST_TMPDIR/source.c"
        run awk -f "$TREE/grade/starter.awk" -v want=starter "$BATS_TEST_TMPDIR/source.c"
        assert_failure 2
        assert_output --regexp 'source\.c:[0-9]+: an exercise'
    done
    printf '  // exercise: one,\n  // and more\n  f(1);\n  // until then: g(1); return\n  // 2;\n  done();\n' >"$BATS_TEST_TMPDIR/source.c"
    run awk -f "$TREE/grade/starter.awk" -v want=starter "$BATS_TEST_TMPDIR/source.c"
    assert_output $'  // TODO: one,\n  // and more\n  g(1);\n  return 2;\n  done();'
    run awk -f "$TREE/grade/starter.awk" -v want=reference "$BATS_TEST_TMPDIR/source.c"
    assert_output $'  f(1);\n  done();'
    run awk -f "$TREE/grade/starter.awk" -v want=solution "$BATS_TEST_TMPDIR/source.c"
    assert_output '  f(1);'
}

# All five take some minutes: HANDOUT_STAGES="$(awk '!/^#/ { print $1 }' grade/stages)" bats -f tenth tests/handout.bats
# bats test_tags=host
@test "make grade in the handout: a starter has at most a tenth of the points" {
    local stage
    for stage in ${HANDOUT_STAGES:-01-one-to-one}; do
        hand_out -s "$stage"
        cd "$given"
        run timeout 600 make -s --no-print-directory grade "STAGE=$stage" 3>&-
        assert_success
        jq -e '(.tests | length) > 20 and ([.compiled[].ok] | all) and .max > 30 and .score * 10 <= .max' build/grade/grade.json >/dev/null ||
            fail "$stage: $(jq -r '"\(.score) of \(.max):", (.compiled[] | select(.ok | not).output), (.tests[] | select(.status == "passed").name)' build/grade/grade.json)"
        if [[ $stage == 01-one-to-one ]]; then # nothing of it can do anything but explain itself
            assert_equal "$(jq -r '.tests[] | select(.status == "passed").name' build/grade/grade.json)" 'help goes to standard output with 0, bad usage to standard error with 2'
        fi
    done
}
