# ladder.awk - from the chunks of ladder.jq to the lines of a ladder
#
# Finds the associations: two ports, of which the client is who sent the INIT. Counts TSNs from the first of each side: 1, 2, 3, ...
# Output, with tabs between:
#   line   milliseconds, association, > or < (from the client or to it), class, 1 or 0 (a new packet, or a further chunk of one), chunk, path
#   ends   association, client, server: a line for each association, at the end

BEGIN {
    FS = OFS = "\t"
}

# Sides: 0 is the client's, 1 the server's.
{
    packet = $1; seconds = $2; source = $3; port = $4; destination = $5; to = $6; class = $7; chunk = $8; tsn = $9; initial = $10; fields = $11
    if (port "-" to in association) {
        key = port "-" to
        side = 0
    } else if (to "-" port in association) {
        key = to "-" port
        side = 1
    } else {
        # A capture may begin in the middle: an answer comes from a server, and so does what was sent from the smaller port.
        side = chunk == "INIT ACK" || chunk == "COOKIE ACK" || (chunk != "INIT" && port + 0 < to + 0)
        key = side ? to "-" port : port "-" to
        association[key] = ++count
        order[count] = key
        client[key] = (side ? destination : source) " port " (side ? to : port)
        server[key] = (side ? source : destination) " port " (side ? port : to)
    }
    if (initial != "")
        base[key, side] = initial
    path = side ? destination " - " source : source " - " destination
    if (!((key, path) in paths)) {
        paths[key, path] = 1
        path_count[key]++
    }

    # A TSN in DATA or FORWARD TSN counts what this side sends; one in SACK or SHUTDOWN what the other side has sent.
    text = chunk
    if (tsn != "") {
        counted = chunk ~ /SACK|SHUTDOWN/ ? 1 - side : side
        if (!((key, counted) in base))
            base[key, counted] = tsn + (chunk ~ /SACK|SHUTDOWN/)
        relative = tsn - base[key, counted] + 1
        if (relative < -2147483648)
            relative += 4294967296 # it is a number of 32 bits, and begins anew after the last
        text = text " tsn " relative
        if (chunk ~ /DATA/) {
            if ((key, side, tsn) in seen)
                fields = fields " (again)"
            seen[key, side, tsn] = 1
        }
    }
    if (fields != "")
        text = text " " fields

    lines++
    line[lines] = sprintf("line\t%.1f\t%s\t%s\t%s\t%d\t%s\t", seconds * 1000, association[key], side ? "<" : ">", class, packet != before, text)
    line_key[lines] = key
    line_path[lines] = path
    before = packet
}

END {
    for (i = 1; i <= lines; i++)
        print line[i] (path_count[line_key[i]] > 1 ? line_path[i] : "")
    for (i = 1; i <= count; i++)
        print "ends", i, client[order[i]], server[order[i]]
}
