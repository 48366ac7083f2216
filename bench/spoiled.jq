# spoiled.jq - the results of the spoiled room as a table, and what they say about the goal
include "stats";

.results as $all
| def of($what; $rude): [$all[] | select(.what == $what and .spoilers == $rude)];
  def ms($what; $rude; f): [of($what; $rude)[] | f // empty | . * 1e3] | if . == [] then "-" else median | fixed(1) end;
  def times($what; f): ratios(of($what; 1); of($what; 0); f) | median;
  def names: reduce ($all[] | .what) as $name ([]; if index([$name]) then . else . + [$name] end);
  ($all[0].receivers) as $readers
| "",
  "Delay of a message in a room of \($readers) readers, 1,000 bytes, 8 messages in flight: ms, median of the runs,",
  "without and with one more client that does not read, and how many times as long",
  (["" | left(16)] + (["p50", "p99", "max"] | map(left(27))) + ["messages that reached everyone"] | add),
  (
    names[] as $what
    | ([($what | left(16))]
       + [(ms($what; 0; .p50), ms($what; 1; .p50) | left(10)), (times($what; .p50) | fixed(2) | left(7))]
       + [(ms($what; 0; .p99), ms($what; 1; .p99) | left(10)), (times($what; .p99) | fixed(2) | left(7))]
       + [(ms($what; 0; .max), ms($what; 1; .max) | left(10)), (times($what; .max) | fixed(2) | left(7))]
       + [(0, 1) as $rude | [of($what; $rude)[] | .messages] | median | fixed(0) | left(10)]
       + [if any(of($what; 1)[]; .stalled) then "then it stalled for good" else "" end]
       | add)
  ),
  "",
  ([$all[] | select(.refused or .error) | "\(.what): \(.refused // .error)"] | unique[]),
  "Goals:",
  (
    ([of("SENDALL"; 1)[] | .messages] | min) as $messages | ([$all[] | .messages // 0] | max) as $due
    | (times("SENDALL"; .p99) | goal("p99 with one that does not read within 1.2 times"; .; . <= 1.2 and $messages == $due; "of \($messages) messages of \($due)")),
      goal("part of \($due) messages that reached everyone"; $messages / $due; $messages == $due; "")
  )
