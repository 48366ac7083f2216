# ladder.jq - what tshark has decoded (-T json) as a table: a line for each chunk, with tabs between
#
#   packet, seconds, source, port, destination, port, tag, initiate tag, class, chunk, TSN, initial TSN, further fields
#
# The tags are the verification tag of the packet, and that which an INIT or INIT ACK asks the other side for. The class is what kind of
# chunk it is: setup, data, ack, end, error or other. A TSN is empty where a chunk has none; that of a SACK is the cumulative one. Names
# and fields are those of RFC 9260 and of the RFCs of its extensions.

def number: if test("^0x") then ltrimstr("0x") | ascii_downcase | explode | reduce .[] as $c (0; . * 16 + (if $c > 57 then $c - 87 else $c - 48 end))
  else tonumber end;

# "68:69" as text, without a newline at its end; what is not printable ASCII as a dot
def text: rtrimstr(":0a") | split(":") | map(("0x" + .) | number | if . >= 32 and . < 127 then . else 46 end) | implode;

def field($name): [.. | objects | .[$name]? // empty] | flatten | map(strings) | first // "";

def class: {"0": "data", "1": "setup", "2": "setup", "3": "ack", "6": "error", "7": "end", "8": "end", "9": "error", "10": "setup",
  "11": "setup", "14": "end", "64": "data"}[.] // "other";

def name: {"0": "DATA", "1": "INIT", "2": "INIT ACK", "3": "SACK", "4": "HEARTBEAT", "5": "HEARTBEAT ACK", "6": "ABORT", "7": "SHUTDOWN",
  "8": "SHUTDOWN ACK", "9": "ERROR", "10": "COOKIE ECHO", "11": "COOKIE ACK", "12": "ECNE", "13": "CWR", "14": "SHUTDOWN COMPLETE",
  "15": "AUTH", "64": "I-DATA", "128": "ASCONF ACK", "130": "RE-CONFIG", "132": "PAD", "192": "FORWARD TSN", "193": "ASCONF",
  "194": "I-FORWARD TSN"}[.] // "chunk type \(.)";

def bits: [["u", "U"], ["b", "B"], ["e", "E"], ["i", "I"]] as $all | . as $chunk
  | [$all[] | select(. as $bit | $chunk | field("sctp.data_\($bit[0])_bit") | . == "1" or . == "True") | .[1]] | join("");

# The cause of an ABORT or ERROR, and its reason, which may be long (RFC 9260, 3.3.10)
def cause_name: {"1": "Invalid Stream Identifier", "2": "Missing Mandatory Parameter", "3": "Stale Cookie", "4": "Out of Resource",
  "5": "Unresolvable Address", "6": "Unrecognized Chunk Type", "7": "Invalid Mandatory Parameter", "8": "Unrecognized Parameters",
  "9": "No User Data", "10": "Cookie Received While Shutting Down", "11": "Restart of an Association with New Addresses",
  "12": "User-Initiated Abort", "13": "Protocol Violation"}[.] // "";

def cause: field("sctp.cause_code") as $code | field("sctp.cause_information") as $reason
  | if $code == "" then "" else ($code | number | tostring) as $code | ("cause \($code) \($code | cause_name)" | rtrimstr(" "))
  + (if $reason == "" then "" else ": " + ($reason | text | if length > 120 then .[:120] + "~" else . end) end) end;

# What a RE-CONFIG asks for or answers (RFC 6525)
def reconfiguration: (field("sctp.parameter_reconfig_response_result") | {"0": "nothing to do", "1": "performed", "2": "denied",
  "3": "wrong SSN", "4": "request already in progress", "5": "bad sequence number", "6": "in progress"}[.]) as $result
  | [.. | objects | .["sctp.parameter_type"]? // empty] | flatten | map(strings | {"0x000d": "outgoing SSN reset",
  "0x000e": "incoming SSN reset", "0x000f": "SSN/TSN reset", "0x0010": ("response" + if $result then ": " + $result else "" end),
  "0x0011": "add outgoing streams", "0x0012": "add incoming streams"}[.] // empty) | join(", ");

# The addresses that an INIT or INIT ACK offers, where they are told apart from the packet's own (RFC 9260, 3.3.2.1)
def addresses: [.. | objects | .["sctp.parameter_ipv4_address"]? // empty, .["sctp.parameter_ipv6_address"]? // empty] | flatten
  | map(strings) | if length == 0 then "" else " addresses " + join(" ") end;

# What goes between the number of a message and its length
def flags: bits | if . == "" then "" else . + " " end;

def fields($type; $excerpt):
  if $type == "0" then
    "sid \(field("sctp.data_sid") | number) ssn \(field("sctp.data_ssn")) \(flags)ppid \(field("sctp.data_payload_proto_id")) \((field("sctp.chunk_length") | number) - 16) bytes\($excerpt)"
  elif $type == "64" then
    # Only the first fragment has the PPID; the others have their number in its place (RFC 8260, 2.1).
    (if field("sctp.data_fsn") == "" then "ppid \(field("sctp.data_payload_proto_id"))" else "fsn \(field("sctp.data_fsn"))" end) as $place
    | "sid \(field("sctp.data_sid") | number) mid \(field("sctp.data_mid")) \(flags)\($place) \((field("sctp.chunk_length") | number) - 20) bytes\($excerpt)"
  elif $type == "1" then "out \(field("sctp.init_nr_out_streams")) in \(field("sctp.init_nr_in_streams")) a_rwnd \(field("sctp.init_credit"))\(addresses)"
  elif $type == "2" then "out \(field("sctp.initack_nr_out_streams")) in \(field("sctp.initack_nr_in_streams")) a_rwnd \(field("sctp.initack_credit"))\(addresses)"
  elif $type == "3" then
    ([.. | objects | .["sctp.sack_gap_block_start"]? // empty] | flatten | map(strings)) as $starts
    | ([.. | objects | .["sctp.sack_gap_block_end"]? // empty] | flatten | map(strings)) as $ends
    | ([range(0; $starts | length) | " gap +\($starts[.])" + (if $starts[.] == $ends[.] then "" else "..+\($ends[.])" end)] | join(""))
    + " a_rwnd \(field("sctp.sack_a_rwnd"))" | ltrimstr(" ")
  elif $type == "6" or $type == "9" then cause
  elif $type == "130" then reconfiguration
  else "" end;

def tsn($type): if $type == "0" or $type == "64" then field("sctp.data_tsn_raw")
  elif $type == "3" then field("sctp.sack_cumulative_tsn_ack_raw")
  elif $type == "7" then field("sctp.shutdown_cumulative_tsn_ack")
  elif $type == "192" then field("sctp.forward_tsn_tsn")
  elif $type == "194" then field("sctp.i_forward_tsn_tsn")
  else "" end;

.[]._source.layers as $packet
| ($packet.frame["frame.number"]) as $number
| [[$packet.sctp] | flatten | .[] | objects | to_entries[] | [.value] | flatten | .[] | objects | select(has("sctp.chunk_type"))] as $chunks
# What was said, where tshark shows it for every DATA chunk of the packet.
| [$packet | .. | objects | .["data.data"]? // empty] as $payload | ($payload | flatten | map(strings)) as $said
| [$chunks[] | select(.["sctp.chunk_type"] == "0" or .["sctp.chunk_type"] == "64")] as $data
# What a capture with too small a -s has cut off is not decoded, and must not be missed without a word.
| ($packet | has("_ws.short")) as $cut
| range(0; ($chunks | length) + (if $cut then 1 else 0 end)) as $i
| ($chunks[$i] // {}) as $chunk
| $chunk["sctp.chunk_type"] as $type
| ([$chunks[:$i][] | select(.["sctp.chunk_type"] == "0" or .["sctp.chunk_type"] == "64")] | length) as $before
| (if ($data | length) == ($said | length) and ($said[$before] // "") != "" and ($chunk | bits | test("BE"))
   then " \"" + ($said[$before] | text | .[:14]) + "\"" else "" end) as $excerpt
| [$number, $packet.frame["frame.time_relative"],
   ([$packet.ip, $packet.ipv6] | flatten | map(objects | .["ip.src"] // .["ipv6.src"]) | map(strings) | last // "?"),
   ([$packet.sctp] | flatten | map(objects | .["sctp.srcport"]) | first),
   ([$packet.ip, $packet.ipv6] | flatten | map(objects | .["ip.dst"] // .["ipv6.dst"]) | map(strings) | last // "?"),
   ([$packet.sctp] | flatten | map(objects | .["sctp.dstport"]) | first),
   ([$packet.sctp] | flatten | map(objects | .["sctp.verification_tag"]) | first), ($chunk | field("sctp.initiate_tag"))]
  + (if $type then [($type | class), ($type | name), ($chunk | tsn($type)),
     ($chunk | field("sctp.init_initial_tsn") + field("sctp.initack_initial_tsn")), ($chunk | fields($type; $excerpt))]
   else ["other", "(the capture lacks the rest of \($packet.frame["frame.len"]) bytes)", "", "", ""] end)
| join("\t") # not @tsv, which doubles backslashes; there is no tab in any field
