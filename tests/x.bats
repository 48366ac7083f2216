load helper/course
t(){ printf '%s %s\n' "$EPOCHREALTIME" "$*" >&3; }
@test x {
        start_server 04-sendall/chat_server
        t started
        start_client one "$PEER" 127.0.0.1 "$port" text:queued wait recv end
        await_associations 1
        start_capture
        kill -TERM "$server_pid"
        t killed
        hang_up one
        hears one 'message 6: queued'
        hears one 'shutdown'
        t shutdown
        await_exit "$server_pid" || fail "after SIG$signal the exit status was $?"
        t exit
        captured '[SHUTDOWN COMPLETE]'
        t $packets
}
@test deaf {
    PROGRAMS=$TREE
    wrapper=(strace -o /tmp/deaf -r)
    start_server 04-sendall/chat_server
    start_client deaf "$PEER" 127.0.0.1 "$port" flood wait
    hears deaf full
    kill -TERM "$server_pid"
    kill -TERM $(pgrep chat_server)
    await_exit "$server_pid" 12 || fail "the exit status was $? (124: it was still there)"
}
