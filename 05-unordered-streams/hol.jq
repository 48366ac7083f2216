# hol.jq - the results of an experiment as tables, and what they say about the goals
include "stats";
include "hol-model";

.results as $all | .flows as $flows | .interval as $interval
| def names: reduce .[].what as $name ([]; if index([$name]) then . else . + [$name] end);
  def of($what): [.[] | select(.what == $what)];
  def ms: if . == null then "-" else fixed(if . >= 1000 then 0 else 1 end) end;
  def heading($columns): "" | left(24) + ($columns | map(right(10)) | add);
  # Median over the runs of each figure
  def row($name; $flows): ($name | left(24)) + ([("p50", "p90", "p99", "p100", "mean") as $figure | [$flows[][$figure]] | median | ms | right(10)] | add);
  def ratios_of($a; $b; f): ratios(of($a); of($b); f);
  def list($digits): map(fixed($digits) | right(6)) | add;
  def pace: # of all messages
    ([.[].late // 0] | add) as $late | ([.[].messages] | add) as $messages
    | if $late > $messages / 100 then "The pace was not kept: \($late) of \($messages) messages were sent more than \($interval) µs late, which is part of their delay." else empty end;
  ($all | map(select(.part != "saturated"))) as $paced
| "\(.size) bytes every \(.interval / 1000) ms, delay \(.delay) ms" as $conditions
| "",
  if .experiment == "tail" or .experiment == "goal" then
    ($all | names) as $names | "one ordered stream" as $ordered | ([$all[].run] | max) as $runs
    | {interval: (.interval / 1000), delay, rto: 1000} as $path
    | "\($conditions), loss \($all[0].loss) % \(.direction); \($runs) \(if $runs == 1 then "run" else "runs" end) of \($all[0].messages) messages",
      "Delay of a message in ms, median of the runs:",
      (heading(["p50", "p90", "p99", "max", "mean", "kB/s"])),
      ($names[] as $way | ($all | of($way)) as $flows | row($way; $flows) + ([$flows[].rate / 1000] | median | fixed(0) | right(10))),
      "The same as a part of what the ordered stream has, median of the runs:",
      ($names[] | select(. != $ordered)
       | . as $way | ($way | left(24)) + ([("p50", "p90", "p99", "p100", "mean") as $figure | $all | ratios_of($way; $ordered; .[$figure]) | median | fixed(2) | right(10)] | add)),
      "By the model:",
      ($names[] as $way | ($way | left(24)) + ([(0.5, 0.1, 0.01) as $part | $path | exceeded($way; $all[0].loss / 100; $part) | ms | right(10)] | add)
        + ("" | right(10)) + ($path | mean_delay($way; $all[0].loss / 100) | ms | right(10))),
      "p99 as a part of that of the ordered stream, run by run:",
      ($names[-2:][] as $way | ($way | left(24)) + ($all | ratios_of($way; $ordered; .p99) | list(2))),
      "",
      "Goals:",
      ($names[-2:][] as $way | ($all | ratios_of($way; $ordered; .p99)) as $ratios
       | goal("p99 of \($way) at most a third of that of one ordered stream, median of \($runs) \(if $runs == 1 then "run" else "runs" end)"; $ratios | median; ($ratios | median) <= 0.3334; ""))
  elif .experiment == "loss" then
    ($all | names) as $names | ([$all[].run] | max) as $runs | ([$all[].loss] | unique) as $losses
    | {interval: (.interval / 1000), delay, rto: 1000} as $path
    | ("p99", "mean") as $figure
    | (if $figure == "p99" then "\($conditions), loss \(.direction); \($runs) \(if $runs == 1 then "run" else "runs" end) of \($all[0].messages) messages" else "" end),
      "\($figure) of the delay in ms against the loss, median of the runs, and by the model:",
      ("" | left(24)) + ($losses | map("\(.) %" | right(16)) | add),
      ($names[] as $way | ($way | left(24)) + ([$losses[] as $loss | [$all[] | select(.what == $way and .loss == $loss)[$figure]] | median | ms | right(8)
        | . + ($path | if $figure == "p99" then exceeded($way; $loss / 100; 0.01) else mean_delay($way; $loss / 100) end | ms | right(8))] | add)),
      "as a part of that of the ordered stream:",
      ($names[] as $way | select($way != $names[1]) | ($way | left(24)) + ([$losses[] as $loss | [$all[] | select(.loss == $loss)] | ratios_of($way; $names[1]; .[$figure]) | median | fixed(2) | right(8) + (" " * 8)] | add))
  elif .experiment == "timers" then
    ($all | names) as $names | ([$all[].run] | max) as $runs
    | "One ordered SCTP stream, \($conditions), loss \($all[0].loss) % \(.direction); \($runs) \(if $runs == 1 then "run" else "runs" end) of \($all[0].messages) messages",
      "Delay of a message in ms, median of the runs (\($names[0]): RTO.Min 1000 ms, SACK for every second packet or after 200 ms):",
      heading(["p50", "p90", "p99", "max", "mean"]),
      ($names[] as $way | row($way; $all | of($way)))
  else
    ($all | names) as $names | ([$all[].run] | max) as $runs
    | "\($conditions), no loss; \($runs) \(if $runs == 1 then "run" else "runs" end) of \($paced[0].messages) messages",
      (("few", "many") as $part | [$paced[] | select(.part == $part)] as $here
        | "Delay of a message in ms, \($here | map(.at_once) | min) flows at the same time, median of the runs:",
          heading(["p50", "p90", "p99", "max", "mean"]),
          ($names[] as $way | row($way; $here | of($way))),
          ($names[2:][] as $way | "\($way) / ordered" | left(24) + ([("p50", "p90", "p99", "p100", "mean") as $figure | $here | ratios_of($way; $names[1]; .[$figure]) | median | fixed(3) | right(10)] | add))),
      ([$all[] | select(.part == "saturated")] as $here
        | "As fast as it can, \($here[0].messages) messages of \(.size) bytes over a path without delay; median [lowest highest]:",
          ("" | left(24)) + ("MB/s" | left(28)) + "processor time of both, µs a message",
          ($names[] as $way | ($here | of($way)) as $flows | ($way | left(24)) + ([$flows[].rate / 1e6] | spread(1) | left(28)) + ([$flows[] | (.receiver_cpu + .sender_cpu) / .messages * 1e6] | spread(1))),
          ($names[2:][] as $way | "\($way) / ordered" | left(24) + ($here | ratios_of($way; $names[1]; .rate) | spread(3) | left(28)) + ($here | ratios_of($way; $names[1]; .receiver_cpu + .sender_cpu) | spread(3))))
  end,
  ($paced | pace)
