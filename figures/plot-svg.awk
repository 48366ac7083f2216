# plot-svg.awk - makes a drawing of gnuplot's one for people: with title and description, and readable on dark ground
#
# Variables: title, desc
#
# gnuplot gives each colour where it is used; in style sheets such an attribute can be overruled.

# dark(colour, other) - what the reader who prefers dark has instead
function dark(colour, other) {
    printf "  [fill=\"%s\"] { fill: %s } [stroke=\"%s\"] { stroke: %s } [color=\"%s\"] { color: %s }\n", colour, other, colour, other, colour, other
}

/^<svg/ {
    print "<svg role=\"img\" aria-labelledby=\"title desc\""
    next
}

/^<title>/ {
    printf "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n<style>\n", escape(title), escape(desc)
    print "@media (prefers-color-scheme: dark) {"
    dark("#ffffff", "#16181c")
    dark("#FFFFFF", "#16181c")
    dark("black", "#e6e6e6")
    dark("rgb( 68,  68,  68)", "#c4c9ce")
    dark("rgb(102, 102, 102)", "#9aa0a6")
    dark("rgb(102,102,102)", "#9aa0a6")
    dark("rgb(136, 136, 136)", "#9aa0a6")
    dark("rgb(204, 204, 204)", "#44484e")
    dark("rgb(238, 238, 238)", "#2a2d32")
    dark("rgb(  0,  96, 173)", "#6cb2f0")
    dark("rgb(127, 178, 229)", "#b9dcff")
    dark("rgb(221,  24,  31)", "#ff7b86")
    dark("rgb(229,  30,  16)", "#ff7b86")
    dark("rgb(  0, 160, 160)", "#4fd1d1")
    dark("rgb(230, 159,   0)", "#f2b632")
    dark("rgb(139,  90,   0)", "#d19a45")
    dark("rgb(142,  68, 173)", "#c792ea")
    print "}\n</style>"
    next
}

/^<desc>/ {
    next
}

{
    gsub(/[ \t]+$/, "")
    print
}
