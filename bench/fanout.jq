# fanout.jq - the results of the fan-out as tables, and what they say about the goals
include "stats";

.results as $all
| ([$all[] | .receivers] | unique) as $rooms
| ([$all[] | .size // empty] | unique) as $sizes
# What was measured; with null for the size, of all sizes
| def of($what; $room; $size; $window):
    [$all[] | select(.what == $what and .receivers == $room and .window == $window and ($size == null or .size == $size) and .wall)];
  def failed($what; $room):
    [$all[] | select(.what == $what and .receivers == $room) | if .refused then "refused" elif .error then "FAILED" else empty end] | .[0] // "-";
  def names($window):
    reduce ($all[] | select(.window == $window) | .what) as $name ([]; if index([$name]) then . else . + [$name] end);
  def wall($what; $room; $size; $window):
    ratios(of($what; $room; $size; $window); of("SENDALL"; $room; $size; $window); .wall) as $ratios
    | [of($what; $room; $size; $window)[] | .wall * 1e6]
    | if . == [] then failed($what; $room) else (spread(1) | left(20)) + ($ratios | median | fixed(2) | right(5)) end;
  # The kernel counts in ticks of 10 ms, which only long times smooth: the mean over runs and sizes
  def cpu($what; $room; $window):
    of($what; $room; null; $window)
    | if . == [] then null else ([.[] | .cpu * .deliveries] | add) / ([.[] | .deliveries] | add) end;
  def cpu_ratio($a; $b; $room; $window):
    cpu($a; $room; $window) as $x | cpu($b; $room; $window) as $y | if $x and $y and $y > 0 then $x / $y else null end;
  def cpu_text($what; $room; $window):
    cpu($what; $room; $window)
    | if . == null then failed($what; $room)
      else (. * 1e6 | fixed(1) | left(20)) + (cpu_ratio($what; "SENDALL"; $room; $window) | fixed(2) | right(5)) end;
  def in_flight($window): if $window == 1 then "one message in flight" else "\($window) messages in flight" end;
  def heading: ("receivers" | left(22)) + ($rooms | map(tostring | left(28)) | add);
  # The ratio of all places where it is highest or lowest (by `pick`), with the place
  def extreme(all; pick): [all | select(.figure)] | if . == [] then {figure: null, where: ""} else pick end;
  def wall_ratios($a; $b):
    $rooms[] as $room | $sizes[] as $size
    | {figure: ratios(of($a; $room; $size; 1); of($b; $room; $size; 1); .wall) | median, where: "\($room) receivers, \($size) bytes"};
  def cpu_ratios($a; $b; $window):
    $rooms[] as $room | {figure: cpu_ratio($a; $b; $room; $window), where: "\($room) receivers"};

  (
    (1, 32) as $window | names($window) as $names | select($names != [])
    | (
        $sizes[] as $size
        | "", "Wall time of a delivery, \($size) bytes, \(in_flight($window)): µs, median [lowest highest], and times SENDALL",
          heading,
          ($names[] as $what | ($what | left(22)) + ([$rooms[] as $room | wall($what; $room; $size; $window) | left(28)] | add))
      ),
      "", "Processor time of the server for a delivery, \(in_flight($window)): µs, mean of runs and sizes, and times SENDALL",
      heading,
      ($names[] as $what | ($what | left(22)) + ([$rooms[] as $room | cpu_text($what; $room; $window) | left(28)] | add))
  ),
  "",
  ([$all[] | select(.refused or .error) | "\(.what), \(.receivers) receivers: \(.refused // .error)"] | unique[]),
  "Goals:",
  (
    ("ncat --broker", "mosquitto") as $peer | extreme(wall_ratios($peer; "SENDALL"); min_by(.figure))
    | goal("one message in flight: \($peer) takes at least 3 times as long"; .figure; .figure >= 3; .where)
  ),
  (
    extreme(wall_ratios("SENDALL"; "limit"); max_by(.figure))
    | goal("one message in flight: within 1.15 times of the limit"; .figure; .figure <= 1.15; .where)
  ),
  (
    (1, 32) as $window | ("loop (-l)", "ncat --broker", "ncat --sctp --broker", "mosquitto") as $other
    | (if $other == "loop (-l)" then 0.3334 else 0.9999 end) as $limit
    | extreme(cpu_ratios("SENDALL"; $other; $window); max_by(.figure))
    | goal("\(in_flight($window)): processor time \(if $limit < 0.5 then "at most 0.33 of" else "below" end) that of \($other), times"; .figure; .figure <= $limit; .where)
  ),
  (
    $sizes[] as $size
    | ratios(of("SENDALL"; $rooms[-1]; $size; 1); of("SENDALL"; $rooms[0]; $size; 1); .wall) | median as $figure
    | goal("one of \($rooms[-1]) deliveries within 1.2 times of one of \($rooms[0])"; $figure; $figure <= 1.2; "\($size) bytes")
  )
