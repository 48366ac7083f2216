# hol-model.jq - how long messages should be under way, by a model of ten lines, which the tutorial derives
#
# Times are in milliseconds. The input is {interval, delay, rto}: a message, which is one packet, is due every `interval`; the path takes
# `delay` each way, and loses a packet with probability $loss.

# How much later than it would have a packet comes that has been lost once, twice, ... SCTP notices the first loss when three
# packets behind it have come, and the others by its retransmission timeout, which doubles each time. TCP (RACK: RFC 8985) notices
# them in about 1.25 round trips.
def repairs($way):
  (3 * .interval + 2 * .delay) as $first | .rto as $rto | .delay as $delay
  | if $way == "TCP" then [range(6) | $first + . * 2.5 * $delay] else [0, 1, 3, 7 | $first + . * $rto] end;

# Every how many ms a packet is sent that a message has to wait for; none but its own for unordered ones.
def step($way): if $way == "unordered" then 1e9 elif ($way | test(" streams$")) then .interval * ($way | split(" ")[0] | tonumber) else .interval end;

# The part of the messages that come more than `$excess` later than without loss: those for which one of the packets that they wait
# for, sent $step, 2 $step, ... before, is not there by then. It is not when it was lost k times and the k-th repair takes longer.
def later($way; $loss; $excess):
  step($way) as $step
  | [0, (repairs($way)[] - $excess | if . <= 0 then 0 else . / $step | ceil end)] as $sent
  | 1 - ([range(1; $sent | length) | ($sent[.] - $sent[. - 1]) as $packets | pow(1 - pow($loss; .); if $packets > 0 then $packets else 0 end)]
         | reduce .[] as $one (1; . * $one));

# The delay that the part $part of the messages exceeds
def exceeded($way; $loss; $part):
  . as $path
  | (reduce range(60) as $i ({low: -1e-6, high: 1e4};
      ((.low + .high) / 2) as $middle
      | if ($path | later($way; $loss; $middle)) <= $part then .high = $middle else .low = $middle end) | [.high, 0] | max) + .delay;

def mean_delay($way; $loss):
  . as $path | .delay + ([range(0; 9000; 3) as $excess | $path | later($way; $loss; $excess + 1.5) * 3] | add);
