# starter.awk - what a source of a stage becomes for the student; grade/handout uses it, and the tests
#
# Usage: awk -f grade/starter.awk -v want=starter|reference|solution FILE
#
# What a stage teaches is an exercise: the student writes it. In the reference source it stands between two comments, each alone on its lines,
# which may go on in further lines that begin with //:
#
#     // exercise: Receive a message, whole: recvmsg() until MSG_EOR (RFC 6458, 3.1.4). TUTORIAL.md, stage 01:
#     // "Where does a message end?"
#     ... the solution ...
#     // until then: (void)fd; return NEVER;
#
# The starter has "// TODO: Receive ..." there, and instead of the solution the statements of the last line, each on a line of its own ("nothing":
# none). They keep the starter compiling without a warning. Where the program comes to a part that it cannot do without, it says so and ends with
# status 3 (errx(3, "listen_at() is to be written")), which no test takes for an error that it expects.
#
# A header without an exercise is given: it is the same for everyone.
#
#   starter    prints the starter
#   reference  prints the source without these comments
#   solution   prints the lines of the solutions
#
# Exit status 2, and the reason on standard error, where the comments do not belong together.

function wrong(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what >"/dev/stderr"
    exit failed = 2
}

# The statements of "until then", each on a line, indented as the comment.
function instead(text, indent,   count, statements, i) {
    if (text == "nothing")
        return
    count = split(text, statements, /; */)
    for (i = 1; i <= count; i++)
        if (statements[i] != "")
            print indent statements[i] ";"
}

function end_comment() {
    if (comment == "then" && want == "starter")
        instead(stub, indent)
    comment = ""
}

{
    match($0, /^ */)
    margin = substr($0, 1, RLENGTH)
    line = substr($0, RLENGTH + 1)
}

line ~ /^\/\/ exercise: / {
    end_comment()
    if (inside)
        wrong("an exercise begins within another")
    inside = 1
    comment = "exercise"
    if (want == "starter")
        print margin "// TODO: " substr(line, 14)
    next
}

line ~ /^\/\/ until then: / {
    if (!inside)
        wrong("an exercise ends that has not begun")
    inside = 0
    comment = "then"
    indent = margin
    stub = substr(line, 16)
    next
}

comment != "" && line ~ /^\/\/ / {
    if (comment == "then")
        stub = stub " " substr(line, 4)
    else if (want == "starter")
        print
    next
}

{
    end_comment()
    if (inside ? want != "starter" : want != "solution")
        print
}

END {
    if (failed)
        exit failed
    end_comment()
    if (inside)
        wrong("an exercise does not end")
}
