#!/usr/bin/env bats
# Stage 03: everything that the kernel tells. Every test holds for any correct implementation.

load helper/course

# talk_to_server NAME [OPTION...] - starts an event_client, says a line and waits for its reply; its further lines are heard
talk_to_server() {
    start_client "$1" program 03-events/event_client "${@:2}" -p "$port" "${host:-127.0.0.1}"
    say "$1" hello
    hears_at_last "$1" hello
}

# two_hosts - makes the hosts near and far with two paths between them; what is started by `program` runs at far from now on
two_hosts() {
    "$TREE/lab/two-hosts" up
    PROGRAM_NETNS=far
}

# unacknowledged - prints how many bytes the client at near keeps, because they might have to be sent again
unacknowledged() {
    awk -v port="$port" '$13 == port { print $8 }' "/proc/${pid[gone]}/net/sctp/assocs"
}

# bats test_tags=points:3
@test "SCTP_COMM_UP, SCTP_SHUTDOWN_EVENT, SCTP_SHUTDOWN_COMP: a client comes, talks, and leaves gracefully" {
    hint 'All of them' 'A notification is one line: its name, what has happened, and its values, in the order of the table. Not looked at MSG_NOTIFICATION, it is taken for a message. What is printed must not wait in a buffer: standard output is line-buffered.'
    start_server 03-events/event_server
    run timed 03-events/event_client -p "$port" 127.0.0.1 <<<hello
    assert_success
    assert_line hello
    assert_line --regexp '^SCTP_ASSOC_CHANGE SCTP_COMM_UP assoc=[0-9]+ error=0 out=10 in=[0-9]+$'
    assert_line --regexp '^SCTP_ASSOC_CHANGE SCTP_SHUTDOWN_COMP assoc=[0-9]+ error=0 out=[0-9]+ in=[0-9]+$'
    reports_at_last 'SCTP_ASSOC_CHANGE SCTP_COMM_UP assoc=[0-9]+ error=0 out=[0-9]+ in=10'
    [[ $line =~ assoc=([0-9]+) ]]
    local association=${BASH_REMATCH[1]}
    reports_at_last "assoc $association stream 0 ppid 0: 6 bytes from 127\.0\.0\.1 port [0-9]+"
    reports_at_last "SCTP_SHUTDOWN_EVENT assoc=$association"
    reports_at_last "SCTP_ASSOC_CHANGE SCTP_SHUTDOWN_COMP assoc=$association error=0 out=[0-9]+ in=[0-9]+"
}

# bats test_tags=points:2
@test "SCTP_COMM_LOST by an abort: the server prints the cause code in host byte order, and the reason" {
    hint 'Things to know before you copy this code' 'The error is a cause code in network byte order: ntohs(). The reason is what stands behind the head (4 bytes) of the error cause in sac_info, and has no NUL at its end.'
    start_server 03-events/event_server
    run timed 03-events/event_client -e abort -r 'enough is enough' -p "$port" 127.0.0.1 <<<hello
    assert_success
    assert_line hello
    reports_at_last 'SCTP_ASSOC_CHANGE SCTP_COMM_LOST assoc=[0-9]+ error=12 .*reason=enough is enough'
}

# What event_server of the course does; another one may print the bytes as they are where that is no terminal.
@test "the reason of an abort is printed with \\xNN in it" {
    start_server 03-events/event_server
    timed 03-events/event_client -e abort -r $'enough \e[31m' -p "$port" 127.0.0.1 <<<hello
    reports_at_last 'SCTP_ASSOC_CHANGE SCTP_COMM_LOST assoc=[0-9]+ error=12 .*reason=enough \\x1B\[31m'
}

# bats test_tags=points:2
@test "SCTP_COMM_LOST by an abort: a client that closes with a reply unread" {
    hint 'What has just happened?' 'close() with something unread is an abort: the association is lost, and the server goes on with the others.'
    start_server 03-events/event_server
    run timed 03-events/event_client -e unread -p "$port" 127.0.0.1 <<<hello
    assert_success
    refute_line hello
    reports_at_last 'SCTP_ASSOC_CHANGE SCTP_COMM_LOST assoc=[0-9]+ error=12 .*'
    talk_to_server another
}

# bats test_tags=points:1
@test "event_client -e unread with more input than fits ends too, with 1 and a reason" {
    hint 'What has just happened?' 'Who does not read must not wait for ever for room to send.'
    start_server 03-events/event_server
    ignore_reports
    yes 'a line of input' | head -c 4000000 >"$BATS_TEST_TMPDIR/lines"
    ends_with 1 03-events/event_client -e unread -p "$port" 127.0.0.1 <"$BATS_TEST_TMPDIR/lines"
}

# bats test_tags=points:3
@test "SCTP_COMM_LOST of a peer that vanishes, and SCTP_SEND_FAILED_EVENT for the reply that it did not get" {
    hint 'What if the cable is cut?' '-t sets SCTP_RTOINFO, SCTP_PEER_ADDR_PARAMS and SCTP_ASSOCINFO. What was not acknowledged comes back as SCTP_SEND_FAILED_EVENT, not as the deprecated SCTP_SEND_FAILED.'
    two_hosts
    start_server 03-events/event_server -t $((25 * DEADLINE)) # time to reply, after the cut and before the association is given up
    start_client gone "${at_near[@]}" "$PEER" 10.1.0.2 "$port" text:before recv line text:'after all' print:sent wait
    hears gone 'message 6: before'
    kill -STOP "$server_pid" # so that its reply meets the cut
    say gone go
    hears gone sent
    await_value 0 unacknowledged 'bytes of the client that have not been acknowledged'
    cut_both
    kill -CONT "$server_pid"
    reports_at_last 'assoc [0-9]+ stream 0 ppid 0: 9 bytes from 10\.1\.0\.1 port [0-9]+'
    reports_at_last 'SCTP_ASSOC_CHANGE SCTP_COMM_LOST assoc=[0-9]+ error=0 out=[0-9]+ in=[0-9]+'
    reports_at_last 'SCTP_SEND_FAILED_EVENT SCTP_DATA_SENT assoc=[0-9]+ error=0 stream=0 ppid=0 context=0: 9 bytes'
}

# bats test_tags=points:3
@test "SCTP_RESTART: a peer crashes and comes back from the same port; the server goes on with it" {
    hint 'A peer that crashes and comes back' 'The association goes on, under the same id, and nothing is to be ended.'
    two_hosts
    start_server 03-events/event_server
    start_client first "${at_near[@]}" "$PEER" -b 10.1.0.1 -l 4000 10.1.0.2 "$port" linger text:before recv wait
    hears first 'message 6: before'
    cut_both # so that nobody hears its kernel say goodbye for it
    kill -KILL "${pid[first]}"
    wait "${pid[first]}" || true
    mend_both
    run "${at_near[@]}" "$PEER" -b 10.1.0.1 -l 4000 10.1.0.2 "$port" text:'I am back' recv
    assert_output 'message 9: I am back'
    reports_at_last 'SCTP_ASSOC_CHANGE SCTP_RESTART assoc=[0-9]+ error=0 out=[0-9]+ in=10'
    reports_at_last 'assoc [0-9]+ stream 0 ppid 0: 9 bytes from 10\.1\.0\.1 port 4000'
}

# bats test_tags=points:2
@test "SCTP_CANT_STR_ASSOC: event_client prints it where nobody listens, and the message that was not sent, and ends with 1" {
    hint 'All of them' 'A one-to-many client is told that it could not set up the association: it prints this, then says so and ends with 1.'
    ends_with 1 03-events/event_client -p 1 127.0.0.1 <<<hello
    [[ $output =~ SCTP_ASSOC_CHANGE\ SCTP_CANT_STR_ASSOC\ assoc=[0-9]+\ error=0\ out=0\ in=0 ]] ||
        fail "event_client must print 'SCTP_ASSOC_CHANGE SCTP_CANT_STR_ASSOC assoc=0 error=0 out=0 in=0'; it printed: ${output:0:500}"
}

# bats test_tags=points:3
@test "SCTP_PEER_ADDR_CHANGE: a multihomed association loses a path, talks on over the other, and regains it" {
    hint 'What if the cable is cut?' 'SCTP_PEER_ADDR_CHANGE says which address it is about in spc_aaddr, and what has happened to it in spc_state.'
    two_hosts
    start_server 03-events/event_server -t 100
    start_client two program_at near 03-events/event_client -t 100 -p "$port" 10.1.0.2
    say two one
    hears_at_last two one
    hears_at_last two 'SCTP_PEER_ADDR_CHANGE SCTP_ADDR_CONFIRMED assoc=[0-9]+ error=[0-9]+ address=10\.2\.0\.2'
    "$TREE/lab/two-hosts" cut 1
    say two 'two, over the other path'
    hears_at_last two 'two, over the other path'
    hears_at_last two 'SCTP_PEER_ADDR_CHANGE SCTP_ADDR_UNREACHABLE assoc=[0-9]+ error=[0-9]+ address=10\.1\.0\.2'
    reports_at_last 'SCTP_PEER_ADDR_CHANGE SCTP_ADDR_UNREACHABLE assoc=[0-9]+ error=[0-9]+ address=10\.1\.0\.1'
    "$TREE/lab/two-hosts" mend 1
    hears_at_last two 'SCTP_PEER_ADDR_CHANGE SCTP_ADDR_AVAILABLE assoc=[0-9]+ error=[0-9]+ address=10\.1\.0\.2'
    say two three
    hears_at_last two three
}

# bats test_tags=points:1
@test "SCTP_SENDER_DRY_EVENT: everything that was sent has been acknowledged" {
    hint 'All of them' 'Each kind of notification is subscribed to by a call of its own (SCTP_EVENT); this one comes when everything sent is acknowledged.'
    start_server 03-events/event_server
    "$PEER" 127.0.0.1 "$port" text:hello recv
    reports_at_last 'assoc [0-9]+ stream 0 ppid 0: 5 bytes from .*'
    reports_at_last 'SCTP_SENDER_DRY_EVENT assoc=[0-9]+'
}

# bats test_tags=points:1
@test "SCTP_ADAPTATION_INDICATION: the peer says which adaptation layer it has" {
    hint 'All of them' 'Each kind of notification is subscribed to by a call of its own (SCTP_EVENT).'
    start_server 03-events/event_server
    "$PEER" -A 4242 127.0.0.1 "$port" text:hello recv
    reports_at_last 'SCTP_ADAPTATION_INDICATION assoc=[0-9]+ indication=4242'
}

# bats test_tags=points:2
@test "SCTP_AUTHENTICATION_EVENT: SCTP_AUTH_NO_AUTH for a peer without AUTH, and none for one with it" {
    hint 'All of them' 'This comes only where AUTH is on: SCTP_AUTH_SUPPORTED.'
    start_server 03-events/event_server
    "$PEER" 127.0.0.1 "$port" text:hello recv
    reports_at_last 'SCTP_AUTHENTICATION_EVENT SCTP_AUTH_NO_AUTH assoc=[0-9]+ key=[0-9]+ altkey=[0-9]+'
    reports_at_last 'SCTP_ASSOC_CHANGE SCTP_SHUTDOWN_COMP .*'
    "$PEER" -x 127.0.0.1 "$port" text:hello recv
    local line=''
    until [[ $line == *SCTP_SHUTDOWN_COMP* ]]; do
        await_line "$server_out" line
        refute_regex "$line" SCTP_AUTH_NO_AUTH
    done
}

# bats test_tags=points:2
@test "SCTP_REMOTE_ERROR: the peer reports an error in what it got" {
    hint 'Things to know before you copy this code' 'The error is a cause code in network byte order: ntohs().'
    start_server 03-events/event_server -a 127.0.0.1
    start_client faulty "$TREE/tests/tools/inject" "$port" 7
    hears faulty ready
    talk_to_server one # the first message comes with the COOKIE ECHO
    say one again
    hears faulty sent
    reports_at_last 'SCTP_REMOTE_ERROR assoc=[0-9]+ error=7'
    say one 'still here'
    hears_at_last one 'still here'
}

# bats test_tags=points:2
@test "SCTP_STREAM_RESET_EVENT and SCTP_STREAM_CHANGE_EVENT: the peer resets its streams, and adds some" {
    hint 'All of them' 'These come only where RE-CONFIG is on: SCTP_RECONFIG_SUPPORTED and SCTP_ENABLE_STREAM_RESET.'
    start_server 03-events/event_server
    "$PEER" -x 127.0.0.1 "$port" text:hello recv reset streams:5 on:14:: text:more recv
    reports_at_last 'SCTP_STREAM_RESET_EVENT SCTP_STREAM_RESET_INCOMING_SSN assoc=[0-9]+ streams=(all|0,.*9)'
    reports_at_last 'SCTP_STREAM_CHANGE_EVENT assoc=[0-9]+ in=[0-9]+ out=[0-9]+'
    reports_at_last 'assoc [0-9]+ stream 14 ppid 0: 4 bytes from .*'
}

# bats test_tags=points:1
@test "SCTP_ASSOC_RESET_EVENT: the peer resets the association's TSNs" {
    hint 'All of them' 'This comes only where RE-CONFIG is on: SCTP_RECONFIG_SUPPORTED and SCTP_ENABLE_STREAM_RESET.'
    start_server 03-events/event_server
    "$PEER" -x 127.0.0.1 "$port" text:hello recv tsn text:again recv
    reports_at_last 'SCTP_ASSOC_RESET_EVENT assoc=[0-9]+ local_tsn=[0-9]+ remote_tsn=[0-9]+'
    reports_at_last 'assoc [0-9]+ stream 0 ppid 0: 5 bytes from .*'
}

# bats test_tags=points:3
@test "SCTP_PARTIAL_DELIVERY_EVENT: a client dies when a piece of its message has been read; the others go on" {
    hint 'Which news may a server not miss?' 'Of a message whose sender dies a piece may have been read: it will never be whole.'
    small_receive_buffer 03-events/event_server
    talk_to_server stays
    kill -STOP "$server_pid" # so that it is the middle indeed: the rest does not fit
    start_client dies "$PEER" -m 500 127.0.0.1 "$port" linger send:150000 print:sent wait
    hears dies sent
    await_value yes knocked 'the client has tried in vain to send more'
    kill -KILL "${pid[dies]}"
    await_associations 1
    kill -CONT "$server_pid"
    reports_at_last 'SCTP_PARTIAL_DELIVERY_EVENT SCTP_PARTIAL_DELIVERY_ABORTED assoc=[0-9]+ stream=0 seq=0'
    reports_at_last 'SCTP_ASSOC_CHANGE SCTP_COMM_LOST .*'
    say stays 'still here'
    hears_at_last stays 'still here'
}

# What event_server of the course does; another one may try the kinds that Linux offers, and say nothing.
@test "event_server says on standard error which notifications the kernel does not offer, and works without them" {
    start_server 03-events/event_server
    grep -q '^event_server: .*SCTP_NOTIFICATIONS_STOPPED_EVENT' "$BATS_TEST_TMPDIR/server.err" ||
        fail "Linux has no SCTP_NOTIFICATIONS_STOPPED_EVENT, and this is not said: $(<"$BATS_TEST_TMPDIR/server.err")"
    command -v strace >/dev/null || skip 'strace is not installed'
    # A kernel that refuses the third subscription.
    tracer=(strace -qq -e trace=setsockopt -o "$BATS_TEST_TMPDIR/calls")
    start_server 03-events/event_server
    local number
    number=$(grep -n '\bSCTP_EVENT\b' "$BATS_TEST_TMPDIR/calls" | sed -n '3s/:.*//p')
    tracer=(strace -qq -e trace=setsockopt -e "inject=setsockopt:error=EINVAL:when=$number" -o "$BATS_TEST_TMPDIR/calls")
    start_server 03-events/event_server
    tracer=()
    assert_equal "$(grep -c '^event_server: .*SCTP_' "$BATS_TEST_TMPDIR/server.err") are said" '2 are said'
    talk_to_server one
}

# bats test_tags=points:2
@test "truncated notifications are survived: the server reads 10 bytes at a time, and echoes all the same" {
    hint 'Things to know before you copy this code' 'A notification that does not fit the buffer comes in pieces, only the last with MSG_EOR. The rest of a notification begins with anything but a type.'
    variables=("LD_PRELOAD=$PRELOADS/short_reads.so" SHORT_READS=10)
    start_server 03-events/event_server
    variables=()
    run "$PEER" 127.0.0.1 "$port" text:'longer than ten bytes' recv send:3000 same
    assert_output 'message 21: longer than ten bytes'
    # It may put the pieces together, or say that it has a part only, or not print it.
    local line='' known='^(a |the )?(SCTP_(ASSOC_CHANGE|AUTHENTICATION_EVENT|SENDER_DRY_EVENT|SHUTDOWN_EVENT)\b|.*\b(truncated|incomplete|partial|cut)\b)'
    until [[ $line == *': 3000 bytes from '* ]]; do
        await_line "$server_out" line || fail 'the message is not reported'
        [[ $line =~ ^assoc\ [0-9]+\ stream\ 0\ ppid\ 0:\ (21|3000)\ bytes || $line =~ $known ]] || fail "the rest of a notification was taken for something else: ${line:0:500}"
    done
    run "$PEER" 127.0.0.1 "$port" text:again recv
    assert_output 'message 5: again'
}

# bats test_tags=points:2
@test "it is an echo server still: boundaries, any bytes, streams, 50 clients, what is too long" {
    hint 'Which news may a server not miss?' 'What stage 02 has asked for holds: association, stream, order, PPID; 65,536 bytes and no more; many clients.'
    start_server 03-events/event_server
    ignore_reports
    run "$PEER" -v -o 40 127.0.0.1 "$port" on:39:42:u text:hello text:$'a\x01b' recv recv
    assert_output $'message 5 stream 39 ppid 42 unordered: hello\nmessage 3 stream 39 ppid 42 unordered: a\x01b'
    run "$PEER" -n 50 127.0.0.1 "$port" send:100 send:3000 recv same
    assert_success
    run "$PEER" 127.0.0.1 "$port" send:200000 end
    assert_output 'lost cause=12 reason=message too long'
    run timed 03-events/event_client -p "$port" localhost < <(printf 'one\n\n' && line_of 65536 && printf last)
    assert_success
    assert_line one
    assert_line last
}

# bats test_tags=points:2
@test "a client that does not read its replies does not keep others from theirs" {
    hint 'Things to know before you copy this code' 'A client that does not read its replies fills the send buffer for all: SO_SNDTIMEO or MSG_DONTWAIT, and that one is aborted (stage 02, What does it cost?).'
    start_server 03-events/event_server
    ignore_reports
    start_client rude "$PEER" 127.0.0.1 "$port" flood wait
    hears rude full
    talk_to_server polite
}

# bats test_tags=points:2
@test "SIGTERM and SIGINT: what is queued is answered, all associations are shut down, and their last notifications printed" {
    hint 'Which news may a server not miss?' 'Who is to end answers what is queued, shuts all down, and reads on until all have ended: SCTP_SHUTDOWN_COMP says so.'
    local signal
    for signal in TERM INT; do
        start_server 03-events/event_server
        start_client quick "$PEER" 127.0.0.1 "$port" text:one recv line text:queued text:more print:sent recv recv end
        hears quick 'message 3: one'
        kill -STOP "$server_pid" # so that both messages are queued indeed when the signal comes
        say quick go
        hears quick sent
        kill -"$signal" "$server_pid"
        kill -CONT "$server_pid"
        hears quick 'message 6: queued'
        hears quick 'message 4: more'
        hears quick 'shutdown'
        reports_at_last 'SCTP_ASSOC_CHANGE SCTP_SHUTDOWN_COMP .*'
        await_exit "$server_pid" || fail "after SIG$signal the exit status was $?"
        rm "$BATS_TEST_TMPDIR"/quick.*
    done
}

# bats test_tags=points:1
@test "SIGTERM ends the server though a client has vanished: after 5 s that one is aborted" {
    hint 'What if the cable is cut?' 'Whoever has not agreed to end after 5 s is aborted.'
    two_hosts
    start_server 03-events/event_server
    start_client gone "${at_near[@]}" "$PEER" 10.1.0.2 "$port" text:one recv wait
    hears gone 'message 3: one'
    cut_both
    kill -TERM "$server_pid"
    ignore_reports
    await_exit "$server_pid" || fail "the exit status was $? (124: it was still there)"
}

# bats test_tags=points:1
@test "event_client ends with 1 and a reason when the server is killed, or ends the association" {
    hint 'What has just happened?' 'SCTP_COMM_LOST and SCTP_SHUTDOWN_COMP that the client has not asked for are a reason on standard error, and exit status 1.'
    local signal status
    for signal in KILL TERM; do
        start_server 03-events/event_server
        talk_to_server "left$signal"
        kill -"$signal" "$server_pid"
        status=0
        await_exit "${pid[left$signal]}" || status=$?
        assert_equal "SIG$signal: exit status $status" "SIG$signal: exit status 1"
        has_said 03-events/event_client "$(excerpt "$BATS_TEST_TMPDIR/left$signal.err")"
        wait "$server_pid" || true
    done
}

# bats test_tags=points:1
@test "event_client gives up on a black hole" {
    hint 'What if the cable is cut?' 'SCTP_INITMSG and SCTP_RTOINFO say how often, and how long, an INIT is waited for; by default it takes minutes.'
    two_hosts
    cut_both
    start_client lost program_at near 03-events/event_client 10.1.0.2
    say lost hello
    local status=0
    hears_at_last lost 'SCTP_ASSOC_CHANGE SCTP_CANT_STR_ASSOC .*'
    await_exit "${pid[lost]}" || status=$?
    assert_equal "exit status $status" 'exit status 1'
    has_said 03-events/event_client "$(excerpt "$BATS_TEST_TMPDIR/lost.err")"
}

# bats test_tags=points:1
@test "help goes to standard output with 0, bad usage to standard error with 2" {
    hint 'What has just happened?' '-h is not an error: its text goes to standard output. Bad usage: standard error, exit status 2.'
    local name more
    for name in event_server event_client; do
        more=('one two' '-t' '-t soon')
        [[ $name != event_client ]] || more+=('-e' '-e badly localhost' '')
        helps 03-events/$name -x '-p 65536' "${more[@]}"
    done
}

# bats test_tags=points:1
@test "a port in use is an error with a reason and exit status 1; -a and IPv6 as before" {
    hint 'What has just happened?' 'A failure is one line "PROGRAM: what failed: reason" on standard error, and exit status 1.'
    start_server 03-events/event_server -a ::1
    ends_with 1 03-events/event_server -p "$port" -a ::1
    assert_equal "$output" ''
    host=::1 talk_to_server six
    ends_with 1 03-events/event_client -p "$port" 127.0.0.1 <<<hello
}

# bats test_tags=points:1
@test "on a terminal event_client shows control characters as \\xNN, and UTF-8 as it is" {
    hint 'What has just happened?' 'Where standard output is a terminal (isatty), what a peer has sent must not steer it.'
    start_server 03-events/event_server
    printf 'a\e]0;title\a \xc2\x9b \xff \xe2\x80\xae \xc3\xa9t\xc3\xa9\n' >"$BATS_TEST_TMPDIR/evil"
    run on_terminal "$BATS_TEST_TMPDIR/evil" 03-events/event_client -p "$port" 127.0.0.1
    shown_safely $'a\\x1B]0;title\\x07 \\xC2\\x9B \\xFF \\xE2\\x80\\xAE \xc3\xa9t\xc3\xa9'
}

# bats test_tags=points:1
@test "who has come and gone leaves no descriptor and no process behind" {
    hint 'Which news may a server not miss?' 'One socket for all: nothing is opened for a client, or it is closed when that has gone.'
    start_server 03-events/event_server
    ignore_reports
    leaves_nothing_behind "$PEER" -n 10 127.0.0.1 "$port" text:hello
    leaves_nothing_behind "$PEER" 127.0.0.1 "$port" text:hello recv abort
}

# bats test_tags=points:1
@test "valgrind finds no error and no leak" {
    under_valgrind
    small_receive_buffer 03-events/event_server
    ignore_reports
    timed 03-events/event_client -p "$port" localhost <<<hello >"$BATS_TEST_TMPDIR/printed"
    timed 03-events/event_client -e abort -r why -p "$port" localhost <<<hello >"$BATS_TEST_TMPDIR/printed"
    # One that dies in the middle of a message, of which the server has a piece already.
    start_client dies "$PEER" -m 500 127.0.0.1 "$port" text:one recv line linger send:150000 print:sent wait
    hears dies 'message 3: one'
    kill -STOP "$server_pid" # so that it is the middle indeed: the rest does not fit
    say dies go
    hears dies sent
    await_value yes knocked 'the client has tried in vain to send more'
    kill -KILL "${pid[dies]}"
    await_associations 0
    kill -CONT "$server_pid"
    kill -TERM "$server_pid"
    await_exit "$server_pid" || fail "the server's exit status was $?"
    valgrind_finds_nothing
}
