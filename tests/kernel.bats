#!/usr/bin/env bats
# lab/build-kernel, and which kernel lab/run takes. Compiling Linux takes minutes; here a small source stands in for it, whose make
# copies a kernel that is there, so that all else is real: unpacking, the boot, what is left after a failure or a kill.

load helper/course

setup_file() {
    [[ -z ${SCTP_LAB-} ]] || skip 'this is a lab already'
    local version
    version=$("$TREE/lab/run" --kernel uml --version) || skip 'there is no User Mode Linux here'
    [[ $version =~ User\ Mode\ Linux:\ ([^$'\n']*) ]]
    export READY_MADE=${BASH_REMATCH[1]}
}

setup() {
    begin_test
    export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache TMPDIR=$BATS_TEST_TMPDIR/build
    unset LAB_UML LAB_KERNEL
    mkdir "$TMPDIR"
    cache=$XDG_CACHE_HOME/sctp-course
    checksum=$(cat "$TREE"/lab/kernel.{config,patch} | grep -v '^#' | sha256sum | cut -c 1-12)
}

# source_with MAKEFILE... - writes a source whose compilation does what these lines of a makefile say
source_with() {
    source=$BATS_TEST_TMPDIR/linux
    mkdir -p "$source"
    printf '%s\n' 'VERSION = 6' 'PATCHLEVEL = 99' 'SUBLEVEL = 3' 'EXTRAVERSION = -rc1' "READY_MADE = $READY_MADE" \
        'all:' $'\t@echo "  CC      something"' "$@" \
        'allnoconfig:' $'\tgrep -v SCTP_DIAG $(KCONFIG_ALLCONFIG) >$(O)/.config' >"$source/Makefile"
}

a_good_source() {
    source_with $'\tcp $(READY_MADE) $(O)/linux'
}

build() {
    timeout 60 "$TREE/lab/build-kernel" --source "$source" "$@" 3>&-
}

# nothing_half_done - neither in the cache nor in the folder for the build; a log may be there
nothing_half_done() {
    assert_equal "$(ls -A "$TMPDIR")" ''
    assert_equal "$(cd "$cache" && find . -mindepth 1 ! -name lock ! -name build-kernel.log ! -name "linux-*-$checksum")" ''
}

# bats test_tags=host
@test "lab/build-kernel: a kernel is built, booted and found by lab/run; a second time it is there already" {
    a_good_source
    run build
    assert_success
    assert_output --partial 'Linux 6.99.3-rc1'
    assert_output --partial 'the lab will lack: CONFIG_INET_SCTP_DIAG=y'
    nothing_half_done
    local kernel=$cache/linux-6.99.3-rc1-$checksum
    assert_equal "$("$TREE/lab/build-kernel" --path)" "$kernel"
    run "$TREE/lab/run" --kernel uml --version
    assert_line --partial "User Mode Linux: $kernel"
    assert_line 'make lab-kernel has built it'
    run "$TREE/lab/run" --kernel uml sh -c 'echo runs'
    assert_output runs
    source_with $'\tfalse'
    run build
    assert_success
    assert_output "The lab kernel is there already: $kernel"
    run "$TREE/lab/build-kernel"
    assert_success
    assert_output "The lab kernel is there already: $kernel"
}

# bats test_tags=host
@test "lab/build-kernel: from a tarball, with names that have blanks" {
    a_good_source
    tar -cJf "$BATS_TEST_TMPDIR/my linux.tar.xz" -C "$BATS_TEST_TMPDIR" linux
    rm -r "$source"
    source="$BATS_TEST_TMPDIR/my linux.tar.xz" XDG_CACHE_HOME="$BATS_TEST_TMPDIR/my cache" run build --jobs 1
    assert_success
    assert [ -x "$BATS_TEST_TMPDIR/my cache/sctp-course/linux-6.99.3-rc1-$checksum" ]
}

# bats test_tags=host
@test "lab/build-kernel: when compiling fails, the log is kept and named, and no kernel is there" {
    source_with $'\t@echo this line is wrong; false'
    run build
    assert_failure 1
    assert_output --partial 'this line is wrong'
    assert_output --partial "cannot compile the kernel; above are the last lines of $cache/build-kernel.log"
    assert grep 'this line is wrong' "$cache/build-kernel.log"
    nothing_half_done
    run "$TREE/lab/build-kernel" --path
    assert_failure 1
    a_good_source
    run build
    assert_success
    refute [ -e "$cache/build-kernel.log" ]
}

# bats test_tags=host
@test "lab/build-kernel: a kernel that does not run is not put in place" {
    source_with $'\tcp /bin/true $(O)/linux'
    run build
    assert_failure 1
    assert_output --partial 'the kernel does not run'
    nothing_half_done
    run "$TREE/lab/build-kernel" --path
    assert_failure 1
}

# compiling SIGNAL - starts a build that would not end, waits until it compiles, and sends it the signal
compiling() {
    source_with $'\techo $$$$ >'"$BATS_TEST_TMPDIR/compiler; exec sleep 1000"
    start_client builder "$TREE/lab/build-kernel" --source "$source"
    await_value compiling compiler 'what the compiler does'
    kill "-$1" "${pid[builder]}"
}

compiler() {
    if [[ ! -s $BATS_TEST_TMPDIR/compiler ]]; then
        echo 'nothing yet'
    elif [[ -e /proc/$(<"$BATS_TEST_TMPDIR/compiler") ]]; then
        echo compiling
    else
        echo gone
    fi
}

# bats test_tags=host
@test "lab/build-kernel: interrupted, it ends at once and leaves nothing; then it works" {
    local signal status
    for signal in TERM HUP; do
        compiling "$signal"
        status=0
        await_exit "${pid[builder]}" 10 || status=$?
        assert_equal "$status" "$((128 + $(kill -l "$signal")))"
        await_value gone compiler 'what the compiler does'
        nothing_half_done
        rm "$BATS_TEST_TMPDIR"/{builder.{in,out},compiler}
    done
    a_good_source
    run build
    assert_success
}

# bats test_tags=host
@test "lab/build-kernel: killed, it works when it is started again, which clears up" {
    compiling KILL
    await_value gone compiler 'what the compiler does'
    a_good_source
    run build
    assert_success
    nothing_half_done
}

# bats test_tags=host
@test "lab/build-kernel: of two at once, one builds, and the other waits for it" {
    source_with $'\tcp $(READY_MADE) $(O)/linux' $'\techo >>'"$BATS_TEST_TMPDIR/builds"
    local name
    for name in one other; do
        start_client "$name" "$TREE/lab/build-kernel" --source "$source"
    done
    for name in one other; do
        await_exit "${pid[$name]}" 60 || fail "$name: exit status $?: $(<"$BATS_TEST_TMPDIR/$name.err")"
    done
    assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/builds")" 1
    nothing_half_done
}

# bats test_tags=host
@test "lab/build-kernel: another configuration makes another kernel" {
    a_good_source
    run build
    mkdir "$BATS_TEST_TMPDIR/course"
    cp -a "$TREE/lab" "$BATS_TEST_TMPDIR/course" # with its programs as they are
    echo 'CONFIG_TASKSTATS=y' >>"$BATS_TEST_TMPDIR/course/lab/kernel.config"
    run "$BATS_TEST_TMPDIR/course/lab/build-kernel" --path
    assert_failure 1
    run "$BATS_TEST_TMPDIR/course/lab/run" --kernel uml --version
    refute_output --partial "$cache"
    run timeout 60 "$BATS_TEST_TMPDIR/course/lab/build-kernel" --source "$source"
    assert_success
    assert_equal "$(find "$cache" -name 'linux-*' | wc -l)" 2
}

# bats test_tags=host
@test "lab/run takes the kernel that LAB_UML names, else the newest that was built, else Debian's" {
    mkdir -p "$cache"
    local version
    for version in 6.9.9 6.12.117 6.12.20; do
        ln -s "$READY_MADE" "$cache/linux-$version-$checksum"
    done
    ln -s "$READY_MADE" "$cache/linux-7.0.0-anotherconfig"
    run "$TREE/lab/run" --kernel uml --version
    assert_line --partial "User Mode Linux: $cache/linux-6.12.117-$checksum"
    LAB_UML=$READY_MADE run "$TREE/lab/run" --kernel uml --version
    assert_line --partial "User Mode Linux: $READY_MADE"
    assert_line 'LAB_UML names it'
    rm "$cache"/linux-6*
    run "$TREE/lab/run" --kernel uml --version
    if [[ -x /usr/bin/linux.uml ]]; then
        assert_line --partial "User Mode Linux: /usr/bin/linux.uml"
        assert_line --partial 'make lab-kernel'
    else
        assert_failure 125
        assert_output --partial 'make lab-kernel'
    fi
}

# bats test_tags=host
@test "lab/build-kernel: bad usage ends with 2, what is no source of Linux and a full or noexec disk with 1 and a remedy" {
    local arguments
    for arguments in --unknown '--jobs 0' '--jobs many' --jobs --source; do
        # shellcheck disable=SC2086 # several words
        run "$TREE/lab/build-kernel" $arguments
        assert_failure 2
        assert_line --partial 'usage: lab/build-kernel'
    done
    for arguments in /no/such/file /etc/passwd /etc; do
        run "$TREE/lab/build-kernel" --source "$arguments"
        assert_failure 1
        assert_output --partial 'Give a tarball'
    done
    unshare -rm true 2>/dev/null || skip 'a mount namespace is not allowed here'
    a_good_source
    # shellcheck disable=SC2016 # expanded there
    run unshare -rm sh -c 'mount -t tmpfs -o size=100m disk "$TMPDIR" && exec "$@"' sh "$TREE/lab/build-kernel" --source "$source"
    assert_failure 1
    assert_output --regexp 'has 100 MB of free space.*Set TMPDIR'
    # shellcheck disable=SC2016
    run unshare -rm sh -c 'mount -t tmpfs -o noexec disk "$TMPDIR" && exec "$@"' sh "$TREE/lab/build-kernel" --source "$source"
    assert_failure 1
    assert_output --regexp 'programs cannot be executed in .*Set TMPDIR'
}
