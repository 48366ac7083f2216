#!/usr/bin/env bats
# make demo: run on the host, as a newcomer runs it.

load helper/course

# bats test_tags=host
@test "the demo: each of its 12 messages is heard by all four, it says so, and ends with 0" {
    run "$TREE/lab/run" --timeout 120 "$TREE/04-sendall/demo"
    assert_success
    assert_equal "$(count "$output" ' alice bob carol dave')" 12
    assert_equal "${lines[-1]}" '4 clients, 12 messages, 48 deliveries, 0 missing'
    refute_output --partial $'\e' # no colour, it is not on a terminal
}

# bats test_tags=host
@test "the demo can fail: with a server that loses one delivery it names who missed what, and ends with 1" {
    cc -shared -fPIC -o "$BATS_TEST_TMPDIR/drop_one.so" "$TREE/tests/tools/drop_one.c"
    cat >"$BATS_TEST_TMPDIR/server" <<END
#!/bin/sh
LD_PRELOAD='$BATS_TEST_TMPDIR/drop_one.so' exec '$TREE/04-sendall/chat_server' -l "\$@"
END
    chmod +x "$BATS_TEST_TMPDIR/server"
    run "$TREE/lab/run" --timeout 120 "$TREE/04-sendall/demo" "$BATS_TEST_TMPDIR/server"
    assert_failure 1
    assert_equal "$(count "$output" NOT)" 1
    assert_equal "${lines[-1]}" '4 clients, 12 messages, 47 deliveries, 1 missing'
}
