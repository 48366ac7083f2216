# lab.bash - what tests of lab/run share, on whatever kernel

lab() {
    timeout --kill-after=1 100 "$TREE/lab/run" "$@" 3>&-
}

# own_folder - gives the labs of this test a temporary folder of their own, so that what they leave is seen
own_folder() {
    export TMPDIR=$BATS_TEST_TMPDIR/memory
    mkdir "$TMPDIR"
}

# neat_and_stubborn - starts two labs: a command that ends by itself when SIGTERM comes, and one that does not
neat_and_stubborn() {
    start_client neat "$TREE/lab/run" sh -c 'trap "echo bye; exit 3" TERM; echo here; while :; do sleep 0.1; done'
    start_client stubborn "$TREE/lab/run" sh -c 'trap "" TERM; echo here; while :; do sleep 1; done'
    hears neat here
    hears stubborn here
}

# they_end - sends both the signal: one ends as it likes, the other is killed
they_end() {
    local status=0
    kill -TERM "${pid[neat]}" "${pid[stubborn]}"
    hears neat bye
    await_exit "${pid[neat]}" 3 || status=$?
    assert_equal "neat: $status" 'neat: 3'
    status=0
    await_exit "${pid[stubborn]}" 3 || status=$?
    assert_equal "stubborn: $status" 'stubborn: 143'
}

# terminal_session KERNEL - types at a shell in a lab and reads what it shows; ends with 5 where all is as on a terminal
terminal_session() {
    timeout 100 expect -f - "$TREE/lab/run" "$1" <<'END'
        set timeout 60
        proc must {text} {
            expect {
                -re $text {}
                timeout { puts "\nnot seen: $text"; exit 1 }
                eof { puts "\nended before: $text"; exit 1 }
            }
        }
        set stty_init "rows 33 columns 101"
        spawn -noecho [lindex $argv 0] --kernel [lindex $argv 1] bash --norc --noprofile --noediting
        send "PS1='re''ady> '\r"
        must {ready> $}
        send "stty size; tty\r"
        must {33 101\r\n/dev/pts/\d+\r\n.*ready> $}
        stty rows 44 columns 77 < $spawn_out(slave,name)
        send "stty size\r"
        must {44 77\r\n.*ready> $}
        send "echo wrong\025echo right\r"
        must {\nright\r\n.*ready> $}
        send "cat\rtold to cat\r"
        must {told to cat\r\n(.*\n)?told to cat\r\n}
        send "\032"
        must {Stopped.*ready> $}
        send "jobs\r"
        must {Stopped +cat\r\n.*ready> $}
        send "fg\rtold again\r"
        must {told again\r\n(.*\n)?told again\r\n}
        send "\003"
        must {ready> $}
        send "echo status \$?\r"
        must {status 130\r\n.*ready> $}
        send "exit 5\r"
        expect eof
        exit [lindex [wait] 3]
END
}
