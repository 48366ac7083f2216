// echo - a load generator: one client of an echo server, which compares every byte that comes back
//
// WINDOW messages are in flight: the next one is sent when the oldest has come back, in whatever pieces. A byte that is
// lost, doubled or changed, or does not come in time, ends the program with status 1.
//
// Compile:  cc -I../common -o echo echo.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c '../01-one-to-one/echo_server & sleep 1; ./echo 64:1:1000 65536:8:1000'
#include "lines.h"
#include "options.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Byte N of all that is sent is byte N % PERIOD of the pattern, a prime: what has moved looks different. */
enum {
  PERIOD = 65521,
  WINDOW_MAX = 64,
  BUFFER_BYTES = WINDOW_MAX * MESSAGE_MAX,
  RECEIVE_BYTES = 1 << 18,
  STALL_S = 10
};

static const char usage[] =
    "usage: echo [-t] [-l SECONDS] [-p PORT] [-w TEXT] SIZE:WINDOW:MESSAGES...\n"
    "Sends MESSAGES of SIZE bytes to the echo server on this machine, with WINDOW of them in flight,\n"
    "and prints a JSON object: seconds, and bytes per second in each direction.\n"
    "  -t          TCP, not SCTP\n"
    "  -p PORT     the server's (default 2013)\n"
    "  -w TEXT     the value of \"what\" in the output\n";

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int result, const char *what)
{
  if (result < 0)
    err(1, "%s", what);
}

static int join(bool tcp, uint16_t port, int stall_s)
{
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const int on = 1, buffer = BUFFER_BYTES;
  const struct timeval limit = {.tv_sec = stall_s};
  int fd = socket(AF_INET, SOCK_STREAM, tcp ? IPPROTO_TCP : IPPROTO_SCTP);
  must(fd, "socket");
  must(tcp ? setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)
           : setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on),
       "NODELAY");
  /* All that is in flight fits: send() never waits for a server that waits for us to receive. */
  must(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer), "SO_SNDBUF");
  must(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer), "SO_RCVBUF");
  must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), "SO_RCVTIMEO");
  must(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), "SO_SNDTIMEO");
  double give_up = now() + 10;
  while (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
    if (errno != ECONNREFUSED || now() > give_up) /* it may just be starting */
      err(1, "connect");
    usleep(5000);
  }
  return fd;
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void measure(int fd, const char *what, size_t size, int window, int messages)
{
  static char pattern[PERIOD + RECEIVE_BYTES], bytes[RECEIVE_BYTES];
  static size_t sent, received; /* bytes, since the program began */
  for (size_t i = 0; i < sizeof pattern; i++)
    pattern[i] = (char)((i % PERIOD) * 2654435761U >> 11);
  double *times = calloc((size_t)messages, sizeof *times); /* when it was sent, then how long it took */
  if (times == NULL)
    err(1, "calloc");
  const size_t first = received;
  const double start = now();
  for (int out = 0, back = 0; back < messages;) {
    for (; out < messages && out - back < window; out++, sent += size) {
      times[out] = now();
      if (send(fd, pattern + sent % PERIOD, size, MSG_NOSIGNAL) != (ssize_t)size)
        err(1, "message %d of %zu bytes cannot be sent", out, size);
    }
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EAGAIN)
      printf("{\"what\":\"%s\",\"size\":%zu,\"window\":%d,\"stalled\":true}\n", what, size, window);
    if (n <= 0)
      errx(1, "byte %zu of %zu does not come back: %s", received, sent,
           n == 0            ? "the server has ended the connection"
           : errno == EAGAIN ? "the server has stalled"
                             : strerror(errno));
    if ((size_t)n > sent - received)
      errx(1, "more comes back than was sent");
    if (memcmp(bytes, pattern + received % PERIOD, (size_t)n) != 0)
      errx(1, "after byte %zu something else comes back than was sent", received);
    received += (size_t)n;
    for (double t = now(); back < messages && received - first >= (size_t)(back + 1) * size; back++)
      times[back] = t - times[back];
  }
  double took = now() - start;
  qsort(times, (size_t)messages, sizeof *times, by_value);
  printf("{\"what\":\"%s\",\"size\":%zu,\"window\":%d,\"messages\":%d,\"each\":%.9f,\"rate\":%.0f,\"p50\":%.9f,"
         "\"p99\":%.9f,\"max\":%.9f,\"stalled\":false}\n",
         what, size, window, messages, took / messages, (double)size * messages / took, times[messages / 2],
         times[(messages - 1) * 99 / 100], times[messages - 1]);
  free(times);
}

int main(int argc, char **argv)
{
  bool tcp = false;
  uint16_t port = DEFAULT_PORT;
  const char *what = "";
  int option, stall_s = 10;
  while ((option = next_option(argc, argv, "tl:p:w:", usage)) != -1)
    switch (option) {
    case 't':
      tcp = true;
      break;
    case 'l':
      stall_s = parse_number(optarg, 1, 3600, "a time in seconds", usage);
      break;
    case 'p':
      port = parse_port(optarg, 1, usage);
      break;
    case 'w':
      what = optarg;
    }
  if (optind == argc)
    usage_error(usage, "SIZE:WINDOW:MESSAGES is missing");
  setvbuf(stdout, NULL, _IOLBF, 0);
  int fd = join(tcp, port, stall_s);
  for (; optind < argc; optind++) {
    int size, window, messages;
    if (sscanf(argv[optind], "%d:%d:%d", &size, &window, &messages) != 3 || size < 1 || size > MESSAGE_MAX ||
        window < 1 || window > WINDOW_MAX || messages < 1)
      usage_error(usage, "'%s' is not SIZE:WINDOW:MESSAGES (1 to %d, 1 to %d)", argv[optind], MESSAGE_MAX, WINDOW_MAX);
    measure(fd, what, (size_t)size, window, messages);
  }
  struct timeval soon = {.tv_usec = 100000};
  char more;
  must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon), "SO_RCVTIMEO");
  if (recv(fd, &more, 1, 0) > 0)
    errx(1, "more comes back than was sent");
  return EXIT_SUCCESS;
}
