// echo_client - stage 01 in another manner: one line at a time, whose reply is waited for before the next one is sent;
// the time for connect() is bounded by an alarm
#include "lines.h"
#include "options.h"
#include "show.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char usage[] = "usage: echo_client [-t] [-p PORT] HOST\n";

static void failed(const char *what, const char *reason)
{
  fprintf(stderr, "echo_client: %s: %s\n", what, reason);
  exit(1);
}

static void too_late(int number)
{
  static const char text[] = "echo_client: connect: there is no answer\n";
  (void)number;
  if (write(2, text, sizeof text - 1) > 0)
    _exit(1);
  _exit(1);
}

int main(int argc, char **argv)
{
  int option, protocol = IPPROTO_SCTP, fd = -1, error;
  uint16_t port = DEFAULT_PORT;
  char service[10];
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;

  while ((option = next_option(argc, argv, "tp:", usage)) != -1)
    if (option == 't')
      protocol = IPPROTO_TCP;
    else
      port = parse_port(optarg, 1, usage);
  if (argc != optind + 1)
    usage_error(usage, "there must be a HOST, and nothing else%s", "");
  signal(SIGALRM, too_late);
  signal(SIGPIPE, SIG_IGN);
  alarm(9);
  sprintf(service, "%u", port);
  const char *host = argv[optind];
  if ((error = getaddrinfo(strcmp(host, "localhost") == 0 ? NULL : host, service, &hints, &list)) != 0)
    failed(host, gai_strerror(error));
  for (struct addrinfo *at = list; at != NULL; at = at->ai_next) {
    fd = socket(at->ai_family, SOCK_STREAM, protocol);
    if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0)
      break;
    error = errno;
    if (fd >= 0)
      close(fd);
    fd = -1;
  }
  if (fd < 0)
    failed("connect", strerror(error));
  alarm(0);
  freeaddrinfo(list);

  static struct lines input;
  static char reply[MESSAGE_MAX];
  size_t awaited = 0;
  for (;;) {
    const char *line;
    size_t length;
    while (awaited == 0 && lines_next(&input, &line, &length))
      for (; awaited < length; awaited += (size_t)option)
        if ((option = (int)send(fd, line + awaited, length - awaited, 0)) < 0)
          failed("send", strerror(errno));
    if (awaited == 0 && input.ended)
      break;
    struct pollfd both[] = {{.fd = fd, .events = POLLIN}, {.fd = awaited > 0 ? -1 : 0, .events = POLLIN}};
    if (poll(both, 2, -1) < 0)
      continue;
    if (both[1].revents != 0)
      lines_read(&input);
    if (both[0].revents != 0) {
      ssize_t n = recv(fd, reply, sizeof reply, 0);
      if (n <= 0)
        failed("receive", n < 0 ? strerror(errno) : "the server has left");
      show(reply, (size_t)n);
      awaited -= (size_t)n < awaited ? (size_t)n : awaited;
    }
  }
  struct timeval limit = {.tv_sec = 5};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (shutdown(fd, SHUT_WR) < 0 || (recv(fd, reply, 1, 0) < 0 && errno == EAGAIN))
    failed("goodbye", strerror(errno));
  return 0;
}
