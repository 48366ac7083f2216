# gradescope.jq - a grade as results.json, by Gradescope's specification of autograders

include "shown";

def visibility: if .hidden then "after_published" else "visible" end;

. as $grade
| {
    score: .score,
    output: ([
        (if .problem == "" then empty else "Problem: \(.problem | shown_line)\n" end),
        (.compiled[] | select(.ok | not) | "\(.program | shown_line) does not compile:\n\(.output | shown)"),
        "Taken from what was handed in:",
        (if .taken == [] then "    nothing" else .taken[] | "    \(.from | shown_line)" end),
        (if .ignored == [] then empty else "Ignored:", (.ignored | ignored | "    " + .) end)
      ] | join("\n")),
    output_format: "text",
    test_output_format: "text",
    test_name_format: "text",
    visibility: "visible",
    stdout_visibility: "hidden",
    extra_data: {sha256, course, kernel},
    tests: [.stages | to_entries[] | (.key + 1) as $stage | .value as $name
      | [$grade.tests[] | select(.stage == $name)] | to_entries[] | (.key + 1) as $number | .value
      | (if .status == "skipped" then {} else {score: .points, max_score: .max, status} end)
        + {name: (.name | shown_line), number: "\($stage).\($number)",
           output: (if .status == "failed" then "\(.message | shown)\n\nRead: \(.read | shown_line)" elif .status == "skipped" then "not run: \(.message | shown)" else "" end),
           tags: [.stage], visibility: visibility}]
  }
