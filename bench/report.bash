# report.bash - how what measures shows how far it is, and what has come out: for bench/run and 05-unordered-streams/hol

# show_progress THOUSANDTHS TEXT - on a terminal: so much is done
show_progress() {
    local bar='##############################..............................' done=$(($1 * 30 / 1000))
    [[ ! -t 2 ]] || printf '\r[%s] %3d %%  %-60.60s' "${bar:30-done:30}" $(($1 / 10)) "$2" >&2
}

# end_progress - takes it away
end_progress() {
    [[ ! -t 2 ]] || printf '\r%100s\r' '' >&2
}

# paint - what goals are met is green, on a terminal, and red what is missed
paint() {
    if [[ -t 1 && -z ${NO_COLOR-} ]]; then
        sed $'s/^met /\e[32m&\e[0m/; s/^missed /\e[31m&\e[0m/'
    else
        cat
    fi
}
