// echo_server - stage 01: sends back what it receives, over one-to-one sockets
//
// An SCTP one-to-one socket is used like a TCP socket: listen, accept, one descriptor for each association. With -t
// this very program speaks TCP: the protocol given to socket() is all that differs. What comes out is not the same,
// though: SCTP carries messages, TCP a stream of bytes.
//
// Compile:  cc -I../common -o echo_server echo_server.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './echo_server & sleep 1; echo hello | ./echo_client localhost'
#define _GNU_SOURCE /* POLLRDHUP */
#include "address.h"
#include "buffers.h"
#include "deadline.h"
#include "ending.h"
#include "lines.h"
#include "options.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1 << 20, GOODBYE_MS = 5000 /* how long an association may take to end */ };

static const char usage[] = "usage: echo_server [-t] [-v] [-p PORT] [-a ADDRESS]...\n"
                            "Sends every message back to its sender. Ends on SIGINT or SIGTERM.\n"
                            "  -t          use TCP instead of SCTP\n"
                            "  -v          report each message: its size and where it came from\n"
                            "  -p PORT     listen on this port (default 2013; 0: the kernel chooses)\n"
                            "  -a ADDRESS  serve this local address only; several make the server multihomed (SCTP)\n";

/* Returns a socket that listens at the addresses. `protocol` is IPPROTO_SCTP or IPPROTO_TCP. */
static int listen_at(const struct local_addresses *local, int protocol)
{
  // exercise: Open a one-to-one socket (RFC 6458, 4.1.1), bind it to the first address, add the others with
  // sctp_bindx() (9.1), and listen. A server may start again at once (SO_REUSEADDR), and IPv4 comes over IPv6, too
  // (IPV6_V6ONLY). TUTORIAL.md, stage 01: "Several addresses".
  int on = 1, off = 0;
  int fd = socket(local->family, SOCK_STREAM, protocol);
  if (fd < 0)
    err(1, "socket");
  /* So that a server can start again while associations of the last one still close. */
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
    err(1, "SO_REUSEADDR");
  if (local->family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0)
    err(1, "IPV6_V6ONLY");
  if (bind(fd, (const struct sockaddr *)local->bytes, (socklen_t)local->first) < 0)
    err(1, "bind");
  struct sockaddr *more = (struct sockaddr *)(local->bytes + local->first);
  if (local->count > 1 && sctp_bindx(fd, more, local->count - 1, SCTP_BINDX_ADD_ADDR) < 0)
    err(1, "sctp_bindx");
  ask_for_buffers(fd, BUFFER_BYTES); /* each client's: room for many messages of 64 KB, not for three */
  if (listen(fd, SOMAXCONN) < 0)
    err(1, "listen");
  return fd;
  // until then: (void)local; (void)protocol; errx(3, "listen_at() is to be written");
}

/*
 * Echoes on one association until the peer shuts it down, it fails, or `ending` becomes readable, and what is queued is
 * answered. Never blocks but in poll(): a peer that does not read its replies must not keep us from ending. Returns
 * when the association has to be over.
 */
static deadline echo(int fd, int protocol, int ending, const char *peer, bool verbose)
{
  // exercise: Receive a message with recvmsg(), whole: with SCTP it ends at MSG_EOR (RFC 6458, 3.1.4 and 5.1). Send it
  // back, whole, and so on, until the peer ends the association. Report it where `verbose`; give up on more than
  // MESSAGE_MAX bytes. Wait in poll() alone, also for `ending`. TUTORIAL.md, stage 01: "Where does a message end?".
  static char message[MESSAGE_MAX + 1]; /* one byte more than allowed shows that a message is too long */
  size_t length = 0, sent = 0;
  bool whole = false, asked_to_end = false;
  deadline give_up = NEVER;
  /* After a peer's shutdown nothing can be sent to it: SCTP, unlike TCP, has no half-closed state (RFC 9260, 9.2). */
  const short writable = protocol == IPPROTO_TCP ? POLLOUT : POLLOUT | POLLRDHUP;

  for (;;) {
    struct pollfd fds[] = {{.fd = fd, .events = whole ? writable : POLLIN},
                           {.fd = asked_to_end ? -1 : ending, .events = POLLIN}};
    bool drained = asked_to_end && !whole;
    int ready = poll(fds, 2, drained ? 0 : deadline_left(give_up));
    if (ready == 0)
      return give_up;
    if (fds[1].revents != 0) {
      asked_to_end = true;
      give_up = deadline_in(GOODBYE_MS);
    }
    if (fds[0].revents == 0)
      continue;

    if (!whole) {
      struct iovec rest = {message + length, sizeof message - length};
      struct msghdr header = {.msg_iov = &rest, .msg_iovlen = 1};
      ssize_t n = recvmsg(fd, &header, MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        return give_up;
      if (n < 0)
        continue;
      length += (size_t)n;
      /* SCTP marks the end of a message. TCP has no messages: whatever has come is all there is to wait for. */
      whole = protocol == IPPROTO_TCP || header.msg_flags & MSG_EOR;
      if (length > MESSAGE_MAX && protocol == IPPROTO_SCTP) {
        warnx("%s: message too long", peer);
        return give_up;
      }
      if (whole && verbose)
        printf("%zu bytes from %s\n", length, peer);
    } else {
      ssize_t n = send(fd, message + sent, length - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0 && ((fds[0].revents & POLLRDHUP) || (errno != EAGAIN && errno != EINTR)))
        return give_up;
      sent += n > 0 ? (size_t)n : 0; /* SCTP sends a message whole or not at all; TCP may take a part of it */
      if (sent == length) {
        length = sent = 0;
        whole = false;
      }
    }
  }
  // until then: (void)fd; (void)protocol; (void)ending; (void)peer; (void)verbose; return NEVER;
}

/* Ends the association gracefully (RFC 9260, 9.2): all that we have sent arrives. When it is time to give up, by
 * an abort. */
static void say_goodbye(int fd, deadline give_up)
{
  // exercise: Shut down (RFC 6458, 4.1.7; RFC 9260, 9.2) and wait, no longer than until `give_up`, for the peer to
  // agree; if it does not, close() is to be an abort (SO_LINGER: RFC 6458, 8.1.4). TUTORIAL.md, stage 01: "What goes
  // over the wire?".
  static char ignored[MESSAGE_MAX];
  if (give_up == NEVER)
    give_up = deadline_in(GOODBYE_MS);
  int left = deadline_left(give_up);
  struct timeval limit = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 + 1}; /* 0 would be no limit */
  shutdown(fd, SHUT_WR);
  /* poll() does not show the side that shut down first when the other has agreed; a blocking recv() returns then. */
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ssize_t n;
  while ((n = recv(fd, ignored, sizeof ignored, 0)) > 0 && deadline_left(give_up) > 0)
    ;
  bool stalled = n > 0 || (n < 0 && errno == EAGAIN);
  struct linger abort_on_close = {.l_onoff = 1, .l_linger = 0};
  if (stalled)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof abort_on_close);
  // until then: (void)fd; (void)give_up;
}

/* Takes one client from the listening socket, if one waits, and serves it in a process of its own. */
static bool accept_client(int listener, int protocol, int ending, bool verbose)
{
  struct sockaddr_storage address;
  char peer[ADDRESS_TEXT];
  // exercise: Accept an association (RFC 6458, 4.1.4). Not every error is a reason to end: the other clients are still
  // served.
  socklen_t size = sizeof address;
  int fd = accept(listener, (struct sockaddr *)&address, &size);
  if (fd < 0) {
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
      warn("accept"); /* out of descriptors, say: that passes, and the others are still served */
    return false;
  }
  // until then: int fd = -1; if (fd < 0) return false;
  switch (fork()) {
  case -1:
    warn("fork");
    break;
  case 0:
    ending_follow_parent();
    close(listener);
    say_goodbye(fd, echo(fd, protocol, ending, address_text((struct sockaddr *)&address, peer), verbose));
    exit(EXIT_SUCCESS);
  }
  close(fd);
  return true;
}

int main(int argc, char **argv)
{
  int protocol = IPPROTO_SCTP, option;
  bool verbose = false;
  uint16_t port = DEFAULT_PORT;
  struct local_addresses local = {0};

  while ((option = next_option(argc, argv, "tvp:a:", usage)) != -1)
    switch (option) {
    case 't':
      protocol = IPPROTO_TCP;
      break;
    case 'v':
      verbose = true;
      break;
    case 'p':
      port = parse_port(optarg, 0, usage);
      break;
    case 'a':
      local_name(&local, optarg, usage);
    }
  if (optind < argc)
    usage_error(usage, "unexpected argument '%s'", argv[optind]);
  if (protocol == IPPROTO_TCP && local.names > 1)
    usage_error(usage, "TCP has one address: -t goes with one -a");

  local_resolve(&local, port);
  setvbuf(stdout, NULL, _IOLBF, 0);
  int ending = ending_watch();
  signal(SIGCHLD, SIG_IGN); /* finished children need no wait() */
  int listener = listen_at(&local, protocol);
  printf("Listening on port %u\n", bound_port(listener));

  struct pollfd fds[] = {{.fd = listener, .events = POLLIN}, {.fd = ending, .events = POLLIN}};
  while (fds[1].revents == 0)
    if (poll(fds, 2, -1) > 0 && fds[0].revents != 0)
      accept_client(listener, protocol, ending, verbose);
  /* Who has been set up but not accepted yet is a client too. */
  while (poll(fds, 1, 0) > 0 && accept_client(listener, protocol, ending, verbose))
    ;
  close(listener);
  while (wait(NULL) > 0 || errno == EINTR)
    ; /* each child ends by itself, by its deadlines */
  return EXIT_SUCCESS;
}
