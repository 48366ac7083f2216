// bare_server - what the benchmarks compare chat_server with: receive, SENDALL, and nothing else
//
// Without options it is what a first version would be: the kernel's buffers, no socket option, a blocking SENDALL. With
// -b -i -n it is the limit of what one SENDALL for each message can reach. It looks at nothing that it need not look
// at: a message beyond 64 KB or a client that does not read is the end of it.
//
// Compile:  cc -I../common -o bare_server bare_server.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './bare_server -b -i -n & sleep 1; ./fanout -P $! -n 10 64:1:1000'
#include "address.h"
#include "lines.h"
#include "options.h"
#include "sctp_compat.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] = "usage: bare_server [-b] [-i] [-n] [-p PORT]\n"
                            "Sends every message that arrives to every association.\n"
                            "  -b       buffers of 4 MB\n"
                            "  -i       asks for a SACK at once (the I bit)\n"
                            "  -n       SCTP_NODELAY: small messages do not wait for others to share their packet\n"
                            "  -p PORT  listen on this port (default 2013)\n";

static void set_option(int fd, int level, int option, int value)
{
  if (setsockopt(fd, level, option, &value, sizeof value) < 0)
    err(1, "setsockopt");
}

int main(int argc, char **argv)
{
  bool buffers = false, no_delay = false;
  struct sctp_sndinfo all = {.snd_flags = SCTP_SENDALL};
  struct local_addresses local = {0};
  uint16_t port = DEFAULT_PORT;
  int option;
  while ((option = next_option(argc, argv, "binp:", usage)) != -1)
    switch (option) {
    case 'b':
      buffers = true;
      break;
    case 'i':
      all.snd_flags |= SCTP_SACK_IMMEDIATELY;
      break;
    case 'n':
      no_delay = true;
      break;
    case 'p':
      port = parse_port(optarg, 0, usage);
    }
  if (optind < argc)
    usage_error(usage, "unexpected argument '%s'", argv[optind]);

  signal(SIGPIPE, SIG_IGN);
  local_resolve(&local, port);
  int fd = socket(local.family, SOCK_SEQPACKET, IPPROTO_SCTP);
  if (fd < 0)
    err(1, "socket");
  if (no_delay)
    set_option(fd, IPPROTO_SCTP, SCTP_NODELAY, 1);
  if (buffers) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF, 4 << 20);
    set_option(fd, SOL_SOCKET, SO_SNDBUF, 4 << 20);
  }
  local_listen(fd, &local);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("Listening on port %u\n", bound_port(fd));

  static char bytes[MESSAGE_MAX];
  for (;;) {
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    struct iovec message = {bytes, n > 0 ? (size_t)n : 0};
    if (n < 0 && errno != EINTR)
      err(1, "recv");
    if (n > 0 && sctp_sendv(fd, &message, 1, NULL, 0, &all, sizeof all, SCTP_SENDV_SNDINFO, 0) < 0)
      err(1, "sctp_sendv");
  }
}
