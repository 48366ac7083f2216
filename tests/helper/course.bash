# course.bash - what all tests of the course share
#
# The programs under test are started by one function, program(), which these variables steer:
#   PROGRAMS      the folder that holds 01-one-to-one/ and so on; default: this tree
#   PROGRAM_JAIL  a folder that is all that they see, in which they run as a user without rights (grade/jail); then PROGRAMS is
#                 a path inside; default: none, they run as the tests do
#   SANITIZED     set where they watch their own memory (tests/sanitize); default: they do not
#   PROGRAM_NETNS a network namespace (ip netns) to run them in; default: the tests' own
# A test waits for events (a line, an exit, a packet), for DEADLINE seconds at the most, never for a time.

bats_require_minimum_version 1.5.0
# Not by their load.bash, which starts two processes for each file: the lab is slow at that.
for library in "${BATS_LIB_PATH:-/usr/lib/bats}"/bats-{support,assert}/src/*.bash; do
    # shellcheck source=/dev/null
    source "$library"
done

TREE=${TREE:-${BATS_TEST_DIRNAME%/tests*}}
PROGRAMS=${PROGRAMS:-$TREE}
PEER=${PEER:-$TREE/tests/tools/peer}
if [[ -n ${PROGRAM_JAIL-} ]]; then PRELOADS=/tools; else PRELOADS=$TREE/tests/tools; fi # where programs under test find what is preloaded into them
DEADLINE=${DEADLINE:-20}
OUTPUT_MAX=16000000 # bytes that a program may print and a test will look at

# under_test STAGE/NAME [ARGUMENT...] - sets `command` to what starts the program under test: in `tracer` (strace ..., from outside),
# with the variables of `variables` in its environment
under_test() {
    command=("$PROGRAMS/$1" "${@:2}")
    if ((${#variables[@]} > 0)); then
        command=(env "${variables[@]}" "${command[@]}")
    fi
    if [[ -n ${PROGRAM_JAIL-} ]]; then
        command=("$TREE/grade/build/confine" "$PROGRAM_JAIL" "${command[@]}")
    fi
    if [[ -n ${SANITIZED-} && ${#tracer[@]} -gt 0 ]]; then
        command=(env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" "${command[@]}") # that needs ptrace for itself
    fi
    command=("${tracer[@]}" "${command[@]}")
    if [[ -n ${PROGRAM_NETNS-} ]]; then
        command=(ip netns exec "$PROGRAM_NETNS" "${command[@]}")
    fi
}

# program STAGE/NAME [ARGUMENT...] - becomes the program under test
program() {
    under_test "$@"
    let_go
    exec "${command[@]}"
}

# let_go - closes in a new process what only the test itself may hold: the clients' ends of input come when it hangs up
let_go() {
    local fd
    for fd in 3 "${mouth[@]}"; do
        exec {fd}>&-
    done
}

# program_at NETNS STAGE/NAME [ARGUMENT...] - becomes the program under test in that network namespace: near or far of lab/two-hosts
program_at() {
    PROGRAM_NETNS=$1 program "${@:2}"
}

# timed STAGE/NAME [ARGUMENT...] - runs the program under test to its end, or for DEADLINE seconds: exit status 124
timed() {
    under_test "$@"
    if [[ -z ${PROGRAM_JAIL-} ]]; then
        timeout --kill-after=1 "$DEADLINE" "${command[@]}" 3>&-
    else
        # So that it cannot fill the tests' memory. What it says on standard error comes after the rest; a file's size is limited.
        local status errors=$BATS_TEST_TMPDIR/timed.$BASHPID.err
        timeout --kill-after=1 "$DEADLINE" "${command[@]}" 3>&- 2>"$errors" | head -c "$OUTPUT_MAX"
        status=${PIPESTATUS[0]}
        head -c "$OUTPUT_MAX" "$errors" >&2
        return "$status"
    fi
}

# excerpt FILE - prints the beginning of what a program has said, for a message
excerpt() {
    head -c 2000 "$1"
}

# hint SECTION TEXT - where the tutorial explains what the test is about, and what to look at: printed where it fails
hint() {
    hint="Read TUTORIAL.md, stage ${BATS_TEST_FILENAME##*/}"
    hint="${hint%%-*}, \"$1\". $2"
}

# on_terminal FILE STAGE/NAME [ARGUMENT...] - runs the program under test on a terminal, with the file as its input, and prints what is on it
on_terminal() {
    under_test "${@:2}"
    script -qec "$(printf '%q ' timeout --foreground "$DEADLINE" "${command[@]}") <$(printf '%q' "$1")" /dev/null | head -c "$OUTPUT_MAX"
    return "${PIPESTATUS[0]}"
}

# start_server STAGE/NAME [ARGUMENT...] - starts a server on a port that the kernel chooses, waits until it
# listens and sets server_pid, port, and server_out, a descriptor to read its further output from; its standard error goes to
# $BATS_TEST_TMPDIR/server.err
start_server() {
    local line='' status=0 out=$BATS_TEST_TMPDIR/server${#running[@]}.out
    mkfifo "$out"
    program "$1" -p 0 "${@:2}" >"$out" 2>"$BATS_TEST_TMPDIR/server.err" &
    server_pid=$!
    running+=("$server_pid")
    exec {server_out}<"$out"
    IFS='' read -r -t "$DEADLINE" -n 100 -u "$server_out" line || status=$?
    if ((status > 128)); then
        fail "$1 must print 'Listening on port N' first. It printed no line within $DEADLINE s. Is its standard output line-buffered, also in a pipe (setvbuf, fflush)? On standard error: $(excerpt "$BATS_TEST_TMPDIR/server.err")"
    elif [[ ! -x ${PROGRAM_JAIL-}$PROGRAMS/$1 ]]; then
        fail "$1 is not there: it did not compile"
    elif ((status != 0)); then
        fail "$1 must print 'Listening on port N' first. It ended, or closed its standard output, before it had printed a line. On standard error: $(excerpt "$BATS_TEST_TMPDIR/server.err")"
    fi
    [[ $line =~ ^Listening\ on\ port\ ([1-9][0-9]{0,4})$ ]] ||
        fail "$1 must print exactly 'Listening on port N' first (TUTORIAL.md, stage 01). It printed: ${line:0:500}"
    port=${BASH_REMATCH[1]}
    is_listening
}

# is_listening - fails where nothing listens on the port that the server has named
is_listening() {
    local hex
    printf -v hex '%04X' "$port"
    awk -v port="$port" -v end=":$hex" '
        FILENAME ~ /sctp/ ? $6 == port : $4 == "0A" && substr($2, length($2) - 4) == end { found = 1; exit }
        END { exit !found }' "/proc/$server_pid/net"/{sctp/eps,tcp,tcp6} ||
        fail "the server says that it listens on port $port, but nothing listens there. A port is in network byte order for the kernel: ntohs() what getsockname() has given (TUTORIAL.md, stage 01). On standard error: $(excerpt "$BATS_TEST_TMPDIR/server.err")"
}

# small_receive_buffer STAGE/NAME [ARGUMENT...] - starts a server with so small a buffer that a long message is handed over in pieces, before it is whole
small_receive_buffer() {
    small_buffers
    start_server "$@"
    restore_limits
}

# small_buffers - a socket that is made from now on has a receive buffer of 8 KB, whatever it asks for
small_buffers() {
    local file
    for file in /proc/sys/net/core/rmem_{max,default}; do
        [[ -w $file ]] || skip 'this lab does not let one choose how small a receive buffer is'
        echo 8192 >"$file"
    done
}

# black_hole - makes a wire at whose other end nobody answers, and from which no error comes back either: 10.99.0.2
black_hole() {
    ip link add hole0 type veth peer name hole1
    ip address add 10.99.0.1/24 dev hole0
    ip link set hole0 up
    ip link set hole1 up
    ip neighbour add 10.99.0.2 lladdr 02:00:00:00:00:02 dev hole0
}

# start_client NAME COMMAND... - starts a client whose lines await_line ${ear[NAME]} reads, and which reads what is
# written to ${mouth[NAME]}; sets pid[NAME]; its standard error goes to $BATS_TEST_TMPDIR/NAME.err
declare -gA ear mouth pid
start_client() {
    local name=$1 hear speak
    shift
    mkfifo "$BATS_TEST_TMPDIR/$name.in" "$BATS_TEST_TMPDIR/$name.out"
    {
        let_go
        declare -F "$1" >/dev/null || exec "$@"
        "$@"
    } 2>"$BATS_TEST_TMPDIR/$name.err" <"$BATS_TEST_TMPDIR/$name.in" >"$BATS_TEST_TMPDIR/$name.out" &
    pid[$name]=$!
    running+=("$!")
    exec {speak}>"$BATS_TEST_TMPDIR/$name.in" {hear}<"$BATS_TEST_TMPDIR/$name.out"
    ear[$name]=$hear
    mouth[$name]=$speak
}

# say NAME TEXT - gives the client a line; hang_up NAME - ends its input
say() {
    printf '%s\n' "$2" >&"${mouth[$1]}"
}

hang_up() {
    local speak=${mouth[$1]}
    exec {speak}>&-
    unset "mouth[$1]"
}

# await_line DESCRIPTOR VARIABLE - reads the next line; fails where none comes in time
await_line() {
    IFS='' read -r -t "$DEADLINE" -n 200000 -u "$1" "$2"
}

# hears NAME TEXT - the client's next line is this one
hears() {
    local heard=''
    await_line "${ear[$1]}" heard || fail "$1 heard nothing more within $DEADLINE s; expected: $2"
    assert_equal "$1: $heard" "$1: $2"
}

# hears_at_last NAME PATTERN - one of the client's next lines is this one
hears_at_last() {
    local line
    at_last "${ear[$1]}" "$2" "$1 did not print" "$1.err"
}

# reports PATTERN - the server's next line on standard output is this one
reports() {
    local line=''
    await_line "$server_out" line ||
        fail "the server reported nothing more within $DEADLINE s; expected: $1; on standard error: $(excerpt "$BATS_TEST_TMPDIR/server.err")"
    [[ $line =~ ^$1$ ]] || fail "the server must report: $1"$'\n'"it reported: ${line:0:500}"
}

# reports_at_last PATTERN - one of the server's next lines is this one; sets `line` to it
reports_at_last() {
    at_last "$server_out" "$1" 'the server did not report' server.err
}

# at_last DESCRIPTOR PATTERN WHAT ERRORS - one of the next lines is this one, within DEADLINE seconds in all; sets `line` to it
at_last() {
    local before='' end=$((SECONDS + DEADLINE))
    while :; do
        line=''
        if ((SECONDS > end)) || ! await_line "$1" line; then
            fail "$3, within $DEADLINE s: $2"$'\n'"but: $before$line"$'\n'"on standard error: $(excerpt "$BATS_TEST_TMPDIR/$4")"
        fi
        [[ ! $line =~ ^$2$ ]] || return 0
        before+=${line:0:500}$'\n'
        ((${#before} < 4000)) || before=${before: -3000}
    done
}

# ignore_reports - lets the server say what it wants from now on
ignore_reports() {
    (
        ulimit -f $((OUTPUT_MAX / 1024))
        exec cat <&"$server_out" >"$BATS_TEST_TMPDIR/reports" 3>&-
    ) &
    running+=("$!")
}

# await_exit PID [SECONDS] - waits for a process of this test to end, and returns its exit status; 124 when it does not
await_exit() {
    local stat end=$((SECONDS + ${2:-DEADLINE}))
    # The state stands behind the name, which the program may have chosen, in parentheses.
    while read -r stat 2>/dev/null <"/proc/$1/stat" && [[ ${stat##*) } != Z* ]]; do
        ((SECONDS <= end)) || return 124
        breathe
    done
    wait "$1"
}

# breathe - lets the other processes run for a moment, in a loop that waits for one of them; without a process of its own
breathe() {
    read -r -t 0.02 -u "$never" || true
}

# count_rows CONDITION [FILE] - prints of how many associations in the kernel's table the condition is true: in awk, where
# `port` is the server's, at its side $12, at the clients' $13; $5 the state: 3 is established; $9 the bytes that are to be read
count_rows() {
    awk -v port="$port" "$1"' { n++ } END { print n + 0 }' "${2-/proc/net/sctp/assocs}"
}

# associations - the number of associations that are established on the server's port, at its side
# shellcheck disable=SC2016 # it is awk's
associations() {
    count_rows '$12 == port && $5 == 3'
}

# await_value WANTED COMMAND WHAT - waits until the command prints what is wanted
await_value() {
    local end=$((SECONDS + DEADLINE))
    until [[ $("$2") == "$1" ]]; do
        ((SECONDS <= end)) || fail "$3: expected $1, there are $("$2")"
        breathe
    done
}

# await_associations NUMBER - waits until there are so many
await_associations() {
    await_value "$1" associations 'associations with the server'
}

# knocked - prints yes when a client of the server has had to send a chunk again, because the server's receive buffer is full
knocked() {
    awk -v port="$port" '$13 == port && $(NF - 4) > 0 { print "yes"; exit }' /proc/net/sctp/assocs
}

# start_capture - shows the packets of the server's port, a line each, on the descriptor $capture
start_capture() {
    capture_with tcpdump -i lo -n -v -l -s 2048 -B 4096 --immediate-mode "port $port"
}

# capture_with COMMAND... - the same with a tcpdump of one's own; for DEADLINE seconds, so that reading it needs no deadline of
# its own, which would cost half a millisecond for each byte
capture_with() {
    local line=''
    exec {capture}< <(
        let_go
        exec 2>&1
        exec timeout "$DEADLINE" "$@"
    )
    running+=("$!")
    until [[ $line == *'listening on'* ]]; do
        read -r -u "$capture" line || fail "tcpdump does not start: $line"
    done
}

# captured PATTERN - sets `packets` to the lines of the capture up to the first that contains the text
captured() {
    local line=''
    packets=''
    until [[ $line == *"$1"* ]]; do
        if ! read -r -u "$capture" line; then
            [[ $packets != *': Flags ['* ]] || fail "this is TCP, not SCTP: $packets"
            fail "no packet with '$1' within $DEADLINE s; captured: $packets"
        fi
        packets+=$line$'\n'
    done
}

at_near=(ip netns exec near) # of lab/two-hosts; not a function: what a test kills is to be the program itself

# cut_both, mend_both - the paths between the hosts
cut_both() {
    "$TREE/lab/two-hosts" cut 1
    "$TREE/lab/two-hosts" cut 2
}

mend_both() {
    "$TREE/lab/two-hosts" mend 1
    "$TREE/lab/two-hosts" mend 2
}

# line_of SIZE [CHARACTER] - prints a line of so many bytes, its newline included
line_of() {
    printf '%*s\n' "$(($1 - 1))" '' | tr ' ' "${2:-x}" # in bash alone it takes seconds
}

# count TEXT PATTERN - prints how often the text contains the pattern
count() {
    local rest=$1 n=0
    while [[ $rest == *"$2"* ]]; do
        rest=${rest#*"$2"}
        n=$((n + 1))
    done
    printf '%s\n' "$n"
}

# helps STAGE/NAME ARGUMENTS... - the program explains itself, options and all, on standard output, with 0; each of the arguments, of
# which one may hold several words, is bad usage: something on standard error, nothing on standard output, and 2
helps() {
    local name=${1##*/} arguments
    run --separate-stderr timed "$1" -h
    assert_equal "$name -h: exit status $status" "$name -h: exit status 0"
    [[ $output == *-p* ]] || fail "$name -h must print its usage, with all options, on standard output; it printed: ${output:0:500}"
    for arguments in "${@:2}"; do
        # shellcheck disable=SC2086 # several words
        run --separate-stderr timed "$1" $arguments </dev/null
        assert_equal "$name $arguments: exit status $status" "$name $arguments: exit status 2"
        assert_equal "$output" ''
        [[ -n $stderr ]] || fail "$name $arguments: nothing on standard error says what is wrong"
    done
}

# ends_with STATUS STAGE/NAME [ARGUMENT...] - the program ends with this status: with 1 after a reason on standard error
ends_with() {
    run --separate-stderr timed "${@:2}"
    assert_equal "${*:2}: exit status $status" "${*:2}: exit status $1"
    (($1 != 1)) || has_said "$2" "$stderr"
}

# names_limit - standard error names how long a line may be
names_limit() {
    [[ $stderr =~ 65.?536|64\ ?[Kk]i?B ]] || fail "a line that is too long must be refused on standard error, with the limit: 65,536 bytes; it said: ${stderr:0:500}"
}

# has_said STAGE/NAME TEXT - on standard error stands the name of the program, and what has failed
has_said() {
    local name=${1##*/}
    [[ $'\n'$2 =~ $'\n'"$name: ". ]] ||
        fail "$name must say on standard error what has failed, and why: '$name: what failed: reason'. It said: ${2:0:500}"
}

# shown_safely TEXT - the output, which the text is to be a part of, has no control character as it is; \xNN may be written \xnn
shown_safely() {
    [[ ${output,,} == *"${1,,}"* ]] || fail "control characters of a peer must be shown as \\xNN on a terminal, and UTF-8 as it is; expected: $1"$'\n'"it showed: $(printf '%q' "${output:0:500}")"
}

# under_valgrind - the programs under test run under valgrind from now on
under_valgrind() {
    [[ -z ${SANITIZED-} ]] || skip 'the programs watch their own memory, which valgrind would take for errors'
    if [[ -n ${PROGRAM_JAIL-} ]] || ! command -v valgrind >/dev/null; then
        skip 'valgrind is not installed, or the programs are confined'
    fi
    DEADLINE=$((3 * DEADLINE)) # valgrind is slow
    tracer=(valgrind --quiet --leak-check=full --errors-for-leak-kinds=all "--suppressions=$TREE/tests/helper/valgrind.supp" "--log-file=$BATS_TEST_TMPDIR/%p.valgrind")
}

# valgrind_finds_nothing - none of them, nor any of their children, had an error or lost memory
valgrind_finds_nothing() {
    local log
    for log in "$BATS_TEST_TMPDIR"/*.valgrind; do
        [[ ! -s $log ]] || fail "valgrind has found: $(<"$log")"
    done
}

# family_of PID - adds to `family` the process, and all that it and its threads have started, and so on
family_of() {
    local children child
    family+=("$1")
    children=$(cat "/proc/$1/task"/*/children 2>/dev/null) || true
    for child in $children; do
        family_of "$child"
    done
}

# resources - prints how many descriptors the server has open, and how many processes it has
resources() {
    local open=("/proc/$server_pid/fd"/*) family=()
    family_of "$server_pid"
    printf '%s descriptors and %s children\n' "${#open[@]}" "$((${#family[@]} - 1))"
}

# await_resources BEFORE - waits until the server has what it had before the clients came
await_resources() {
    await_value "$1" resources 'what the server has, now that its clients have gone'
}

# leaves_nothing_behind COMMAND... - when this client has come and gone, the server has what it had before
leaves_nothing_behind() {
    local before
    "$@" # what is opened once, at the first client, may stay
    await_associations 0
    before=$(resources)
    "$@"
    await_associations 0
    await_resources "$before"
}

# limits - what tests change for all of the lab; their values are in `limit`
limits=(/proc/sys/net/core/{rmem,wmem}_{max,default} /proc/sys/net/sctp/sctp_mem)

# remember_limits, restore_limits - so that a test that fails in the middle does not change what comes after it
remember_limits() {
    local name value
    for name in "${limits[@]}"; do
        [[ ! -w $name ]] || { read -r value <"$name" && limit[$name]=$value; }
    done
}

restore_limits() {
    local name value
    for name in "${!limit[@]}"; do
        read -r value <"$name"
        [[ $value == "${limit[$name]}" ]] || printf '%s\n' "${limit[$name]}" >"$name"
    done
    [[ ! -e /sys/class/net/hole0 ]] || ip link delete hole0 # the wire to nobody
}

# begin_test, end_test - what a file with a setup() or teardown() of its own calls in them
begin_test() {
    hint=''
    running=()   # to be killed at the end
    tracer=()    # to be put before the program under test: valgrind, say
    variables=() # to be in its environment
    mkfifo "$BATS_TEST_TMPDIR/never"
    exec {never}<>"$BATS_TEST_TMPDIR/never"
    declare -gA limit=()
    remember_limits
    if [[ -n ${PROGRAM_JAIL-} && -e $PROGRAM_JAIL.over ]]; then
        fail "not run: $(<"$PROGRAM_JAIL.over")"
    fi
}

end_test() {
    if [[ -z ${BATS_TEST_COMPLETED-} && -z ${BATS_TEST_SKIPPED-} && -n ${hint-} ]]; then
        printf '%s\n' "$hint"
    fi
    if ((${#running[@]} > 0)); then
        kill -KILL "${running[@]}" 2>/dev/null || true
        wait "${running[@]}" 2>/dev/null || true
    fi
    restore_limits
    if [[ -e /run/netns/far || -e /run/netns/near ]]; then
        "$TREE/lab/two-hosts" down
    fi
    # What the programs have left behind must not answer in another test's place.
    if [[ -n ${PROGRAM_JAIL-} ]]; then
        local populated=1
        echo 1 >"$PROGRAM_JAIL.cgroup/cgroup.kill"
        while read -r _ populated <"$PROGRAM_JAIL.cgroup/cgroup.events" && ((populated == 1)); do breathe; done
    fi
}

setup() {
    begin_test
}

teardown() {
    end_test
}
