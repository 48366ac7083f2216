# hol.gp - draws what hol-plot.jq has made of the results; data, experiment, streams and conditions come from hol
array ways = ["TCP", "one ordered stream", streams, "unordered"]
array titles = ["TCP", "SCTP, one ordered stream", "SCTP, " . streams, "SCTP, unordered"]
array colours = [0xe69f00, 0xdd181f, 0x00a0a0, 0x0060ad]
array points = [9, 5, 11, 7]
do for [i=1:4] {
  set style line i lc rgb colours[i] lw 2.5 pt points[i] ps 1.1
  set style line 4 + i lc rgb colours[i] lw 1.5 dt (8, 6)
}
set grid xtics ytics mytics lt 1 lc rgb "#cccccc", lt 1 lc rgb "#eeeeee"
set key outside center bottom horizontal maxcols 5 samplen 3
set bmargin 6
measured(i) = "measured " . ways[i] . ";"
model(i) = "model " . ways[i] . ";"
if (experiment eq "tail") {
  set title "How many messages take how long: " . conditions font ",17"
  set logscale xy
  set xlabel "delay of a message, ms (logarithmic)"
  set ylabel "part of the messages that takes longer (logarithmic)"
  set xrange [9:4000]
  set yrange [1e-4:1]
  set xtics (10, 20, 30, 50, 100, 200, 500, 1000, 2000)
  set ytics ("all" 1, "10 %%" 0.1, "1 %%" 0.01, "0.1 %%" 0.001, "0.01 %%" 0.0001)
  set arrow from 9, 0.01 to 4000, 0.01 nohead lc rgb "#888888" lw 1
  set label "p99" at 3900, 0.0115 right textcolor rgb "#666666"
  plot for [i=1:4] data index measured(i) using 1:2 with steps ls i title titles[i], \
    for [i=1:4] data index model(i) using 1:2 with lines ls 4 + i notitle, NaN with lines dt (8, 6) lw 1.5 lc rgb "#444444" title "by the model"
} else {
  set title "p99 of the delay against the loss: " . conditions font ",17"
  set xlabel "loss towards the receiver, %"
  set ylabel "p99 of the delay, ms (logarithmic): median and range of the runs"
  stats data index measured(1) using 1 nooutput
  set logscale y
  set yrange [9:4000]
  set ytics (10, 20, 30, 50, 100, 200, 500, 1000, 2000)
  set xrange [-0.03 * STATS_max:1.03 * STATS_max]
  plot for [i=1:4] data index measured(i) using ($1 + (i - 2.5) * 0.006 * STATS_max):2:3:4 with yerrorbars ls i title titles[i], \
    for [i=1:4] data index model(i) using 1:2 with lines ls 4 + i notitle, NaN with lines dt (8, 6) lw 1.5 lc rgb "#444444" title "by the model"
}
