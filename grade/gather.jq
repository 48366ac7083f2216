# gather.jq - what grade/inside has left of a submission, as one grade; grade/gather calls it

def lines: split("\n") | map(select(. != ""));
def records: split("\u0000") | map(select(. != ""));

# What bats has said of each test (TAP), in its order: {status, message}. Of a failed one, the message begins with where in the tests it
# failed; whoever reads it has to know that least, and comes first to what was expected and what came.
def results:
  reduce (split("\n")[]) as $line ([];
    if $line | test("^(not )?ok [0-9]+ ") then
      . + [{status: (if $line | test("^ok [0-9]+ .* # skip") then "skipped" elif $line | startswith("ok ") then "passed" else "failed" end),
            said: [], why: ($line | capture("# skip ?(?<why>.*)$").why? // "")}]
    elif ($line | startswith("#")) and length > 0 then .[-1].said += [$line | ltrimstr("#") | ltrimstr(" ")]
    else . end)
  | map({status,
         message: (if .status == "skipped" then .why else
           ([.said[] | select(test("^[( ]*(from function|in test file|in file) |^  `.*' failed") | not)]
            + [.said[] | select(test("^  `.*' failed"))] | join("\n") | sub("^\\s+"; "") | sub("\\s+$"; "") | .[0:4000]) end)});

($sums | records | map({key: .[66:], value: .[0:64]}) | from_entries) as $sum
| ($tap | map({key: .file, value: (.text | results)}) | from_entries) as $said
| ($compiled | map(select(.file | endswith(".output") | not) | .file)) as $works
| ($compiled | map(select(.file | endswith(".output"))
    | (.file | rtrimstr(".output")) as $program
    | {$program, ok: ($program | IN($works[])), output: .text})) as $programs
| {
    $submission,
    sha256: $sum256,
    course: ($course | sub(" $"; "")),
    $kernel,
    stages: ($stages | lines),
    taken: [$taken | records | _nwise(2) | select(length == 2) | {file: .[0], from: .[1], sha256: $sum[.[0]]}],
    ignored: [$ignored | records[] | capture("^(?<from>.*): (?<why>[^:]*)$"; "s")],
    compiled: $programs,
    tests: [$tests | sort_by(.file | (sub("^hidden-"; ""), .))[] | .file as $file
      | .text | lines | to_entries[]
      | (.value | split("\t")) as [$stage, $points, $name]
      | ([$programs[] | select(.ok and (.program | startswith($stage + "/")))] == []) as $nothing
      | ($said[$file][.key] //
          {status: "failed", message: (if $nothing then "no program of this stage compiles" else "not reached: the time for the stage was over" end)})
      | {$stage, name: $name, points: ($points | tonumber), max: ($points | tonumber), status, message,
         read: "TUTORIAL.md, stage \($stage[0:2])", hidden: ($file | startswith("hidden-"))}],
    score: 0, max: 0,
    problem: ([$problem, if $unpacking == "" then "" else "the archive could not be unpacked whole: " + $unpacking end]
      | map(select(. != "")) | join("; "))
  }
| .tests |= map(if .status == "failed" then .points = 0 else . end)
