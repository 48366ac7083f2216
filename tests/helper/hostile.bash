# hostile.bash - how an attack of tests/hostile becomes a submission: for tests/hostile.bats and tests/class-of-60

# compose_attack NAME FOLDER SUBMISSIONS - makes of the attack a folder of stage 01, in which it is part of the reference's echo_server;
# SUBMISSIONS is where it is told that others' work lies
compose_attack() {
    local program attack=$TREE/tests/hostile/$1.c
    mkdir -p "$2"
    for program in echo_server echo_client; do
        if grep -qx '// alone' "$attack"; then
            : >"$2/$program.c"
        else
            cp "$TREE/01-one-to-one/$program.c" "$2"
            [[ $program == echo_server ]] || continue
        fi
        {
            printf '#define COURSE "%s"\n#define SUBMISSIONS "%s"\n#define SOLUTION COURSE "/01-one-to-one/%s.c"\n' "$TREE" "$3" "$program"
            sed "s|^#include SOLUTION|#include \"$TREE/01-one-to-one/$program.c\"|" "$attack"
        } >>"$2/$program.c"
    done
}

# expects NAME - prints what the head of the attack says: full (it has no effect), none (of its own doing), first (only the first test)
expects() {
    sed -n 's,^// expect: ,,p' "$TREE/tests/hostile/$1.c"
}
