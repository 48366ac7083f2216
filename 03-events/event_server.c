// event_server - stage 03: the echo server of stage 02, which prints everything that the kernel tells about its
// associations
//
// The kernel tells in the same socket: a notification comes among the messages, with MSG_NOTIFICATION in the flags.
// notification.h knows what they are called and what they say.
//
// Compile:  cc -I../common -o event_server event_server.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './event_server & sleep 1; echo hello | ./event_client localhost'
#include "address.h"
#include "associations.h"
#include "buffers.h"
#include "deadline.h"
#include "ending.h"
#include "lines.h"
#include "listen.h"
#include "notification.h"
#include "options.h"
#include "reassembly.h"
#include "timeouts.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/sctp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 4 << 20, STREAMS = 2048, STALL_S = 1, GOODBYE_MS = 5000 };

static const char usage[] =
    "usage: event_server [-t MS] [-p PORT] [-a ADDRESS]...\n"
    "Sends every message back to its sender, and reports it and every notification.\n"
    "Ends on SIGINT or SIGTERM.\n"
    "  -t MS       wait no longer than so many milliseconds for an acknowledgement, not a minute\n"
    "  -p PORT     listen on this port (default 2013; 0: the kernel chooses)\n"
    "  -a ADDRESS  serve this local address only; several make the server multihomed\n";

struct server {
  int fd;
  struct reassembly unfinished;
  bool truncated; /* the rest of a notification is still to come */
};

static void set_option(int fd, int level, int option, const char *name, const void *value, socklen_t size)
{
  if (setsockopt(fd, level, option, value, size) < 0)
    err(1, "%s", name);
}

/* Returns the one socket for all peers. */
static int listen_at(const struct local_addresses *local, int timeout_ms)
{
  // exercise: Open a one-to-many socket with the options of stage 02. Turn on AUTH and RECONFIG (SCTP_AUTH_SUPPORTED,
  // SCTP_RECONFIG_SUPPORTED, SCTP_ENABLE_STREAM_RESET: RFC 6525, 6.3.1), and subscribe_to_all(), with complaints.
  // TUTORIAL.md, stage 03: "All of them".
  const int on = 1;
  int fd = socket(local->family, SOCK_SEQPACKET, IPPROTO_SCTP);
  if (fd < 0)
    err(1, "socket");
  set_option(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, "SCTP_RECVRCVINFO", &on, sizeof on);
  set_option(fd, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, "SCTP_FRAGMENT_INTERLEAVE", &on, sizeof on);
  set_option(fd, IPPROTO_SCTP, SCTP_NODELAY, "SCTP_NODELAY", &on, sizeof on);
  const struct sctp_initmsg streams = {.sinit_num_ostreams = STREAMS};
  set_option(fd, IPPROTO_SCTP, SCTP_INITMSG, "SCTP_INITMSG", &streams, sizeof streams);
  /* Some notifications come only where the extension that they are about is on: AUTH (RFC 4895), and RE-CONFIG, by
   * which a peer may reset streams and the association and add streams (RFC 6525, 6.3.1). */
  const struct sctp_assoc_value yes = {.assoc_id = SCTP_FUTURE_ASSOC, .assoc_value = 1};
  const struct sctp_assoc_value all = {.assoc_id = SCTP_FUTURE_ASSOC, .assoc_value = SCTP_ENABLE_STRRESET_MASK};
  set_option(fd, IPPROTO_SCTP, SCTP_AUTH_SUPPORTED, "SCTP_AUTH_SUPPORTED", &yes, sizeof yes);
  set_option(fd, IPPROTO_SCTP, SCTP_RECONFIG_SUPPORTED, "SCTP_RECONFIG_SUPPORTED", &yes, sizeof yes);
  set_option(fd, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, "SCTP_ENABLE_STREAM_RESET", &all, sizeof all);
  subscribe_to_all(fd, true);
  // until then: int fd = -1; errx(3, "listen_at() is to be written");
  if (timeout_ms > 0)
    shorten_timeouts(fd, timeout_ms);
  ask_for_buffers(fd, BUFFER_BYTES);
  const struct timeval limit = {.tv_sec = STALL_S};
  set_option(fd, SOL_SOCKET, SO_SNDTIMEO, "SO_SNDTIMEO", &limit, sizeof limit);
  local_listen(fd, local);
  return fd;
}

/* Sends a message back the way it came: association, stream, order and PPID. */
static void echo(int fd, const struct sctp_rcvinfo *from, const char *message, size_t length)
{
  struct iovec bytes = {(char *)message, length};
  // exercise: Say where the reply goes, as in stage 02.
  struct sctp_sndinfo to = {.snd_assoc_id = from->rcv_assoc_id,
                            .snd_sid = from->rcv_sid,
                            .snd_flags = from->rcv_flags & SCTP_UNORDERED,
                            .snd_ppid = from->rcv_ppid};
  // until then: struct sctp_sndinfo to = {0}; (void)from;
  while (sctp_sendv(fd, &bytes, 1, NULL, 0, &to, sizeof to, SCTP_SENDV_SNDINFO, 0) < 0) {
    if (errno == EINVAL && to.snd_sid != 0)
      to.snd_sid = 0; /* the peer accepts fewer streams than it sends on */
    else if (errno == EAGAIN)
      abort_slowest(fd, "replies not read");
    else if (errno != EINTR)
      return; /* it has ended: nobody waits for the reply */
  }
}

/* A notification is printed. Some say that a message, of which a piece has come, never gets whole. */
static void take_notification(struct server *server, const union sctp_notification *event, size_t size, bool whole)
{
  // exercise: print_notification(), and reassembly_notified() where it is whole. One that did not fit the buffer comes
  // in several pieces, up to MSG_EOR: all but the first are its rest, and no notification. TUTORIAL.md, stage 03: "What
  // if I do not look at the flag?".
  bool begins = !server->truncated;
  server->truncated = !whole;
  if (!begins)
    return; /* the rest of one that did not fit the buffer */
  print_notification(event, size, whole);
  if (whole)
    reassembly_notified(&server->unfinished, event);
  // until then: (void)server; (void)event; (void)size; (void)whole;
}

/* Receives a message, or a piece of one, or a notification. A whole message is reported and echoed. */
static void take(struct server *server)
{
  static union {
    union sctp_notification event;
    char bytes[MESSAGE_MAX + 1];
  } buffer;
  // exercise: Receive with sctp_recvv(), as in stage 02. What has MSG_NOTIFICATION in its flags (RFC 6458, 6.1) goes to
  // take_notification(); of the rest make whole messages with reassemble(). TUTORIAL.md, stage 03: "What has just
  // happened?".
  struct iovec space = {&buffer, sizeof buffer};
  struct sockaddr_storage peer;
  socklen_t peer_size = sizeof peer;
  struct sctp_rcvinfo info = {0};
  socklen_t info_size = sizeof info;
  unsigned info_type = SCTP_RECVV_NOINFO;
  int flags = 0;
  ssize_t n =
      sctp_recvv(server->fd, &space, 1, (struct sockaddr *)&peer, &peer_size, &info, &info_size, &info_type, &flags);
  if (n < 0) {
    if (errno != EINTR && errno != EAGAIN)
      warn("sctp_recvv");
    return;
  }
  if (flags & MSG_NOTIFICATION) {
    take_notification(server, &buffer.event, (size_t)n, flags & MSG_EOR);
    return;
  }

  size_t length = (size_t)n;
  const char *message = reassemble(&server->unfinished, info.rcv_assoc_id, buffer.bytes, &length, flags & MSG_EOR);
  // until then: struct sockaddr_storage peer = {0}; struct sctp_rcvinfo info = {0}; size_t length = 0; const char
  // *message = NULL; (void)buffer; (void)take_notification; errx(3, "take() is to be written");
  if (message != NULL) {
    char text[ADDRESS_TEXT];
    printf("assoc %d stream %u ppid %u: %zu bytes from %s\n", info.rcv_assoc_id, info.rcv_sid, ntohl(info.rcv_ppid),
           length, address_text((struct sockaddr *)&peer, text));
    echo(server->fd, &info, message, length);
  } else if (length > MESSAGE_MAX) {
    abort_association(server->fd, info.rcv_assoc_id, "message too long");
  }
}

/* Echoes what is queued, shuts all associations down, and aborts those that have not agreed in time. */
static void say_goodbye(struct server *server)
{
  struct pollfd queue = {.fd = server->fd, .events = POLLIN};
  deadline give_up = deadline_in(GOODBYE_MS);
  while (poll(&queue, 1, 0) > 0 && deadline_left(give_up) > 0)
    take(server);
  end_associations(server->fd, SCTP_EOF);
  while (has_associations(server->fd) && deadline_left(give_up) > 0)
    if (poll(&queue, 1, deadline_left(give_up)) > 0)
      take(server);
  end_associations(server->fd, SCTP_ABORT);
  while (poll(&queue, 1, 0) > 0)
    take(server); /* how they have ended */
  close(server->fd);
}

int main(int argc, char **argv)
{
  int option, timeout_ms = 0;
  uint16_t port = DEFAULT_PORT;
  struct local_addresses local = {0};
  struct server server = {0};

  while ((option = next_option(argc, argv, "t:p:a:", usage)) != -1)
    switch (option) {
    case 't':
      timeout_ms = parse_number(optarg, TIMEOUT_LEAST_MS, TIMEOUT_MOST_MS, "a timeout in milliseconds", usage);
      break;
    case 'p':
      port = parse_port(optarg, 0, usage);
      break;
    case 'a':
      local_name(&local, optarg, usage);
    }
  if (optind < argc)
    usage_error(usage, "unexpected argument '%s'", argv[optind]);

  local_resolve(&local, port);
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN); /* libsctp 1.0.19 does not hand MSG_NOSIGNAL on */
  int ending = ending_watch();
  server.fd = listen_at(&local, timeout_ms);
  printf("Listening on port %u\n", bound_port(server.fd));

  struct pollfd fds[] = {{.fd = server.fd, .events = POLLIN}, {.fd = ending, .events = POLLIN}};
  while (fds[1].revents == 0)
    if (poll(fds, 2, -1) > 0 && fds[0].revents != 0)
      take(&server);
  say_goodbye(&server);
  reassembly_end(&server.unfinished);
  return EXIT_SUCCESS;
}
