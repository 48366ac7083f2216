/* listen.h - how the servers from stage 02 on listen, as stage 01 has shown */
#ifndef COMMON_LISTEN_H
#define COMMON_LISTEN_H

#include "address.h"

/*
 * Binds a socket to the addresses and lets it listen, as 01-one-to-one/echo_server.c shows: sctp_bindx() for more than
 * one (RFC 6458, 9.1), IPv4 and IPv6 together, a port that is free again at once. An error ends the program.
 */
void local_listen(int fd, const struct local_addresses *local);

#endif
