/* one_to_many.h - the one-to-many socket of a server, as 02-one-to-many/echo_server.c explains it */
#ifndef COMMON_ONE_TO_MANY_H
#define COMMON_ONE_TO_MANY_H

#include "address.h"
#include "reassembly.h"

#include <netinet/in.h>
#include <netinet/sctp.h>

/*
 * Returns a one-to-many socket that listens at the addresses, does not block (O_NONBLOCK), and gives with each message
 * whose it is (SCTP_RECVRCVINFO). It is subscribed to SCTP_ASSOC_CHANGE and SCTP_PARTIAL_DELIVERY_EVENT; an unfinished
 * message does not hold up those of other associations (SCTP_FRAGMENT_INTERLEAVE: RFC 6458, 8.1.20). An error ends the
 * program.
 */
int one_to_many_socket(const struct local_addresses *local);

/* What one_to_many_receive() has got: a whole message, or the news of an association, or neither. */
struct received {
  const char *message;                    /* NULL where there is none; else valid until the next call */
  size_t length;                          /* in bytes */
  struct sctp_rcvinfo info;               /* whose message it is, and how it came (RFC 6458, 5.3.5) */
  const struct sctp_assoc_change *change; /* NULL where there is none; else valid until the next call (6.1.1) */
  size_t change_size;                     /* in bytes, with sac_info */
};

/*
 * Receives once. An association whose message is longer than MESSAGE_MAX is aborted, with the reason "message too
 * long".
 *
 * unfinished  the pieces of messages that have come before
 */
struct received one_to_many_receive(int fd, struct reassembly *unfinished);

#endif
