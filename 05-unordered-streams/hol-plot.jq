# hol-plot.jq - the results as data for gnuplot: a block for each line of the drawing, under its name, which ends with ";"
include "stats";
include "hol-model";

def block($name; rows): [rows] | if . == [] then empty else "# \($name);", .[], "", "" end;
def names: reduce .[].what as $name ([]; if index([$name]) then . else . + [$name] end);

.results as $all | ($all | names) as $names
| {interval: (.interval / 1000), delay, rto: 1000} as $path
| if .experiment == "tail" then
    # delay, part of the messages that takes longer
    ($all[0].loss / 100) as $loss | $names[] as $way
    | block("model \($way)";
        range(0; 400) | pow(10; . / 100) - 1 | . as $excess | "\($path.delay + $excess) \($path | later($way; $loss; $excess))")
  else
    # loss in percent, p99: median, lowest, highest
    (
      $names[] as $way
      | block("measured \($way)"; $all | map(select(.what == $way)) | group_by(.loss)[] | "\(.[0].loss) \(map(.p99) | "\(median) \(min) \(max)")")
    ),
    (
      ([$all[].loss] | max) as $most
      | $names[] as $way | block("model \($way)"; range(0; 101) | . / 100 * $most | "\(.) \(. as $loss | $path | exceeded($way; $loss / 100; 0.01))")
    )
  end
