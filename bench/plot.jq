# plot.jq - the results as data for gnuplot: a block for each line of the drawing, under its name, which ends with ";"
include "stats";

def three: "\(median) \(min) \(max)";
def block($name; rows): [rows] | if . == [] then empty else "# \($name);", .[], "", "" end;
def names: reduce .[].what as $name ([]; if index([$name]) then . else . + [$name] end);

.bench as $bench | .results as $all | ($all | names) as $names
| if $bench == "fanout" then
    # receivers, µs: median, lowest, highest
    (
      $names[] as $what | (1, 32) as $window
      | (64, 1000) as $size
      | block("wall \($window) \($size) \($what)";
          $all | map(select(.what == $what and .window == $window and .size == $size and .wall)) | group_by(.receivers)[]
          | "\(.[0].receivers) \(map(.wall * 1e6) | three)")
    ),
    (
      $names[] as $what | (1, 32) as $window
      | block("cpu \($window) \($what)";
          $all | map(select(.what == $what and .window == $window and .cpu)) | group_by(.receivers)[]
          | "\(.[0].receivers) \((map(.cpu * .deliveries) | add) / (map(.deliveries) | add) * 1e6)")
    )
  elif $bench == "spoiled" then
    # place of the contestant, ms: median, lowest, highest
    (0, 1) as $rude | ("p50", "p99", "max") as $point
    | block("\($rude) \($point)";
        range($names | length) as $i
        | $all | map(select(.what == $names[$i] and .spoilers == $rude and .[$point])) | select(. != [])
        | "\($i) \(map(.[$point] * 1e3) | three) \"\($names[$i])\(if $rude == 1 and any(.[]; .stalled) then "\\n(stalls for good)" else "" end)\"")
  else
    # bytes, round trips per second or MB/s: median, lowest, highest
    $names[] as $what | (true, false) as $single
    | block("\(if $single then "trips" else "rate" end) \($what)";
        $all | map(select(.what == $what and (.window == 1) == $single and .size and (.stalled | not))) | group_by(.size)[]
        | "\(.[0].size) \(map(if .bits then .bits / 8e6 elif $single then 1 / .each else 2 * .rate / 1e6 end) | three)")
  end
