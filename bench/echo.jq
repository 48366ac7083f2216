# echo.jq - the results of the echo as tables, and what they say about the goal
include "stats";

.results as $all
| ([$all[] | .size // empty] | unique) as $sizes
| ["stage 01", "stage 02", "socat SCTP", "ncat SCTP"] as $sctp
| ["stage 01 -t", "socat TCP", "ncat TCP"] as $tcp
# one in flight: round trips per second; several: MB per second, there and back
| def of($what; $size; $single): [$all[] | select(.what == $what and .size == $size and (.window == 1) == $single and (.stalled | not))];
  def value: if .bits then .bits / 8e6 elif .window == 1 then 1 / .each else 2 * .rate / 1e6 end;
  def best($names; $size; $single):
    [$names[] | {name: ., figure: ([of(.; $size; $single)[] | value] | median)} | select(.figure)] | max_by(.figure) // {};
  def digits: if . >= 100 then 0 else 2 end;
  def text($what; $names; $size; $single):
    [of($what; $size; $single)[] | value]
    | if . == [] then (if any($all[]; .what == $what and .size == $size and .stalled) then "stalled" else "-" end)
      else (spread(median | digits) | left(25)) + (median / best($names; $size; $single).figure | fixed(2)) end;
  def table($single; $names):
    "", (if $single then "Round trips per second" else "Throughput in MB/s, there and back together (iperf3: one way)" end
         + ", \(if $names[0] == $sctp[0] then "SCTP" else "TCP" end): median [lowest highest], and how much of the best"),
    ("bytes" | left(16)) + ($sizes | map(tostring | left(32)) | add),
    ($names[] as $what | ($what | left(16)) + ([$sizes[] as $size | text($what; $names; $size; $single) | left(32)] | add));
  # where our server comes off worst against the best of the others
  def worst($what; $others; $single):
    [$sizes[] as $size | best($others; $size; $single) as $best
     | (ratios(of($what; $size; $single); of($best.name; $size; $single); value) | median) as $figure
     | select($figure) | {$figure, where: "\($size) bytes, against \($best.name)"}] | min_by(.figure) // {figure: null, where: ""};

  table(true; $sctp),
  table(true; $tcp),
  table(false; $sctp + ["iperf3 --sctp"]),
  table(false; $tcp),
  "",
  ([$all[] | select(.stopped or .error) | "\(.what): \(.stopped // .error)"] | unique[]),
  "Goals:",
  (
    (true, false) as $single
    | (["stage 01", $sctp[2:] + ["iperf3 --sctp"]], ["stage 02", $sctp[2:] + ["iperf3 --sctp"]], ["stage 01 -t", $tcp[1:]]) as [$what, $others]
    | worst($what; $others; $single)
    | goal("\(if $single then "round trips" else "throughput" end) of \($what): at least 0.95 of the best other"; .figure; .figure >= 0.95; .where)
  )
