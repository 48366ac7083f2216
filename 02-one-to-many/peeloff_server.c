// peeloff_server - stage 02: an echo server that gives each association a socket of its own when it begins to talk
//
// Associations come in over one one-to-many socket. sctp_peeloff() takes one out of it, as accept() would have done,
// and a process of its own serves it: from then on its buffers are its own, and nobody waits for it.
//
// Compile:  cc -I../common -o peeloff_server peeloff_server.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './peeloff_server & sleep 1; echo hello | ./echo_client localhost'
#include "address.h"
#include "buffers.h"
#include "deadline.h"
#include "ending.h"
#include "lines.h"
#include "listen.h"
#include "options.h"
#include "reassembly.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/sctp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BUFFER_BYTES = 4 << 20, STREAMS = 2048, GOODBYE_MS = 5000 };

static const char usage[] = "usage: peeloff_server [-p PORT] [-a ADDRESS]...\n"
                            "Sends every message back to its sender, on the stream that it came on, and reports it.\n"
                            "Serves each association apart from the others. Ends on SIGINT or SIGTERM.\n"
                            "  -p PORT     listen on this port (default 2013; 0: the kernel chooses)\n"
                            "  -a ADDRESS  serve this local address only; several make the server multihomed\n";

/* What one receive call has brought. */
struct arrival {
  enum { NOTHING, PIECE, MESSAGE, TOO_LONG, END } what;
  struct sctp_rcvinfo info;
  const char *message;
  size_t length;
};

static void set_option(int fd, int option, const char *name, const void *value, socklen_t size)
{
  if (setsockopt(fd, IPPROTO_SCTP, option, value, size) < 0)
    err(1, "%s", name);
}

/* Returns the one-to-many socket over which the associations come in. */
static int listen_at(const struct local_addresses *local)
{
  // exercise: As in this stage's echo_server: the sockets that are peeled off inherit the options. And nothing blocks
  // (O_NONBLOCK).
  const int on = 1;
  int fd = socket(local->family, SOCK_SEQPACKET, IPPROTO_SCTP);
  if (fd < 0)
    err(1, "socket");
  /* All this is handed down to the sockets that are peeled off. */
  set_option(fd, SCTP_RECVRCVINFO, "SCTP_RECVRCVINFO", &on, sizeof on);
  set_option(fd, SCTP_FRAGMENT_INTERLEAVE, "SCTP_FRAGMENT_INTERLEAVE", &on, sizeof on);
  set_option(fd, SCTP_NODELAY, "SCTP_NODELAY", &on, sizeof on);
  const struct sctp_initmsg streams = {.sinit_num_ostreams = STREAMS};
  set_option(fd, SCTP_INITMSG, "SCTP_INITMSG", &streams, sizeof streams);
  static const struct sctp_event events[] = {
      {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1},
      {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_PARTIAL_DELIVERY_EVENT, .se_on = 1}};
  for (size_t i = 0; i < sizeof events / sizeof *events; i++)
    set_option(fd, SCTP_EVENT, "SCTP_EVENT", &events[i], sizeof events[i]);
  ask_for_buffers(fd, BUFFER_BYTES);
  local_listen(fd, local);
  if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
    err(1, "O_NONBLOCK");
  return fd;
  // until then: (void)local; (void)set_option; errx(3, "listen_at() is to be written");
}

/* Receives a message, a piece of one, or a notification; a whole message is reported. */
static struct arrival receive(int fd, struct reassembly *unfinished)
{
  static union {
    union sctp_notification event;
    char bytes[MESSAGE_MAX + 1];
  } buffer;
  // exercise: Receive with sctp_recvv() (RFC 6458, 9.13); the sctp_rcvinfo goes to `arrival`.
  struct iovec space = {&buffer, sizeof buffer};
  struct sockaddr_storage peer;
  socklen_t peer_size = sizeof peer;
  struct arrival arrival = {.what = NOTHING};
  socklen_t info_size = sizeof arrival.info;
  unsigned info_type = SCTP_RECVV_NOINFO;
  int flags = 0;
  ssize_t n =
      sctp_recvv(fd, &space, 1, (struct sockaddr *)&peer, &peer_size, &arrival.info, &info_size, &info_type, &flags);
  // until then: struct sockaddr_storage peer = {0}; struct arrival arrival = {.what = NOTHING}; int flags = 0; ssize_t
  // n = -1; (void)fd; errx(3, "receive() is to be written");
  if (n < 0) {
    if (errno != EINTR && errno != EAGAIN)
      arrival.what = END;
    return arrival;
  }
  if (flags & MSG_NOTIFICATION) {
    const struct sctp_assoc_change *change = &buffer.event.sn_assoc_change;
    reassembly_notified(unfinished, &buffer.event);
    if (change->sac_type == SCTP_ASSOC_CHANGE && change->sac_state != SCTP_COMM_UP && change->sac_state != SCTP_RESTART)
      arrival.what = END;
    return arrival;
  }
  arrival.length = (size_t)n;
  arrival.message = reassemble(unfinished, arrival.info.rcv_assoc_id, buffer.bytes, &arrival.length, flags & MSG_EOR);
  arrival.what = arrival.message != NULL ? MESSAGE : arrival.length > MESSAGE_MAX ? TOO_LONG : PIECE;
  if (arrival.what == MESSAGE) {
    char text[ADDRESS_TEXT];
    printf("assoc %d stream %u ppid %u: %zu bytes from %s\n", arrival.info.rcv_assoc_id, arrival.info.rcv_sid,
           ntohl(arrival.info.rcv_ppid), arrival.length, address_text((struct sockaddr *)&peer, text));
  }
  return arrival;
}

/* Sends to an association; with 0 for it, to the only one that a peeled-off socket has. */
static int send_to(int fd, struct sctp_sndinfo to, const char *message, size_t length)
{
  // exercise: Send the message: sctp_sendv() with the sctp_sndinfo (RFC 6458, 9.12 and 5.3.4).
  struct iovec bytes = {(char *)message, length};
  return sctp_sendv(fd, &bytes, 1, NULL, 0, &to, sizeof to, SCTP_SENDV_SNDINFO, 0);
  // until then: (void)fd; (void)to; (void)message; (void)length; errno = ENOSYS; return -1;
}

/*
 * Waits for an event on the socket. When we are asked to end, there are GOODBYE_MS left for all that follows: sets
 * *give_up. Returns false when they are over.
 */
static bool await(int fd, short event, int ending, deadline *give_up)
{
  struct pollfd fds[] = {{.fd = fd, .events = event}, {.fd = *give_up == NEVER ? ending : -1, .events = POLLIN}};
  int ready = poll(fds, 2, deadline_left(*give_up));
  if (ready > 0 && fds[1].revents != 0)
    *give_up = deadline_in(GOODBYE_MS);
  return ready != 0;
}

/* Serves the association of a peeled-off socket until it ends. `arrival` is what it came with. */
static void serve(int fd, int ending, struct arrival arrival, struct reassembly *unfinished)
{
  static const char too_long[] = "message too long";
  deadline give_up = NEVER;
  bool in_time = true, shut_down = false;
  while (in_time && arrival.what != END) {
    // exercise: Say where the reply goes, as in this stage's echo_server. The socket has one association only.
    struct sctp_sndinfo to = {.snd_sid = arrival.info.rcv_sid,
                              .snd_flags = arrival.info.rcv_flags & SCTP_UNORDERED,
                              .snd_ppid = arrival.info.rcv_ppid};
    // until then: struct sctp_sndinfo to = {0};
    while (arrival.what == MESSAGE && in_time && send_to(fd, to, arrival.message, arrival.length) < 0) {
      if (errno == EINVAL && to.snd_sid != 0)
        to.snd_sid = 0; /* the peer accepts fewer streams than it sends on */
      else if (errno == EAGAIN)
        in_time = await(fd, POLLOUT, ending, &give_up); /* nobody but this peer waits */
      else if (errno != EINTR)
        break; /* it has ended: the notification comes */
    }
    if (arrival.what == TOO_LONG)
      send_to(fd, (struct sctp_sndinfo){.snd_flags = SCTP_ABORT}, too_long, sizeof too_long - 1);
    arrival = receive(fd, unfinished);
    if (arrival.what != NOTHING)
      continue;
    if (give_up != NEVER && !shut_down)
      shut_down =
          send_to(fd, (struct sctp_sndinfo){.snd_flags = SCTP_EOF}, NULL, 0) == 0; /* what was queued is answered */
    in_time = in_time && await(fd, POLLIN, ending, &give_up);
  }
  if (!in_time)
    send_to(fd, (struct sctp_sndinfo){.snd_flags = SCTP_ABORT}, NULL, 0);
}

/* Takes an association out of the socket (RFC 6458, 9.2), and serves it in a process of its own. */
static void branch_off(int listener, int ending, struct arrival arrival, struct reassembly *unfinished)
{
  // exercise: Take the association out of the socket: sctp_peeloff() (RFC 6458, 9.2). The new socket is not to block
  // either. TUTORIAL.md, stage 02: "And if the slow one is a good customer?".
  int fd = sctp_peeloff(listener, arrival.info.rcv_assoc_id);
  if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
    warn("sctp_peeloff"); /* out of descriptors, say, or it has ended meanwhile */
    return;
  }
  // until then: (void)arrival; int fd = -1; if (fd < 0) return;
  switch (fork()) {
  case -1:
    warn("fork");
    break;
  case 0:
    ending_follow_parent();
    close(listener);
    serve(fd, ending, arrival, unfinished);
    reassembly_end(unfinished);
    exit(EXIT_SUCCESS);
  }
  close(fd);
  reassembly_forget(unfinished, arrival.info.rcv_assoc_id); /* the child has it */
}

/* Branches off all associations from which something has come. */
static void take(int listener, int ending, struct reassembly *unfinished)
{
  for (;;) {
    struct arrival arrival = receive(listener, unfinished);
    if (arrival.what == NOTHING)
      return;
    if (arrival.what != END)
      branch_off(listener, ending, arrival, unfinished);
  }
}

int main(int argc, char **argv)
{
  int option;
  uint16_t port = DEFAULT_PORT;
  struct local_addresses local = {0};
  struct reassembly unfinished = {0};

  while ((option = next_option(argc, argv, "p:a:", usage)) != -1)
    if (option == 'p')
      port = parse_port(optarg, 0, usage);
    else
      local_name(&local, optarg, usage);
  if (optind < argc)
    usage_error(usage, "unexpected argument '%s'", argv[optind]);

  local_resolve(&local, port);
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN); /* libsctp 1.0.19 does not hand MSG_NOSIGNAL on */
  signal(SIGCHLD, SIG_IGN); /* finished children need no wait() */
  int ending = ending_watch();
  int listener = listen_at(&local);
  printf("Listening on port %u\n", bound_port(listener));

  struct pollfd fds[] = {{.fd = listener, .events = POLLIN}, {.fd = ending, .events = POLLIN}};
  while (fds[1].revents == 0)
    if (poll(fds, 2, -1) > 0 && fds[0].revents != 0)
      take(listener, ending, &unfinished);
  take(listener, ending, &unfinished);
  close(listener); /* shuts down those that have never said anything */
  while (wait(NULL) > 0 || errno == EINTR)
    ; /* each child ends by itself, by its deadlines */
  reassembly_end(&unfinished);
  return EXIT_SUCCESS;
}
