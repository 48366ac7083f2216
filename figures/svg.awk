# svg.awk - what the drawings have in common: head, colours, text. Given to awk before the one that draws, after lab/escape.awk.
#
# Colours are those of lab/ladder-svg.awk, and change with the reader's preference. Classes: faint, one, two (what is compared), bad

function palette(indent, ground, ink, faint, one, two, bad) {
    printf "%s.ground { fill: %s } text { fill: %s } path, rect, circle { stroke: %s } .faint { stroke: %s } text.faint { fill: %s }\n", \
        indent, ground, ink, ink, faint, faint
    printf "%s.one { stroke: %s } .one:not(rect):not(path) { fill: %s } .two { stroke: %s } text.two { fill: %s } .bad { stroke: %s } text.bad { fill: %s }\n", \
        indent, one, one, two, two, bad, bad
}

# head(width, height, title, desc) - all that comes before the drawing; desc tells in words what is to be seen
function head(width, height, title, desc) {
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"title desc\">\n", \
        width, height, width, height
    printf "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n<style>\n", escape(title), escape(desc)
    palette("  ", "#ffffff", "#222222", "#6a6a6a", "#005f87", "#1a7431", "#b00020")
    print "  text { font: 13px ui-monospace, 'DejaVu Sans Mono', monospace; white-space: pre } text, .ground { stroke: none !important }"
    print "  path, rect, circle { fill: none; stroke-width: 1.6 }"
    print "  @media (prefers-color-scheme: dark) {"
    palette("    ", "#16181c", "#e6e6e6", "#9aa0a6", "#6cc5f0", "#7bd88f", "#ff7b86")
    print "  }\n</style>"
    printf "<rect width=\"%d\" height=\"%d\" class=\"ground\"/>\n", width, height
    write(16, 24, title, "", "bold")
}

# write(x, y, text, class, style) - style is "", bold, middle or end
function write(x, y, text, class, style) {
    printf "<text x=\"%.1f\" y=\"%.1f\"%s%s>%s</text>\n", x, y, class == "" ? "" : " class=\"" class "\"", \
        style == "" ? "" : style == "bold" ? " style=\"font-weight: bold\"" : " text-anchor=\"" style "\"", escape(text)
}

# line(x, y, to_x, to_y, class, dashes)
function line(x, y, to_x, to_y, class, dashes) {
    printf "<path d=\"M%.1f %.1fL%.1f %.1f\"%s%s/>\n", x, y, to_x, to_y, class == "" ? "" : " class=\"" class "\"", \
        dashes == "" ? "" : " stroke-dasharray=\"" dashes "\""
}

# arrow(x, y, to_x, to_y, class, dashes) - a line with a head
function arrow(x, y, to_x, to_y, class, dashes,    angle, i, turn) {
    line(x, y, to_x, to_y, class, dashes)
    angle = atan2(y - to_y, x - to_x)
    for (i = -1; i <= 1; i += 2) {
        turn = angle + i * 0.45
        line(to_x, to_y, to_x + 9 * cos(turn), to_y + 9 * sin(turn), class)
    }
}

# cross(x, y, class)
function cross(x, y, class) {
    printf "<path d=\"M%.1f %.1fl10 10m0 -10l-10 10\" class=\"%s\" style=\"stroke-width: 2.4\"/>\n", x - 5, y - 5, class
}
