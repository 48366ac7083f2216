# shown.jq - how text that comes from a submission is shown: for all formats

def digit: if . < 10 then 48 + . else 55 + . end; # of base 16, as a code point

# A code point below 65536 as the bytes of its UTF-8, each as \xNN.
def escaped:
  (if . < 128 then [.] elif . < 2048 then [192 + (. / 64 | floor), 128 + . % 64]
   else [224 + (. / 4096 | floor), 128 + (. / 64 | floor) % 64, 128 + . % 64] end)
  | .[] | 92, 120, (. / 16 | floor | digit), (. % 16 | digit);

# As gsub(), which takes ten times as long where there is much to replace.
def swap($from; $to): split($from) | join($to);

# Control characters would steer a terminal, and XML does not allow them; bidirectional ones would swap what is shown.
def shown:
  (. // "") | swap("\r\n"; "\n")
  | [explode[]
     | if . == 9 or . == 10 or (. > 31 and . < 127) then .
       elif . < 160 or . == 1564 or . == 8206 or . == 8207 or (. >= 8234 and . <= 8238) or (. >= 8294 and . <= 8297) or . == 65279 or . == 65534 or . == 65535
       then escaped
       else . end]
  | implode;

# The same in one line.
def shown_line: shown | swap("\n"; "\\x0A") | swap("\t"; "\\x09");

# At most so many lines, and characters in each.
def lines($most): split("\n") | if length > $most then .[0:$most] + ["… and \(length - $most) more lines"] else . end;
def cut($most): if length > $most then .[0:$most] + "…" else . end;

# The top of a page, up to its title: it may load nothing, run nothing, and send nothing, whatever a submission has put into it.
def page_top:
  "<!DOCTYPE html>",
  "<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">",
  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">";

# Points have at most three digits after the point; jq would show 0.30000000000000004.
def number: (. * 1000 | round) / 1000 | tostring;

# A spreadsheet takes what begins like this for a formula, and computes it; with East Asian settings the full-width forms, too.
def cell: if type == "string" then shown_line | if test("^[-=+@\uff0d\uff1d\uff0b\uff20]") then "'" + . else . end else . end;

def counted: select(.status != "skipped");
def sum(f): [.[] | f] | add // 0;

# What a stage's tests are, in the order of the grade: [{stage, tests, score, max}]
def by_stage:
  . as $grade
  | [.stages[] | . as $stage | [$grade.tests[] | select(.stage == $stage)] as $tests
     | {$stage, $tests, score: ($tests | sum(select(.status == "passed") | .points)), max: ($tests | sum(counted | .max))}];

# What was ignored, in some lines: what is no source is many files, where a whole tree is handed in.
def ignored:
  (map(select(.why == "no C source")) | length) as $others
  | (map(select($others < 10 or .why != "no C source")) | (.[0:20][] | "\(.from | shown_line): \(.why | shown_line)"), (if length > 20 then "… and \(length - 20) more" else empty end)),
    (if $others < 10 then empty else "\($others) files that are no C source" end);
