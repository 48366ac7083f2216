# table.jq - a grade as a table for people; $color is "yes" on a terminal

include "shown";

def paint($code): if $color == "yes" then "\u001b[\($code)m\(.)\u001b[0m" else . end;
def right($width): (if type == "number" then number else . end) | (" " * ($width - length) // "") + .;
def left($width): . + (" " * ($width - length) // "");
def indented($by): split("\n") | map(if . == "" then . else " " * $by + . end) | join("\n");
def some($most; f): (.[0:$most][] | f), (if length > $most then "    … and \(length - $most) more" else empty end);

def row:
  (.status | if . == "failed" then "FAILED" elif . == "passed" then "ok" else . end) as $says
  | "  \($says | left(8) | if $says == "ok" then paint("32") elif $says == "FAILED" then paint("31") else paint("33") end)"
    + (if $says == "skipped" then " " * 9 else "\(.points | right(3)) / \(.max | right(3))" end)
    + "   \(.name | shown_line)\(if .hidden then " (hidden)" else "" end)",
    (if .status == "passed" or .message == "" then empty else .message | shown | lines(40) | join("\n") | indented(22) end),
    (if .status == "failed" then "read: \(.read | shown_line)" | indented(22) else empty end);

. as $grade
| "\(.submission | shown_line): \(.score | number) of \(.max | number) points" | paint("1")
, ($grade | if .problem != "" then "", ("Problem: " + (.problem | shown_line) | paint("31")) else empty end)
, ($grade.compiled | map(select(.ok | not)) | .[]
   | "", ("\(.program | shown_line) does not compile:" | paint("31")), (.output | shown | sub("\n+$"; "") | lines(30) | join("\n") | indented(4)))
, ($grade | by_stage[]
   | "", ("\(.stage): \(.score | number) of \(.max | number) points" | paint("1")), (.tests[] | row))
, ($grade.compiled | map(select(.ok and .output != "")) | .[]
   | "", "The compiler on \(.program | shown_line):", (.output | shown | sub("\n+$"; "") | lines(15) | join("\n") | indented(4)))
, ($grade.taken | if . == [] then empty else
   "", "Taken from what was handed in:", some(60; "    \(.file | shown_line)" + (if .file == .from then "" else "   from \(.from | shown_line)" end)) end)
, ($grade.ignored | if . == [] then empty else
   "", "Ignored:", (ignored | "    " + .) end)
, "", "Graded on \($grade.kernel | shown_line); tests \($grade.course | shown_line); SHA-256 of what was taken \($grade.sha256)"
