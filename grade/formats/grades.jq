# grades.jq - a class as CSV: a header, and a row for each student; whoever could not be graded has no points there, not 0

include "shown";

. as $class
| [.[].grade // empty | .stages[]] | unique as $stages
| (["name", "score", "max", ($stages[] | ., . + " max"), "problem", "sha256", "kernel", "course"] | @csv),
  ($class[]
   | if .error then [.name, "", "", ($stages[] | "", ""), "not graded: \(.error | split("\n") | map(select(. != "")) | last // "")", "", "", ""]
     else
       .name as $name | .grade | (by_stage | map({key: .stage, value: .}) | from_entries) as $of
       | [$name, .score, .max, ($stages[] | $of[.] | .score // "", .max // ""),
          (if .problem != "" then .problem else [.compiled[] | select(.ok | not) | .program] | if . == [] then "" else "does not compile: \(join(", "))" end end),
          .sha256, .kernel, .course]
     end
   | map(cell) | @csv)
