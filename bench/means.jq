# means.jq - what becomes of a room in which one client does not read, as a table
include "stats";

.results as $all
| "",
  "A room of \($all[0].readers) clients that read and one that does not; 64 bytes, as fast as the server takes them, for 20 s",
  ([("" | left(24)), ("messages" | right(9)), ("deliveries" | right(12)), ("miss nothing" | right(14)), ("longest silence" | right(17))] | add),
  (
    $all[] | select(.readers)
    | [(.what | left(24)), (.said | tostring | right(9)), ("\(.heard * 1000 / .due | floor / 10) %" | right(12)),
       ("\(.whole) of \(.readers)" | right(14)), (if .ended then "\(.longest | fixed(2)) s" else "for good" end | right(17))]
    | add
  ),
  "",
  ([$all[] | select(.refused or .error) | "\(.what): \(.refused // .error)"] | unique[])
