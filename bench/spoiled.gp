# spoiled.gp - draws what plot.jq has made of the spoiled room
set title "A room of " . rooms . " readers, without and with one more client that does not read: median and range of the runs" font ",17"
set logscale y
set ylabel "delay of a message, ms (logarithmic)"
set xrange [-0.6:2.6]
set grid ytics lt 1 lc rgb "#cccccc"
set key outside center bottom horizontal maxcols 3
set bmargin 7
set style line 1 lc rgb "#0060ad" pt 7 ps 1.5 lw 2
set style line 2 lc rgb "#dd181f" pt 7 ps 1.5 lw 2
array points = ["p50", "p99", "max"]
array shapes = [7, 5, 9]
array ways = ["all read", "one does not"]
plot for [r=0:1] for [p=1:3] data index sprintf("%d %s;", r, points[p]) \
  using ($1 + (p - 2) * 0.2 + (r - 0.5) * 0.08):2:3:4 with yerrorbars ls r + 1 pt shapes[p] title points[p] . ", " . ways[r + 1], \
  data index "1 p50;" using 1:2:xtic(5) with points pt -1 notitle
