# screen-svg.awk - draws what is on a terminal's screen as SVG: reads the lines of `tmux capture-pane -p -e`
#
# Variables: columns, rows; cursor_x, cursor_y; title, what the picture shows, in words

BEGIN {
    width = 8.43 # of a character of 14 pixels
    height = 19
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"title\" " \
        "font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\" fill=\"#d0d7de\">\n",
        columns * width + 32, rows * height + 28
    printf "<title id=\"title\">%s</title>\n", escape(title)
    print "<style>"
    palette("  ", "#f6f8fa", "#24292f", "#5c6670", "24292f a0111f 116329 6b4a00 0550ae 7326c9 0a5c66 24292f", "5c6670 c11529 1a7431 7a5500 0a5fc4 8250df 1b6b75 24292f")
    print "  @media (prefers-color-scheme: dark) {"
    palette("    ", "#1d2733", "#d0d7de", "#8b949e", "1d2733 ff7b72 7ee787 e3b341 79c0ff d2a8ff 56d4dd d0d7de", "6e7681 ffa198 aff5b4 f8e3a1 a5d6ff e2c5ff b3f0ff ffffff")
    print "  }\n</style>"
    print "<rect width=\"100%\" height=\"100%\" rx=\"8\" class=\"ground\"/>"
    printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" class=\"dim\"/>\n",
        16 + cursor_x * width, 14 + cursor_y * height, width, height
}

# palette(indent, ground, ink, dim, normal, bright) - the last two are the terminal's eight colours, and the eight bright ones
function palette(indent, ground, ink, dim, normal, bright,    i, list) {
    printf "%s.ground { fill: %s } text { fill: %s } .dim { fill: %s }", indent, ground, ink, dim
    split(normal, list, " ")
    for (i = 1; i <= 8; i++)
        printf " .c%d { fill: #%s }", i - 1, list[i]
    split(bright, list, " ")
    for (i = 1; i <= 8; i++)
        printf " .b%d { fill: #%s }", i - 1, list[i]
    print ""
}

# style(codes) - what the parameters of an SGR sequence change, as of now
function style(codes,    n, i, code, list) {
    n = split(codes == "" ? "0" : codes, list, ";")
    for (i = 1; i <= n; i++) {
        code = list[i] + 0
        if (code == 0) {
            colour = ""
            weight = ""
            dim = 0
        } else if (code == 1)
            weight = " font-weight=\"bold\""
        else if (code == 2)
            dim = 1
        else if (code >= 30 && code <= 37)
            colour = "c" code - 30
        else if (code == 39)
            colour = ""
        else if (code >= 90 && code <= 97)
            colour = "b" code - 90
    }
}

{
    sub(/ +$/, "")
    printf "<text x=\"16\" y=\"%d\" xml:space=\"preserve\" textLength=\"", 28 + (NR - 1) * height
    rest = $0
    plain = $0
    gsub(/\033\[[0-9;]*m/, "", plain)
    printf "%.1f\">", length(plain) * width
    while (match(rest, /\033\[[0-9;]*m/)) {
        run(substr(rest, 1, RSTART - 1))
        style(substr(rest, RSTART + 2, RLENGTH - 3))
        rest = substr(rest, RSTART + RLENGTH)
    }
    run(rest)
    print "</text>"
}

# run(s) - a text in one style
function run(s) {
    if (s != "")
        printf "<tspan%s%s>%s</tspan>", dim ? " class=\"dim\"" : colour == "" ? "" : " class=\"" colour "\"", weight, escape(s)
}

END {
    print "</svg>"
}
