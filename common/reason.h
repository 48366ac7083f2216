/* reason.h - why an association has ended */
#ifndef COMMON_REASON_H
#define COMMON_REASON_H

#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stddef.h>

/* Room for a reason: longer ones are cut. */
enum { REASON_TEXT = 512 };

/*
 * Writes what the peer gave as the reason of its abort, with all that could steer a terminal as \xNN.
 *
 * change  a notification SCTP_COMM_LOST (RFC 6458, 6.1.1)
 * size    its size in bytes, with sac_info, which on Linux holds the first error cause of the peer's ABORT chunk
 *         (RFC 9260, 3.3.10): for a user-initiated abort (12) its code, its length, and the reason
 *
 * Returns `text`, empty where no reason was given.
 */
const char *abort_reason(const struct sctp_assoc_change *change, size_t size, char text[REASON_TEXT]);

#endif
