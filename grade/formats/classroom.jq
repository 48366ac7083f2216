# classroom.jq - a grade as GitHub Classroom's reporter (classroom-resources/autograding-grading-reporter) takes it: JSON in base64
#
# It comes to it in an environment variable, which holds 128 KB; so messages are short.

include "shown";

[.tests[] | counted | {
    name: (.name | shown_line),
    status: (if .status == "passed" then "pass" else "fail" end),
    score: .points,
    message: (.message | shown_line | cut(150)),
    test_code: "", filename: "", line_no: 0, duration: 0
  }] as $tests
| (if $tests == [] then [{name: "the submission can be graded", status: "fail", score: 0, message: (.problem | shown_line | cut(1000)), test_code: "", filename: "", line_no: 0, duration: 0}] else $tests end) as $tests
| {version: 1, status: (if all($tests[]; .status == "pass") then "pass" else "fail" end), max_score: .max, $tests}
| tojson | @base64
