#!/usr/bin/env bats
# How a class is graded, and in which forms a grade comes out: grade/class, grade/report, grade/weights, and what Gradescope and GitHub Classroom get.
#
# Most tests of grade/class let a stand-in grade: what they are about is the class. Some grade in earnest.

load helper/course

setup_file() {
    [[ -z ${SCTP_LAB-} ]] || skip 'this is a lab already; a submission is graded in one of its own'
}

setup() {
    begin_test
    cd "$BATS_TEST_TMPDIR" || return
}

# eventually COMMAND... - waits until it succeeds
eventually() {
    local end=$((SECONDS + DEADLINE))
    until "$@"; do
        ((SECONDS <= end)) || fail "has not come: $*"
        breathe
    done
}

# stand_in - makes what takes the place of grade/grade: it gives as many points as `points` in the submission says, takes as long as `seconds`
# there, fails where there is `broken`, and writes each name it grades into `graded`
stand_in() {
    cat >grader <<END_OF_GRADER
#!/usr/bin/env bash
while getopts 's:x:t:w:n:o:' option; do
    case \$option in
        n) name=\$OPTARG ;;
        o) out=\$OPTARG ;;
    esac
done
shift \$((OPTIND - 1))
printf 'begin %s\n' "\$name" >>'$BATS_TEST_TMPDIR/graded'
[[ ! -f \$1/seconds ]] || sleep "\$(<"\$1/seconds")"
mkdir -p "\$out"
[[ ! -e \$1/broken ]] || { echo 'lab/run: no lab today' >&2; exit 1; }
points=\$(cat "\$1/points" 2>/dev/null) || points=3
jq -n --arg submission "\$name" --argjson points "\$points" '{\$submission, sha256: "5a", course: "c0", kernel: "Linux 6, User Mode Linux", stages: ["04-sendall"], taken: [], ignored: [],
    compiled: [], tests: [{stage: "04-sendall", name: "all of it", points: \$points, max: 10, status: (if \$points == 10 then "passed" else "failed" end), message: "", read: "", hidden: false}],
    score: \$points, max: 10, problem: ""}' >"\$out/grade.json"
touch "\$out/report.html"
printf 'end %s\n' "\$name" >>'$BATS_TEST_TMPDIR/graded'
END_OF_GRADER
    chmod +x grader
    export CLASS_GRADER=$PWD/grader
}

# student NAME [FILE CONTENT]...
student() {
    mkdir -p "class/$1"
    while (($# > 2)); do
        printf '%s\n' "$3" >"class/$1/$2"
        set -- "$1" "${@:4}"
    done
}

# grade_class ARGUMENT... - into `out`
grade_class() {
    timeout --kill-after=1 100 "$TREE/grade/class" -o out "$@" 3>&-
}

# graded begin|end - how often that has come
graded() {
    grep -c "^$1 " graded || true
}

# column N - of grades.csv, as Python reads it
column() {
    python3 -c 'import csv, sys; print("\n".join(row[int(sys.argv[1]) - 1] for row in csv.reader(open("out/grades.csv", newline=""))))' "$1"
}

# nasty - a grade with all that may come from a submission
nasty() {
    mkdir -p nasty
    cat >nasty/grade.json <<'END_OF_GRADE'
{"submission": "J\u00f6rg \u001b[31m<b>\u202e&\"'", "sha256": "5a", "course": "c0", "kernel": "Linux 6, User Mode Linux", "stages": ["01-one-to-one", "04-sendall"],
 "taken": [{"file": "01-one-to-one/echo_server.c", "from": "x/\u0007\n\u00fc/echo_server.c", "sha256": "12"}], "ignored": [{"from": "a<script>alert(1)</script>", "why": "no C source"}],
 "compiled": [{"program": "01-one-to-one/echo_client", "ok": false, "output": "echo_client.c:1: error: \u001b]0;title\u0007 <x>\r\nmore\u0000\u009b31m ]]>\n"},
              {"program": "04-sendall/chat_server", "ok": true, "output": "warning: unused"}],
 "tests": [{"stage": "01-one-to-one", "name": "one & <two> \"q\"", "points": 0, "max": 2.5, "status": "failed", "message": "-- differs --\nexpected : a\nactual   : \u001b[2J\ufffe\uffff\ufffd]]>\n--", "read": "TUTORIAL.md, stage 01", "hidden": false},
           {"stage": "01-one-to-one", "name": "passes", "points": 2, "max": 2, "status": "passed", "message": "", "read": "TUTORIAL.md, stage 01", "hidden": false},
           {"stage": "04-sendall", "name": "=1+1", "points": 0.1, "max": 0.1, "status": "passed", "message": "", "read": "TUTORIAL.md, stage 04", "hidden": true},
           {"stage": "04-sendall", "name": "not here", "points": 0, "max": 3, "status": "skipped", "message": "no netem", "read": "TUTORIAL.md, stage 04", "hidden": false}],
 "score": 2.1, "max": 4.6, "problem": ""}
END_OF_GRADE
}

# loads_nothing PAGE - its policy forbids all but its own style, before anything that comes from a submission, and it needs no more
loads_nothing() {
    run awk '/Content-Security-Policy/ { policy = NR } /<title>/ { title = NR } END { exit !(policy && policy < title) }' "$1"
    assert_success
    assert_equal "$(grep -o 'http-equiv="Content-Security-Policy" content="[^"]*"' "$1")" \
        "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\""
    run ! grep -iE '<(script|img|link|iframe|object|form|base)|url\(|@import' "$1"
}

# bats test_tags=host
@test "a field of the CSV that a spreadsheet would compute begins with an apostrophe: = + - @, full-width ones too" {
    local cell
    for cell in =1 +1 -1 @a ＝1 ＋1 －1 ＠a; do
        assert_equal "$(jq -rn -L "$TREE/grade/formats" --arg cell "$cell" 'include "shown"; $cell | cell')" "'$cell"
    done
    for cell in a=1 1-1 'ａ＝1' '' ' x'; do
        assert_equal "$(jq -rn -L "$TREE/grade/formats" --arg cell "$cell" 'include "shown"; $cell | cell')" "$cell"
    done
    nasty
    jq '.tests[0].name = "＝1+1" | .submission = "＠a"' nasty/grade.json >changed
    mv changed nasty/grade.json
    "$TREE/grade/report" nasty
    assert_equal "$(sed -n 2p nasty/grade.csv | cut -d , -f 1-3)" "\"'＠a\",\"01-one-to-one\",\"'＝1+1\""
}

# bats test_tags=host
@test "a grade in all its forms: no control character gets through, and each is what its reader takes" {
    nasty
    "$TREE/grade/report" nasty
    local file
    for file in report.txt report.html results.json junit.xml grade.csv; do
        run ! grep -qP '[\x00-\x08\x0b-\x1f\x7f\x{80}-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{fffe}\x{ffff}]' "nasty/$file"
        iconv -f UTF-8 -t UTF-16 "nasty/$file" >/dev/null
        jq -e '.. | strings | select(test("\u001b|\u202e"))' nasty/results.json && fail 'a control character in results.json'
    done

    run cat nasty/report.txt
    assert_line 'Jörg \x1B[31m<b>\xE2\x80\xAE&"'\'': 2.1 of 4.6 points'
    assert_line '  FAILED    0 / 2.5   one & <two> "q"'
    assert_line '                      expected : a'
    assert_line '                      read: TUTORIAL.md, stage 01'
    assert_line '  ok        2 /   2   passes'
    assert_line '  ok      0.1 / 0.1   =1+1 (hidden)'
    assert_line '01-one-to-one/echo_client does not compile:'
    assert_line '    01-one-to-one/echo_server.c   from x/\x07\x0Aü/echo_server.c'
    assert_line '    a<script>alert(1)</script>: no C source'
    assert_line 'Graded on Linux 6, User Mode Linux; tests c0; SHA-256 of what was taken 5a'

    # Gradescope's specification, field by field
    jq -e '
        def visibility: IN("hidden", "after_due_date", "after_published", "visible");
        def format: IN("text", "html", "simple_format", "md", "ansi");
        (keys - ["score", "execution_time", "output", "output_format", "test_output_format", "test_name_format", "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"] == [])
        and .score == 2.1 and (.output | type == "string") and ([.output_format, .test_output_format, .test_name_format] | all(format))
        and (.visibility | visibility) and .stdout_visibility == "hidden" and (.extra_data | type == "object")
        and (.tests | length == 4 and all(
            (keys - ["score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags", "visibility", "extra_data"] == [])
            and (.name | type == "string") and (.number | test("^[0-9]+[.][0-9]+$")) and (.output | type == "string") and (.tags | length == 1) and (.visibility | visibility)))
        and ([.tests[] | [.score, .max_score, .status, .visibility]] == [[0, 2.5, "failed", "visible"], [2, 2, "passed", "visible"], [0.1, 0.1, "passed", "after_published"], [null, null, null, "visible"]])
        and (.tests[0].output | test("expected : a") and test("Read: TUTORIAL.md, stage 01"))' nasty/results.json

    xmllint --noout nasty/junit.xml
    assert_equal "$(xmllint --xpath 'concat(/testsuites/@tests, " ", /testsuites/@failures, " ", count(//testsuite), " ", count(//testcase), " ", count(//failure), " ", count(//skipped))' nasty/junit.xml)" '4 1 2 4 1 1'
    assert_equal "$(xmllint --xpath 'string(//testcase[1]/@classname)' nasty/junit.xml)" 01-one-to-one
    assert_equal "$(xmllint --xpath 'string(//testcase[1]/@name)' nasty/junit.xml)" 'one & <two> "q"'
    assert_regex "$(xmllint --xpath 'string(//failure)' nasty/junit.xml)" 'expected : a'

    run python3 -c 'import csv; [print(len(row), row[2], row[3], row[4], sep="|") for row in csv.reader(open("nasty/grade.csv", newline=""))]'
    assert_output "9|test|status|points
9|one & <two> \"q\"|failed|0
9|passes|passed|2
9|'=1+1|passed|0.1
9|not here|skipped|0"

    run cat nasty/report.html
    assert_line --partial '<title>Jörg \x1B[31m&lt;b&gt;'
    refute_output --partial '<script'
    refute_output --partial '<b>'
    assert_output --partial 'prefers-color-scheme: dark'
    loads_nothing nasty/report.html

    "$TREE/grade/report" -f classroom nasty | base64 -d >classroom.json
    jq -e '.version == 1 and .status == "fail" and .max_score == 4.6 and ([.tests[] | [.status, .score]] == [["fail", 0], ["pass", 2], ["pass", 0.1]])' classroom.json
}

# bats test_tags=host
@test "a grade of nothing says why in every form; colours are for terminals, and not for NO_COLOR" {
    nasty
    jq '.tests = [] | .stages = [] | .compiled = [] | .taken = [] | .score = 0 | .max = 0 | .problem = "no program found"' nasty/grade.json >none.json
    assert_regex "$("$TREE/grade/report" -f table none.json)" 'Problem: no program found'
    assert_regex "$("$TREE/grade/report" -f html none.json)" 'class="problem">no program found'
    assert_equal "$("$TREE/grade/report" -f gradescope none.json | jq -c '[.score, .tests]')" '[0,[]]'
    assert_regex "$("$TREE/grade/report" -f gradescope none.json | jq -r .output)" 'no program found'
    "$TREE/grade/report" -f junit none.json >none.xml
    assert_equal "$(xmllint --xpath 'string(//testcase/error)' none.xml)" 'no program found'
    assert_equal "$("$TREE/grade/report" -f classroom none.json | base64 -d | jq -r '.tests[].message')" 'no program found'
    run "$TREE/grade/report" -f table nasty
    refute_output --partial $'\e'
    run script -qec "$TREE/grade/report -f table nasty" /dev/null
    assert_output --partial $'\e[31mFAILED'
    NO_COLOR=1 run script -qec "$TREE/grade/report -f table nasty" /dev/null
    refute_output --partial $'\e'
    run --separate-stderr "$TREE/grade/report" -f odt nasty
    assert_failure 2
    run --separate-stderr "$TREE/grade/report" nowhere
    assert_failure 1
}

# weighted LINE... - the grade `nasty` with these weights
weighted() {
    printf '%s\n' '# mine' "$@" >weights
    jq -c --rawfile weights weights -f "$TREE/grade/weights.jq" nasty/grade.json | jq -c '[.score, .max, [.tests[] | [.points, .max]]]'
}

# bats test_tags=host
@test "weights: the last line that names a test counts, a name before a pattern; what is wrong in the file is said with its line" {
    nasty
    assert_equal "$(weighted)" '[2.1,4.6,[[0,2.5],[2,2],[0.1,0.1],[0,3]]]'
    assert_equal "$(weighted '01-one-to-one: passes = 7' '04 : =1+1=0.2')" '[7.2,9.7,[[0,2.5],[7,7],[0.2,0.2],[0,3]]]'
    assert_equal "$(weighted '*: . = 1' '01: ^p = 0.3')" '[1.3,2.3,[[0,1],[0.3,0.3],[1,1],[0,1]]]'
    assert_equal "$(weighted '01: passes = 4' '01: pass = 5' '01: . = 0')" '[0.1,0.1,[[0,0],[0,0],[0.1,0.1],[0,3]]]'
    "$TREE/grade/check-weights" "$TREE/grade/weights"
    local line said
    while IFS='|' read -r line said; do
        printf '%s\n' '# mine' '' "$line" >weights
        run "$TREE/grade/check-weights" weights
        assert_failure 1
        assert_output "weights: line 3: $said"
    done <<'END_OF_LINES'
nonsense|this is not "STAGE: TEST = POINTS"
01: boundaries = many|'many' is no number of points
01: boundaries = -1|'-1' is no number of points
one: boundaries = 1|'one' is no stage (04-sendall, 04, or * for all)
07: boundaries = 1|there are no tests of stage '07'
01: bounderies = 1|there is no test 'bounderies' in stage 01
*: bounderies = 1|there is no test 'bounderies' in any stage
01: ( = 1|'(' is no regular expression
01: = 1|there is no test before the =
END_OF_LINES
    printf '01: boundaries = 5\n04: memory behind = 0\n' >weights
    "$TREE/grade/check-weights" weights
    stand_in
    student anna
    printf '01: bounderies = 1\n' >weights
    run --separate-stderr grade_class -w weights class
    assert_failure 1
    assert_regex "$stderr" 'line 1: there is no test .*the file of weights is not to be used'
    [[ ! -e graded ]] || fail 'it has graded'
}

# bats test_tags=host
@test "a class: each folder and archive is a student, whatever it is called; the same class gives the same files, and nothing is graded twice" {
    stand_in
    student smith points 10
    student smith.d
    student 'Jörg Müller' points 7
    student '-d "q" '\''x'\'''
    student $'new\nline'
    student $'latin\xe9'
    student '=1+1' points 0
    student '100%' points 5
    student "$(printf 'long%.0s' {1..60})"
    touch class/smith.zip class/a.tar.gz class/B.ZIP class/list.xlsx class/.DS_Store
    ln -s / class/link
    local order=('=1+1' B '100%25' 'Jörg Müller' a '-d "q" '\''x'\''' 'latin%E9' 'new%0Aline' smith smith.d smith.zip)
    run grade_class class
    assert_success
    assert_line '12 of 12 students to be graded'
    assert_line 'Jörg Müller: 7 of 10'
    assert_line 'Left out: link: a link'
    assert_line 'Left out: list.xlsx: neither a folder nor an archive'
    refute_output --partial $'\r'
    assert_equal "$(graded begin)" 12
    local name
    while IFS= read -r name; do
        [[ $name == name ]] || [[ -f out/reports/${name#\'}/report.html ]] || [[ -f out/reports/$name/report.html ]] || fail "no report of $name"
    done < <(column 1)
    assert_equal "$(column 1 | sed "1d; s/^'//" | grep -v '^long')" "$(printf '%s\n' "${order[@]}" | LC_ALL=C sort)"
    assert_equal "$(column 2 | sed 1d | sort -n | tail -n 3 | tr '\n' ' ')" '5 7 10 '
    assert_equal "$(head -n 1 out/grades.csv)" '"name","score","max","04-sendall","04-sendall max","problem","sha256","kernel","course"'
    xmllint --html --xpath '//a/@href' out/summary.html 2>/dev/null | sed 's/^ *href="//; s/"$//' >links
    assert_equal "$(wc -l <links)" 12
    python3 - <<'END_OF_PYTHON'
import os, urllib.parse
for link in open("links"):
    path = b"out/" + urllib.parse.unquote_to_bytes(link.rstrip("\n"))
    assert os.path.isfile(path), path
END_OF_PYTHON
    run cat out/summary.html
    refute_output --partial '<script'
    assert_output --partial '<svg'
    assert_output --partial '1 of 12</td><td>all of it'

    cp -r out first
    run grade_class class
    assert_line '0 of 12 students to be graded'
    diff -r -x lock first out
    rm -r out
    run grade_class -j 1 class
    assert_success
    cmp first/grades.csv out/grades.csv
    loads_nothing out/summary.html
    cmp first/summary.html out/summary.html

    # A submission that has changed, one that is new; and with other points, all.
    : >graded
    echo 4 >class/smith/points
    echo 'int x;' >class/smith.d/x.c
    student zoe
    run grade_class class
    assert_line '3 of 13 students to be graded'
    assert_equal "$(sort graded | grep begin)" $'begin smith\nbegin smith.d\nbegin zoe'
    printf '04: memory behind = 9\n' >weights
    run grade_class -w weights class
    assert_line '13 of 13 students to be graded'
    run grade_class -w weights class
    assert_line '0 of 13 students to be graded'
    GRADE_KERNEL=native run grade_class -w weights class # another kernel
    assert_line '13 of 13 students to be graded'
}

# bats test_tags=host
@test "killed (kill -9 of all of it, Ctrl-C) and begun again: the same result, what was complete is not graded again, and nothing is left running" {
    stand_in
    local i signal pid
    for i in {1..5}; do student "s$i" points "$i" seconds 0.1; done
    echo 2 >class/s2/seconds
    grade_class -j 2 class
    cp out/grades.csv out/summary.html .
    for signal in KILL INT TERM; do
        rm -rf out
        : >graded
        set -m
        timeout --foreground 100 "$TREE/grade/class" -j 2 -o out class >said 2>&1 3>&- &
        set +m
        pid=$!
        eventually test -d out/reports/s1
        kill -"$signal" -- "-$pid"
        wait "$pid" || true
        [[ $signal == KILL ]] || grep -q 'grade/class: interrupted' said || fail "$signal: $(<said)"
        [[ ! -e out/grades.csv ]] || fail "$signal: it has gone on"
        eventually flock -n out/.class/lock true # all that it has started holds that
        run ! grep -qx 'end s2' graded
        local complete
        complete=$(find out/reports -name .key | wc -l)
        : >graded
        run grade_class -j 2 class
        assert_success
        assert_line "$((5 - complete)) of 5 students to be graded"
        assert_equal "$(graded begin)" "$((5 - complete))"
        cmp grades.csv out/grades.csv
        cmp summary.html out/summary.html
    done
}

# bats test_tags=host
@test "told to end (kill, a service manager): what it has started has ended when it ends, and nothing more is begun" {
    stand_in
    student anna seconds 100
    student bert seconds 100
    "$TREE/grade/class" -j 1 -o out class >said 2>&1 3>&- &
    local pid=$! begin=$SECONDS
    eventually test -s graded
    kill -TERM "$pid"
    wait "$pid" && fail 'it was not interrupted' || assert_equal "$?" 143
    ((SECONDS - begin < 20)) || fail "it took $((SECONDS - begin)) s"
    flock -n out/.class/lock true || fail 'something still holds the lock'
    local folder
    for folder in /proc/[0-9]*/cwd; do
        [[ $(readlink "$folder") != "$PWD/out"* ]] || fail "left: $folder, $(tr '\0' ' ' <"${folder%cwd}cmdline")"
    done
    assert_equal "$(<graded)" 'begin anna'
}

# bats test_tags=host
@test "where the grader fails it is an error and no zero, is told at the end, and is tried again" {
    stand_in
    student anna points 10
    student bert broken yes
    run --separate-stderr grade_class class
    assert_failure 1
    assert_line 'anna: 10 of 10'
    assert_line 'bert: not graded'
    assert_regex "$stderr" '1 could not be graded; the same command tries them again'
    assert_regex "$stderr" '  bert: lab/run: no lab today'
    assert_equal "$(grep bert out/grades.csv)" '"bert","","","","","not graded: lab/run: no lab today","","",""'
    assert_regex "$(<out/summary.html)" 'bert.*not graded: lab/run: no lab today'
    assert_regex "$(<out/summary.html)" 'lowest 10'
    rm class/bert/broken
    : >graded
    run grade_class class
    assert_success
    assert_line '1 of 2 students to be graded'
    assert_equal "$(column 2)" $'score\n10\n3'
    # What is broken later has no old mark.
    touch class/bert/broken
    run grade_class class
    assert_failure 1
    assert_equal "$(column 2)" $'score\n10'
}

# bats test_tags=host
@test "two at once in one folder: the second says so, and leaves the first alone" {
    stand_in
    student anna seconds 100
    grade_class class >first 2>&1 &
    local pid=$!
    eventually test -s graded
    run --separate-stderr grade_class class
    assert_failure 1
    assert_regex "$stderr" 'grades are being written in .*/out already'
    kill -TERM "$pid"
    wait "$pid" || true
}

# bats test_tags=host
@test "one student again: the others stay as they are, with the settings of before; a name that is not there gets near ones" {
    stand_in
    student anna points 1
    student 'Jörg Müller' points 2
    student smith points 3
    run --separate-stderr grade_class -r anna
    assert_failure 1
    assert_regex "$stderr" 'holds no grades of a class'
    printf '04: memory behind = 0\n' >weights
    grade_class -w weights -s 4 class
    : >graded
    echo 9 >class/anna/points
    echo 9 >class/smith/points
    run grade_class -r anna
    assert_success
    assert_line 'so far: 1 of 10'
    assert_line 'anna: 9 of 10'
    refute_output --partial 'other tests or points'
    assert_equal "$(<graded)" $'begin anna\nend anna'
    assert_equal "$(column 2)" $'score\n2\n9\n3'
    run --separate-stderr grade_class -r 'Jorg Muller'
    assert_failure 1
    assert_regex "$stderr" "there is no student 'Jorg Muller'; did you mean Jörg Müller\\?"
    run --separate-stderr grade_class -r smi
    assert_regex "$stderr" "did you mean smith\\?"
    # Where it fails, the mark of before stays.
    touch class/anna/broken
    run --separate-stderr grade_class -r anna
    assert_failure 1
    assert_equal "$(column 2)" $'score\n2\n9\n3'
    rm class/anna/broken
    printf '04: memory behind = 1\n' >weights
    run make -s -C "$TREE" -o all regrade STUDENT=anna OUT="$PWD/out"
    assert_success
    assert_line "2 of 3 students have been graded with other tests or points than those of now; make grade-class would do it again"
}

# bats test_tags=host
@test "make grade-class and make grade: names with an apostrophe, a blank and a dollar sign arrive as they are" {
    local odd="it's \$HOME \"1\""
    mkdir "$odd"
    sed 's/points:3/points:5/' "$TREE/tests/01-one-to-one.bats" >"$odd/01-more.bats"
    printf '01: back to back = 7\n' >"$odd/weights"
    local options=(-s --no-print-directory -C "$TREE" STAGE=1 "HIDDEN=${PWD//\$/\$\$}/${odd//\$/\$\$}" "WEIGHTS=$PWD/${odd//\$/\$\$}/weights" "TESTS=back to back|it's")
    (
        stand_in
        student "Max O'Neill"
        make "${options[@]}" grade-class "SUBMISSIONS=$PWD/class" "OUT=$PWD/out ${odd//\$/\$\$}" 3>&-
        mapfile -d '' -t settings <"out $odd/.class/settings"
        assert_equal "$(printf '%s|' "${settings[@]}")" "$PWD/class|$PWD/$odd|$PWD/$odd/weights|back to back|it's|1|"
        assert_equal "$(cut -d , -f 1,2 "out $odd/grades.csv")" $'"name","score"\n"Max O\'Neill",3'
        make "${options[@]}" regrade "STUDENT=Max O'Neill" "OUT=$PWD/out ${odd//\$/\$\$}" 3>&-
        assert_equal "$(graded begin)" 2
    )
    cp "$TREE"/01-one-to-one/*.[ch] "$odd"
    timeout 200 make "${options[@]}" grade "SUBMISSION=$PWD/${odd//\$/\$\$}" "OUT=$PWD/one ${odd//\$/\$\$}" 3>&-
    assert_equal "$(jq -c '[.tests[] | [.max, .status, .hidden]]' "one $odd/grade.json")" '[[7,"passed",true],[7,"passed",false]]'
}

# bats test_tags=host
@test "every command of grading knows a stage by its name, its number, and the number without its zero; nothing else" {
    local name
    for name in 01-one-to-one 01 1; do
        assert_equal "$("$TREE/grade/stage" "$name")" 01-one-to-one
        "$TREE/grade/handout" -s "$name" -o "out$name" >said 3>&-
        assert_equal "$(cd "out$name/handout" && echo 0*)" 01-one-to-one
        "$TREE/grade/classroom/write" -s "$name" "$name.yml"
        grep -q 'grade/grade -s 01-one-to-one ' "$name.yml"
    done
    for name in '' 0 6 001-one-to-one 1-one-to-one one 01-one '.*' '1 ' -1; do
        run "$TREE/grade/stage" "$name"
        assert_failure 1
        assert_output ''
        for command in grade handout classroom/write gradescope/pack; do
            run "$TREE/grade/$command" -s "$name" x
            assert_equal "$command: $status" "$command: 2"
        done
        run "$TREE/grade/class" -s "$name" -o out .
        assert_failure 2
    done
}

# bats test_tags=host
@test "bad usage ends with 2, what cannot be done with 1 and a reason" {
    mkdir -p empty class
    student anna
    local arguments
    for arguments in '' '-o' '-o out' '-o out class class' '-o out -s 9 class' '-o out -q class' '-o out -j many class'; do
        # shellcheck disable=SC2086 # several words
        run --separate-stderr "$TREE/grade/class" $arguments
        assert_equal "$arguments: $status" "$arguments: 2"
        assert_regex "$stderr" 'usage: grade/class|there are: 01-one-to-one'
    done
    for arguments in '-o out nowhere' '-o out empty' '-o out -x nowhere class' '-o out -w nowhere class' '-o class/out class' '-o out -r anna'; do
        # shellcheck disable=SC2086
        run --separate-stderr "$TREE/grade/class" $arguments
        assert_equal "$arguments: $status" "$arguments: 1"
        assert_regex "$stderr" '^grade/class: .'
    done
}

# bats test_tags=host
@test "three real submissions, one of them on another machine's copy of the course: marks, reports, and nothing elsewhere has changed" {
    mkdir -p class/good/01-one-to-one 'class/über' ssh
    cp "$TREE"/01-one-to-one/*.c class/good/01-one-to-one
    cp "$TREE"/01-one-to-one/echo_client.c class/über
    echo 'int main(void) { return undeclared; }' >class/über/echo_server.c
    echo 'no program' >notes.txt
    bsdtar -c -f class/none.zip --format zip notes.txt
    # A shell in another folder is all that ssh does. SHELL is as little known there as it may be here.
    cat >ssh/ssh <<'END_OF_SSH'
#!/usr/bin/env bash
while [[ $1 == -* ]]; do [[ $1 == -l ]] && shift; shift; done
shift
[[ $1 != -- ]] || shift
log=${0%/*}.log
cd "${0%/*}" && unset SHELL && HOME=$PWD bash -c "$*"
status=$?
printf '%d %s\n' "$status" "$*" >>"$log"
exit "$status"
END_OF_SSH
    chmod +x ssh/ssh
    touch before
    run timeout 600 "$TREE/grade/class" -s 1 -t 'back to back' -j 1 -S 1/: -S "1/$PWD/ssh/ssh other" -o out class 3>&-
    assert_success
    assert_line 'good: 3 of 3'
    assert_line 'über: 0 of 3'
    assert_line --partial 'none: 0 of 0 (no program of the stage was found'
    assert_equal "$(column 1 | tr '\n' ' ')" 'name good none über '
    assert_equal "$(column 9 | sed 1d | sort -u)" "$("$TREE/grade/version")"
    assert_regex "$(column 8 | sed -n 2p)" '^Linux .*, User Mode Linux$'
    assert_regex "$(<out/reports/über/report.txt)" 'undeclared'
    cmp class/good/01-one-to-one/echo_server.c out/reports/good/sources/01-one-to-one/echo_server.c
    run find "$TREE" -newer before -type f ! -path '*/build/*' ! -path '*/.git/*'
    assert_output ''
    grep -Eq '^0 .*/out; rsync --server --sender .*/[0-9]\.tar$' ssh.log # a grade came from there
    run find ssh -type f ! -name ssh
    assert_output ''
}

# autograder_is_whole - results.json is what Gradescope takes
autograder_is_whole() {
    jq -e '(.tests | length > 0) and ((has("score") | not) or (.score | type == "number")) and (.output | type == "string")' autograder/results/results.json
}

# bats test_tags=host
@test "Gradescope: the zip has what is required at its top, executable; an autograder's run ends with a valid results.json, also where grading fails" {
    "$TREE/grade/gradescope/pack" -s 1 autograder.zip
    run unzip -Z1 autograder.zip
    assert_line setup.sh
    assert_line run_autograder
    refute_output --partial '/build/'
    refute_line course/01-one-to-one/echo_server
    run unzip -Z autograder.zip setup.sh run_autograder
    assert_line --regexp '^-rwxr-xr-x .* setup.sh$'
    assert_line --regexp '^-rwxr-xr-x .* run_autograder$'
    assert_equal "$(unzip -p autograder.zip run_autograder | head -n 1)" '#!/usr/bin/env bash'
    bash -n <(unzip -p autograder.zip setup.sh)

    # As Gradescope's image lays it out.
    mkdir -p autograder/{source,submission,results}
    unzip -q autograder.zip -d autograder/source
    cp autograder/source/run_autograder autograder
    cp "$TREE"/01-one-to-one/*.c autograder/submission
    # What setup.sh builds there is here already.
    (cd "$TREE" && find lab grade 0* tests/tools bench -path '*/build/*' -type f -print0 -o -path 'tests/tools/*' -perm -1 -type f -print0 -o -name fanout -print0 | tar --null -T - -cf -) |
        tar -C autograder/source/course -xf -
    run env AUTOGRADER="$PWD/nowhere" autograder/run_autograder # there is no course
    mv nowhere/results/results.json autograder/results
    autograder_is_whole
    assert_equal "$(jq -c '[has("score"), (.tests[] | .visibility, has("score"))]' autograder/results/results.json)" '[false,"visible",false,"hidden",false]' # no sum
    [[ -x autograder/source/course/grade/gradescope/linux ]] || ln -s "$(command -v linux.uml)" autograder/source/course/grade/gradescope/linux
    printf '%s\0' -s 01-one-to-one -t 'back to back' >autograder/source/settings/arguments # one test is enough here
    (cd autograder && AUTOGRADER=$PWD timeout 100 ./run_autograder >results/stdout 2>&1 3>&-) || cat autograder/results/stdout
    autograder_is_whole
    assert_equal "$(jq -c '[.score, [.tests[] | [.score, .max_score, .status]]]' autograder/results/results.json)" '[3,[[3,3,"passed"]]]'
}

# bats test_tags=host
@test "GitHub Classroom: the workflow is YAML, grades with what the course has, and hands the result to the reporter under the name it looks for" {
    make -s -C "$TREE" classroom STAGE=04-sendall
    python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout, default=str)' "$TREE/build/classroom.yml" >workflow.json
    jq -e '
        .jobs["run-autograding-tests"] as $job
        | ((.["true"] // .["on"]) | index("push")) != null
        and .permissions.checks == "write" and $job["runs-on"] == "ubuntu-latest" and $job.container.image == "debian:bookworm"
        and ($job.steps | map(.uses // empty) | index("actions/checkout@v4") != null and index("classroom-resources/autograding-grading-reporter@v1") != null)
        and ($job.steps[-1] | .with.runners as $runner | .env["\($runner | ascii_upcase)_RESULTS"] == "${{ steps.\($runner).outputs.result }}")
        and ($job.steps | map(.id // empty) | index($job.steps[-1].with.runners) != null)
        and ($job.steps | map(select(.run)) | all(.run | test("@") | not))' workflow.json
    jq -r '.jobs[].steps[] | .run // empty' workflow.json >commands
    # What a student's program says is no command to the workflow, whether grading works or not.
    mkdir -p grade build/grade
    touch build/grade/report.txt
    # shellcheck disable=SC2016 # it is that script's
    printf '#!/bin/sh\necho "  ::notice title=Autograding report::forged"\nexit ${GRADE_STATUS-0}\n' >grade/grade
    printf '#!/bin/sh\necho e30=\n' >grade/report
    chmod +x grade/*
    local state
    for state in 0 1; do
        GRADE_STATUS=$state GITHUB_REPOSITORY=a/b GITHUB_OUTPUT=$PWD/given GITHUB_STEP_SUMMARY=$PWD/page \
            run bash -eo pipefail -c "$(jq -r '.jobs[].steps[] | select(.id == "grade") | .run' workflow.json)"
        assert_equal "$status" "$state"
        assert_line --index 0 --regexp '^::stop-commands::[0-9a-f]{32}$'
        assert_line --index 1 '  ::notice title=Autograding report::forged'
        assert_line --index 2 "::${lines[0]##*:}::"
    done
    assert_equal "$(<given)" 'result=e30='
    bash -n commands
    grep -q -- 'grade/grade -s 04-sendall ' commands
    grep -oE '(lab|grade)/[a-z]+' commands | sort -u | while read -r command; do
        [[ -x $TREE/$command ]] || fail "$command cannot be executed"
    done
}
