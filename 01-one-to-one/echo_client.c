// echo_client - stage 01: sends each line of its input as one message and prints the replies
//
// With -t it speaks TCP; the protocol given to socket() is all that differs.
//
// Compile:  cc -I../common -o echo_client echo_client.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './echo_server & sleep 1; echo hello | ./echo_client localhost'
#include "address.h"
#include "lines.h"
#include "options.h"
#include "show.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { CONNECT_S = 9, GOODBYE_S = 5 }; /* with its own start, a client has given up within 10 s */

static const char usage[] = "usage: echo_client [-t] [-p PORT] HOST\n"
                            "Sends each line of standard input as one message, and prints what comes back.\n"
                            "  -t       use TCP instead of SCTP\n"
                            "  -p PORT  the server's port (default 2013)\n";

/*
 * Sets up an association (with TCP: a connection) with the first of the host's addresses that answers, and returns its
 * socket. All of them together have CONNECT_S seconds.
 */
static int connect_to(const char *host, uint16_t port, int protocol)
{
  // exercise: Try the addresses that resolve_host() finds, one after the other: socket(), connect() (RFC 6458, 4.1.1
  // and 4.1.5), no longer than CONNECT_S seconds in all. If none answers, say why, and end with 1. TUTORIAL.md, stage
  // 01: "What if nobody is there?".
  struct addrinfo *list = resolve_host(host, port);
  long count = 0;
  for (struct addrinfo *address = list; address != NULL; address = address->ai_next)
    count++;
  /* The time limit for sending holds for connect() too. Without it, SCTP tries for minutes. */
  struct timeval share = {.tv_sec = CONNECT_S / count, .tv_usec = CONNECT_S * 1000000L / count % 1000000};
  int fd = -1;
  for (struct addrinfo *address = list; address != NULL && fd < 0; address = address->ai_next) {
    fd = socket(address->ai_family, SOCK_STREAM, protocol);
    if (fd < 0)
      continue;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &share, sizeof share);
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
      int reason = errno == EINPROGRESS ? ETIMEDOUT : errno;
      close(fd);
      fd = -1;
      errno = reason;
    }
  }
  if (fd < 0)
    err(1, "cannot reach %s port %u", host, port);
  freeaddrinfo(list);
  return fd;
  // until then: (void)host; (void)port; (void)protocol; errx(3, "connect_to() is to be written");
}

/* Sends one message, or as much of it as the socket takes now. Returns the number of bytes taken. */
static size_t send_some(int fd, const char *message, size_t length)
{
  // exercise: Send, without waiting (RFC 6458, 4.1.8): no room now is no error. SCTP takes a message whole or not at
  // all, TCP perhaps a part of it.
  ssize_t n = send(fd, message, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN && errno != EINTR)
    err(1, "the server is gone");
  return n > 0 ? (size_t)n : 0;
  // until then: (void)fd; (void)message; return length;
}

/* Receives what there is and prints it. Returns the number of bytes, or 0 when the peer has shut down. */
static size_t receive_some(int fd)
{
  // exercise: Receive (RFC 6458, 4.1.8) and show() what has come: bytes, no string. 0 bytes are the end.
  static char reply[MESSAGE_MAX];
  ssize_t n;
  while ((n = recv(fd, reply, sizeof reply, 0)) < 0 && errno == EINTR)
    ;
  if (n < 0)
    err(1, "the server is gone");
  show(reply, (size_t)n);
  return (size_t)n;
  // until then: (void)fd; return 0;
}

/* Sends all lines of standard input and receives at the same time, until all that was sent has come back. */
static void talk(int fd)
{
  static struct lines input;
  const char *message = NULL;
  size_t left = 0, sent = 0, received = 0;

  for (;;) {
    if (left == 0)
      lines_next(&input, &message, &left);
    if (input.ended && received >= sent)
      return;
    struct pollfd fds[] = {{.fd = fd, .events = left > 0 ? POLLIN | POLLOUT : POLLIN},
                           {.fd = left > 0 || input.ended ? -1 : STDIN_FILENO, .events = POLLIN}};
    if (poll(fds, 2, -1) < 0)
      continue;
    if (fds[0].revents & POLLOUT) {
      size_t n = send_some(fd, message, left);
      message += n;
      left -= n;
      sent += n;
    }
    if (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) {
      size_t n = receive_some(fd);
      if (n == 0)
        errx(1, "the server has ended the association");
      received += n;
    }
    if (fds[1].revents != 0)
      lines_read(&input);
  }
}

/* Ends the association gracefully (RFC 9260, 9.2), and waits until the server has agreed. */
static void say_goodbye(int fd)
{
  // exercise: Shut down (RFC 6458, 4.1.7; RFC 9260, 9.2), and wait for GOODBYE_S seconds at the most until the server
  // has agreed. TUTORIAL.md, stage 01: "What goes over the wire?".
  char nothing;
  struct timeval limit = {.tv_sec = GOODBYE_S};
  if (shutdown(fd, SHUT_WR) < 0)
    err(1, "shutdown");
  /* poll() does not show the side that shut down first when the other has agreed; a blocking recv() returns then. */
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (recv(fd, &nothing, sizeof nothing, 0) < 0 && errno == EAGAIN)
    errx(1, "the server does not agree to end the association");
  // until then: (void)fd;
}

int main(int argc, char **argv)
{
  int protocol = IPPROTO_SCTP, option;
  uint16_t port = DEFAULT_PORT;

  while ((option = next_option(argc, argv, "tp:", usage)) != -1)
    switch (option) {
    case 't':
      protocol = IPPROTO_TCP;
      break;
    case 'p':
      port = parse_port(optarg, 1, usage);
    }
  if (argc - optind != 1)
    usage_error(usage, optind < argc ? "one HOST only, not also '%s'" : "no HOST given%s",
                optind < argc ? argv[optind + 1] : "");

  int fd = connect_to(argv[optind], port, protocol);
  talk(fd);

  say_goodbye(fd);
  return EXIT_SUCCESS;
}
