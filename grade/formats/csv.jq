# csv.jq - a grade as CSV: a header, and a row for each test

include "shown";

(["submission", "stage", "test", "status", "points", "max", "hidden", "message", "read"] | @csv),
(. as $grade | .tests[]
 | [$grade.submission, .stage, .name, .status, .points, .max, (if .hidden then "yes" else "no" end), .message, .read] | map(cell) | @csv)
