# chat.bash - what the tests of the two chat servers share; STAGE is the folder of the one under test
# shellcheck disable=SC2016 # $12 is awk's

FANOUT=$TREE/bench/fanout # the load generator of the benchmarks, which counts every byte

# join NAME... - starts chat_clients and waits until all of them are in the room
join() {
    local name before
    before=$(associations)
    for name; do
        start_client "$name" program "$STAGE/chat_client" -p "$port" "${host:-127.0.0.1}"
    done
    await_associations $((before + $#))
}

# all_hear TEXT NAME... - the next line at each of them is this one
all_hear() {
    local name
    for name in "${@:2}"; do
        hears "$name" "$1"
    done
}

# far_associations - prints how many associations a server at far has; await_far_associations NUMBER - waits until there are so many
far_associations() {
    count_rows '$12 == port && $5 == 3' "/proc/$server_pid/net/sctp/assocs"
}

await_far_associations() {
    await_value "$1" far_associations 'associations with the server'
}

# shutting_down - prints how many clients have said that they end, and have not got all that is theirs
shutting_down() {
    count_rows '$12 == port && $5 == 6'
}

# full_clients - prints how many clients have more to read than 50 KB
full_clients() {
    count_rows '$13 == port && $9 > 50000'
}

# unread - prints from how many clients the server has more than 50 KB to read
unread() {
    count_rows '$12 == port && $9 > 50000'
}

# small_send_buffer STAGE/NAME [ARGUMENT...] - starts a server whose send buffer is soon full
small_send_buffer() {
    local most=/proc/sys/net/core/wmem_max before=''
    if [[ -w $most ]]; then
        before=$(<"$most")
        echo 300000 >"$most"
    fi
    start_server "$@"
    [[ -z $before ]] || echo "$before" >"$most"
}

# only_here - such a test is for a lab whose buffers are as large as the server asks; natively they are the host's
only_here() {
    [[ -w /proc/sys/net/core/rmem_max ]] || skip "the load needs large buffers; here they are the host's (rmem_max)"
}

# lines COUNT - says so many lines of 65536 bytes, and waits for them all
lines() {
    local i
    for ((i = 0; i < $1; i++)); do
        line_of 65536
    done | said
}

# patient SECONDS - lets the test wait so long at the least: for what may take a correct program several seconds
patient() {
    ((DEADLINE >= $1)) || DEADLINE=$1
}

# same_bytes WANTED HEARD WHAT - the two files are equal
same_bytes() {
    local difference
    difference=$(cmp "$1" "$2" 2>&1) || fail "$3: $(stat -c %s "$1") bytes were expected, $(stat -c %s "$2") have come; the expected against what has come: $difference"
}

# calls_with FILE TEXT - prints how many times a system call has sent a message that holds the text: in what strace has written, without
# those that failed, and without what was printed
calls_with() {
    awk -v text="$2" '!/ = -1 / && !/writev?\([12],/ { n += gsub(text, "") } END { print n + 0 }' "$1"
}

# fan_out OPTION... - the load generator says much in the room, compares every byte that comes, and gives up when nothing comes for 8 s;
# sets `longest` to the longest time that a message took, in seconds
fan_out() {
    run --separate-stderr "$FANOUT" -l 8 -p "$port" "$@"
    # shellcheck disable=SC2154 # run sets it
    ((status == 0)) || fail "10 readers were to get every message, once and unchanged; but: ${stderr:0:500}"
    [[ $output =~ \"max\":([0-9.]+) ]]
    longest=${BASH_REMATCH[1]}
}

# has_ended PID - true where this process of the test has ended
has_ended() {
    local stat
    ! read -r stat 2>/dev/null <"/proc/$1/stat" || [[ ${stat##*) } == Z* ]]
}

# misses_nothing NAME PID GOT WANTED WHY - a client that had stopped has read on: now it has all that was wanted in its file, or it ends
# with 1, has said why in the file WHY, and has the beginning of it
misses_nothing() {
    local status=0 end=$((SECONDS + DEADLINE))
    until cmp -s "$3" "$4"; do
        if has_ended "$2"; then
            wait "$2" || status=$?
            assert_equal "exit status of $1, which the server has sent away: $status" "exit status of $1, which the server has sent away: 1"
            has_said "$STAGE/chat_client" "$(excerpt "$5")"
            cmp -n "$(stat -c %s "$3")" "$3" "$4" || fail "$1 has a hole in what it has heard, or heard something twice"
            [[ -s $3 ]] || fail "$1 has heard nothing"
            return
        fi
        ((SECONDS <= end)) || fail "$1 reads again, but has neither heard all that was said within $DEADLINE s, nor been sent away: $(stat -c %s "$3") of $(stat -c %s "$4") bytes"
        breathe
    done
}

# gone - prints yes when the association of the client at port `left` is no more
gone() {
    awk -v port="$port" -v left="$left" '$12 == port && $13 == left { there = 1 } END { print there ? "no" : "yes" }' /proc/net/sctp/assocs
}

# waiting - prints from how many clients something has come that the server has not read yet
waiting() {
    count_rows '$12 == port && $9 > 0'
}

# waits_for_receipts [OPTION...] - chat_client hears what it has said, though the server takes its time, and the input is over meanwhile
waits_for_receipts() {
    local speaker end=$((SECONDS + DEADLINE)) heard=$BATS_TEST_TMPDIR/late
    kill -STOP "$server_pid"
    line_of 60000 >"$BATS_TEST_TMPDIR/long"
    said "$@" <"$BATS_TEST_TMPDIR/long" >"$heard" &
    speaker=$!
    running+=("$speaker")
    until [[ $(unread) == 1 ]] || has_ended "$speaker" || ((SECONDS > end)); do
        breathe
    done
    kill -CONT "$server_pid"
    await_exit "$speaker" || fail "chat_client's exit status was $?"
    grep -q xxxx "$heard" || fail "the server took its time, and chat_client ended before what it had said came back"
}

# memory - prints how much memory the server has taken for its data, in KB
memory() {
    awk '/^VmData:/ { print $2 + 0 }' "/proc/$server_pid/status"
}

# memory_stays - 40 messages of 65536 bytes cost the server no memory for good
memory_stays() {
    only_here
    [[ -z ${SANITIZED-} ]] || skip 'what watches memory keeps what is freed, for a while'
    start_server "$STAGE/chat_server"
    local long before='' count after
    long=$(line_of 65536)
    for count in 10 40; do # what is taken for the first ones may be kept, and used again
        before=${after-}
        yes "$long" | head -n "$count" | said >"$BATS_TEST_TMPDIR/heard" || fail "the one who speaks ended with $?"
        after=$(memory)
    done
    ((after - before < 1500)) || fail "40 messages of 64 KB have come and gone, and the memory of the server has grown from $before KB to $after KB"
}

# teardown - where a test fails after the server has died, this is said: it explains what was not heard
teardown() {
    local status=0
    if [[ -z ${BATS_TEST_COMPLETED-} && -z ${BATS_TEST_SKIPPED-} && -n ${server_pid-} ]] && has_ended "$server_pid"; then
        wait "$server_pid" || status=$?
        case $status in
            0 | 127 | 137) ;; # at the test's wish
            129 | 13? | 14? | 15?) printf 'the server has ended meanwhile: killed by SIG%s\n' "$(kill -l $((status - 128)))" ;;
            *) printf 'the server has ended meanwhile, with exit status %s: %s\n' "$status" "$(excerpt "$BATS_TEST_TMPDIR/server.err")" ;;
        esac
    fi
    end_test
}

# said [OPTION...] - says standard input in the room by a chat_client of its own, and prints what it heard
said() {
    timed "$STAGE/chat_client" "$@" -p "$port" 127.0.0.1
}

# heard_in_flood LINE [NICK] - somebody, called NICK and a number, says this line while another floods, and hears it; at the third attempt
# at the latest. The flood keeps the receive buffer full, which is for all: what finds no room is dropped, and comes again after 1,
# 2, 4, ... seconds (RFC 9260, 6.3.3). Now and then someone has no luck many times in a row.
heard_in_flood() {
    local attempt status=0
    for attempt in 1 2 3; do
        DEADLINE=$((DEADLINE / 2)) said ${2:+-n "$2$attempt"} <<<"$1" >"$BATS_TEST_TMPDIR/heard" || {
            status=$?
            continue
        }
        # Without a nick the flood's messages stand before it: they do not end where its lines do.
        grep -qaF ${2:+-x} "${2:+$2$attempt: }$1" "$BATS_TEST_TMPDIR/heard" || fail "chat_client ended with 0, and had not heard its line: $1"
        return
    done
    fail "chat_client's line has not come back: $1; exit status $status"
}

# with_extensions STAGE/NAME [ARGUMENT...] - starts a server whose associations may use AUTH and RECONFIG. Without ASCONF
# (addip_enable), by which a client can stop Linux 6.12: fuzz.c says how.
with_extensions() {
    local name
    for name in auth_enable reconf_enable; do
        echo 1 >"/proc/sys/net/sctp/$name"
    done
    start_server "$@"
    for name in auth_enable reconf_enable; do # they are the socket's from now on
        echo 0 >"/proc/sys/net/sctp/$name"
    done
}

# client_says_why - chat_client ends with 1, and says why, where the server is killed, ends, or is not there
client_says_why() {
    local signal status
    for signal in KILL TERM; do
        start_server "$STAGE/chat_server"
        join "left$signal"
        kill -"$signal" "$server_pid"
        status=0
        await_exit "${pid[left$signal]}" || status=$?
        assert_equal "the server got SIG$signal, and chat_client's exit status was $status" "the server got SIG$signal, and chat_client's exit status was 1"
        has_said "$STAGE/chat_client" "$(excerpt "$BATS_TEST_TMPDIR/left$signal.err")"
        wait "$server_pid" || true
    done
    # Who says something while it goes away must not die of SIGPIPE.
    start_server "$STAGE/chat_server"
    join speaker
    kill -STOP "${pid[speaker]}"
    kill -KILL "$server_pid"
    wait "$server_pid" || true
    await_associations 0
    say speaker 'are you there?'
    kill -CONT "${pid[speaker]}"
    status=0
    await_exit "${pid[speaker]}" || status=$?
    assert_equal "the server is gone, chat_client has said something, and its exit status was $status" "the server is gone, chat_client has said something, and its exit status was 1"
    has_said "$STAGE/chat_client" "$(excerpt "$BATS_TEST_TMPDIR/speaker.err")"
    run --separate-stderr said <<<'nobody is there any more'
    assert_failure 1
    has_said "$STAGE/chat_client" "$stderr"
    [[ $stderr == *[Cc]'onnection refused'* ]] || fail "nobody is there, and chat_client does not say so (strerror): ${stderr:0:500}"
}

# deaf_and_shut COUNT - clients shut down and read nothing, while much is queued for them; then one says so many long messages, and hears them all
deaf_and_shut() {
    start_server "$STAGE/chat_server"
    start_client shut "$PEER" -n 5 127.0.0.1 "$port" line shut print:shut wait
    await_associations 5
    lines 40 >"$BATS_TEST_TMPDIR/flood" 2>&1 3>&- &
    running+=("$!")
    await_value 5 full_clients 'clients that have something to read, and do not read'
    printf '\n\n\n\n\n' >&"${mouth[shut]}"
    for ((i = 0; i < 5; i++)); do
        hears shut shut
    done
    # Their associations are neither established nor ended now.
    lines "$1" >"$BATS_TEST_TMPDIR/heard" || fail 'who has said some messages has not heard them all'
}

# survives TOOL [OPTION...] COUNT - fuzz or packets does its worst, so many times, and the room is right afterwards
survives() {
    with_extensions "$STAGE/chat_server"
    run "$TREE/tests/tools/$1" "${@:2:$#-2}" "$port" "${!#}"
    assert_success
    assert_output --partial 'the room is right'
    kill -0 "$server_pid"
}

# clean_under_load [OPTION...] - valgrind finds nothing in the server, whatever fuzz and packets do
clean_under_load() {
    under_valgrind
    with_extensions "$STAGE/chat_server"
    run "$TREE/tests/tools/fuzz" "$@" "$port" 300
    assert_success
    run "$TREE/tests/tools/packets" "$@" "$port" 300
    assert_success
    kill -TERM "$server_pid"
    await_exit "$server_pid" || fail "the server's exit status was $?"
    valgrind_finds_nothing
}
