// hol_sender - stage 05: sends messages of one size at one rate, over TCP or SCTP, in order or not
//
// hol_receiver prints how long they were under way. Both must run on one machine (two network namespaces of it), for
// they compare times of one clock.
//
// Compile:  cc -I../common -o hol_sender hol_sender.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './hol_receiver & sleep 1; ./hol_sender -n 1000 localhost; wait'
#include "address.h"
#include "buffers.h"
#include "hol_message.h"
#include "options.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { HANDSHAKE_MS = 200 };

static const char usage[] =
    "usage: hol_sender [-t | -s STREAMS] [-u] [-l BYTES] [-i US] [-n COUNT] [-m MS] [-w] [-a ADDRESS] [-p PORT] HOST\n"
    "Sends messages to hol_receiver, each at its time.\n"
    "  -t          use TCP instead of SCTP\n"
    "  -s STREAMS  the messages go round so many streams (default 1)\n"
    "  -u          unordered\n"
    "  -l BYTES    length of a message (default 300)\n"
    "  -i US       one is due every so many microseconds (default 3000); 0: as fast as it can\n"
    "  -n COUNT    so many messages (default 3000)\n"
    "  -m MS       SCTP_RTOINFO: least and first retransmission timeout (default 1000 and 3000)\n"
    "  -w          set up the association, print \"Connected\", and begin when standard input ends\n"
    "  -a ADDRESS  the only address of this host to use (default: all that it has)\n"
    "  -p PORT     the receiver's port (default 2013)\n";

struct settings {
  int protocol;
  uint16_t port;
  const char *address;
  int rto_min;
  uint16_t streams, flags;
  bool wait;
  struct head message; /* its number is 0 */
};

static int connect_to(const char *host, const struct settings *how)
{
  struct addrinfo *peer = resolve_host(host, how->port);
  int fd = socket(peer->ai_family, SOCK_STREAM, how->protocol);
  if (fd < 0)
    err(1, "socket");
  if (how->address != NULL) {
    /* With SCTP all addresses of a host are paths of its associations: what is lost here would come again there. */
    struct addrinfo *own = resolve_host(how->address, 0);
    if (bind(fd, own->ai_addr, own->ai_addrlen) < 0)
      err(1, "bind");
    freeaddrinfo(own);
  }
  ask_for_buffers(fd, BUFFER);
  struct timeval limit = {.tv_sec = SILENCE_S};
  set_option(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit, "SO_SNDTIMEO");
  set_option(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit, "SO_RCVTIMEO");
  int on = 1;
  if (how->protocol == IPPROTO_TCP) {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on, "TCP_NODELAY");
  } else {
    /* A lost INIT is not the matter here: it comes again soon, and for 10 s. */
    struct sctp_initmsg init = {.sinit_num_ostreams = how->streams,
                                .sinit_max_attempts = 10000 / HANDSHAKE_MS,
                                .sinit_max_init_timeo = HANDSHAKE_MS};
    set_option(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on, "SCTP_NODELAY");
    set_option(fd, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init, "SCTP_INITMSG");
    if (how->rto_min > 0) {
      uint32_t least = (uint32_t)how->rto_min;
      struct sctp_rtoinfo rto = {.srto_initial = least, .srto_min = least};
      set_option(fd, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof rto, "SCTP_RTOINFO");
    }
  }
  if (connect(fd, peer->ai_addr, peer->ai_addrlen) < 0)
    err(1, "cannot reach %s port %u", host, how->port);
  freeaddrinfo(peer);
  return fd;
}

/* Sends one message; blocks while there is no room for it in the send buffer. */
static void send_message(int fd, const struct settings *how, const struct head *head)
{
  struct iovec parts[] = {{(void *)head, sizeof *head}, {(void *)filling(head->number), head->length - sizeof *head}};
  if (how->protocol == IPPROTO_SCTP) {
    struct sctp_sndinfo info = {.snd_sid = (uint16_t)(head->number % how->streams), .snd_flags = how->flags};
    if (sctp_sendv(fd, parts, 2, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) < 0)
      err(1, "message %u: sctp_sendv", head->number);
    return;
  }
  for (struct msghdr rest = {.msg_iov = parts, .msg_iovlen = 2}; parts[1].iov_len > 0;) {
    ssize_t n = sendmsg(fd, &rest, MSG_NOSIGNAL);
    if (n < 0)
      err(1, "message %u: sendmsg", head->number);
    for (int i = 0; i < 2; i++) { /* TCP may take a part */
      size_t taken = (size_t)n < parts[i].iov_len ? (size_t)n : parts[i].iov_len;
      parts[i].iov_base = (char *)parts[i].iov_base + taken;
      parts[i].iov_len -= taken;
      n -= (ssize_t)taken;
    }
  }
}

static void send_all(const char *host, const struct settings *how)
{
  struct head head = how->message;
  uint32_t late = 0;
  char nothing;
  int fd = connect_to(host, how);
  if (how->wait) {
    puts("Connected");
    while (read(STDIN_FILENO, &nothing, 1) > 0)
      ;
  }
  int64_t begin = nanoseconds(), step = head.interval * INT64_C(1000);
  for (; head.number < head.count; head.number++) {
    /*
     * A message is due at its time, whatever has become of those before. Where one blocks, the others behind it are
     * late, and this is part of their delay: else the worst moments would not be measured at all.
     */
    head.due = step > 0 ? begin + head.number * step : nanoseconds();
    struct timespec due = {.tv_sec = head.due / 1000000000, .tv_nsec = head.due % 1000000000};
    if (step > 0)
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    head.sent = nanoseconds();
    late += step > 0 && head.sent - head.due > step;
    send_message(fd, how, &head);
  }
  if (late > head.count / 100)
    warnx("cannot keep the pace: %u of %u messages were sent more than %u us late", late, head.count, head.interval);
  if (shutdown(fd, SHUT_WR) < 0)
    err(1, "shutdown");
  if (recv(fd, &nothing, 1, 0) < 0 && errno == EAGAIN)
    errx(1, "the receiver does not agree to end");
  printf("{\"sender_cpu\":%.6f}\n", processor_seconds());
}

int main(int argc, char **argv)
{
  struct settings how = {.protocol = IPPROTO_SCTP,
                         .port = DEFAULT_PORT,
                         .streams = 1,
                         .message = {.length = 300, .count = 3000, .interval = 3000}};
  int option;

  while ((option = next_option(argc, argv, "ts:ul:i:n:m:wa:p:", usage)) != -1)
    switch (option) {
    case 't':
      how.protocol = IPPROTO_TCP;
      break;
    case 's':
      how.streams = (uint16_t)parse_number(optarg, 1, 65535, "a number of streams", usage);
      break;
    case 'u':
      how.flags = SCTP_UNORDERED;
      break;
    case 'l':
      how.message.length = (uint32_t)parse_number(optarg, 1 + sizeof how.message, BYTES_MAX, "a length", usage);
      break;
    case 'i':
      how.message.interval = (uint32_t)parse_number(optarg, 0, 10000000, "a time in microseconds", usage);
      break;
    case 'n':
      how.message.count = (uint32_t)parse_number(optarg, 1, COUNT_MAX, "a number of messages", usage);
      break;
    case 'm':
      how.rto_min = parse_number(optarg, 1, 60000, "a time in milliseconds", usage);
      break;
    case 'w':
      how.wait = true;
      break;
    case 'a':
      how.address = optarg;
      break;
    case 'p':
      how.port = parse_port(optarg, 1, usage);
    }
  if (argc - optind != 1)
    usage_error(usage, optind < argc ? "one HOST only, not also '%s'" : "no HOST given%s",
                optind < argc ? argv[optind + 1] : "");
  if (how.protocol == IPPROTO_TCP && (how.streams > 1 || how.flags != 0 || how.rto_min > 0))
    usage_error(usage, "-s, -u and -m are for SCTP: not with -t");

  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN); /* libsctp 1.0.19 does not hand MSG_NOSIGNAL on */
  send_all(argv[optind], &how);
  return EXIT_SUCCESS;
}
