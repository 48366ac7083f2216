/* reassembly.h - whole messages from the pieces in which a one-to-many socket may deliver them */
#ifndef COMMON_REASSEMBLY_H
#define COMMON_REASSEMBLY_H

#include <netinet/sctp.h>
#include <stdbool.h>
#include <stddef.h>

/* The unfinished messages, one for an association at the most (SCTP_FRAGMENT_INTERLEAVE 0 or 1). Starts as {0}. */
struct reassembly {
  struct unfinished *first;
  size_t max; /* bytes that a message may have, RELAYED_MAX at the most; 0: MESSAGE_MAX */
};

/*
 * Takes what one receive call gave: a message, or a piece of one (partial delivery: RFC 6458, 3.1.4 and 8.1.20).
 *
 * association  whose message it is
 * piece        the bytes
 * length       how many; on return, how many bytes of the message there are by now
 * end          MSG_EOR was set: the message ends with this piece
 *
 * Returns the whole message, valid until the next call, or NULL where it is not complete, or is longer than it may be
 * (*length says so): then its association is best aborted. The pieces of it that still come are thrown away.
 */
const char *reassemble(struct reassembly *all, sctp_assoc_t association, const char *piece, size_t *length, bool end);

/*
 * Drops the unfinished message, if there is one, that a whole notification says will never be complete: of an
 * association that has ended or begun anew (SCTP_ASSOC_CHANGE but SCTP_COMM_UP: RFC 6458, 6.1.1), or that has given the
 * message up (SCTP_PARTIAL_DELIVERY_EVENT: 6.1.7). Other notifications change nothing.
 */
void reassembly_notified(struct reassembly *all, const union sctp_notification *event);

/* Drops the unfinished message of an association, if there is one: somebody else goes on with it. */
void reassembly_forget(struct reassembly *all, sctp_assoc_t association);

/* Frees all that is kept, the message that reassemble() returned last, too: the program ends. */
void reassembly_end(struct reassembly *all);

#endif
