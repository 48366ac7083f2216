# ladder-svg.awk - the lines of ladder.awk as a picture
#
# Variables: title, a line about what is shown.
#
# A chunk's kind is told by its colour and by its line: set-up and shutdown are solid, DATA is thick, acknowledgements are dashed, and an
# ABORT or ERROR ends in a cross. Colours are those of a dark text on light ground, and change with the reader's preference.

BEGIN {
    FS = "\t"
    left_x = 96
    right_x = 664
    width = 760
    row = 22
}

$1 == "line" {
    lines++
    for (i = 2; i <= 8; i++)
        field[lines, i] = $i
    # A path stands to the right of the ladder, which has room for a port there, and is as wide as it needs.
    if (right_x + 20 + 7.6 * length($8) > width)
        width = int(right_x + 20 + 7.6 * length($8))
}

$1 == "ends" {
    associations++
    left[$2] = $3
    right[$2] = $4
}

function letter(number) {
    return substr("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (number - 1) % 26 + 1, 1) (number > 26 ? int((number - 1) / 26) : "")
}

function palette(indent, ground, ink, faint, setup, data, error) {
    printf "%s  .ground { fill: %s } text { fill: %s } path { stroke: %s } text.faint { fill: %s }\n", indent, ground, ink, faint, faint
    printf "%s  .setup path, .end path { stroke: %s } .setup .label, .end .label { fill: %s }\n", indent, setup, setup
    printf "%s  .data path { stroke: %s } .data .label { fill: %s }\n", indent, data, data
    printf "%s  .error path { stroke: %s } .error .label { fill: %s }\n", indent, error, error
}

END {
    several = associations > 1
    top = 66 + (several ? associations * 18 : 0)
    y = top
    for (n = 1; n <= lines; n++) {
        y += field[n, 6] == "1" ? row + 6 : row - 6
        at[n] = y
    }
    height = y + 30
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"title desc\">\n", width, height, width, height
    printf "<title id=\"title\">%s</title>\n<desc id=\"desc\">A ladder of the packets between client and server, from top to bottom:", escape(title)
    for (n = 1; n <= lines; n++)
        if (field[n, 6] == "+")
            printf " %s", escape(field[n, 7])
        else
            printf "%s %s%s %s", (n > 1 ? ";" : ""), several ? letter(field[n, 3]) ": " : "", field[n, 4] == ">" ? "to the server" : "to the client", escape(field[n, 7])
    print ".</desc>"
    print "<style>"
    palette("", "#ffffff", "#222222", "#6a6a6a", "#005f87", "#1a7431", "#b00020")
    print "  text { font: 12.5px ui-monospace, 'DejaVu Sans Mono', monospace; white-space: pre }"
    print "  path { fill: none; stroke-width: 1.6 } .data path { stroke-width: 2.4 } .ack .line { stroke-dasharray: 5 4 }"
    print "  @media (prefers-color-scheme: dark) {"
    palette("  ", "#16181c", "#e6e6e6", "#9aa0a6", "#6cc5f0", "#7bd88f", "#ff7b86")
    print "  }"
    print "</style>"
    printf "<rect width=\"%d\" height=\"%d\" class=\"ground\"/>\n", width, height
    printf "<text x=\"%d\" y=\"20\" style=\"font-weight: bold\">%s</text>\n", 16, escape(title)
    if (several) {
        for (i = 1; i <= associations; i++)
            printf "<text x=\"16\" y=\"%d\" class=\"faint\">%s  %s - %s</text>\n", 26 + i * 18, letter(i), escape(left[i]), escape(right[i])
        printf "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">client</text>\n", left_x, top - 10
        printf "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">server</text>\n", right_x, top - 10
    } else {
        printf "<text x=\"16\" y=\"%d\">%s</text>\n", top - 10, escape(left[1])
        printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", right_x + 80, top - 10, escape(right[1])
    }
    printf "<path d=\"M%d %dV%dM%d %dV%d\"/>\n", left_x, top, height - 12, right_x, top, height - 12
    for (n = 1; n <= lines; n++) {
        y = at[n]
        text = field[n, 7]
        printf "<g class=\"%s\">", field[n, 5]
        if (field[n, 6] == "1") {
            printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" class=\"faint\">%s</text>", left_x - 10, y + 4, field[n, 2]
            if (field[n, 8] != "")
                printf "<text x=\"%d\" y=\"%d\" class=\"faint\">%s</text>", right_x + 10, y + 4, field[n, 8]
            if (field[n, 4] == ">") {
                from = left_x + 3
                to = right_x - 3
                head = -8
            } else {
                from = right_x - 3
                to = left_x + 3
                head = 8
            }
            printf "<path class=\"line\" d=\"M%d %dH%d", from, y, to
            if (field[n, 5] == "error")
                printf "M%d %dl8 8m0 -8l-8 8", to - 4, y - 4
            printf "\"/><path d=\"M%d %dL%d %dL%d %d\"/>", to + head, y - 4, to, y, to + head, y + 4
        }
        printf "<text x=\"%d\" y=\"%d\" class=\"label\">%s%s%s</text></g>\n", left_x + 14, field[n, 6] == "1" ? y - 5 : y, several && field[n, 6] == "1" ? letter(field[n, 3]) "  " : "",
            field[n, 6] == "1" ? "" : (several ? "   " : "") (field[n, 6] == "0" ? "+ " : "  "), escape(text)
    }
    print "</svg>"
}
