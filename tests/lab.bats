#!/usr/bin/env bats
# lab/run, seen from the machine that it runs on.

load helper/course
load helper/lab

setup_file() {
    [[ -z ${SCTP_LAB-} ]] || skip 'this is a lab already, and lab/run in a lab is a plain exec'
}

# nothing_left [SECONDS] - no process of a lab with that folder and no file in it is left, after so many seconds at the most
nothing_left() {
    local end=$((SECONDS + ${1:-2}))
    while pgrep -f "uml_dir=$TMPDIR" >/dev/null || [[ -n $(ls -A "$TMPDIR") ]]; do
        ((SECONDS <= end)) || fail "left behind: $(pgrep -af "uml_dir=$TMPDIR") $(ls -AR "$TMPDIR")"
        breathe
    done
}

needs_a_disk() {
    unshare -rm true 2>/dev/null || skip 'a mount namespace is not allowed here'
}

# in_a_disk OPTIONS COMMAND... - runs the command where $BATS_TEST_TMPDIR/disk is a small disk, mounted with the options
in_a_disk() {
    mkdir "$BATS_TEST_TMPDIR/disk"
    # shellcheck disable=SC2016 # expanded there
    unshare -rm sh -c 'mount -t tmpfs -o "$1" disk "$2" && export TMPDIR="$2" && shift 2 && exec "$@"' sh \
        "$1" "$BATS_TEST_TMPDIR/disk" "${@:2}"
}

# bats test_tags=host
@test "standard streams: bytes are exact, output and errors apart, the end of the input is seen" {
    local octal i
    for ((i = 0; i < 256; i++)); do
        printf -v octal '\\%03o' "$i"
        # shellcheck disable=SC2059 # the format is the byte
        printf "a\r\n\n$octal\r"
    done >"$BATS_TEST_TMPDIR/bytes"
    lab sh -c 'tee /dev/stderr' <"$BATS_TEST_TMPDIR/bytes" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
    cmp "$BATS_TEST_TMPDIR/bytes" "$BATS_TEST_TMPDIR/out"
    cmp "$BATS_TEST_TMPDIR/bytes" "$BATS_TEST_TMPDIR/err"
    run --separate-stderr lab sh -c 'echo o; echo e >&2; exit 7'
    assert_failure 7
    assert_equal "$output/$stderr" 'o/e'
}

# bats test_tags=host
@test "standard streams: 100 MB in and out again arrive whole" {
    local sent received
    sent=$(seq 100000000 | head -c 100000000 | sha256sum)
    received=$(seq 100000000 | head -c 100000000 | lab cat | sha256sum)
    assert_equal "$received" "$sent"
}

# bats test_tags=host
@test "with a large environment too, input that comes late reaches the command" {
    local large
    printf -v large '%100000s' ''
    export large
    # shellcheck disable=SC2016 # expanded there
    start_client late "$TREE/lab/run" sh -c 'echo ${#large}; cat'
    unset large
    hears late 100000
    say late 'here I am'
    hears late 'here I am'
    hang_up late
    await_exit "${pid[late]}" || fail "its exit status was $?"
}

# bats test_tags=host
@test "a reader that goes away ends the writer, on both sides" {
    lab yes | head -n 1
    yes | lab head -n 1
}

# bats test_tags=host
@test "the exit status is the command's: 128+N for signal N, 127 not found, 126 not executable" {
    # shellcheck disable=SC2016 # expanded there
    run lab sh -c 'kill -9 $$'
    assert_failure 137
    PATH=/usr/bin:/bin run -127 lab no-such-command
    assert_output 'lab/run: no-such-command: No such file or directory'
    run lab /etc/passwd
    assert_failure 126
}

# bats test_tags=host
@test "arguments, directory, environment and umask go with the command" {
    mkdir "$BATS_TEST_TMPDIR/a 'folder"
    cd "$BATS_TEST_TMPDIR/a 'folder"
    umask 026
    export COLOUR=$'light  "blue"\nor green'
    # shellcheck disable=SC2016 # expanded there
    run lab sh -c 'pwd; umask; echo "$COLOUR"; printf "[%s]" "$@"' sh '' ' a  b' $'new\nline' '"quoted"' '$x'
    local expected
    printf -v expected '%s\n' "$PWD" 0026 "$COLOUR"
    assert_output "$expected"$'[][ a  b][new\nline]["quoted"][$x]'
}

# bats test_tags=host
@test "in the lab one is root, with a network of one's own on which SCTP works" {
    run lab sh -c 'id -u; cat /sys/class/net/lo/mtu; ls /sys/class/net; checksctp 2>&1 || true; ls -d /proc/sys/net/sctp'
    assert_line --index 0 0
    assert_line --index 1 1500
    assert_line --index 2 lo
    assert_line /proc/sys/net/sctp
}

# bats test_tags=host
@test "an ordinary user gets the same, and needs no privilege on the host" {
    ((EUID == 0)) || skip 'whoever runs the tests is an ordinary user already'
    # In a copy, because nobody may not look into root's home.
    cp -a "$TREE/lab" "$BATS_TEST_TMPDIR/lab"
    chmod -R a+rX "$BATS_RUN_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    run setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs "$BATS_TEST_TMPDIR/lab/run" \
        sh -c 'id -u; grep -c . /proc/net/sctp/eps'
    assert_output $'0\n1'
}

# bats test_tags=host
@test "ten labs side by side, each with a server on port 2013" {
    own_folder
    local i
    for ((i = 0; i < 10; i++)); do
        lab sh -c "'$TREE/01-one-to-one/echo_server' >/dev/null & until grep -q 2013 /proc/net/sctp/eps; do :; done
            echo number $i | '$TREE/01-one-to-one/echo_client' localhost" >"$BATS_TEST_TMPDIR/out$i" 2>&1 &
    done
    wait
    for ((i = 0; i < 10; i++)); do
        assert_equal "$(<"$BATS_TEST_TMPDIR/out$i")" "number $i"
    done
    nothing_left
}

# bats test_tags=host
@test "SIGINT, SIGTERM and SIGHUP reach the command, and leave no process and no file within 2 s" {
    own_folder
    local signal number status
    for signal in INT:130 TERM:143 HUP:129; do
        number=${signal#*:} signal=${signal%:*}
        # The shell starts background jobs with SIGINT ignored; what is ignored stays ignored, so it is set back.
        start_client "$signal" env --default-signal=INT "$TREE/lab/run" sh -c 'echo here; sleep 1000'
        hears "$signal" here
        kill -"$signal" "${pid[$signal]}"
        status=0
        await_exit "${pid[$signal]}" 3 || status=$?
        assert_equal "SIG$signal: $status" "SIG$signal: $number"
        nothing_left
    done
}

# bats test_tags=host
@test "a command that handles the signal ends as it likes; one that does not end is killed" {
    own_folder
    neat_and_stubborn
    they_end
    nothing_left
}

# bats test_tags=host
@test "--timeout ends the command with 124, however stubborn, also while the lab boots" {
    own_folder
    run lab --timeout 4 sh -c 'trap "" TERM; echo here; while :; do sleep 1; done'
    assert_failure 124
    assert_output here
    nothing_left
    run lab --timeout 0.01 true
    assert_failure 124
    nothing_left
}

# bats test_tags=host
@test "when lab/run itself is killed, its kernel and its files go too" {
    own_folder
    start_client victim "$TREE/lab/run" sh -c 'echo here; sleep 1000'
    hears victim here
    kill -KILL "${pid[victim]}"
    nothing_left
}

# bats test_tags=host
@test "no kernel to boot: exit status 125 and a remedy" {
    LAB_UML=/no/such/kernel run lab --kernel uml true
    assert_failure 125
    assert_output --partial '/no/such/kernel: No such file or directory'
    assert_output --partial 'LAB_UML'
}

# bats test_tags=host
@test "a kernel that does not boot: its last words, exit status 125" {
    printf '#!/bin/sh\necho "my last words" >&2\n' >"$BATS_TEST_TMPDIR/kernel"
    chmod +x "$BATS_TEST_TMPDIR/kernel"
    LAB_UML=$BATS_TEST_TMPDIR/kernel run lab --kernel uml true
    assert_failure 125
    assert_output --partial 'my last words'
    assert_output --partial 'lab/run: the lab kernel stopped'
}

# bats test_tags=host
@test "ptrace forbidden: exit status 125 and a remedy, or a kernel that needs none" {
    own_folder
    run timeout 60 "$TREE/tests/tools/without_ptrace" "$TREE/lab/run" --kernel uml echo works
    if ((status == 0)); then
        assert_output works # Linux 6.16 or newer, by way of seccomp
    else
        assert_failure 125
        assert_output --partial 'docker run --cap-add=SYS_PTRACE'
    fi
    nothing_left
}

# bats test_tags=host
@test "a temporary folder that is missing, unwritable, noexec or too small: exit status 125 and a remedy" {
    local folder
    for folder in /no/such/folder /proc; do
        TMPDIR=$folder run lab --kernel uml true
        assert_failure 125
        assert_output --partial "TMPDIR=$folder: "
        assert_output --partial 'Set TMPDIR to'
    done
    cd "$BATS_TEST_TMPDIR"
    mkdir here
    TMPDIR=here run lab --kernel uml echo works
    assert_output works
    needs_a_disk
    run in_a_disk size=1g,noexec "$TREE/lab/run" --kernel uml true
    assert_failure 125
    assert_output --partial 'it is mounted noexec'
    rmdir "$BATS_TEST_TMPDIR/disk"
    run in_a_disk size=100m "$TREE/lab/run" --kernel uml true
    assert_failure 125
    assert_output --partial 'less than 512 MB'
}

# bats test_tags=host
@test "a disk that becomes full while the lab runs: exit status 125 and a remedy, no hang" {
    needs_a_disk
    # shellcheck disable=SC2016 # expanded there
    run in_a_disk size=520m timeout 60 sh -c '
        mkfifo "$TMPDIR/more"
        { cat "$TMPDIR/more"; } | {
            "$1/lab/run" --kernel uml sh -c "echo up; read full; head -c 300M /dev/zero | tail -c 300M >/dev/null"
            echo "exit status $?"
        } | {
            read up
            head -c 1G /dev/zero >"$TMPDIR/filler" 2>/dev/null
            echo full >"$TMPDIR/more"
            cat
        }' sh "$TREE"
    assert_output --partial 'exit status 125'
    assert_output --partial 'full: set TMPDIR to another folder'
}

# bats test_tags=host
@test "the folder of the course may have blanks in its path, and the lab builds itself there" {
    mkdir "$BATS_TEST_TMPDIR/my  course"
    cp -r "$TREE/lab" "$BATS_TEST_TMPDIR/my  course/lab"
    rm -rf "$BATS_TEST_TMPDIR/my  course/lab/build"
    cd "$BATS_TEST_TMPDIR/my  course"
    run timeout 100 lab/run echo works
    assert_output works
}

# bats test_tags=host
@test "in a lab, lab/run is a plain exec, and --timeout works there too" {
    # shellcheck disable=SC2016 # expanded there
    run lab sh -c 'boot=$(cat /proc/sys/kernel/random/boot_id); "$1/lab/run" cat /proc/sys/kernel/random/boot_id | grep -x "$boot" >/dev/null
        echo $?; "$1/lab/run" --timeout 0.2 sleep 100; echo $?' sh "$TREE"
    assert_output $'0\n124'
}

# bats test_tags=host
@test "--kernel native: works where this machine has SCTP, else says what is missing" {
    run lab --kernel native cat /sys/class/net/lo/mtu
    if ((status == 0)); then
        assert_output 1500
    else
        assert_failure 125
        assert_output --regexp 'lab/run: this machine.*'
    fi
}

# bats test_tags=host
@test "--clock skip: what only waits takes no time, and what works takes its own; --clock real, the default, is real" {
    [[ $(lab --version) == *'make lab-kernel has built it'* ]] || skip 'only the kernel of make lab-kernel can skip'
    local start=$SECONDS
    # shellcheck disable=SC2016 # expanded there
    run lab --clock skip bash -c 'before=$SECONDS; sleep 3000; echo $((SECONDS - before))'
    assert_regex "$output" '^300[01]$'
    ((SECONDS - start < 300)) || fail 'it has waited'
    # shellcheck disable=SC2016
    run lab --clock skip bash -c 'a=${EPOCHREALTIME/./}; for ((i = 0; i < 300000; i++)); do :; done; echo $((${EPOCHREALTIME/./} - a))'
    ((output > 10000)) || fail "by the clock in the lab, 300,000 rounds of a loop took $output microseconds"
    start=${EPOCHREALTIME/./}
    lab --clock real sleep 1
    ((${EPOCHREALTIME/./} - start >= 1000000)) || fail 'it has not waited'
}

# bats test_tags=host
@test "--help goes to standard output, bad usage to standard error with 2" {
    run --separate-stderr lab --help
    assert_success
    assert_regex "$output" '^usage: lab/run'
    local arguments
    for arguments in '' '--kernel vax true' '--kernel' '--timeout soon true' '--timeout -1 true' '--clock slow true' '--unknown true'; do
        # shellcheck disable=SC2086 # several words
        run --separate-stderr lab $arguments
        assert_failure 2
        assert_equal "$output" ''
        assert_regex "$stderr" $'^lab/run: [^\n]+\nusage: lab/run .*\nlab/run --help tells more\.$'
    done
}

# bats test_tags=host
@test "on a terminal it is a terminal: size, resize, line editing, job control; Ctrl-C goes to the program" {
    command -v expect >/dev/null || skip 'expect is not installed'
    run terminal_session uml
    assert_failure 5
}

# bats test_tags=host
@test "after a terminal session the terminal is as it was before" {
    run script -qec "stty -a >'$BATS_TEST_TMPDIR/before'; '$TREE/lab/run' --kernel uml true; stty -a >'$BATS_TEST_TMPDIR/after'" /dev/null
    assert_success
    cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}
