// bare_server - what the benchmarks compare chat_server with: receive, SENDALL, and nothing else
//
// Without options it is what a first version would be: the kernel's buffers, no socket option, a blocking SENDALL. With
// -b -i -n it is the limit of what one SENDALL for each message can reach. With -o, -e, -t, -a it is one of the means
// that one may think of against a client that does not read. It looks at nothing that it need not look at: a message
// beyond 64 KB becomes several, and a failed call is forgotten.
//
// Compile:  cc -I../common -o bare_server bare_server.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './bare_server -b -i -n & sleep 1; ./fanout -P $! -n 10 64:1:1000'
#include "address.h"
#include "associations.h"
#include "lines.h"
#include "listen.h"
#include "options.h"
#include "sctp_compat.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

static const char usage[] = "usage: bare_server [-b] [-i] [-n] [-o | -e | -a] [-t MS] [-p PORT]\n"
                            "Sends every message that arrives to every association.\n"
                            "  -b       buffers of 4 MB\n"
                            "  -i       asks for a SACK at once (the I bit)\n"
                            "  -n       SCTP_NODELAY: small messages do not wait for others to share their packet\n"
                            "  -o       does not block: what does not fit into the send buffer is lost\n"
                            "  -e       does not block, and sends to each association, one after the other\n"
                            "  -a       blocks for 1 s; then the association with most in the buffer is aborted\n"
                            "  -t MS    a message not acknowledged in so many milliseconds is given up (PR-SCTP)\n"
                            "  -p PORT  listen on this port (default 2013)\n";

static void set_option(int fd, int level, int option, int value)
{
  if (setsockopt(fd, level, option, &value, sizeof value) < 0)
    err(1, "setsockopt");
}

static int send_to(int fd, struct sctp_sendv_spa *how, const char *bytes, size_t length)
{
  struct iovec message = {(char *)bytes, length};
  return sctp_sendv(fd, &message, 1, NULL, 0, how, sizeof *how, SCTP_SENDV_SPA, 0);
}

static void send_to_each(int fd, struct sctp_sendv_spa *how, const char *bytes, size_t length)
{
  struct sctp_assoc_ids *list = list_associations(fd);
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++) {
    how->sendv_sndinfo.snd_assoc_id = list->gaids_assoc_id[i];
    send_to(fd, how, bytes, length);
  }
  free(list);
}

int main(int argc, char **argv)
{
  bool buffers = false, no_delay = false, no_block = false, each = false, abort_one = false;
  struct sctp_sendv_spa how = {.sendv_flags = SCTP_SEND_SNDINFO_VALID | SCTP_SEND_PRINFO_VALID};
  struct local_addresses local = {0};
  uint16_t port = DEFAULT_PORT;
  int option;
  while ((option = next_option(argc, argv, "binoeat:p:", usage)) != -1)
    switch (option) {
    case 'b':
      buffers = true;
      break;
    case 'i':
      how.sendv_sndinfo.snd_flags |= SCTP_SACK_IMMEDIATELY;
      break;
    case 'n':
      no_delay = true;
      break;
    case 'e':
      each = true; /* fallthrough */
    case 'o':
      no_block = true;
      break;
    case 'a':
      abort_one = true;
      break;
    case 't':
      how.sendv_prinfo.pr_policy = SCTP_PR_SCTP_TTL;
      how.sendv_prinfo.pr_value = (uint32_t)parse_number(optarg, 1, 60000, "a lifetime in milliseconds", usage);
      break;
    case 'p':
      port = parse_port(optarg, 0, usage);
    }
  if (optind < argc)
    usage_error(usage, "unexpected argument '%s'", argv[optind]);

  signal(SIGPIPE, SIG_IGN);
  local_resolve(&local, port);
  int fd = socket(local.family, SOCK_SEQPACKET | (no_block ? SOCK_NONBLOCK : 0), IPPROTO_SCTP);
  if (fd < 0)
    err(1, "socket");
  if (no_delay)
    set_option(fd, IPPROTO_SCTP, SCTP_NODELAY, 1);
  if (buffers) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF, 4 << 20);
    set_option(fd, SOL_SOCKET, SO_SNDBUF, 4 << 20);
  }
  const struct timeval limit = {.tv_sec = abort_one ? 1 : 0};
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
    err(1, "SO_SNDTIMEO");
  local_listen(fd, &local);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("Listening on port %u\n", bound_port(fd));

  static char bytes[MESSAGE_MAX];
  struct pollfd readable = {.fd = fd, .events = POLLIN};
  for (;;) {
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EAGAIN) {
      poll(&readable, 1, -1);
      continue;
    }
    if (n < 0 && errno != EINTR)
      err(1, "recv");
    if (n <= 0)
      continue;
    if (each) {
      send_to_each(fd, &how, bytes, (size_t)n);
      continue;
    }
    how.sendv_sndinfo.snd_flags |= SCTP_SENDALL;
    if (send_to(fd, &how, bytes, (size_t)n) < 0 && errno == EAGAIN && abort_one)
      abort_slowest(fd, "nothing read for 1 s");
  }
}
