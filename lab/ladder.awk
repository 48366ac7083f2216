# ladder.awk - from the chunks of ladder.jq to the lines of a ladder
#
# Finds the associations, of which the client is who sent the INIT. Counts TSNs from the first of each side: 1, 2, 3, ...
# Variables: absolute, 1 to leave TSNs as they are.
# Output, with tabs between:
#   line   milliseconds, association, > or < (from the client or to it), class, 1 for a new packet, 0 for a further chunk of one, + for
#          more of that chunk; chunk, path
#   ends   association, client, server: a line for each association, at the end

BEGIN {
    FS = OFS = "\t"
    none = "0x00000000"
    most = 60 # characters in a line
}

# mark - remembers who uses these addresses and this tag
function mark(    there, back) {
    there = source SUBSEP port SUBSEP destination SUBSEP to
    back = destination SUBSEP to SUBSEP source SUBSEP port
    pair[there] = pair[back] = number
    pair_side[there] = side
    pair_side[back] = 1 - side
    ports[port, to] = ports[to, port] = number
    ports_side[port, to] = side
    ports_side[to, port] = 1 - side
    # The tag in an ABORT or SHUTDOWN COMPLETE may be the other side's own (RFC 9260, 8.5.1).
    if (tag != none && chunk !~ /^(ABORT|SHUTDOWN COMPLETE)$/)
        mark_tag(port, to, tag, side)
    if (wanted != "")
        mark_tag(to, port, wanted, 1 - side)
}

function mark_tag(from, destined, tag, side) {
    tags[from, destined, tag] = number
    tags_side[from, destined, tag] = side
    tagged[number, side] = 1
}

# find - sets number and side (0: sent by the client) to the association that the packet belongs to. Addresses tell, as long as it
# lives; the tag does on a path that has not been used before, or where ports are used again; and the ports alone in a capture that
# begins in the middle. An INIT between the addresses of an association that lives is its restart (RFC 9260, 5.2.2).
function find(    key) {
    key = source SUBSEP port SUBSEP destination SUBSEP to
    if (key in pair && !ended[pair[key]]) {
        number = pair[key]
        side = pair_side[key]
    } else if ((port, to, tag) in tags) {
        number = tags[port, to, tag]
        side = tags_side[port, to, tag]
    } else if (key in pair && chunk != "INIT") {
        number = pair[key]
        side = pair_side[key]
    } else if (chunk != "INIT" && (port, to) in ports && !((ports[port, to], ports_side[port, to]) in tagged)) {
        number = ports[port, to]
        side = ports_side[port, to]
    } else {
        number = ++count
        # In the middle: an answer comes from a server, and so does what was sent from the smaller port. Only an INIT has no tag.
        side = chunk == "INIT ACK" || chunk == "COOKIE ACK" || (chunk !~ /^(INIT|COOKIE ECHO)$/ && tag != none && port + 0 < to + 0)
        client[number] = (side ? destination : source) " port " (side ? to : port)
        server[number] = (side ? source : destination) " port " (side ? port : to)
    }
    mark()
}

# put - a line of the ladder
function put(milliseconds, how, text) {
    lines++
    line[lines] = sprintf("line\t%s\t%s\t%s\t%s\t%s\t%s\t", milliseconds, number, side ? "<" : ">", class, how, text)
    line_of[lines] = number
    line_path[lines] = path
}

# Sides: 0 is the client's, 1 the server's.
{
    packet = $1; seconds = $2; source = $3; port = $4; destination = $5; to = $6; tag = $7; wanted = $8
    class = $9; chunk = $10; tsn = $11; initial = $12; fields = $13
    if (packet != before)
        find()
    if (initial != "")
        base[number, side] = initial
    path = side ? destination " - " source : source " - " destination
    if (!((number, path) in paths)) {
        paths[number, path] = 1
        path_count[number]++
    }

    # A TSN in DATA or FORWARD TSN counts what this side sends; one in SACK or SHUTDOWN what the other side has sent.
    text = chunk
    note = ""
    if (tsn != "") {
        counted = chunk ~ /SACK|SHUTDOWN/ ? 1 - side : side
        if (!((number, counted) in base))
            base[number, counted] = tsn + (chunk ~ /SACK|SHUTDOWN/)
        relative = tsn - base[number, counted] + 1
        if (relative < -2147483648) # it is a number of 32 bits, and begins anew after the last
            relative += 4294967296
        else if (relative > 2147483648)
            relative -= 4294967296
        text = text " tsn " (absolute ? tsn : relative)
        if (chunk ~ /DATA/) {
            if ((number, side, base[number, side], tsn) in seen)
                note = " (again)"
            seen[number, side, base[number, side], tsn] = 1
        }
    }
    if (fields != "")
        text = text " " fields
    if (length(text note) > most && (quote = index(text, " \""))) { # so much of what was said as there is room for
        room = most - length(note) - 2
        text = room > quote + 3 ? substr(text, 1, room) "~\"" : substr(text, 1, quote - 1)
    }
    text = text note
    if (chunk ~ /^(ABORT|SHUTDOWN COMPLETE)$/)
        ended[number] = 1

    how = packet != before
    milliseconds = sprintf("%.1f", seconds * 1000)
    while (length(text) > most && (cut = match(substr(text, 1, most + 1), / [^ ]*$/)) > length(chunk) + 1) {
        put(milliseconds, how, substr(text, 1, cut - 1))
        text = substr(text, cut + 1)
        how = "+"
    }
    put(milliseconds, how, text)
    before = packet
}

END {
    for (i = 1; i <= lines; i++)
        print line[i] (path_count[line_of[i]] > 1 ? line_path[i] : "")
    for (i = 1; i <= count; i++)
        print "ends", i, client[i], server[i]
}
