// means - a load generator for a room that may lose messages: who reads, and what gets there while one client does not
//
// COUNT clients read, one more does not. The first of them says a message whenever fewer than 8 are between the last
// that anyone has heard and the last that it has said, as fast as the server takes them, for 20 s at the most. When all
// has come, or nothing has for 5 s, it prints how many of the deliveries came, how many clients have a hole or lack the
// end, and the longest time in which nothing came to anyone.
//
// Compile:  cc -I../common -o means means.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './bare_server & sleep 1; ./means -n 18 1000'
#include "address.h"
#include "options.h"

#include <err.h>
#include <errno.h>
#include <netinet/sctp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64, IN_FLIGHT = 8, SILENCE_S = 5, TALK_S = 20 };

static const char usage[] =
    "usage: means [-n COUNT] [-p PORT] [-w TEXT] MESSAGES\n"
    "Says MESSAGES of 64 bytes in the room of the server on this machine, in which one client does\n"
    "not read, and prints a JSON object: what came of it.\n"
    "  -n COUNT  so many clients that read (default 18)\n"
    "  -p PORT   the server's (default 2013)\n"
    "  -w TEXT   the value of \"what\" in the output\n";

struct reader {
  int heard; /* messages */
  int next;  /* the number of the one that would follow */
  bool hole; /* there was another */
  bool gone; /* disconnected */
};

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int join(const struct addrinfo *server)
{
  const int on = 1;
  int fd = socket(server->ai_family, SOCK_STREAM, IPPROTO_SCTP);
  if (fd < 0 || setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) < 0)
    err(1, "socket");
  double give_up = now() + 3; /* the server may be about to start */
  while (connect(fd, server->ai_addr, server->ai_addrlen) < 0)
    if (errno != ECONNREFUSED || now() > give_up)
      err(1, "cannot join the room");
  return fd;
}

/* Takes one message, if there is one. Returns true where it came. */
static bool hear(int fd, struct reader *reader)
{
  char bytes[SIZE + 1];
  ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return false;
  if (n <= 0) {
    reader->gone = true;
    return false;
  }
  if (n != SIZE)
    errx(1, "a message of %zd bytes came", n);
  int number = atoi(bytes);
  if (number < reader->next)
    errx(1, "message %d came after message %d", number, reader->next - 1);
  reader->hole = reader->hole || number > reader->next;
  reader->next = number + 1;
  reader->heard++;
  return true;
}

int main(int argc, char **argv)
{
  int count = 18, option;
  uint16_t port = DEFAULT_PORT;
  const char *what = "";
  while ((option = next_option(argc, argv, "n:p:w:", usage)) != -1)
    switch (option) {
    case 'n':
      count = parse_number(optarg, 1, 500, "a number of clients", usage);
      break;
    case 'p':
      port = parse_port(optarg, 1, usage);
      break;
    case 'w':
      what = optarg;
    }
  if (optind != argc - 1)
    usage_error(usage, "MESSAGES is missing");
  int messages = parse_number(argv[optind], 1, 1000000, "a number of messages", usage);

  struct addrinfo *server = resolve_host("127.0.0.1", port);
  struct pollfd *fds = calloc((size_t)count, sizeof *fds);
  struct reader *readers = calloc((size_t)count, sizeof *readers);
  if (fds == NULL || readers == NULL)
    err(1, "calloc");
  for (int i = 0; i < count; i++) {
    if (i == count / 2)
      join(server); /* the one that does not read, in the middle of the kernel's list */
    fds[i] = (struct pollfd){.fd = join(server), .events = POLLIN};
  }
  freeaddrinfo(server);

  int said = 0, newest = 0; /* newest: one more than the last that anyone has heard */
  double begin = now(), last = begin, longest = 0;
  while (now() - last < SILENCE_S) {
    if (now() - begin > TALK_S)
      messages = said;
    bool all = said == messages;
    for (int i = 0; i < count; i++)
      all = all && (readers[i].gone || readers[i].next == messages);
    if (all)
      break;
    if (said < messages && said - newest < IN_FLIGHT) {
      char bytes[SIZE + 1];
      snprintf(bytes, sizeof bytes, "%-63d\n", said);
      if (send(fds[0].fd, bytes, SIZE, MSG_DONTWAIT | MSG_NOSIGNAL) == SIZE)
        said++;
    }
    poll(fds, (nfds_t)count, 10);
    for (int i = 0; i < count; i++) {
      if (fds[i].revents == 0)
        continue;
      if (hear(fds[i].fd, &readers[i])) {
        newest = readers[i].next > newest ? readers[i].next : newest;
        longest = now() - last > longest ? now() - last : longest;
        last = now();
      } else if (readers[i].gone) {
        fds[i].fd = -1;
      }
    }
  }
  if (said < messages || newest < messages) /* else all was said, and nobody is to be expected to say more */
    longest = now() - last > longest ? now() - last : longest;
  int heard = 0, whole = 0;
  for (int i = 0; i < count; i++) {
    heard += readers[i].heard;
    whole += !readers[i].hole && !readers[i].gone && readers[i].next == messages;
  }
  printf("{\"what\":\"%s\",\"readers\":%d,\"said\":%d,\"due\":%d,\"heard\":%d,\"whole\":%d,\"longest\":"
         "%.3f,"
         "\"seconds\":%.3f,\"ended\":%s}\n",
         what, count, said, said * count, heard, whole, longest, last - begin, longest < SILENCE_S ? "true" : "false");
  free(fds);
  free(readers);
  return EXIT_SUCCESS;
}
