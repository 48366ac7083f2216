// mixed_sender - appendix: a file and a chat in one association, each on a stream of its own
//
// First the whole file goes into the send buffer, in a few large messages; then there is a short message of the chat
// every 20 ms. What the kernel sends first is up to its stream scheduler (RFC 8260, 3). mixed_receiver prints how long
// each message of the chat was under way; both must run on one machine, for they compare times of one clock.
//
// Compile:  cc -I../common -o mixed_sender mixed_sender.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './mixed_receiver & sleep 1; ./mixed_sender -s prio -n 2 -c 20 localhost; wait'
#include "address.h"
#include "buffers.h"
#include "mixed.h"
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SEND_BUFFER = 8 << 20 };

static const char usage[] =
    "usage: mixed_sender [-i] [-s SCHEDULER] [-n COUNT] [-l BYTES] [-c COUNT] [-p PORT] HOST\n"
    "Sends a file on stream 1, and meanwhile a chat on stream 0, a message every 20 ms, to mixed_receiver.\n"
    "  -i            ask for interleaving: pieces of a message may go between those of another\n"
    "  -s SCHEDULER  which stream is served first: fcfs (the default), prio, rr, fc or wfq\n"
    "  -n COUNT      the file has so many messages (default 10)\n"
    "  -l BYTES      each of so many bytes (default 262144)\n"
    "  -c COUNT      the chat has so many messages (default 100)\n"
    "  -p PORT       the receiver's port (default 2013)\n";

/* The schedulers by their numbers in linux/sctp.h, whose copy in a distribution may be older than the kernel. */
static const struct scheduler {
  const char *name;
  int number;
  uint16_t value[STREAMS]; /* what the chat and the file get as SCTP_STREAM_SCHEDULER_VALUE; 0: nothing */
} schedulers[] = {
    {"fcfs", 0, {0, 0}}, /* first come, first served */
    {"prio", 1, {1, 2}}, /* the lowest value goes first */
    {"rr", 2, {0, 0}},   /* the streams in turn: round robin */
    {"fc", 3, {0, 0}},   /* the same number of bytes for each: fair capacity; from Linux 6.4 on */
    {"wfq", 4, {10, 1}}, /* bytes in this proportion: weighted fair queueing; from Linux 6.4 on */
};

static int connect_to(const char *host, uint16_t port, bool interleave)
{
  struct addrinfo *peer = resolve_host(host, port);
  int fd = socket(peer->ai_family, SOCK_STREAM, IPPROTO_SCTP), on = 1;
  if (fd < 0)
    err(1, "socket");
  ask_for_buffers(fd, SEND_BUFFER);
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) < 0)
    err(1, "SCTP_NODELAY");
  if (interleave)
    ask_for_interleaving(fd);
  struct timeval limit = {.tv_sec = SILENCE_S};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(fd, peer->ai_addr, peer->ai_addrlen) < 0)
    err(1, "cannot reach %s port %u", host, port);
  freeaddrinfo(peer);
  return fd;
}

/* The scheduler of the sender alone: no packet tells of it, and the peer need not know any. */
static void choose(int fd, const struct scheduler *scheduler)
{
  struct sctp_assoc_value which = {.assoc_id = SCTP_CURRENT_ASSOC, .assoc_value = (uint32_t)scheduler->number};
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_STREAM_SCHEDULER, &which, sizeof which) < 0) {
    if (errno == EINVAL)
      errx(3, "this kernel has no scheduler %s", scheduler->name);
    err(1, "SCTP_STREAM_SCHEDULER");
  }
  for (uint16_t stream = 0; stream < STREAMS; stream++) {
    struct sctp_stream_value value = {.stream_id = stream, .stream_value = scheduler->value[stream]};
    if (value.stream_value != 0 && setsockopt(fd, IPPROTO_SCTP, SCTP_STREAM_SCHEDULER_VALUE, &value, sizeof value) < 0)
      err(1, "SCTP_STREAM_SCHEDULER_VALUE");
  }
}

static void send_message(int fd, uint16_t stream, const void *bytes, size_t length)
{
  struct iovec message = {(void *)bytes, length};
  struct sctp_sndinfo info = {.snd_sid = stream};
  if (sctp_sendv(fd, &message, 1, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) < 0)
    err(1, errno == EAGAIN ? "the file does not fit into the send buffer" : "stream %u: sctp_sendv", stream);
}

int main(int argc, char **argv)
{
  const struct scheduler *scheduler = schedulers;
  const size_t known = sizeof schedulers / sizeof *schedulers;
  bool interleave = false;
  size_t length = 262144, i = 0;
  int parts = 10, lines = 100, option;
  uint16_t port = DEFAULT_PORT;

  while ((option = next_option(argc, argv, "is:n:l:c:p:", usage)) != -1)
    switch (option) {
    case 'i':
      interleave = true;
      break;
    case 's':
      for (i = 0; i < known && strcmp(schedulers[i].name, optarg) != 0;)
        i++;
      if (i == known)
        usage_error(usage, "there is no scheduler '%s'", optarg);
      scheduler = &schedulers[i];
      break;
    case 'n':
      parts = parse_number(optarg, 0, 1000, "a number of messages", usage);
      break;
    case 'l':
      length = (size_t)parse_number(optarg, 1, SEND_BUFFER / 2, "a length", usage);
      break;
    case 'c':
      lines = parse_number(optarg, 0, 100000, "a number of messages", usage);
      break;
    case 'p':
      port = parse_port(optarg, 1, usage);
    }
  if (argc - optind != 1)
    usage_error(usage, optind < argc ? "one HOST only, not also '%s'" : "no HOST given%s",
                optind < argc ? argv[optind + 1] : "");

  char *file = calloc(1, length), line[CHAT_BYTES] = {0};
  if (file == NULL)
    err(1, "malloc");
  signal(SIGPIPE, SIG_IGN); /* libsctp 1.0.19 does not hand MSG_NOSIGNAL on */
  int fd = connect_to(argv[optind], port, interleave);
  choose(fd, scheduler);
  /* Where the file does not fit into the send buffer, the chat waits in front of it, and no scheduler can help. */
  if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
    err(1, "O_NONBLOCK");
  for (int part = 0; part < parts; part++)
    send_message(fd, FILE_STREAM, file, length);
  free(file);
  if (fcntl(fd, F_SETFL, 0) < 0)
    err(1, "fcntl");
  for (int64_t due = nanoseconds(); lines > 0; lines--) {
    due += 20000000;
    struct timespec wake = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
    int64_t time = nanoseconds();
    memcpy(line, &time, sizeof time);
    send_message(fd, CHAT, line, sizeof line);
  }
  char nothing;
  if (shutdown(fd, SHUT_WR) < 0)
    err(1, "shutdown");
  if (recv(fd, &nothing, 1, 0) < 0 && errno == EAGAIN)
    errx(1, "the receiver does not agree to end");
  return EXIT_SUCCESS;
}
