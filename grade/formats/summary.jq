# summary.jq - a class as a page: one file, with no script; $style is style.css

include "shown";

def line: shown_line | @html;
def percent($of): if $of > 0 then 100 * . / $of else 0 end;
def whole: round | tostring;

# How many students have 0 to 10 percent, 10 to 20, ...; full marks belong to the last.
def histogram:
  . as $percents
  | [range(10) as $bin | [$percents[] | select((. / 10 | floor | if . > 9 then 9 else . end) == $bin)] | length] as $bins
  | ([$bins[], 1] | max) as $most
  | "<svg viewBox=\"0 0 620 220\" width=\"620\" style=\"max-width:100%;height:auto\" role=\"img\" aria-label=\"How many students have which share of the points\">",
    "<line x1=\"20\" y1=\"180\" x2=\"600\" y2=\"180\"/>",
    (range(10) as $bin
     | ($bins[$bin] * 150 / $most) as $height
     | "<rect class=\"bar\" x=\"\(22 + 58 * $bin)\" y=\"\(180 - $height | number)\" width=\"54\" height=\"\($height | number)\"><title>\($bin * 10) to \($bin * 10 + 10) %: \($bins[$bin])</title></rect>",
       (if $bins[$bin] > 0 then "<text x=\"\(49 + 58 * $bin)\" y=\"\(174 - $height | number)\" text-anchor=\"middle\">\($bins[$bin])</text>" else empty end)),
    (range(11) as $mark | "<text x=\"\(20 + 58 * $mark)\" y=\"198\" text-anchor=\"middle\">\($mark * 10)</text>"),
    "<text x=\"310\" y=\"216\" text-anchor=\"middle\">percent of the points</text></svg>";

def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;

map(select(.grade)) as $graded
| (map(select(.error))) as $errors
| [$graded[].grade.stages[]] | unique as $stages
| ([$graded[] | .grade | by_stage[] | {stage, max}] | group_by(.stage) | map({key: .[0].stage, value: (map(.max) | max)}) | from_entries) as $max
| ([$max[]] | add // 0) as $all
| [$graded[] | .grade.score | percent($all)] as $percents
| ([$graded[].grade.tests[] | counted] | group_by([.stage, .name])
   | map({stage: .[0].stage, name: .[0].name, hidden: .[0].hidden, count: length, passed: (map(select(.status == "passed")) | length)} | select(.passed < .count))
   | sort_by([.passed / .count, .stage, .name]) | .[0:20]) as $hardest
| page_top,
  "<title>Grades</title>",
  "<style>\n\($style)</style></head><body>",
  "<h1>Grades</h1>",
  "<p>\($graded | length) students, \($all | number) points at most (\($stages | join(", ") | line))."
    + (if $percents == [] then "" else " Median \([$graded[].grade.score] | median | number), mean \(([$graded[].grade.score] | add) / ($graded | length) | number), lowest \([$graded[].grade.score] | min | number), highest \([$graded[].grade.score] | max | number)." end)
    + "</p>",
  (if $errors == [] then empty else "<p class=\"problem\">\($errors | length) could not be graded, and are in no number here.</p>" end),
  "<h2>Distribution</h2>", ($percents | histogram),
  (if $hardest == [] then empty else
     "<h2>The hardest tests</h2>",
     "<table><thead><tr><th class=\"n\">passed</th><th>behaviour</th><th>stage</th></tr></thead><tbody>",
     ($hardest[] | "<tr><td class=\"n\">\(.passed) of \(.count)</td><td>\(.name | line)\(if .hidden then " <span class=\"tag\">hidden</span>" else "" end)</td><td class=\"soft\">\(.stage | line)</td></tr>"),
     "</tbody></table>" end),
  "<h2>Students</h2>",
  "<div class=\"scroll\"><table class=\"students\"><thead><tr><th>name</th><th class=\"n\">points</th><th class=\"n\">%</th>\($stages | map("<th class=\"n\">\(line)</th>") | join(""))<th>problem</th></tr></thead><tbody>",
  ($graded + $errors | sort_by(.name)[]
   | if .error then
       "<tr><td>\(.name | line)</td><td class=\"n\">–</td><td class=\"n\"></td>\($stages | map("<td></td>") | join(""))<td class=\"problem\">not graded: \(.error | shown | split("\n") | map(select(. != "")) | last // "" | @html)</td></tr>"
     else
       .name as $name | .grade | (by_stage | map({key: .stage, value: .}) | from_entries) as $of
       | "<tr><td><a href=\"reports/\($name | @uri)/report.html\">\($name | line)</a></td><td class=\"n\">\(.score | number)</td><td class=\"n\">\(.score | percent($all) | whole)</td>"
         + ($stages | map($of[.] | if . then "<td class=\"n\">\(.score | number) / \(.max | number)</td>" else "<td class=\"n\">–</td>" end) | join(""))
         + "<td class=\"problem\">\(.problem | line)\(if .problem == "" then ([.compiled[] | select(.ok | not) | .program] | if . == [] then "" else "does not compile: \(join(", ") | line)" end) else "" end)</td></tr>"
     end),
  "</tbody></table></div>",
  "<footer>\([$graded[].grade | "Graded on \(.kernel | line); tests <code>\(.course | line)</code>"] | unique | join("<br>"))</footer>",
  "</body></html>"
