# failover-svg.awk - draws what 03-events/failover -o has written: by which path data goes while one is cut, and when lines are answered
#
# Variables: title, in words what the drawing shows

BEGIN {
    FS = "\t"
    left = 130
    width = 920
    split("said path1 path2 answered", names, " ")
    for (i = 1; i <= 4; i++)
        at[names[i]] = 96 + i * 52
}

{
    events++
    ms[events] = $1
    what[events] = $2
    more[events] = $3
    if ($1 > end)
        end = $1
    if ($2 == "said")
        said[$3] = $1
    else if ($2 == "answered") {
        delay = $1 - said[$3]
        if (cut && delay > longest) {
            longest = delay
            longest_line = $3
        }
        answered++
    } else if ($2 == "told")
        told = told sprintf("; at %d ms the client is told %s", $1, $3)
    else if ($2 != "data") {
        if ($2 == "cut")
            cut = $1
        told = told sprintf("; at %d ms path 1 is %s", $1, $2)
    }
}

# x(milliseconds) - where that is
function x(milliseconds) {
    return left + milliseconds / end * (width - left - 60)
}

# event(milliseconds, text, height, class) - a vertical line with a text to its left, above
function event(milliseconds, text, y, class) {
    line(x(milliseconds), y - 10, x(milliseconds), at["answered"] + 24, class, "3 4")
    write(x(milliseconds) - 6, y, text, class, "end")
}

END {
    head(width, 370, title, sprintf("A client says a line about every 200 ms, and data goes by path 1%s. Then data goes by path 1 again. All %d lines are answered; once the path is cut, line %d has to wait for %d ms, longer than any other.", \
        told, answered, longest_line, longest))
    write(16, at["said"] + 4, "client says")
    write(16, at["path1"] + 4, "data, path 1")
    write(16, at["path2"] + 4, "data, path 2")
    write(16, at["answered"] + 4, "answer comes")
    for (i = 1; i <= 4; i++)
        line(left, at[names[i]], width - 20, at[names[i]], "faint")
    for (n = 1; n <= events; n++)
        if (what[n] == "mended")
            printf "<path d=\"M%.1f %.1fH%.1f\" class=\"bad\" style=\"stroke-width: 5\"/>\n", x(cut), at["path1"], x(ms[n])
    for (n = 1; n <= events; n++) {
        if (what[n] == "cut")
            event(ms[n], "path 1 is cut", 90, "bad")
        else if (what[n] == "mended")
            event(ms[n], "mended", 90, "two")
        else if (what[n] == "told")
            event(ms[n], more[n], more[n] ~ /UNREACHABLE/ ? 114 : 66, more[n] ~ /UNREACHABLE/ ? "bad" : "two")
        else if (what[n] == "data")
            printf "<circle cx=\"%.1f\" cy=\"%d\" r=\"5\" class=\"one\"/>\n", x(ms[n]), at["path" more[n]]
        else if (what[n] == "answered")
            arrow(x(said[more[n]]), at["said"], x(ms[n]), at["answered"], ms[n] > cut && ms[n] - said[more[n]] > 100 ? "bad" : "two")
    }
    write(x(said[longest_line]) + 4, at["said"] - 8, longest " ms", "bad")
    for (second = 0; second * 1000 <= end; second++) {
        line(x(second * 1000), at["answered"] + 24, x(second * 1000), at["answered"] + 30)
        write(x(second * 1000), at["answered"] + 46, second " s", "faint", "middle")
    }
    print "</svg>"
}
