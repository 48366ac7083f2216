# chat.bash - what the tests of the two chat servers share; STAGE is the folder of the one under test

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
    awk -v port="$port" '$12 == port && $5 == 3 { n++ } END { print n + 0 }' "/proc/$server_pid/net/sctp/assocs"
}

await_far_associations() {
    await_value "$1" far_associations 'associations with the server'
}

# shutting_down - prints how many clients have said that they end, and have not got all that is theirs
shutting_down() {
    awk -v port="$port" '$12 == port && $5 == 6 { n++ } END { print n + 0 }' /proc/net/sctp/assocs
}

# full_clients - prints how many clients have more to read than 50 KB
full_clients() {
    awk -v port="$port" '$13 == port && $9 > 50000 { n++ } END { print n + 0 }' /proc/net/sctp/assocs
}

# unread - prints from how many clients the server has more than 50 KB to read
unread() {
    awk -v port="$port" '$12 == port && $9 > 50000 { n++ } END { print n + 0 }' /proc/net/sctp/assocs
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

# said [OPTION...] - says standard input in the room by a chat_client of its own, and prints what it heard
said() {
    timed "$STAGE/chat_client" "$@" -p "$port" 127.0.0.1
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
