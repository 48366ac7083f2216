/* client.c - see client.h; 01-one-to-one/echo_client.c explains it */
#include "client.h"
#include "address.h"
#include "reason.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

enum { CONNECT_S = 9, GOODBYE_S = 5 }; /* with its own start, a client has given up within 10 s */

int connect_to(const char *host, uint16_t port, const struct sctp_initmsg *streams)
{
  struct addrinfo *list = resolve_host(host, port);
  long count = 0;
  for (struct addrinfo *address = list; address != NULL; address = address->ai_next)
    count++;
  struct timeval share = {.tv_sec = CONNECT_S / count, .tv_usec = CONNECT_S * 1000000L / count % 1000000};
  for (struct addrinfo *address = list; address != NULL; address = address->ai_next) {
    int fd = socket(address->ai_family, SOCK_STREAM, IPPROTO_SCTP);
    if (fd >= 0) {
      if (streams != NULL && setsockopt(fd, IPPROTO_SCTP, SCTP_INITMSG, streams, sizeof *streams) < 0)
        err(1, "SCTP_INITMSG");
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &share, sizeof share);
      if (connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
        freeaddrinfo(list);
        return fd;
      }
      int reason = errno == EINPROGRESS ? ETIMEDOUT : errno;
      close(fd);
      errno = reason;
    }
  }
  err(1, "cannot reach %s port %u", host, port);
}

_Noreturn void disconnected(const struct sctp_assoc_change *change, size_t size)
{
  char reason[REASON_TEXT];
  fflush(stdout);
  if (change->sac_state != SCTP_COMM_LOST)
    errx(1, "the server has ended the association");
  if (*abort_reason(change, size, reason) == '\0')
    errx(1, "the server is gone: the association was lost");
  errx(1, "the server has aborted the association: %s", reason);
}

void say_goodbye(int fd)
{
  char bytes[4096];
  struct timeval limit = {.tv_sec = GOODBYE_S};
  fcntl(fd, F_SETFL, 0); /* without O_NONBLOCK */
  if (shutdown(fd, SHUT_WR) < 0)
    err(1, "shutdown");
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ssize_t n;
  while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
    ; /* what was on its way to us */
  if (n < 0 && errno == EAGAIN)
    errx(1, "the server does not agree to end the association");
}
