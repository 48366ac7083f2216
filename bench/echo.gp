# echo.gp - draws what plot.jq has made of the echo
# The lines stand a little apart, so that their ranges do not cover each other.
set multiplot layout 1,2 title "Echo: one client, median and range of the runs" font ",18"
names = "'stage 01' 'stage 02' 'socat SCTP' 'ncat SCTP' 'iperf3 --sctp' 'stage 01 -t' 'socat TCP' 'ncat TCP'"
array colours = [0x0060ad, 0x00a0a0, 0xe69f00, 0x8b5a00, 0x8e44ad, 0x0060ad, 0xe69f00, 0x8b5a00]
do for [i=1:8] {
  set style line i lc rgb colours[i] lw 2 dt i > 5 ? 2 : 1 pt i > 5 ? 6 : 7 ps 1
}
set logscale xy
set xlabel "bytes of a message (logarithmic)"
set xtics (64, 1452, 65536)
set offsets graph 0.08, graph 0.08
set grid ytics mytics xtics lt 1 lc rgb "#cccccc", lt 1 lc rgb "#eeeeee"
set title "Round trips, one message in flight"
set ylabel "per second (logarithmic)"
set key bottom left
plot for [i=1:8] data index "trips " . word(names, i) . ";" using ($1 * 1.07**(i - 4)):2:3:4 with yerrorlines ls i title word(names, i)
set title "Throughput there and back, several in flight (iperf3: one way)"
set ylabel "MB/s (logarithmic)"
set key bottom right
plot for [i=1:8] data index "rate " . word(names, i) . ";" using ($1 * 1.07**(i - 4)):2:3:4 with yerrorlines ls i title i == 5 ? word(names, i) : ""
unset multiplot
