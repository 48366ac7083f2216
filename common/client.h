/* client.h - how a one-to-one client begins and ends, as stage 01 has shown */
#ifndef COMMON_CLIENT_H
#define COMMON_CLIENT_H

#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdint.h>

/*
 * Sets up an association over a one-to-one socket with the first of the host's addresses that answers.
 *
 * port     in host byte order
 * streams  how many streams to ask for, and more (SCTP_INITMSG: RFC 6458, 8.1.3); NULL: what the kernel asks for
 *
 * Returns the socket. Where none answers within 10 seconds in all, the program ends with an error.
 */
int connect_to(const char *host, uint16_t port, const struct sctp_initmsg *streams);

/*
 * Ends the program because the association has ended before we have ended it, and says why.
 *
 * change  the notification that says so (RFC 6458, 6.1.1)
 * size    its size in bytes
 */
_Noreturn void disconnected(const struct sctp_assoc_change *change, size_t size);

/*
 * Ends the association gracefully (RFC 9260, 9.2) and waits until the peer has agreed, for 5 seconds at the most; after
 * that the program ends with an error. The socket blocks from then on.
 */
void say_goodbye(int fd);

#endif
