# boundaries-svg.awk - draws what figures/boundaries prints: what was given to each send call, and what each receive call brought
#
# Variables: title, in words what the drawing shows

BEGIN {
    FS = "\t"
    text = "one\\ntwo\\nthree\\n"
    byte = 44
    left = 120
}

# letters(from, count) - these bytes of the text as they are written in C
function letters(from, count,    i, at, piece) {
    at = 1
    for (i = 1; i < from + count; i++) {
        piece = substr(text, at, substr(text, at, 1) == "\\" ? 2 : 1)
        at += length(piece)
        if (i >= from)
            out = i == from ? piece : out piece
    }
    return out
}

{
    lines++
    protocol[lines] = $1
    call[lines] = $2
    bytes[lines] = $3
    key = $1 SUBSEP $2
    list[key] = list[key] (list[key] == "" ? "" : ", ") $3
}

END {
    desc = sprintf("A client gives the %s bytes of three lines to three send calls. Over TCP the calls have %s bytes, and the server's receive calls bring %s. " \
        "Over SCTP the calls have %s bytes, and the server's receive calls bring %s.", 14, list["TCP", "send"], list["TCP", "receive"], list["SCTP", "send"], list["SCTP", "receive"])
    head(left + 14 * byte + 24, 316, title, desc)
    y = 56
    for (n = 1; n <= lines; n++) {
        if (protocol[n] != protocol[n - 1]) {
            write(16, y + 4, protocol[n] == "TCP" ? "TCP carries a stream of bytes" : "SCTP carries messages", "faint")
            y += 18
        }
        if (call[n] != call[n - 1] || protocol[n] != protocol[n - 1]) {
            write(16, y + 22, call[n] == "send" ? "send" : "receive")
            at = 0
        }
        class = call[n] == "send" ? "one" : "two"
        printf "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"36\" rx=\"4\" class=\"%s\"/>\n", left + at * byte + 2, y, bytes[n] * byte - 4, class
        write(left + (at + bytes[n] / 2) * byte, y + 16, letters(at + 1, bytes[n]), class, "middle")
        write(left + (at + bytes[n] / 2) * byte, y + 31, bytes[n] " bytes", "faint", "middle")
        at += bytes[n]
        if (call[n + 1] != call[n])
            y += 48
        if (protocol[n + 1] != protocol[n])
            y += 22
    }
    print "</svg>"
}
