#!/usr/bin/env bats
# lab/run --kernel qemu, seen from the machine that it runs on. Each boot takes seconds, so a test here looks at several things.

load helper/course
load helper/lab

setup_file() {
    [[ -z ${SCTP_LAB-} ]] || skip 'this is a lab already, and lab/run in a lab is a plain exec'
    "$TREE/lab/setup" -n qemu >/dev/null || skip 'QEMU, or a Linux for it, is not installed (lab/setup qemu)'
}

setup() {
    begin_test
    export LAB_KERNEL=qemu
    unset LAB_QEMU_KERNEL LAB_QEMU_ACCEL
    DEADLINE=90 # a boot on a busy machine
}

# machines - prints the processes of QEMU that this test has started
machines() {
    local pid
    for pid in $(pgrep -f '^qemu-system-'); do
        ! grep -qszx "TMPDIR=$TMPDIR" "/proc/$pid/environ" || echo "$pid"
    done
}

# nothing_left - within 2 s, no machine and no file
nothing_left() {
    local end=$((SECONDS + 2))
    while [[ -n $(machines) || -n $(ls -A "$TMPDIR") ]]; do
        ((SECONDS <= end)) || fail "left behind: $(machines) $(ls -AR "$TMPDIR")"
        breathe
    done
}

# bats test_tags=host
@test "qemu: bytes are exact, output and errors apart; the exit status comes out" {
    local octal i
    for ((i = 0; i < 256; i++)); do
        printf -v octal '\\%03o' "$i"
        # shellcheck disable=SC2059 # the format is the byte
        printf "a\r\n\n$octal\r"
    done >"$BATS_TEST_TMPDIR/bytes"
    local status=0
    lab sh -c 'tee /dev/stderr; exit 7' <"$BATS_TEST_TMPDIR/bytes" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
    assert_equal "$status" 7
    cmp "$BATS_TEST_TMPDIR/bytes" "$BATS_TEST_TMPDIR/out"
    cmp "$BATS_TEST_TMPDIR/bytes" "$BATS_TEST_TMPDIR/err"
    # shellcheck disable=SC2016 # expanded there
    run lab sh -c 'kill -9 $$'
    assert_failure 137
    PATH=/usr/bin:/bin run -127 lab no-such-command
    assert_output 'lab/run: no-such-command: No such file or directory'
}

# bats test_tags=host
@test "qemu: 100 MB in and out again arrive whole; a reader that goes away ends the writer, on both sides" {
    local sent received
    sent=$(seq 100000000 | head -c 100000000 | sha256sum)
    received=$(seq 100000000 | head -c 100000000 | lab cat | sha256sum)
    assert_equal "$received" "$sent"
    lab yes | head -n 1
    yes | lab head -n 1
}

# bats test_tags=host
@test "qemu: arguments, directory, umask, a large environment and the time go with the command; one is root, with a network of one's own" {
    mkdir "$BATS_TEST_TMPDIR/a 'folder"
    cd "$BATS_TEST_TMPDIR/a 'folder"
    umask 026
    printf -v large '%100000s' ''
    export COLOUR=$'light  "blue"\nor green' large
    # shellcheck disable=SC2016 # expanded there
    run lab bash -c 'pwd; umask; echo "$COLOUR"; printf "[%s]" "$@"; echo; echo "${#large}"; id -u; cat /sys/class/net/lo/mtu; ls /sys/class/net; ls -d /proc/sys/net/sctp
        cat /proc/sys/net/core/rmem_max; touch here; echo "$EPOCHREALTIME"; stat -c %.6Y here' sh '' ' a  b' $'new\nline' '"quoted"' '$x'
    assert_success
    local expected
    printf -v expected '%s\n' "$PWD" 0026 "$COLOUR" $'[][ a  b][new\nline]["quoted"][$x]' 100000 0 1500 lo /proc/sys/net/sctp 8388608
    [[ $output == "$expected"* ]] || assert_equal "$output" "$expected"
    local difference=$((${lines[-2]/./} - ${lines[-1]/./})) # the file has this machine's time
    ((difference > -500000 && difference < 500000)) || fail "the lab's clock and this machine's are $difference microseconds apart"
    assert_equal "$(stat -c '%a %U' here)" "640 $(id -un)"
}

# bats test_tags=host
@test "qemu: named pipes, sockets, links, locks and mapped files work on this machine's files" {
    cd "$BATS_TEST_TMPDIR"
    # shellcheck disable=SC2016 # expanded there
    run lab bash -euc 'mkfifo pipe; echo through >pipe & read -r word <pipe; echo "$word"
        ln -s pipe link; echo words >file; ln file other; stat -c "%N %h" link other
        flock file -c "flock -n file true || echo locked"
        cp /usr/bin/env program; chmod 700 program; ./program echo runs; mv program moved; rm file
        python3 - <<END
import mmap, os, socket
here = socket.socket(socket.AF_UNIX); here.bind("socket"); here.listen()
there = socket.socket(socket.AF_UNIX); there.connect("socket"); print("connected")
with open("mapped", "w+b") as file:
    file.write(b"x" * 5000); file.flush()
    with mmap.mmap(file.fileno(), 0) as memory: memory[4999:5000] = b"y"
END'
    assert_success
    assert_output "through
'link' -> 'pipe' 1
'other' 2
locked
runs
connected"
    assert [ -p pipe ]
    assert [ -S socket ]
    assert [ -x moved ]
    assert_equal "$(<other)" words
    assert_equal "$(tail -c 2 mapped)" xy
    refute [ -e file ]
}

# bats test_tags=host
@test "qemu: an ordinary user gets the same, and needs no privilege on the host" {
    ((EUID == 0)) || skip 'whoever runs the tests is an ordinary user already'
    # In a copy, because nobody may not look into root's home; with what QEMU boots not made yet.
    mkdir "$BATS_TEST_TMPDIR/course"
    cp -a "$TREE/lab" "$BATS_TEST_TMPDIR/course"
    rm -f "$BATS_TEST_TMPDIR/course/lab/build"/{vmlinux,initramfs}-*
    chown -R 65534:65534 "$BATS_TEST_TMPDIR/course"
    chmod -R a+rX "$BATS_RUN_TMPDIR"
    cd "$BATS_TEST_TMPDIR/course"
    run setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs lab/run \
        sh -c 'id -u; grep -c . /proc/net/sctp/eps; echo mine >file; mkfifo pipe; echo x >pipe & cat pipe; head -c 1 /etc/shadow'
    assert_failure 1
    assert_output --regexp $'^0\n1\nx\nhead: .*Permission denied$'
    assert_equal "$(stat -c '%u' file pipe)" $'65534\n65534'
}

# bats test_tags=host
@test "qemu: three labs side by side, each with a server on port 2013" {
    own_folder
    local i labs=()
    for i in 0 1 2; do
        lab sh -c "'$TREE/01-one-to-one/echo_server' >/dev/null & until grep -q 2013 /proc/net/sctp/eps; do :; done
            echo number $i | '$TREE/01-one-to-one/echo_client' localhost" >"$BATS_TEST_TMPDIR/out$i" 2>&1 &
        labs+=("$!")
    done
    wait "${labs[@]}"
    for i in 0 1 2; do
        assert_equal "$(<"$BATS_TEST_TMPDIR/out$i")" "number $i"
    done
    nothing_left
}

# bats test_tags=host
@test "qemu: SIGTERM reaches the command, which ends as it likes or is killed; nothing is left, not even when lab/run is killed" {
    own_folder
    start_client victim "$TREE/lab/run" sh -c 'echo here; sleep 1000'
    neat_and_stubborn
    hears victim here
    assert_equal "$(machines | wc -l)" 3
    they_end
    kill -KILL "${pid[victim]}"
    nothing_left
    # While it boots, nobody in the machine notices.
    start_client early "$TREE/lab/run" true
    await_value yes has_machine 'whether the machine has started'
    kill -KILL "${pid[early]}"
    nothing_left
}

has_machine() {
    [[ -z $(machines) ]] || echo yes
}

# bats test_tags=host
@test "qemu: --timeout ends the command with 124, however stubborn, also while the machine boots" {
    own_folder
    run lab --timeout 30 sh -c 'trap "" TERM; echo here; while :; do sleep 1; done'
    assert_failure 124
    assert_output here
    nothing_left
    run lab --timeout 0.01 true
    assert_failure 124
    nothing_left
}

# bats test_tags=host
@test "qemu: on a terminal it is a terminal: size, resize, line editing, job control; Ctrl-C goes to the program" {
    command -v expect >/dev/null || skip 'expect is not installed'
    run terminal_session qemu
    assert_failure 5
}

# bats test_tags=host
@test "qemu: no QEMU, no Linux for it, one that does not boot, an unknown accelerator: exit status 125, the reason and a remedy" {
    LAB_QEMU_KERNEL=/no/such/vmlinuz-0 run lab true
    assert_failure 125
    assert_output --partial 'LAB_QEMU_KERNEL=/no/such/vmlinuz-0'
    assert_output --partial 'lab/setup qemu'
    LAB_QEMU_ACCEL=fast run lab true
    assert_failure 125
    assert_output --partial 'LAB_QEMU_ACCEL is kvm or tcg, not fast'
    local folder=$BATS_TEST_TMPDIR/bin name
    mkdir "$folder"
    for name in bash make cc; do
        ln -s "$(type -P "$name")" "$folder"
    done
    PATH=$folder run "$TREE/lab/run" true
    assert_failure 125
    assert_output --partial 'there is no qemu-system-'
    assert_output --partial 'lab/setup qemu'
    printf '#!/bin/sh\necho "my last words" >&2\n' >"$folder/qemu-system-$(uname -m)"
    chmod +x "$folder"/qemu*
    PATH=$folder:$PATH run lab true
    assert_failure 125
    assert_output --partial 'my last words'
    assert_output --partial "lab/run: QEMU's machine stopped"
}

# bats test_tags=host
@test "qemu: --version tells which machine, and why; it is what auto takes where there is no User Mode Linux" {
    run lab --version
    assert_line --regexp '^Linux .*, a machine of QEMU: /boot/vmlinuz-'
    assert_line '--kernel or LAB_KERNEL asks for QEMU'
    LAB_QEMU_ACCEL=tcg run lab --version
    assert_line --partial 'LAB_QEMU_ACCEL says so'
    unset LAB_KERNEL LAB_UML
    run lab --version
    [[ $output != *"this machine's own"* ]] || skip 'this machine needs no other kernel'
    unshare -rm true 2>/dev/null || skip 'a mount namespace is not allowed here'
    # shellcheck disable=SC2016 # expanded there
    XDG_CACHE_HOME=/no/such/folder run unshare -rm sh -c '[ ! -e /usr/bin/linux.uml ] || mount --bind /dev/null /usr/bin/linux.uml
        "$1/lab/run" --version; "$1/lab/run" uname -r' sh "$TREE"
    assert_line --index 0 --regexp '^Linux .*, a machine of QEMU: /boot/vmlinuz-'
    assert_line --index 1 --partial 'and there is no User Mode Linux'
    assert_equal "Linux ${lines[-1]}," "${lines[0]%% a machine*}"
}
