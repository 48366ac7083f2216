# fanout.gp - draws what plot.jq has made of the fan-out; data, rooms (receivers, for the axis) come from bench/run
# The lines stand a little apart, so that their ranges do not cover each other.
set multiplot layout 3,2 columnsfirst margins screen 0.09,0.98,0.055,0.86 spacing screen 0.11,0.105 \
  title "Fan-out: the cost of a delivery to one receiver" font ",20"
names = "SENDALL limit 'loop (-l)' bundling 'ncat --broker' 'ncat --sctp --broker' mosquitto"
titles = "'chat\\_server, SENDALL' 'limit: bare SENDALL loop' 'chat\\_server -l, loop' 'bare SENDALL, bundling' 'ncat --broker (TCP)' 'ncat --sctp --broker' 'mosquitto (MQTT)'"
array colours = [0x0060ad, 0x7fb2e5, 0xdd181f, 0x00a0a0, 0xe69f00, 0x8b5a00, 0x8e44ad]
set logscale xy
set xlabel "receivers (logarithmic)"
set grid ytics mytics xtics lt 1 lc rgb "#cccccc", lt 1 lc rgb "#eeeeee"
set xrange [0.75 * real(word(rooms, 1)):1.35 * real(word(rooms, words(rooms)))]
set key off
eval "set xtics (" . rooms . ")"
do for [i=1:7] {
  set style line i lc rgb colours[i] lw 2 pt i == 1 ? 7 : i + 3 ps 0.9
}
flight(w) = w == 1 ? "one message in flight" : "32 messages in flight"
do for [w in "1 32"] {
  do for [size in "64 1000"] {
    set title "Wall time, " . size . " bytes, " . flight(w)
    set ylabel "µs (logarithmic), median and range"
    set yrange [5:(w == 1 ? 1000 : 2000)]
    if (w == 32 && size eq "64") { # here all of them are drawn
      set key at screen 0.98,0.962 vertical maxrows 3 samplen 2
    } else {
      set key off
    }
    plot for [i=1:7] data index sprintf("wall %s %s %s;", w, size, word(names, i)) using ($1 * (1 + 0.03 * (i - 4))):2:3:4 with yerrorlines ls i title word(titles, i)
  }
  set title "Processor time of the server, " . flight(w)
  set ylabel "µs (logarithmic), mean of runs and sizes"
  set yrange [1:500]
  plot for [i=1:7] data index sprintf("cpu %s %s;", w, word(names, i)) using 1:2 with linespoints ls i notitle
}
unset multiplot
