# patched.bash - patches against the course's own programs: the mutants, and the solutions of the tutorial's exercises
# shellcheck shell=bash

# header WORD PATCH - prints what stands above the patch behind "WORD: "
header() {
    sed -n "/^--- /q; s/^$1: //p" "$2"
}

# apply_patch PATCH FOLDER - to the stages in the folder, where all the lines around are as they were. Prints why, where this does not work.
apply_patch() {
    patch --silent --strip 1 --fuzz 0 --directory "$2" --no-backup-if-mismatch --reject-file - <"$1" 2>&1 || {
        printf 'the patch does not apply\n'
        return 1
    }
}
