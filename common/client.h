/* client.h - how a one-to-one client begins and ends, as stage 01 has shown */
#ifndef COMMON_CLIENT_H
#define COMMON_CLIENT_H

#include <stdint.h>

/*
 * Sets up an association over a one-to-one socket with the first of the host's addresses that answers.
 *
 * port  in host byte order
 *
 * Returns the socket. Where none answers within 10 seconds in all, the program ends with an error.
 */
int connect_to(const char *host, uint16_t port);

/*
 * Ends the association gracefully (RFC 9260, 9.2) and waits until the peer has agreed, for 5 seconds at the most; after
 * that the program ends with an error.
 */
void say_goodbye(int fd);

#endif
