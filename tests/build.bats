#!/usr/bin/env bats
# How the course builds: from its own copy, on the host.

load helper/course

# copy - sets `course` to a copy of the sources, without anything that was built, and goes there
copy() {
    course=$BATS_TEST_TMPDIR/course
    mkdir "$course"
    cp -r "$TREE"/0* "$TREE"/appendix "$TREE"/common "$TREE"/lab "$TREE"/tests "$TREE"/bench "$TREE"/Makefile "$course"
    cd "$course" || return
    make -s clean
}

# programs - the programs of the stages, and of the appendix, that are built here, one a line
programs() {
    local source
    for source in 0*/*.c appendix/*.c; do
        printf '%s\n' "${source%.c}"
    done
}

all_built() {
    local name
    for name in $(programs); do
        [[ -x $name ]] || fail "$name has not been built"
    done
}

# at_a_terminal COMMAND - runs a chat that needs a terminal, says hello there, and ends it when that has come back
at_a_terminal() {
    # shellcheck disable=SC2016 # the variable is expect's
    COMMAND=$1 expect -c 'set timeout 60
        spawn sh -c $env(COMMAND)
        foreach {wait answer} {"room 0>" "hello\r" ": hello" "\004"} {
            expect $wait { send $answer } timeout { exit 1 }
        }
        expect eof {} timeout { exit 1 }
        exit [lindex [wait] 3]' | tr -d '\r'
    return "${PIPESTATUS[0]}"
}

# bats test_tags=host
@test "the compile line at the top of each program builds it from its own folder, and the run line below runs it" {
    copy
    local source line
    for source in 0*/*.c appendix/*.c tests/tools/*.c bench/*.c; do
        line=$(sed -n 's,^// Compile: *,,p' "$source")
        [[ -n $line ]] || fail "$source has no line 'Compile:' at its top"
        run bash -c "cd '${source%/*}' && $line -Wall -Wextra"
        assert_success
        assert_output ''
        [[ -x ${source%.c} || -x ${source%.c}.so ]] || fail "$source: '$line' does not build it"
    done
    for source in 0*/*.c appendix/*.c; do
        line=$(sed -n 's,^// Run: *,,p' "$source")
        [[ -n $line ]] || fail "$source has no line 'Run:' at its top"
        if [[ $source == */chat_tui.c ]]; then
            run at_a_terminal "cd '${source%/*}' && $line"
        else
            run bash -c "cd '${source%/*}' && $line"
            # On a very busy machine a server may need more than the second that the line gives it.
            ((status == 0)) || run bash -c "cd '${source%/*}' && ${line/sleep 1/sleep 10}"
        fi
        assert_success
        if [[ $source == appendix/* ]]; then
            assert_line --regexp '^chat [0-9.]+$'
        elif [[ $source == */hol_*.c ]]; then
            assert_line --partial '{"messages":1000,'
        else
            assert_line --regexp '(^|: )hello$'
        fi
    done
}

# bats test_tags=host
@test "each stage builds alone, without a word, with gcc and with clang" {
    copy
    local compiler stage
    for compiler in gcc clang; do
        command -v "$compiler" >/dev/null || continue
        for stage in 0*/ appendix/; do
            run make -C "$stage" --no-print-directory "CC=$compiler"
            assert_success
            assert_output ''
        done
        all_built
        make -s clean
    done
}

# bats test_tags=host
@test "make builds all, eight jobs side by side, then has nothing to do; a changed header rebuilds who includes it; make clean removes all" {
    copy
    find . | sort >"$BATS_TEST_TMPDIR/before"
    run make -j8
    assert_success
    assert_output ''
    all_built
    local stage
    for stage in 0*/ appendix/; do
        make -q -C "$stage" || fail "$stage would be built again"
        touch -d '+1 second' common/options.h
        run make -q -C "$stage"
        assert_failure 1
        touch -d '1 hour ago' common/options.h
    done
    make -s -C lab
    make -s -C tests/tools
    make clean
    find . | sort >"$BATS_TEST_TMPDIR/after"
    diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

# bats test_tags=host
@test "undefined behaviour: built with -fsanitize=undefined, the programs pass their tests without a report" {
    copy
    local stage
    for stage in 0*/; do
        make -s -C "$stage" CFLAGS='-O0 -g0 -fsanitize=undefined -fno-sanitize-recover=all' LDFLAGS=-fsanitize=undefined
    done
    export PROGRAMS=$course
    run "$TREE/lab/run" --timeout 300 bats --tap -f 'any bytes|200000|at the same time|pieces|PARTIAL|truncated' "$TREE"/tests/0*.bats
    assert_success
    refute_output --partial 'runtime error'
}

# bats test_tags=host
@test "03-events/notification.h: notifications of every type and size, known and unknown, are printed without a byte read that has not come" {
    make -s -C "$TREE/tests/tools"
    command -v valgrind >/dev/null || skip 'valgrind is not installed'
    run valgrind --quiet --error-exitcode=9 "$TREE/tests/tools/notifications"
    assert_success
    assert_line 'unknown notification 0xffff: 4294967295 bytes'
    assert_line 'SCTP_SHUTDOWN_EVENT truncated: 8 of 0 bytes'
}

# bats test_tags=host
@test "make check: style and static analysis find nothing" {
    cd "$TREE"
    run make check
    assert_success
    refute_output --partial WRONG
}

# bats test_tags=host
@test "make dist: the same bytes twice, what is committed and no more; make demo and a test of stage 01 work in what is unpacked" {
    cd "$TREE"
    [[ -e .git ]] || skip 'this is no clone'
    local version archive name
    version=$(git show HEAD:VERSION)
    archive=build/sctp-course-$version.tar.gz
    run make dist
    assert_success
    assert_line "The course, version $version: $archive"
    cp "$archive" "$BATS_TEST_TMPDIR/first"
    sleep 1.1 # so that a time in it would differ
    (umask 077 && make -s dist)
    cmp "$BATS_TEST_TMPDIR/first" "$archive"
    tar -C "$BATS_TEST_TMPDIR" -xzf "$archive"
    name=$BATS_TEST_TMPDIR/sctp-course-$version
    assert_equal "$(cd "$name" && find . -type f -o -type l | sed 's,^./,,' | LC_ALL=C sort)" \
        "$( (git ls-tree -r --name-only HEAD && echo grade/commit) | LC_ALL=C sort)"
    cd "$name"
    assert_equal "$(grade/version -c)" "$(git -C "$TREE" describe --always)"
    run make dist
    assert_failure
    assert_output --partial 'this is no clone'
    run timeout 300 make demo 3>&-
    assert_success
    assert_line '4 clients, 12 messages, 48 deliveries, 0 missing'
    make -s -C tests/tools
    run lab/run --timeout 100 bats --tap -f 'lines come back' tests/01-one-to-one.bats 3>&-
    assert_success
    assert_line --regexp '^ok 1 '
}

# bats test_tags=host
@test "CHANGELOG.md begins with the version that VERSION names" {
    cd "$TREE"
    assert_equal "$(grep -m 1 -oE '^## \[[^]]*\]' CHANGELOG.md)" "## [$(<VERSION)]"
}

# bats test_tags=host
@test "make help names every target of the Makefile" {
    cd "$TREE"
    run make help
    local target
    for target in demo test exercise mutants trace failover schedulers nat figures site handout lab-kernel shell dist check clean help; do
        assert_line --regexp "^ +make $target "
    done
}

# bats test_tags=host
@test "make shell: a tmux in the lab does not take the socket of one outside" {
    cd "$TREE"
    export TMUX_TMPDIR=$BATS_TEST_TMPDIR
    printf '#!/bin/sh\nSHELL=/bin/sh tmux -f /dev/null new-session -d && tmux list-sessions -F "there is one"\n' >"$TMUX_TMPDIR/inside"
    chmod +x "$TMUX_TMPDIR/inside"
    tmux -f /dev/null new-session -d 3>&-
    SHELL=$BATS_TEST_TMPDIR/inside run make -s shell
    assert_output 'there is one'
    run tmux kill-server # which is not to be reached without its socket
    assert_success
}

# bats test_tags=host
@test "lab/setup is silent where nothing is missing; names what is, and how to get it, where it cannot install" {
    run "$TREE/lab/setup" test
    assert_success
    assert_output ''
    # A machine that has nothing but bash and what every system has, and no apt-get.
    mkdir "$BATS_TEST_TMPDIR/bin"
    local tool
    for tool in bash perl unshare grep; do
        ln -s "$(command -v "$tool")" "$BATS_TEST_TMPDIR/bin"
    done
    run env "PATH=$BATS_TEST_TMPDIR/bin" bash "$TREE/lab/setup" build
    assert_failure 1
    assert_line --partial 'Missing on this machine: cc make'
    assert_line --partial 'only apt-get is known here'
    run "$TREE/lab/setup" nonsense
    assert_failure 2
}
