# await.bash - for the experiments of the appendix: how they wait for a process; the script has a function fail

exec {never}<> <(:) # a pipe to which nobody writes: to wait a moment without a process

# await PID FILE TEXT WHAT - waits until the file, which the process writes, has the text
await() {
    local end=$((SECONDS + 20))
    until grep -q -a "$3" "$2" 2>/dev/null; do
        if ((SECONDS >= end)) || ! kill -0 "$1" 2>/dev/null; then
            fail "$4: $(tail -n 1 "$2")"
        fi
        read -r -t 0.02 -u "$never"
    done
}
