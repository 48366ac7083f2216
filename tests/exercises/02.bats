#!/usr/bin/env bats
# The exercises of stage 02 (TUTORIAL.md). tests/exercise runs them.

load ../helper/exercise

@test "02.1 echo_server tells on SIGUSR1 which associations it has, with their streams and addresses" {
    local told='' line i
    start_server 02-one-to-many/echo_server
    start_client one "$PEER" -o 5 -i 7 127.0.0.1 "$port" text:hello recv wait
    start_client two "$PEER" -o 4 -i 3 ::1 "$port" text:hello recv wait
    hears one 'message 5: hello'
    hears two 'message 5: hello'
    for i in 1 2; do reports 'assoc [0-9]+ stream .*'; done
    kill -USR1 "$server_pid"
    for i in 1 2; do
        await_line "$server_out" line || fail "expected: a line for each association"$'\n'"came: ${told:-nothing; SIGUSR1 may have killed the server}"
        told+=$(sed 's/ [0-9]*:/ N:/; s/ port .*/ port N/' <<<"$line")$'\n'
    done
    expect $'assoc N: 4 in, 3 out, ::1 port N\nassoc N: 5 in, 7 out, 127.0.0.1 port N' "$(sort <<<"${told%$'\n'}")" \
        'one client sends on 5 streams and takes 7, from 127.0.0.1, the other sends on 4 and takes 3, from ::1'
    hang_up one
    await_associations 1
    kill -USR1 "$server_pid"
    reports 'assoc [0-9]+: 4 in, 3 out, ::1 port [0-9]+'
    expect 0 "$(run timed 02-one-to-many/echo_client "127.0.0.1:$port" <<<hello >/dev/null; echo $?)" 'then the server still serves; exit status of a client'
}

@test "02.2 echo_client -s 12 sends line after line on streams 0 to 11, and then on 0 again" {
    has_option 02-one-to-many/echo_client -s
    start_server 02-one-to-many/echo_server
    seq 14 >"$BATS_TEST_TMPDIR/lines"
    run --separate-stderr timed 02-one-to-many/echo_client -s 12 "127.0.0.1:$port" <"$BATS_TEST_TMPDIR/lines"
    expect "$(sed "s/^/127.0.0.1:$port: /" "$BATS_TEST_TMPDIR/lines")" "$(sort -t : -k 3n <<<"$output")" "14 lines, and their replies; on standard error: $stderr"
    kill -TERM "$server_pid"
    expect "$(printf '%s\n' 0 0 1 1 {2..11})" "$(sed -n 's/^assoc .* stream \([0-9]*\) .*/\1/p' <&"$server_out" | sort -n)" 'the streams on which 14 lines came'
}

# children - prints how many processes the server has started that are still there
children() {
    local family=()
    family_of "$server_pid"
    printf '%s\n' "$((${#family[@]} - 1))"
}

@test "02.3 peeloff_server -m 100000 peels off who has sent more than 100,000 bytes, and nobody else" {
    has_option 02-one-to-many/peeloff_server -m
    start_server 02-one-to-many/peeloff_server -m 100000
    ignore_reports
    start_client little "$PEER" -n 5 127.0.0.1 "$port" send:60000 same print:said wait
    hears little said
    expect 0 "$(children)" 'five associations with 60,000 bytes each; processes that serve one'
    start_client much "$PEER" 127.0.0.1 "$port" send:60000 same send:60000 same print:said line send:65536 same print:again wait
    hears much said
    await_value 1 children 'one association with 120,000 bytes besides; processes that serve one'
    say much ''
    hears much again
    hang_up little
    hang_up much
    await_associations 0
    await_value 0 children 'all have gone; processes that serve one'
    # What is kept for an association goes with it.
    run "$PEER" -n 2 127.0.0.1 "$port" send:60000 same print:said
    expect $'said\nsaid' "$output" 'others come and send 60,000 bytes each'
    expect 0 "$(children)" 'others with 60,000 bytes each; processes that serve one'
}

# bats test_tags=open
@test "02.4 how long a polite client waits while another does not read, and one reads slowly" {
    local i start longest=0 took line rude=''
    start_server 02-one-to-many/echo_server
    ignore_reports
    start_client polite program 02-one-to-many/echo_client "127.0.0.1:$port"
    say polite hello
    hears polite "127.0.0.1:$port: hello"
    start_client slow "$PEER" 127.0.0.1 "$port" send:60000 send:60000 send:60000 send:60000 send:60000 slow:5:800 wait
    start_client rude "$PEER" 127.0.0.1 "$port" flood wait
    start=${EPOCHREALTIME/./}
    for ((i = 0; i < 200 && ${EPOCHREALTIME/./} - start < 6000000; i++)); do
        took=${EPOCHREALTIME/./}
        say polite "line $i"
        hears polite "127.0.0.1:$port: line $i"
        took=$(((${EPOCHREALTIME/./} - took) / 1000))
        ((took <= longest)) || longest=$took
        read -r -t 0.03 -u "$never" || true
    done
    at_last "${ear[slow]}" '.* slowly' 'the slow one did not end' slow.err
    measured "the polite one waited $longest ms at the most, for one of $i replies"
    measured "the slow one, which takes a message every 800 ms, has got ${line% slowly} of its 5"
    rude=$(grep -c aborted "$BATS_TEST_TMPDIR/server.err") || true
    measured "aborted: $rude"
}
