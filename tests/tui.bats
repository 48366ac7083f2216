#!/usr/bin/env bats
# chat_tui of stage 05, in a real terminal: tmux shows what is on its screen.

load helper/course
STAGE=05-unordered-streams
PROMPT='room 0>'

# screen ARGUMENT... - tmux, with a server of its own for each test
screen() {
    TMUX_TMPDIR=$BATS_TEST_TMPDIR tmux -u -L lab -f /dev/null "$@" 3>&-
}

# open_screen COLUMNS COMMAND... - a terminal of so many columns and 24 rows, in which the command runs
open_screen() {
    (
        let_go
        screen new-session -d -x "$1" -y 24 "${@:2}"
    )
    screen set-option -g history-limit 20000 # of the panes to come
}

# open_tui COLUMNS VARIABLE=VALUE... -- ARGUMENT... - starts chat_tui on a screen. When it has ended, the screen says
# "status N", and the files `before` and `after` have the modes of the terminal, `errors` what came on standard error.
open_tui() {
    local columns=$1 variables=()
    while [[ $2 != -- ]]; do
        variables+=("$2")
        shift
    done
    under_test "$STAGE/chat_tui" "${@:3}" -p "$port" 127.0.0.1
    # shellcheck disable=SC2016 # the shell in the terminal expands it
    open_screen "$columns" env "${variables[@]}" bash -c 'cd "$0" && trap : INT
        stty -g >before
        "$@" 2>errors
        echo "status $?"
        stty -g >after
        exec cat' "$BATS_TEST_TMPDIR" "${command[@]}"
    shows "$PROMPT"
}

setup() {
    begin_test
    command -v tmux >/dev/null || skip 'tmux is not installed'
}

teardown() {
    screen kill-server 2>/dev/null || true
    end_test
}

# look [OPTION...] - sets `seen` to the screen
look() {
    seen=$(screen capture-pane -p "$@")
}

# shows REGEX - waits until that is on the screen, and sets `seen` to it
shows() {
    local end=$((SECONDS + DEADLINE))
    until
        look
        [[ $seen =~ $1 ]]
    do
        ((SECONDS <= end)) || fail "not on the screen within $DEADLINE s: $1. It shows: ${seen:0:3000}"
        breathe
    done
}

# says_above NAME TEXT - the client says it, and chat_tui shows it
says_above() {
    say "$1" "$2"
    shows "$1: $2"
}

# type_in TEXT - types it; press KEY... - presses keys, by the names that tmux gives them
type_in() {
    screen send-keys -l -- "$1"
}

press() {
    screen send-keys "$@"
}

# input_line - sets `input` to what is on the screen from the last prompt on, and where the cursor is below that prompt's row
input_line() {
    local above
    look
    above=${seen%"$PROMPT"*}
    input=${seen##*"$PROMPT"}
    cursor=$(screen display-message -p '#{cursor_x} #{cursor_y}')
    cursor="column ${cursor% *} row $((${cursor#* } - $(count "$above" $'\n')))"
}

# resize COLUMNS - and waits until that has come to the terminal inside, which with tmux takes 1/4 s
resize() {
    screen resize-window -x "$1" -y 24
    await_value "24 $1" inner_size 'rows and columns of the terminal'
}

inner_size() {
    stty size -F "$(screen display-message -p '#{pane_tty}')"
}

# guests NAME... - plain clients come, and chat_tui shows that
guests() {
    local name
    for name; do
        start_client "$name" program "$STAGE/chat_client" -n "$name" -p "$port" 127.0.0.1
        shows "\* $name joined"
    done
}

# title_is_ours - nothing has set the title of the terminal
title_is_ours() {
    [[ $(screen display-message -p '#{pane_title}') != *evil* ]] || fail 'what came has set the title of the terminal'
}

# hears_text_at_last NAME TEXT - one of the client's next lines is this very text, which may be long
hears_text_at_last() {
    local heard='' before=''
    until [[ $heard == "$2" ]]; do
        await_line "${ear[$1]}" heard || fail "$1 did not hear within $DEADLINE s: $2; it heard: $before"
        before+=$heard$'\n'
    done
}

# ends STATUS [STDERR] - chat_tui ends so, and the terminal is what it was before
ends() {
    shows 'status [0-9]+'
    assert_regex "$seen" "status $1"
    shows "status $1"$'\n'?'$'
    assert_equal "$(<"$BATS_TEST_TMPDIR/errors")" "${2-}"
    until [[ -s $BATS_TEST_TMPDIR/after ]]; do breathe; done
    assert_equal "$(<"$BATS_TEST_TMPDIR/after")" "$(<"$BATS_TEST_TMPDIR/before")"
}

@test "two others talk while somebody types: their lines come above, the half-typed line stays whole, and so does its cursor" {
    start_server "$STAGE/chat_server"
    open_tui 40 -- -n alice
    guests bob carol
    type_in 'a line of more than one row, größer 日本語, is half typed here'
    press Left Left Left Left Left
    shows 'typed'$'\n'?' here$'
    input_line
    local i before=$input at=$cursor
    for ((i = 1; i <= 40; i++)); do
        say bob "from bob $i"
        say carol "from carol $i"
    done
    shows 'bob: from bob 40'
    shows 'carol: from carol 40'
    input_line
    assert_equal "$input $cursor" "$before $at"
    type_in ', not'
    say bob 'go on'
    shows 'bob: go on'
    press Enter
    hears_text_at_last carol 'alice: a line of more than one row, größer 日本語, is half typed, not here'
    shows "$PROMPT\$"
    look -S -
    for ((i = 1; i <= 40; i++)); do
        assert_equal "$i: $(count "$seen" "bob: from bob $i"$'\n') $(count "$seen" "carol: from carol $i"$'\n')" "$i: 1 1"
    done
    assert_equal "prompts: $(count "$seen" "$PROMPT")" 'prompts: 1'
}

@test "the terminal is resized while somebody types: the line is whole, and no message is lost from the screen" {
    start_server "$STAGE/chat_server"
    open_tui 60 -- -n alice
    guests bob
    says_above bob one
    type_in 'ThisLineHasNoBlanksSoThatItsRowsAreFullWhereverTheyEnd-日本語日本語'
    shows '日本語$'
    local columns n=0
    for columns in 25 80 47 200 33; do
        resize "$columns"
        says_above bob "at $columns columns"
        input_line
        assert_equal "${input//$'\n'/}" ' ThisLineHasNoBlanksSoThatItsRowsAreFullWhereverTheyEnd-日本語日本語'
        assert_equal "at $columns: $(count "$seen" "$PROMPT")" "at $columns: 1"
        n=$((n + 1))
        assert_equal "at $columns: $(count "$seen" ' columns'$'\n')" "at $columns: $n"
    done
    assert_equal "$(count "$seen" 'bob: one')" 1
    press Home
    type_in 'ü'
    press Enter
    hears_text_at_last bob 'alice: üThisLineHasNoBlanksSoThatItsRowsAreFullWhereverTheyEnd-日本語日本語'
}

@test "the history: what was said before comes with the arrow keys, can be changed and said again" {
    start_server "$STAGE/chat_server"
    open_tui 80 -- -n alice
    type_in 'first'
    press Enter
    shows 'alice: first'
    type_in '/who'
    press Enter
    shows '\* here: alice'
    type_in 'half'
    press Up
    shows "$PROMPT /who\$"
    press Up
    shows "$PROMPT first\$"
    press Down Down
    shows "$PROMPT half\$"
    press Up Up
    type_in '!'
    press Enter
    shows $'alice: first!\n'"$PROMPT\$"
    press Up
    shows "$PROMPT first!\$"
}

@test "what is typed and is no UTF-8 is left out, and nothing else" {
    start_server "$STAGE/chat_server"
    open_tui 80 -- -n alice
    press -H 61 c3 62 e2 82 c3 a4 ff 63 # a, the first half of something, b, two thirds of something, ä, what is none, c
    shows "$PROMPT abäc\$"
}

@test "keys that have no use here leave the line as it is; Ctrl with an arrow goes by words" {
    start_server "$STAGE/chat_server"
    open_tui 80 -- -n alice
    type_in 'half a line'
    press M-x M-X PPage NPage IC BTab F1 F5 F12 C-Up C-Down C-v C-s C-q
    type_in '!'
    shows "$PROMPT half a line!\$"
    press C-Left C-Left
    type_in 'whole '
    press C-Right
    type_in ','
    shows "$PROMPT half whole a, line!\$"
    press Enter
    shows 'alice: half whole a, line!'
}

@test "Tab completes a command at the beginning of a line, and the nick of who is here; or lists what it can be" {
    start_server "$STAGE/chat_server"
    open_tui 80 -- -n alice
    guests bob bonnie
    type_in '/ro'
    press Tab
    type_in '3'
    shows "$PROMPT /room 3\$"
    press C-u
    type_in 'bo'
    press Tab
    shows $'bob bonnie\n'"$PROMPT bo\$"
    type_in 'n'
    press Tab
    type_in 'hi '
    type_in 'bob'
    press Tab
    type_in '/u'
    press Tab
    type_in '.'
    shows "$PROMPT bonnie: hi bob /u\.\$"
    press Enter
    hang_up bonnie
    shows '\* bonnie left'
    type_in 'bo'
    press Tab
    type_in '?'
    shows "$PROMPT bob: \?\$"
    say bob '/nick robert'
    shows '\* bob is now robert'
    press C-u
    type_in 'bo'
    press Tab
    type_in 'x r'
    press Tab
    type_in '?'
    shows "$PROMPT box robert \?\$"
}

@test "each nick has its colour, notices are dim; with NO_COLOR, and on a dumb terminal, there is no colour at all" {
    start_server "$STAGE/chat_server"
    open_tui 80 -- -n alice
    guests bob carol
    says_above bob 'one'
    says_above carol 'two'
    says_above bob 'three'
    look -e
    local bob carol
    bob=$(sed -n 's/bob.*: three//p' <<<"$seen")
    carol=$(sed -n 's/carol.*: two//p' <<<"$seen")
    [[ $bob == $'\e['[39][1-6]m && $carol == $'\e['[39][1-6]m && $bob != "$carol" ]] || fail "colours: bob $bob, carol $carol, in $seen"
    [[ $(grep -F ': one' <<<"$seen") == *"$bob"*bob* ]] || fail "bob's colour has changed: $seen"
    [[ $seen == *$'\e[2m* alice joined'* ]] || fail "a notice is not dim: $seen"

    local variable
    for variable in NO_COLOR=1 TERM=dumb; do
        screen kill-server
        open_tui 80 "$variable" -- -n alice
        screen pipe-pane -o "cat >'$BATS_TEST_TMPDIR/$variable'"
        says_above bob "with $variable"
        type_in 'hello'
        press Enter
        shows 'alice: hello'
        look -e
        [[ $seen != *$'\e'* ]] || fail "$variable, but there is a colour: $seen"
        [[ $variable != TERM=* ]] || ! grep -q $'\e' "$BATS_TEST_TMPDIR/$variable" || fail "a dumb terminal gets: $(cat -v "$BATS_TEST_TMPDIR/$variable")"
    done
}

@test "rooms and ordering: the prompt tells them, what is said goes out with them, what is said elsewhere is shown where joined" {
    start_server "$STAGE/chat_server"
    open_tui 80 -- -n alice
    guests bob
    start_client eve "$PEER" -v -o 16 -i 16 127.0.0.1 "$port" text:'/nick eve' recv recv recv recv recv line
    shows 'eve joined'
    say bob '/room 3'
    say bob 'nobody sees this'
    say bob '/room 0'
    says_above bob 'all see this'
    PROMPT='room 3>'
    type_in '/room 3'
    press Enter
    shows "$PROMPT\$"
    type_in 'in order'
    press Enter
    shows '\[3\] alice: in order'
    hears_text_at_last bob '[3] alice: in order'
    type_in '/u'
    press Enter
    shows 'room 3 unordered>$'
    type_in '//u begins with a slash'
    press Enter
    shows '\[3\] alice: /u begins with a slash'
    hears_text_at_last eve 'message 13 stream 0 ppid 0: * eve joined'
    hears_text_at_last eve 'message 18 stream 0 ppid 0: bob: all see this'
    hears_text_at_last eve 'message 16 stream 3 ppid 0: alice: in order'
    hears_text_at_last eve 'message 30 stream 3 ppid 0 unordered: alice: /u begins with a slash'
    type_in '/part 3'
    press Enter
    shows 'the rooms you see now: 0'$'\n'
    say bob '/room 3'
    say bob 'too late'
    say bob '/room 0'
    says_above bob 'the end'
    refute_regex "$seen" 'nobody sees this|too late'
    type_in '/room 16'
    press Enter
    shows '/room takes the number of a room'
    type_in '/help'
    press Enter
    shows '/join N .*/quit '
    screen kill-server
    PROMPT='room 0 unordered>'
    open_tui 80 -- -u -n alice
}

@test "hostile bytes in a message, in a notice and in the reason of an abort are shown, and do nothing; nobody can fake another's line" {
    start_server "$STAGE/chat_server"
    open_tui 132 -- -n alice
    guests bob
    type_in 'half'
    printf '%b\n' 'title \e]0;evil\a \ecreset \e[2J\e[Hhome' 'bob: no\rcarol: line' 'C1 \xc2\x9b31m \x9b1m bidi \xe2\x80\xae txet DEL \x7f' >&"${mouth[bob]}"
    shows 'bob: title \\x1B\]0;evil\\x07 \\x1Bcreset \\x1B\[2J\\x1B\[Hhome'
    shows $'\n''bob: bob: no\\x0Dcarol: line'
    shows 'bob: C1 \\xC2\\x9B31m \\x9B1m bidi \\xE2\\x80\\xAE txet DEL \\x7F'$'\n'"$PROMPT half\$"
    title_is_ours
    screen kill-server

    start_client server "$TREE/tests/tools/hostile" $'no \e[2J more \e]0;evil\a\xe2\x80\xae of you'
    local line
    await_line "${ear[server]}" line
    port=${line##* }
    open_tui 132 -- -n alice
    printf '%b\n' '* bob\e[2J joined' '* here: \e[31mred, bob' 'eve\r: fake' '\e[A\e[2Knobody: said this' '* ann joined\f* eve joined\fbob: fake' 'bob: one\f* carol left' >&"${mouth[server]}"
    shows '\* bob\\x1B\[2J joined'$'\n''\* here: \\x1B\[31mred, bob'$'\n''eve\\x0D: fake'$'\n''\\x1B\[A\\x1B\[2Knobody: said this'$'\n''\* ann joined'$'\n''\* eve joined\\x0Abob: fake'$'\n''bob: one\\x0A\* carol left'$'\n'
    title_is_ours
    hang_up server
    ends 1 'chat_tui: the server has aborted the association: no \x1B[2J more \x1B]0;evil\x07\xE2\x80\xAE of you'
    title_is_ours
}

@test "the server ends, or is killed: one line says so, the terminal is as before, exit status 1" {
    local signal
    for signal in TERM KILL; do
        start_server "$STAGE/chat_server"
        open_tui 80 -- -n alice
        type_in 'half typed'
        shows 'half typed$'
        kill "-$signal" "$server_pid"
        ends 1 'chat_tui: the server has ended the association'
        screen kill-server
    done
}

@test "Ctrl-D and /quit end gracefully, and what was said is heard; Ctrl-C drops the line, and without one it ends, too" {
    start_server "$STAGE/chat_server"
    local how
    start_client bob program "$STAGE/chat_client" -n bob -p "$port" 127.0.0.1
    for how in C-d /quit C-c; do
        open_tui 80 -- -n alice
        type_in 'not to be said'
        press C-c
        shows "$PROMPT\$"
        type_in "last words, $how"
        press Enter
        if [[ $how == /* ]]; then
            type_in "$how"
            press Enter
        else
            press "$how"
        fi
        ends 0
        hears_text_at_last bob "alice: last words, $how"
        hears_text_at_last bob '* alice left'
        screen kill-server
    done
}

@test "SIGTERM gives the terminal back; Ctrl-Z does, too, and fg brings the half-typed line again" {
    start_server "$STAGE/chat_server"
    open_tui 80 -- -n alice
    type_in 'half'
    shows 'half$'
    kill -TERM "$(pgrep -P "$(screen display-message -p '#{pane_pid}')")"
    ends 143
    screen kill-server
    under_test "$STAGE/chat_tui" -n alice -p "$port" 127.0.0.1
    open_screen 160 env 'PS1=shell> ' sh -i # dash, that is: bash would mend the terminal's modes itself
    shows 'shell>$'
    type_in "stty -g; ${command[*]}"
    press Enter
    shows "$PROMPT\$"
    type_in 'half'
    shows "$PROMPT half\$"
    press C-z
    shows 'Stopped.*shell>$'
    type_in 'stty -g'
    press Enter
    shows $'shell> stty -g\n[^\n]+\nshell>$'
    local modes
    modes=$(grep '^[0-9a-f]*:' <<<"$seen" | sort -u)
    assert_equal "modes: $(count "$modes" $'\n')" 'modes: 0'
    type_in 'fg'
    press Enter
    shows 'fg'$'\n[^\n]*chat_tui[^\n]*\n'"$PROMPT half\$"
    press Home
    type_in 'and '
    shows "$PROMPT and half\$"
    press End
    type_in ' and whole'
    press Enter
    shows 'alice: and half and whole'
    type_in 'not said'
    shows 'not said$'
    kill -TERM "$server_pid"
    shows $'and whole\nchat_tui: the server has ended the association\nshell>$' # and nothing of the input line
}

@test "a flood does not lock the keyboard" {
    start_server "$STAGE/chat_server"
    open_tui 80 -- -n alice
    (
        let_go
        yes 'more and more' | program "$STAGE/chat_client" -n bob -p "$port" 127.0.0.1 >"$BATS_TEST_TMPDIR/heard" 2>&1
    ) &
    running+=("$!")
    shows 'more and more'
    type_in 'enough'
    press Enter
    until grep -q 'alice: enough' "$BATS_TEST_TMPDIR/heard"; do breathe; done
    press C-d
    ends 0
}

@test "a server that takes nothing: the line waits, and the keyboard is not locked" {
    small_receive_buffer "$STAGE/chat_server"
    local most=/proc/sys/net/core/wmem_default before long tries=0
    before=$(<"$most")
    echo 8192 >"$most"
    open_tui 80 -- -n alice
    echo "$before" >"$most"
    guests bob
    printf -v long '%01000d' 0
    kill -STOP "$server_pid"
    type_in "$long"
    press Enter
    until
        look
        [[ $seen == *'the server takes nothing at present'* ]]
    do
        ((++tries < 200)) || fail "no word of it that the server takes nothing: ${seen:0:3000}"
        press Up Enter
    done
    press C-c
    type_in 'still here'
    shows "$PROMPT still here\$"
    kill -CONT "$server_pid"
    hears_text_at_last bob "alice: $long"
    press Enter
    shows 'alice: still here'
    press Up Up Enter C-d
    ends 0
    hears_text_at_last bob '* alice left'
}

@test "a line of 65,535 bytes is said, one that is longer is not, and chat_tui says so" {
    start_server "$STAGE/chat_server"
    open_tui 80 -- -n alice
    guests bob
    hears_at_last bob '\* bob joined'
    local long heard
    printf -v long '%065535d' 0
    screen load-buffer - <<<"$long" # with a newline, which is an Enter when it is pasted
    screen paste-buffer
    heard=$(timeout "$DEADLINE" head -c 65543 <&"${ear[bob]}") # read takes a byte at a time: in bash alone it takes 10 s
    [[ $heard == "alice: $long" ]] || fail "bob heard ${#heard} bytes, which are not what alice has said: ${heard:0:1000}"
    press Up
    type_in '1'
    press Enter
    shows $'not said: the line has more than 65536 bytes, its end included\n'"$PROMPT\$"
}

@test "valgrind finds nothing in a session with all of it" {
    under_valgrind
    start_server "$STAGE/chat_server"
    open_tui 60 -- -n alice
    guests bob
    say bob 'a line that is longer than the terminal is wide, and so it is broken'
    shows 'is broken'
    type_in 'bo'
    press Tab
    type_in 'größer 日本'
    press Left C-h Enter
    shows 'alice: bob: größer 本'
    type_in '/'
    press Tab
    resize 40
    press C-c Up Up Down Enter
    type_in '/room 3'
    press Enter
    shows 'room 3>$'
    hang_up bob
    shows 'bob left'
    press C-d
    ends 0
    valgrind_finds_nothing
}

@test "without a terminal it is no use: exit status 2, and it names chat_client" {
    run timed "$STAGE/chat_tui" -p 9 127.0.0.1 </dev/null
    assert_failure 2
    assert_output 'chat_tui: standard input and output are to be a terminal; for pipes and files there is chat_client'
}
