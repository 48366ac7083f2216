# html.jq - a grade as a page: one file, with no script; $style is style.css

include "shown";

def text: shown | @html;
def line: shown_line | @html;

def row:
  "<tr><td class=\"s \(.status)\">\(if .status == "passed" then "ok" else .status end)</td>"
  + "<td class=\"n\">\(if .status == "skipped" then "" else "\(.points | number) / \(.max | number)" end)</td>"
  + "<td>\(.name | line)\(if .hidden then " <span class=\"tag\">hidden</span>" else "" end)"
  + (if .status == "passed" or .message == "" then "" else "<pre>\(.message | text)</pre>" end)
  + (if .status == "failed" then "<span class=\"soft\">Read: \(.read | line)</span>" else "" end)
  + "</td></tr>";

. as $grade
| page_top,
  "<title>\(.submission | line): \(.score | number) of \(.max | number) points</title>",
  "<style>\n\($style)</style></head><body>",
  "<h1>\(.submission | line)</h1>",
  "<p><strong>\(.score | number)</strong> of \(.max | number) points</p>",
  (if .problem == "" then empty else "<p class=\"problem\">\(.problem | line)</p>" end),
  (.compiled | map(select(.ok | not)) | if . == [] then empty else
     "<h2>Does not compile</h2>", (.[] | "<p><code>\(.program | line)</code></p><pre>\(.output | text)</pre>") end),
  (by_stage[]
   | "<h2>\(.stage | line): \(.score | number) of \(.max | number) points</h2>",
     "<table><thead><tr><th>result</th><th class=\"n\">points</th><th>behaviour</th></tr></thead><tbody>", (.tests[] | row), "</tbody></table>"),
  (.compiled | map(select(.ok and .output != "")) | if . == [] then empty else
     "<h2>What the compiler said</h2>", (.[] | "<p><code>\(.program | line)</code></p><pre>\(.output | text)</pre>") end),
  "<h2>Taken from what was handed in</h2>",
  (if .taken == [] then "<p>Nothing.</p>" else
     "<table><thead><tr><th>file</th><th>from</th><th>SHA-256</th></tr></thead><tbody>",
     (.taken[] | "<tr><td><code>\(.file | line)</code></td><td><code>\(.from | line)</code></td><td><code class=\"soft\">\(.sha256 // "" | line)</code></td></tr>"),
     "</tbody></table>" end),
  (.ignored | if . == [] then empty else
     "<details><summary>Ignored: \(length)</summary><table><tbody>",
     (.[] | "<tr><td><code>\(.from | line)</code></td><td>\(.why | line)</td></tr>"), "</tbody></table></details>" end),
  "<footer>Graded on \(.kernel | line); tests <code>\(.course | line)</code>; SHA-256 of what was taken <code>\(.sha256 | line)</code></footer>",
  "</body></html>"
