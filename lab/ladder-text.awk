# ladder-text.awk - the lines of ladder.awk as a ladder for a terminal
#
# Variables: colour, 1 or 0; absolute, 1 where TSNs are as they were sent.

BEGIN {
    FS = "\t"
    width = 66 # between the two sides
    dim = colour ? "\033[2m" : ""
    plain = colour ? "\033[0m" : ""
    paint["setup"] = paint["end"] = colour ? "\033[36m" : ""
    paint["data"] = colour ? "\033[32m" : ""
    paint["error"] = colour ? "\033[31m" : ""
    paint["ack"] = dim
    paint["other"] = ""
}

$1 == "line" {
    lines++
    for (i = 2; i <= 8; i++)
        field[lines, i] = $i
}

$1 == "ends" {
    associations++
    left[$2] = $3
    right[$2] = $4
}

function repeat(what, times,    all) {
    all = ""
    while (times-- > 0)
        all = all what
    return all
}

# The letter of an association: A, B, ..., Z, A1, B1, ...
function letter(number) {
    return substr("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (number - 1) % 26 + 1, 1) (number > 26 ? int((number - 1) / 26) : "")
}

END {
    several = associations > 1
    if (!several) {
        printf "%10s  %s%s%s\n", "ms", left[1], repeat(" ", width + 2 - length(left[1]) - length(right[1])), right[1]
    } else {
        for (i = 1; i <= associations; i++)
            printf "%s%s  %s to %s\n", letter(i), length(letter(i)) < 2 ? " " : "", left[i], right[i]
        printf "\n%10s     %s%s%s\n", "ms", "client", repeat(" ", width - 10), "server"
    }
    for (n = 1; n <= lines; n++) {
        text = field[n, 7]
        if (length(text) > width - 6)
            text = substr(text, 1, width - 7) "~"
        room = width - length(text) - 2
        if (field[n, 6] == "1") {
            lead = 3
            if (field[n, 4] == ">")
                arrow = repeat("-", lead) " " text " " repeat("-", room - lead - 1) ">"
            else
                arrow = "<" repeat("-", lead - 1) " " text " " repeat("-", room - lead)
        } else {
            arrow = (field[n, 6] == "0" ? "  + " : "    ") text repeat(" ", room - 2)
        }
        printf "%s%10s%s  %s|%s%s%s|%s\n", dim, field[n, 6] == "1" ? field[n, 2] : "", plain, several ? sprintf("%-3s", letter(field[n, 3])) : "",
            paint[field[n, 5]], arrow, plain, field[n, 8] == "" ? "" : "  " field[n, 8]
    }
    print ""
    print "TSNs are " (absolute ? "as they were sent" : "counted from 1 on each side") "; a SACK has the last one that it acknowledges."
    print "U unordered, B begin and E end of a message, I acknowledge at once; + in the same packet."
}
