/* associations.h - all associations of a one-to-many socket; 02-one-to-many/echo_server.c explains it */
#ifndef COMMON_ASSOCIATIONS_H
#define COMMON_ASSOCIATIONS_H

#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdbool.h>
#include <stdint.h>

/* Returns how many associations the socket has (RFC 6458, 8.2.5). An error ends the program. */
uint32_t count_associations(int fd);

/* Returns true where it has any. */
bool has_associations(int fd);

/*
 * Returns the ids of the associations that the socket has now (RFC 6458, 8.2.5 and 8.2.6), to be freed with free(). An
 * error ends the program.
 */
struct sctp_assoc_ids *list_associations(int fd);

/*
 * Does the same to every association: with SCTP_EOF in `how` it is shut down gracefully, with SCTP_ABORT it is aborted
 * (RFC 6458, 5.3.4). Those that are ending already are left alone.
 */
void end_associations(int fd, uint16_t how);

/* Aborts one association. Its peer is told the reason (RFC 9260, 3.3.10.12). */
void abort_association(int fd, sctp_assoc_t association, const char *reason);

/* Aborts all of them, each with the reason. */
void abort_associations(int fd, const char *reason);

/*
 * Aborts the association with the most chunks that have not been acknowledged (RFC 6458, 8.2.1), with the reason, and
 * says so on standard error: for when there has been no room in the send buffer for a while, in which everyone who
 * reads has emptied its part of it.
 */
void abort_slowest(int fd, const char *reason);

#endif
