# stats.jq - medians, and tables of text

def median: sort | length as $n | if $n == 0 then null else (.[($n - 1) / 2 | floor] + .[$n / 2 | floor]) / 2 end;
def mean: if length == 0 then null else add / length end;

# A number with so many digits after the point
def fixed($digits):
  if . == null then "-" else
    (if . < 0 then "-" else "" end) as $sign
    | (fabs * pow(10; $digits) | round | tostring) as $text
    | ("0" * ([0, $digits + 1 - ($text | length)] | max) // "") + $text
    | $sign + (if $digits > 0 then .[:-$digits] + "." + .[-$digits:] else . end)
  end;

def left($width): . + (" " * ($width - length) // "");
def right($width): (" " * ($width - length) // "") + .;

# "median [lowest highest]" of what the numbers of several runs are
def spread($digits): if length == 0 then "-" else "\(median | fixed($digits)) [\(min | fixed($digits)) \(max | fixed($digits))]" end;

# For each run both have: the first one's number through the second one's
def ratios($a; $b; f):
  [$a[] as $x | $b[] | select(.run == $x.run and f != null and f > 0 and ($x | f) != null) as $y | ($x | f) / ($y | f)];

# A line about a goal: is `figure` at most (or at least) what it should be?
def goal($text; $figure; $ok; $where):
  (if $figure == null then "not seen" elif $ok then "met" else "missed" end | left(9))
  + "\($text): \($figure | fixed(2))\(if $where == "" then "" else " (\($where))" end)";
