/* listen.c - see listen.h */
#include "listen.h"

#include <err.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <sys/socket.h>

void local_listen(int fd, const struct local_addresses *local)
{
  int on = 1, off = 0;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
    err(1, "SO_REUSEADDR");
  if (local->family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0)
    err(1, "IPV6_V6ONLY");
  if (bind(fd, (const struct sockaddr *)local->bytes, (socklen_t)local->first) < 0)
    err(1, "bind");
  struct sockaddr *more = (struct sockaddr *)(local->bytes + local->first);
  if (local->count > 1 && sctp_bindx(fd, more, local->count - 1, SCTP_BINDX_ADD_ADDR) < 0)
    err(1, "sctp_bindx");
  if (listen(fd, SOMAXCONN) < 0)
    err(1, "listen");
}
