# weights.jq - gives tests the points that the instructor's file says (grade/weights tells what stands in it)
#
# Usage: jq --rawfile weights FILE [--arg check yes] -f grade/weights.jq GRADE.json
#
# In the grade, each of .tests[] has `stage`, `name`, `max` (the points that its tag says), `points` (what it got: these, or 0) and `status`. Out comes the
# grade with other points, and with `score` and `max`. With `check`, .tests[] are all that there are, and a line that names none of them is an error.
# Every error names its line.

def trim: sub("^\\s+"; "") | sub("\\s+$"; "");

def wrong(why): error("line \(.line): \(why)");

# What the file says: [{line, stage, test, points}]
def rules:
  [$weights | split("\n") | to_entries[] | {line: (.key + 1), text: (.value | trim)} | select(.text | (. == "" or startswith("#")) | not)
    | . as $line
    | (.text | capture("^(?<stage>[^:]*):(?<test>.*)=(?<points>[^=]*)$") | map_values(trim))
      // ($line | wrong("this is not \"STAGE: TEST = POINTS\""))
    | . + {line: $line.line}
    | if .stage | test("^(\\*|[0-9]{2}(-[a-z0-9-]+)?)$") then . else wrong("'\(.stage)' is no stage (04-sendall, 04, or * for all)") end
    | if .test == "" then wrong("there is no test before the =") else . end
    | if .points | test("^[0-9]+([.][0-9]+)?$") then .points |= tonumber else wrong("'\(.points)' is no number of points") end
    | . as $rule
    | try (.test as $regex | "" | test($regex) | $rule) catch ($rule | wrong("'\(.test)' is no regular expression"))];

def of_stage($tests): .stage as $stage | $tests | map(select($stage == "*" or .stage == $stage or (.stage | startswith($stage + "-"))));

# The names that a rule means: the very name, where there is such a test, else all that fit.
def meant($tests): .test as $wanted | of_stage($tests) | map(.name) | if index($wanted) then [$wanted] else map(select(test($wanted))) end;

def rounded: . * 1000 | round / 1000;

rules as $rules
| .tests as $tests
| (if $ARGS.named.check then
     $rules[]
     | if of_stage($tests) == [] then wrong("there are no tests of stage '\(.stage)'")
       elif meant($tests) == [] then wrong("there is no test '\(.test)' in \(if .stage == "*" then "any stage" else "stage \(.stage)" end)")
       else empty end
   else empty end),
  (.tests |= [.[] as $test
     | ($rules | map(select((of_stage([$test]) != []) and (meant($tests | map(select(.stage == $test.stage))) | index($test.name))) | .points) | last // $test.max) as $max
     | $test + {$max, points: (if $test.status == "passed" then $max else 0 end)}]
   | .score = ([.tests[] | select(.status == "passed") | .points] | add // 0 | rounded)
   | .max = ([.tests[] | select(.status != "skipped") | .max] | add // 0 | rounded))
