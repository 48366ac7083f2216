#!/usr/bin/env bats
# Stage 04: the chat room. Every test holds for any correct implementation.

load helper/course
load helper/chat
STAGE=04-sendall

# bats test_tags=points:4
@test "a message reaches everyone, its sender too, with SCTP_SENDALL and with the loop (-l)" {
    hint 'How does a message reach everyone?' 'One send with SCTP_SENDALL reaches all associations of the socket, the sender of the message too. chat_client prints what comes at once, whether it has said something or not.'
    local option
    for option in '' -l; do
        start_server 04-sendall/chat_server $option
        join "ann$option" "bob$option" "cyd$option"
        say "ann$option" 'hello'
        all_hear 'hello' "ann$option" "bob$option" "cyd$option"
        say "cyd$option" ''
        all_hear '' "ann$option" "bob$option" "cyd$option"
    done
}

# bats test_tags=points:5
@test "one system call reaches them all: 5 clients, 1 sendmsg a message; with -l it is 5" {
    hint 'Is it really one call?' 'The kernel has the list of all associations: with SCTP_SENDALL one sctp_sendv() does for all. With -l there is one for each association of SCTP_GET_ASSOC_ID_LIST.'
    command -v strace >/dev/null || skip 'strace is not installed'
    local option calls name
    for option in '' -l; do
        tracer=(strace -f -qq -e 'trace=sendmsg,sendto,sendmmsg,write,writev' -o "$BATS_TEST_TMPDIR/calls$option")
        start_server 04-sendall/chat_server $option
        tracer=()
        join "a$option" "b$option" "c$option" "d$option" "e$option"
        for name in a c e; do
            say "$name$option" "from $name"
            all_hear "from $name" "a$option" "b$option" "c$option" "d$option" "e$option"
        done
        calls=$(calls_with "$BATS_TEST_TMPDIR/calls$option" 'from [ace]')
        if [[ -z $option ]]; then
            ((calls == 3)) || fail "3 messages to 5 clients took $calls sending calls; expected: 3, one with SCTP_SENDALL for each message"
        else
            ((calls == 15)) || fail "with -l, 3 messages to 5 clients took $calls sending calls; expected: 15 sending calls, one for each client and message"
        fi
    done
}

# bats test_tags=points:1
@test "where the kernel has no SCTP_SENDALL the server says so, and sends to one after the other" {
    hint 'Is it really one call?' 'Where the kernel has no SCTP_SENDALL the call fails with EINVAL: then the server says so on standard error, and takes the loop.'
    command -v strace >/dev/null || skip 'strace is not installed'
    tracer=(strace -f -qq -e 'trace=sendmsg,sendto,sendmmsg' -e inject=sendmsg:error=EINVAL:when=1 -o "$BATS_TEST_TMPDIR/calls") # the first one fails
    start_server 04-sendall/chat_server
    tracer=()
    join ann bob
    say ann hello
    all_hear hello ann bob
    [[ $(<"$BATS_TEST_TMPDIR/server.err") == *SENDALL* ]] ||
        fail "the server does not say on standard error that there is no SENDALL: $(excerpt "$BATS_TEST_TMPDIR/server.err")"
    local calls
    calls=$(calls_with "$BATS_TEST_TMPDIR/calls" hello)
    ((calls == 2)) || fail "1 message to 2 clients took $calls sending calls without SENDALL; expected: 2"
}

# bats test_tags=points:2
@test "20 clients, each says a line: everyone hears all 20, and nothing twice" {
    hint 'How does a message reach everyone?' 'Every message goes to every association, once.'
    start_server 04-sendall/chat_server
    local recv=() i
    for ((i = 0; i < 20; i++)); do
        recv+=(recv)
    done
    run "$PEER" -n 20 127.0.0.1 "$port" text:hello "${recv[@]}" text:over "${recv[@]}"
    assert_success
    assert_equal "$(count "$output" 'message 5: hello')" 400
    assert_equal "$(count "$output" 'message 4: over')" 400
}

# bats test_tags=points:3
@test "any bytes: all 256 values, messages of 1, 1452, 1453, 65535 and 65536 bytes" {
    hint 'How does a message reach everyone?' 'A message is bytes, not a string (stage 01, "Where does a message end?"). It ends where MSG_EOR is, and a last line without newline is said as it is.'
    start_server 04-sendall/chat_server
    local octal size
    for size in 1453 65536; do
        run "$PEER" 127.0.0.1 "$port" "send:$size" same
        ((status == 0)) || fail "a message of $size bytes was to come back as one message, unchanged: $output"
    done
    {
        printf 'zero\0terminated\n'
        for ((i = 0; i < 256; i++)); do
            printf -v octal '\\%03o' "$i"
            # shellcheck disable=SC2059 # the format is the byte
            printf "$octal"
        done
        printf '\n'
        for size in 1 1452 1453 65535 65536; do
            line_of "$size"
        done
        printf 'a last line without newline'
    } >"$BATS_TEST_TMPDIR/bytes"
    said <"$BATS_TEST_TMPDIR/bytes" >"$BATS_TEST_TMPDIR/heard" || fail "chat_client's exit status was $?"
    same_bytes "$BATS_TEST_TMPDIR/bytes" "$BATS_TEST_TMPDIR/heard" 'what chat_client printed is not what it has said'
}

# bats test_tags=points:2
@test "a message of 65537 bytes: its sender is aborted with the reason 'message too long', the others stay" {
    hint 'Things to know before you copy this code' 'What is longer than 65,536 bytes is answered with SCTP_ABORT, whose data is the reason: message too long.'
    start_server 04-sendall/chat_server
    join ann
    run "$PEER" 127.0.0.1 "$port" send:65537 end
    assert_output 'lost cause=12 reason=message too long'
    say ann 'still here'
    hears ann 'still here'
}

# bats test_tags=points:1
@test "chat_client refuses a line of 65537 bytes by naming the limit, and goes on with the next" {
    start_server 04-sendall/chat_server
    { line_of 65537 && echo next; } >"$BATS_TEST_TMPDIR/lines"
    run --separate-stderr said <"$BATS_TEST_TMPDIR/lines"
    assert_success
    assert_output 'next'
    assert_regex "$stderr" '65,?536'
}

# bats test_tags=points:2
@test "other people's programs take part: socat and ncat, IPv4 and IPv6 in one room" {
    hint 'How does a message reach everyone?' 'A message goes out as it came, with its newline: nothing is added, and nothing is cut off.'
    start_server 04-sendall/chat_server
    start_client socat socat - "SCTP:127.0.0.1:$port"
    start_client ncat ncat --sctp --no-shutdown ::1 "$port"
    await_associations 2
    host=::1 join ann
    say socat 'from socat'
    all_hear 'from socat' socat ncat ann
    say ncat 'from ncat'
    all_hear 'from ncat' socat ncat ann
    say ann 'from chat_client'
    all_hear 'from chat_client' socat ncat ann
}

# bats test_tags=points:1
@test "what a plain client pipes is one message, whatever lines it holds" {
    hint 'How does a message reach everyone?' 'Up to MSG_EOR it is one message, however many lines it holds.'
    start_server 04-sendall/chat_server
    start_client watcher "$PEER" 127.0.0.1 "$port" recv
    start_client socat socat - "SCTP:127.0.0.1:$port"
    await_associations 2
    cat <<<$'one\ntwo' >&"${mouth[socat]}" # in one write
    hears watcher 'message 8: one'
    hears watcher 'two'
}

# bats test_tags=points:2
@test "who leaves, by shutdown, by abort or killed, leaves the others in peace" {
    hint 'How does a message reach everyone?' 'A notification (MSG_NOTIFICATION) is no message, and an error of one association is none of the server.'
    start_server 04-sendall/chat_server
    join ann bob
    "$PEER" 127.0.0.1 "$port" text:bye$'\n' abort
    all_hear bye ann bob
    start_client gone "$PEER" 127.0.0.1 "$port" wait
    await_associations 3
    kill -KILL "${pid[gone]}"
    assert_equal "$(echo 'only passing' | said)" 'only passing'
    all_hear 'only passing' ann bob
    await_associations 2
    say ann 'who is left?'
    all_hear 'who is left?' ann bob
}

# bats test_tags=points:3
@test "at the end of its input chat_client stays until all that it said has come back, and ends with 0" {
    hint 'How does a message reach everyone?' "A client's own message, come back, is its receipt: it stays until all of them are there."
    start_server 04-sendall/chat_server
    local i
    for ((i = 1; i <= 500; i++)); do
        printf 'line %d\n' "$i"
    done >"$BATS_TEST_TMPDIR/lines"
    said <"$BATS_TEST_TMPDIR/lines" >"$BATS_TEST_TMPDIR/heard" || fail "its exit status was $?"
    same_bytes "$BATS_TEST_TMPDIR/lines" "$BATS_TEST_TMPDIR/heard" 'lines are missing, or in the wrong order'
    waits_for_receipts
}

# bats test_tags=points:1
@test "what another has said is no receipt: chat_client waits for its own line" {
    hint 'How does a message reach everyone?' 'A receipt is the own message, come back, compared in order.'
    start_server 04-sendall/chat_server
    join ann
    kill -STOP "$server_pid"
    say ann "ann's"
    await_value 1 waiting 'clients whose messages wait'
    said <<<mine >"$BATS_TEST_TMPDIR/heard" &
    local other=$!
    running+=("$other")
    await_value 2 waiting 'clients whose messages wait'
    kill -CONT "$server_pid"
    await_exit "$other" || fail "its exit status was $?"
    [[ $(<"$BATS_TEST_TMPDIR/heard") == "ann's"$'\n'mine ]] ||
        fail "ann has said \"ann's\", and then chat_client \"mine\": it must print both before it ends. It printed: $(excerpt "$BATS_TEST_TMPDIR/heard")"
}

# bats test_tags=points:1
@test "chat_client ends with 1 after 5 s of silence, where the receipt does not come" {
    hint 'How does a message reach everyone?' 'When nothing has come for 5 s chat_client gives up: poll() with a timeout.'
    # A server that takes all and says nothing; it tells when it listens.
    start_client mute socat -dd -u SCTP-LISTEN:2014,reuseaddr /dev/null
    until [[ $(<"$BATS_TEST_TMPDIR/mute.err") == *listening* ]]; do
        kill -0 "${pid[mute]}"
        breathe
    done
    patient 12
    local start=$SECONDS
    port=2014 run --separate-stderr said <<<'is anybody there?'
    ((status != 124)) || fail "chat_client was still waiting after $DEADLINE s"
    assert_failure 1
    assert_equal "$output" ''
    has_said 04-sendall/chat_client "$stderr"
    ((SECONDS - start >= 4)) || fail "it has waited for no more than $((SECONDS - start)) s"
}

# bats test_tags=points:2
@test "chat_client says why and ends with 1: server killed, ended, not there" {
    hint 'Things to know before you copy this code' 'recv() gives 0 when the association has been shut down, an error when it was aborted: an end that chat_client did not want is a reason and exit status 1.'
    client_says_why
}

# bats test_tags=points:3
@test "SIGTERM and SIGINT: what is queued is relayed, then all associations are shut down, and it ends with 0" {
    hint 'Things to know before you copy this code' 'A signal only says that it is time to end (sigaction, without SA_RESTART): the server handles what is queued, shuts all associations down (SCTP_EOF), and waits.'
    local signal
    for signal in TERM INT; do
        start_server 04-sendall/chat_server
        start_client "one$signal" "$PEER" 127.0.0.1 "$port" line text:queued print:sent recv end
        await_associations 1
        start_capture
        kill -STOP "$server_pid" # so that the message is queued indeed when the signal comes
        say "one$signal" go
        hears "one$signal" sent
        kill -"$signal" "$server_pid"
        kill -CONT "$server_pid"
        hears "one$signal" 'message 6: queued'
        hears "one$signal" 'shutdown'
        await_exit "$server_pid" || fail "after SIG$signal the exit status was $?"
        captured '[SHUTDOWN COMPLETE]'
        refute_regex "$packets" '\[ABORT\]'
    done
}

# bats test_tags=points:1
@test "SIGTERM ends the server though a client reads nothing" {
    hint 'Things to know before you copy this code' 'Who does not agree to a shutdown within 5 s is aborted.'
    start_server 04-sendall/chat_server
    start_client deaf "$PEER" 127.0.0.1 "$port" flood line recv
    hears deaf full
    kill -TERM "$server_pid"
    patient 12
    # It takes 5 s and a little. A busy machine may add some; a server that waits for this client takes for ever.
    await_exit "$server_pid" || fail "the exit status was $? (124: it was still there)"
    say deaf go
    hears_at_last deaf 'message 10000: .*' # there was something to read
}

# bats test_tags=points:4
@test "a client that stops reading stalls nobody: 10 readers get 3000 messages each, with SCTP_SENDALL and with the loop" {
    hint 'What can one do about it?' 'All associations share the send buffer. Look whether there is room before SENDALL, and abort who has taken nothing for a second: room.h, laggards.h.'
    local option longest before
    for option in '' -l; do
        small_send_buffer 04-sendall/chat_server $option
        fan_out -n 10 64:8:1000 # a room in which everyone reads
        before=$longest
        start_client "deaf$option" program 04-sendall/chat_client -p "$port" 127.0.0.1
        await_associations 1
        kill -STOP "${pid[deaf$option]}"
        fan_out -n 10 64:8:3000
        # It takes 1 s to know that someone does not read; a busy machine adds to that what it adds to everything.
        awk -v now="$longest" -v before="$before" 'BEGIN { exit !(now < 2.8 + 10 * before) }' ||
            fail "while one did not read, somebody waited $longest s for a message, and $before s when everyone read"
        kill -CONT "${pid[deaf$option]}"
    done
}

# bats test_tags=points:2
@test "who has stopped reading is told why, and has no hole: what it got is the beginning of all that was said" {
    hint 'Who does not read?' 'Nobody misses a message without knowing: who cannot have it is aborted, with a reason.'
    start_server 04-sendall/chat_server
    program 04-sendall/chat_client -p "$port" 127.0.0.1 <"$BATS_TEST_TMPDIR/never" >"$BATS_TEST_TMPDIR/got" 2>"$BATS_TEST_TMPDIR/why" &
    local deaf=$!
    running+=("$deaf")
    await_associations 1
    kill -STOP "$deaf"
    seq -f 'line %.0f, and some more, to make it as long as lines are' 3000 >"$BATS_TEST_TMPDIR/lines"
    said <"$BATS_TEST_TMPDIR/lines" >/dev/null || fail "the one who speaks ended with $?"
    kill -CONT "$deaf"
    misses_nothing 'the one who had stopped reading' "$deaf" "$BATS_TEST_TMPDIR/got" "$BATS_TEST_TMPDIR/lines" "$BATS_TEST_TMPDIR/why"
}

# bats test_tags=points:1
@test "the send buffer stays within its bounds while someone does not read" {
    hint 'Who does not read?' 'What is not taken stays in the send buffer until its association is aborted.'
    start_server 04-sendall/chat_server
    start_client deaf "$PEER" 127.0.0.1 "$port" wait
    await_associations 1
    local left
    left=$(awk -v port="$port" '$12 == port { print $13 }' /proc/net/sctp/assocs)
    seq -f 'line %.0f' 100000 | said >/dev/null 2>&1 &
    running+=("$!")
    local most=0 now end=$((SECONDS + DEADLINE))
    until [[ $(gone) == yes ]]; do
        ((SECONDS <= end)) || fail 'the client that does not read is still there, and keeps what others have said in memory'
        now=$(awk -v port="$port" '$12 == port { print $(NF - 2) + 0; exit }' /proc/net/sctp/assocs)
        ((${now:-0} <= most)) || most=$now
        breathe
    done
    ((most <= 9 * 1024 * 1024)) || fail "$most bytes were queued for it"
}

# bats test_tags=points:2
@test "a client that reads slowly misses nothing, and is not taken for one that does not read" {
    hint 'Who does not read?' 'A laggard is who takes nothing at all for a second, not who has much to take.'
    start_server 04-sendall/chat_server
    start_client slow "$PEER" 127.0.0.1 "$port" slow:1500:2 recv
    await_associations 1
    seq -f 'line %.0f, and some more, to make it as long as lines are' 1501 >"$BATS_TEST_TMPDIR/lines"
    said <"$BATS_TEST_TMPDIR/lines" >/dev/null || fail "the one who speaks ended with $?"
    hears slow '1500 slowly'
    hears slow 'message 58: line 1501, and some more, to make it as long as lines are'
}

# bats test_tags=points:2
@test "a client with one stream, and one that vanishes: those after them in the list get all, and once" {
    hint 'When does SENDALL not stop?' 'Whatever is the matter with one association, those behind it in the list get the message, and nobody gets it twice.'
    "$TREE/lab/two-hosts" up
    local option i
    for option in '' -l; do
        PROGRAM_NETNS=far start_server 04-sendall/chat_server $option
        start_client "few$option" "${at_near[@]}" "$PEER" -i 1 -o 1 10.1.0.2 "$port" wait
        await_far_associations 1
        start_client "gone$option" "${at_near[@]}" "$PEER" -b 10.2.0.1 10.2.0.2 "$port" wait
        await_far_associations 2
        start_client "ann$option" program_at near 04-sendall/chat_client -p "$port" 10.1.0.2
        await_far_associations 3
        "$TREE/lab/two-hosts" cut 2
        for ((i = 1; i <= 3; i++)); do
            say "ann$option" "message $i"
        done
        for ((i = 1; i <= 3; i++)); do
            hears "ann$option" "message $i"
        done
        "$TREE/lab/two-hosts" mend 2
        kill -KILL "$server_pid"
    done
    "$TREE/lab/two-hosts" down
}

# bats test_tags=points:2
@test "a client that floods is slowed down, and the others are heard meanwhile" {
    hint 'Who does not read?' 'Receive one message, send it to everyone, and again: nobody is served until nothing more comes.'
    start_server 04-sendall/chat_server
    # It sends as fast as it can, and reads what comes back.
    yes 'a line of a flood, which has no end' | socat - "SCTP:127.0.0.1:$port" >/dev/null 2>&1 &
    running+=("$!")
    await_associations 1
    local i
    for ((i = 1; i <= 5; i++)); do
        heard_in_flood "can you hear me? $i"
    done
    [[ $("$PEER" 127.0.0.1 "$port" recv) == message* ]] || fail 'the flood does not go on'
    kill -TERM "$server_pid"
    await_exit "$server_pid" 10 || fail "the flood keeps the server from ending: exit status $? (124: it was still there)"
}

# bats test_tags=robust
@test "a client that pauses for half a second each time is waited for, and the server sleeps meanwhile" {
    only_here
    start_server 04-sendall/chat_server
    start_client slow "$PEER" 127.0.0.1 "$port" slow:10:500
    await_associations 1
    local start=$SECONDS ticks
    lines 10 >"$BATS_TEST_TMPDIR/heard" || fail "the one who speaks ended with $?"
    hears slow '10 slowly'
    ticks=$(awk '{ print $14 + $15 }' "/proc/$server_pid/stat") # hundredths of a second
    ((ticks < (SECONDS - start) * 50)) || fail "the server was busy for $ticks of $(((SECONDS - start) * 100)) hundredths of a second"
}

# bats test_tags=robust
@test "a client that reads, but hardly anything, holds up the room for seconds and not for good" {
    only_here
    start_server 04-sendall/chat_server
    start_client slow "$PEER" 127.0.0.1 "$port" sip:2500:300 end # 64 KB take it eight seconds
    await_associations 1
    lines 20 >"$BATS_TEST_TMPDIR/heard" || fail "the one who speaks ended with $? (124: it had not heard its lines after $DEADLINE s)"
}

# bats test_tags=points:2
@test "a client in the middle of its shutdown: those after it in the list get all, and once" {
    hint 'Things to know before you copy this code' 'To send to an association that is ending fails with EPIPE, and SIGPIPE kills who does not ignore it. The others must have the message all the same.'
    local option long
    long=$(line_of 1000) # 120 of them are more than fits into the buffer of a client that does not read
    for option in '' -l; do
        start_server 04-sendall/chat_server $option
        start_client "closing$option" "$PEER" 127.0.0.1 "$port" line shut wait
        await_associations 1
        yes "$long" | head -n 120 | said >/dev/null || fail "the one who speaks ended with $?"
        say "closing$option" go
        await_value 1 shutting_down 'associations in their shutdown'
        join "ann$option"
        say "ann$option" 'who is left?'
        hears "ann$option" 'who is left?'
    done
}

# bats test_tags=points:2
@test "8 clients say 65536 bytes three times in a row, all at the same time: everyone hears all" {
    hint 'Why does a large room wait?' 'Long messages of several clients come in pieces: one reassembly for each association.'
    start_server 04-sendall/chat_server
    local recv=() i
    for ((i = 0; i < 24; i++)); do
        recv+=(recv)
    done
    run "$PEER" -n 8 127.0.0.1 "$port" send:65536 send:65536 send:65536 "${recv[@]}"
    assert_success
    local whole
    whole=$(count "$output" 'message 65536:')
    ((whole == 192)) || fail "24 messages of 65536 bytes to 8 clients each: 192 deliveries were expected, and there are $whole"
}

# bats test_tags=robust
@test "chat_client with a closed standard output says its lines once, and not what it hears" {
    start_server 04-sendall/chat_server
    join ann
    under_test 04-sendall/chat_client -p "$port" 127.0.0.1
    printf 'one\ntwo\n' | timeout "$DEADLINE" "${command[@]}" >&- 3>&- || true
    echo 'the end' | said >/dev/null
    hears ann one
    hears ann two
    hears ann 'the end'
}

# bats test_tags=robust
@test "where the kernel has no memory for a message, nobody has a hole without being told" {
    only_here
    local option before
    before=$(</proc/sys/net/sctp/sctp_mem)
    for option in '' -l; do
        start_server 04-sendall/chat_server $option
        echo '100 120 150' >/proc/sys/net/sctp/sctp_mem # pages, for all of SCTP
        run "$FANOUT" -n 10 -s 30 -l 8 -p "$port" 1000:8:500 # which may fail, but not for a message that is missing
        echo "$before" >/proc/sys/net/sctp/sctp_mem
        ((status < 126)) || fail "$FANOUT does not run"
        refute_output --regexp 'what comes is not|nothing came'
        kill -0 "$server_pid"
    done
}

# bats test_tags=points:1
@test "chat_server says on standard error when it gets less than the 4 MB of buffers that it asks for" {
    start_server 04-sendall/chat_server
    local most=/proc/sys/net/core/rmem_max before=''
    if [[ -w $most ]]; then
        before=$(<"$most")
        ! grep -qi buffer "$BATS_TEST_TMPDIR/server.err" ||
            fail "the buffers are as large as it asks, and the server says: $(excerpt "$BATS_TEST_TMPDIR/server.err")"
        echo 100000 >"$most"
    elif (($(<"$most") >= 4 << 20)); then
        skip 'this lab does not let one choose how small a buffer is'
    fi
    start_server 04-sendall/chat_server
    [[ -z $before ]] || echo "$before" >"$most"
    grep -qi buffer "$BATS_TEST_TMPDIR/server.err" ||
        fail "the server gets a receive buffer of 100,000 bytes, and does not say so on standard error; it says: $(excerpt "$BATS_TEST_TMPDIR/server.err")"
}

# bats test_tags=points:1
@test "by -a the server serves only the addresses that it names, several make it multihomed" {
    start_server 04-sendall/chat_server -a 127.0.0.1 -a 127.0.0.2
    host=127.0.0.2 join ann
    run awk -v port="$port" '$12 == port' /proc/net/sctp/assocs
    assert_output --regexp '127\.0\.0\.1.*<->'
    assert_output --regexp '127\.0\.0\.2.*<->'
    run timed 04-sendall/chat_client -p "$port" ::1 </dev/null
    assert_failure 1
}

# bats test_tags=points:1
@test "a port in use is an error with a reason and exit status 1" {
    start_server 04-sendall/chat_server
    run --separate-stderr timed 04-sendall/chat_server -p "$port"
    assert_failure 1
    assert_equal "$output" ''
    assert_regex "$stderr" '^chat_server: .*[Aa]ddress already in use'
}

# bats test_tags=points:1
@test "on a terminal chat_client shows control characters as \\xNN, and UTF-8 as it is" {
    start_server 04-sendall/chat_server
    printf 'a\e]0;title\a \xc2\x9b \xff \xe2\x80\xae \xc3\xa9t\xc3\xa9\n' >"$BATS_TEST_TMPDIR/evil"
    run on_terminal "$BATS_TEST_TMPDIR/evil" 04-sendall/chat_client -p "$port" 127.0.0.1
    shown_safely $'a\\x1B]0;title\\x07 \\xC2\\x9B \\xFF \\xE2\\x80\\xAE \xc3\xa9t\xc3\xa9'
}

# bats test_tags=points:1
@test "help goes to standard output with 0, bad usage to standard error with 2" {
    local name
    for name in chat_server chat_client; do
        helps "$STAGE/$name" -x '-p' '-p 65536' '-p 12x' 'one two'
    done
}

# bats test_tags=points:1
@test "who has come and gone leaves no descriptor and no process behind" {
    hint 'Things to know before you copy this code' 'What is opened for a client is closed when it goes.'
    start_server 04-sendall/chat_server
    leaves_nothing_behind "$PEER" -n 10 127.0.0.1 "$port" text:hello
}

# bats test_tags=points:1
@test "messages that have come and gone leave no memory behind" {
    hint 'Things to know before you copy this code' 'For each malloc() there is a free(), when the message has been sent.'
    memory_stays
}

# bats test_tags=robust
@test "valgrind finds no error and no leak" {
    under_valgrind
    start_server 04-sendall/chat_server
    "$PEER" 127.0.0.1 "$port" text:hello recv # the first message takes valgrind seconds: this one is patient
    assert_equal "$(printf 'one\ntwo\n' | said)" $'one\ntwo'
    kill -TERM "$server_pid"
    await_exit "$server_pid" || fail "the server's exit status was $?"
    valgrind_finds_nothing
}

# The last tests are load, and give no points: tools of the tests' own do to the server what many clients, careless
# ones and malicious ones do, for a moment. tests/tools/crowd.c, fuzz.c and packets.c say at their tops how to do it for
# long. Each prints its seed.

# bats test_tags=robust
@test "clients that shut down and read nothing, while much is queued for them, do not keep the others from hearing all" {
    only_here
    deaf_and_shut 5
}

# bats test_tags=robust
@test "a crowd of 100 that joins, speaks, leaves, aborts and dies at random: all hear the same, and nothing is missing" {
    only_here
    local option
    for option in '' -l; do
        start_server 04-sendall/chat_server $option
        run "$TREE/tests/tools/crowd" -n 100 -t 2 -r 60 -c 30 -k 1 -i 0 -P "$server_pid" 127.0.0.1 "$port"
        assert_success
        assert_output --partial ' missing 0, twice 0, out of order 0, '
        assert_output --regexp 'descriptors first ([0-9]+) last \1'
    done
}

# bats test_tags=robust
@test "2000 messages of clients with random options, which abort, reset and die in the middle: the room is right afterwards" {
    only_here
    survives fuzz 2000
}

# bats test_tags=robust
@test "3000 random packets, most of them made from real ones: the room is right afterwards" {
    only_here
    survives packets 3000
}

# bats test_tags=robust
@test "valgrind finds no error and no leak, whatever the clients do" {
    only_here
    clean_under_load
}
