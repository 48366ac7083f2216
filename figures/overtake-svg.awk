# overtake-svg.awk - draws what 05-unordered-streams/overtake prints: when alice says something, and when carol hears it
#
# Variables: title, in words what the drawing shows
#
# Time goes down, and is not to scale: each line of the output has a row of its own.

BEGIN {
    from_x = 320
    to_x = 560
    row = 30
}

/ms +alice says/ || /ms +carol hears/ || /its packet is lost/ || /^$/ {
    rows++
    time[rows] = $1
    text = $0
    sub(/^ *[0-9]+ ms +(alice says|carol hears)? */, "", text)
    shown[rows] = text
    what[rows] = /alice says/ ? "said" : /carol hears/ ? "heard" : NF == 0 ? "" : "lost"
    if (what[rows] == "")
        round++
    if (what[rows] == "heard") {
        sub(/^(\[[0-9]+\] )?[^:]*: /, "", text)
        heard[round, text] = rows
        order = order (order == "" ? "" : ", ") time[rows] " ms: " text
    }
    in_round[rows] = round
}

END {
    desc = "Time goes down. Alice says three things, twice, and each time the packet of the first is lost. Carol hears, in this order: " order "."
    height = 76 + rows * row
    head(920, height, title, desc)
    write(from_x, 54, "alice says", "", "middle")
    write(to_x, 54, "carol hears", "", "middle")
    line(from_x, 64, from_x, height - 12, "faint")
    line(to_x, 64, to_x, height - 12, "faint")
    for (n = 1; n <= rows; n++) {
        y = 70 + (n - 0.5) * row
        if (what[n] == "said") {
            write(from_x - 14, y + 4, shown[n] "   " sprintf("%5d", time[n]) " ms", shown[n] ~ /^\// ? "faint" : "", "end")
            if (!((in_round[n], shown[n]) in heard))
                continue # a command of the client's own
            lost = what[n + 1] == "lost"
            last = shown[n] ~ /third/
            to_y = 70 + (heard[in_round[n], shown[n]] - 0.5) * row
            class = lost ? "bad" : last ? "two" : "one"
            if (lost) {
                line(from_x + 4, y, from_x + 90, y + 10, class)
                cross(from_x + 94, y + 10, class)
                arrow(from_x + 4, y + row * 1.2, to_x - 4, to_y, class, "6 5")
            } else
                arrow(from_x + 4, y, to_x - 4, to_y, class)
        } else if (what[n] == "lost")
            write(from_x - 14, y + 4, "its packet is lost   " sprintf("%5d", time[n]) " ms", "bad", "end")
        else if (what[n] == "heard")
            write(to_x + 14, y + 4, sprintf("%5d", time[n]) " ms   " shown[n], shown[n] ~ /third/ ? "two" : "")
    }
    print "</svg>"
}
