/* address.h - names into addresses, and addresses into text */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for an address and its port as text: "ADDRESS port N". */
enum { ADDRESS_TEXT = INET6_ADDRSTRLEN + 16 + 12 };

/*
 * The local addresses of a server: the values of its -a options, or, without any, the wildcard address for IPv4
 * and IPv6 together.
 */
struct local_addresses {
  int names; /* how many -a options there were */
  const char *name[64];
  int family;    /* for socket(): AF_INET where all are IPv4, else AF_INET6, which holds both */
  int count;     /* at least 1 */
  size_t first;  /* length of the first address in `bytes`: for bind() */
  size_t length; /* of all of them */
  char bytes[64 * sizeof(struct sockaddr_in6)]; /* one after the other, as sctp_bindx() takes them (RFC 6458, 9.1) */
};

/* Takes the value of one -a option: a name or a numeric address. More than 64 end the program as usage_error() does. */
void local_name(struct local_addresses *local, const char *name, const char *usage);

/*
 * Resolves the names that local_name() took, or, without any, chooses the wildcard address. `port` is in host byte
 * order. A name that cannot be resolved ends the program with an error.
 */
void local_resolve(struct local_addresses *local, uint16_t port);

/*
 * Resolves the HOST of a client.
 *
 * port  in host byte order
 *
 * Returns the list that getaddrinfo(3) gives, to be freed with freeaddrinfo(3). Its ai_family, ai_addr and ai_addrlen
 * are for use; the protocol is the caller's. A name that cannot be resolved ends the program with an error.
 */
struct addrinfo *resolve_host(const char *host, uint16_t port);

/*
 * Resolves an operand HOST or HOST:PORT, where an IPv6 address stands in brackets: [::1], [::1]:2014.
 *
 * port  the one to use where none is given, in host byte order
 *
 * Returns a list as resolve_host() does, or NULL where the name cannot be resolved, after a warning on standard error.
 * What is not such an operand ends the program as usage_error() does.
 */
struct addrinfo *resolve_operand(const char *operand, uint16_t port, const char *usage);

/* Writes the address as "ADDRESS port N", IPv4 always in dotted form. Returns `text`. */
const char *address_text(const struct sockaddr *address, char text[ADDRESS_TEXT]);

/*
 * Returns the port to which a socket is bound, in host byte order: what the kernel chose for port 0. Ends the
 * program with an error where there is none.
 */
uint16_t bound_port(int fd);

#endif
