# junit.jq - a grade as JUnit XML, as Jenkins and GitLab read it: a test suite for each stage

include "shown";

def text: shown | @html;
def attribute: shown_line | @html;

def property($name): "    <property name=\"\($name)\" value=\"\(attribute)\"/>";

def testcase:
  "    <testcase classname=\"\(.stage | attribute)\" name=\"\(.name | attribute)\"",
  (if .status == "passed" then "/>"
   elif .status == "skipped" then "><skipped message=\"\(.message | attribute)\"/></testcase>"
   else "><failure type=\"\(.points | number)/\(.max | number)\" message=\"\(.message | split("\n")[0] // "" | attribute)\">\(.message | text)\n\(.read | text)</failure></testcase>" end);

. as $grade
| ($grade.tests | map(select(.status == "failed")) | length) as $failures
| (if .problem != "" and .tests == [] then 1 else 0 end) as $errors
| "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
  "<testsuites name=\"\(.submission | attribute)\" tests=\"\(.tests | length + $errors)\" failures=\"\($failures)\" errors=\"\($errors)\">",
  (by_stage[] | select(.tests != [])
   | .stage as $stage
   | "  <testsuite name=\"\(.stage | attribute)\" tests=\"\(.tests | length)\" failures=\"\(.tests | map(select(.status == "failed")) | length)\" errors=\"0\" skipped=\"\(.tests | map(select(.status == "skipped")) | length)\">",
     "    <properties>",
     ("\(.score | number)/\(.max | number)" | property("points")),
     ($grade.submission | property("submission")), ($grade.sha256 | property("sha256")), ($grade.course | property("course")), ($grade.kernel | property("kernel")),
     "    </properties>",
     ([.tests[] | [testcase] | join("")] | .[]),
     ([$grade.compiled[] | select((.program | startswith($stage + "/")) and .output != "") | "\(.program):\n\(.output)"] | join("\n")
      | if . == "" then empty else "    <system-out>\(text)</system-out>" end),
     "  </testsuite>"),
  (if $errors == 1 then
     "  <testsuite name=\"grading\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">",
     "    <testcase classname=\"grading\" name=\"the submission can be graded\"><error type=\"submission\" message=\"\(.problem | attribute)\">\(.problem | text)</error></testcase>",
     "  </testsuite>"
   else empty end),
  "</testsuites>"
