// chat_client - stage 04 in another manner: a one-to-many socket that connects, the calls that RFC 6458 deprecates
// (sctp_send, sctp_recvmsg), select(), and one buffer for all that has been said and has not come back
//
// Compile:  cc -I../common -o chat_client chat_client.c ../common/*.c -lsctp
#define _GNU_SOURCE
#include "options.h"
#include "show.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 65536, AHEAD = 4 * LONGEST };

static const char usage[] = "usage: chat_client [-p PORT] HOST\n"
                            "  -p PORT  where the server listens, 2013 unless given\n";

static char said[AHEAD], *said_end = said; /* without what has come back; the length of each in lengths */
static size_t lengths[AHEAD], said_count;
static char input[LONGEST + 1];
static size_t input_length;
static bool input_over, skipping, ending;
static int sock;
static sctp_assoc_t association;

static void fail(const char *what, const char *why)
{
  fflush(stdout);
  fprintf(stderr, "chat_client: %s: %s\n", what, why);
  exit(1);
}

static double seconds(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void set(int option, const void *value, socklen_t size)
{
  if (setsockopt(sock, IPPROTO_SCTP, option, value, size) < 0)
    fail("setsockopt", strerror(errno));
}

static void join(const char *host, const char *service)
{
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
  int error = getaddrinfo(host, service, &hints, &list);
  const char *why = "no address";
  if (error != 0)
    fail(host, gai_strerror(error));
  for (struct addrinfo *one = list; one != NULL; one = one->ai_next) {
    sock = socket(one->ai_family, SOCK_SEQPACKET, IPPROTO_SCTP);
    if (sock < 0) {
      why = strerror(errno);
      continue;
    }
    struct sctp_event_subscribe events = {.sctp_data_io_event = 1, .sctp_association_event = 1};
    struct sctp_initmsg init = {.sinit_max_attempts = 3, .sinit_max_init_timeo = 1000};
    struct timeval limit = {.tv_sec = 4};
    set(SCTP_EVENTS, &events, sizeof events);
    set(SCTP_INITMSG, &init, sizeof init);
    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(sock, one->ai_addr, one->ai_addrlen) == 0) {
      freeaddrinfo(list);
      uint32_t ids[4] = {0}; /* a struct sctp_assoc_ids: how many, and the first of them */
      socklen_t size = sizeof ids;
      if (getsockopt(sock, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, ids, &size) < 0)
        fail("SCTP_GET_ASSOC_ID_LIST", strerror(errno));
      association = (sctp_assoc_t)ids[1];
      fcntl(sock, F_SETFL, O_NONBLOCK);
      return;
    }
    why = strerror(errno == EINPROGRESS || errno == EAGAIN ? ETIMEDOUT : errno);
    close(sock);
  }
  fail("cannot connect", why);
}

static void heard(const char *bytes, size_t length)
{
  show(bytes, length);
  if (said_count > 0 && lengths[0] == length && memcmp(said, bytes, length) == 0) {
    memmove(said, said + length, (size_t)(said_end - said) - length);
    said_end -= length;
    memmove(lengths, lengths + 1, --said_count * sizeof *lengths);
  }
}

/* Returns false when the association has ended as we wanted. */
static bool hear(void)
{
  static char whole[LONGEST];
  static size_t length;
  static char piece[LONGEST];
  int flags = 0, n = sctp_recvmsg(sock, piece, sizeof piece, NULL, NULL, NULL, &flags);
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR)
      fail("the server is gone", strerror(errno));
    return true;
  }
  if (flags & MSG_NOTIFICATION) {
    const union sctp_notification *event = (const void *)piece;
    if (event->sn_header.sn_type != SCTP_ASSOC_CHANGE || event->sn_assoc_change.sac_state == SCTP_COMM_UP)
      return true;
    if (event->sn_assoc_change.sac_state == SCTP_SHUTDOWN_COMP && ending)
      return false;
    char reason[300] = "it has shut the association down";
    if (event->sn_assoc_change.sac_state == SCTP_COMM_LOST)
      strcpy(reason, "association lost");
    size_t head = sizeof event->sn_assoc_change + 4;
    if (event->sn_assoc_change.sac_state == SCTP_COMM_LOST && (size_t)n > head)
      escape(piece + head, (size_t)n - head, reason, sizeof reason);
    fail("the server is gone, association aborted or ended", reason);
  }
  if (length + (size_t)n > LONGEST)
    fail("a message is too long", "65536 bytes are the limit");
  memcpy(whole + length, piece, (size_t)n);
  length += (size_t)n;
  if (flags & MSG_EOR) {
    heard(whole, length);
    length = 0;
  }
  return true;
}

/* Says what it can of the input. Returns false where the socket cannot take it now. */
static bool say(void)
{
  while (input_length > 0) {
    char *newline = memchr(input, '\n', input_length);
    size_t length = newline != NULL ? (size_t)(newline - input) + 1 : input_length;
    if (newline == NULL && input_length <= LONGEST && !input_over && !skipping)
      return true;
    if (length > LONGEST && !skipping) {
      fprintf(stderr, "chat_client: line too long: more than 65536 bytes\n");
      skipping = true;
    }
    if (skipping) {
      skipping = newline == NULL;
    } else {
      if (said_count >= 20 || (size_t)(said_end - said) + length > AHEAD)
        return true;
      struct sctp_sndrcvinfo to = {.sinfo_assoc_id = association};
      if (sctp_send(sock, input, length, &to, 0) < 0)
        return false; /* no room; or it is gone, then there is something to be read */
      memcpy(said_end, input, length);
      said_end += length;
      lengths[said_count++] = length;
    }
    memmove(input, input + length, input_length - length);
    input_length -= length;
  }
  return true;
}

int main(int argc, char **argv)
{
  char service[8] = "2013";
  int option;
  while ((option = next_option(argc, argv, "p:", usage)) != -1)
    snprintf(service, sizeof service, "%u", parse_port(optarg, 1, usage));
  if (argc - optind != 1)
    usage_error(usage, "exactly one HOST");
  signal(SIGPIPE, SIG_IGN);
  join(argv[optind], service);

  double since = seconds();
  for (;;) {
    bool sent = say();
    bool idle = input_over && input_length == 0 && said_count == 0;
    if (idle && !ending) {
      ending = true;
      since = seconds();
      struct sctp_sndrcvinfo to = {.sinfo_assoc_id = association, .sinfo_flags = SCTP_EOF};
      sctp_send(sock, NULL, 0, &to, 0);
    }
    bool reads = !input_over && input_length < sizeof input && said_count < 20 && sent;
    bool waits = ending || said_count > 0;
    fd_set in, out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(sock, &in);
    if (reads)
      FD_SET(STDIN_FILENO, &in);
    if (!sent)
      FD_SET(sock, &out);
    struct timeval limit = {.tv_usec = 200000};
    int ready = select(sock + 1, &in, &out, NULL, waits ? &limit : NULL);
    if (ready < 0)
      continue;
    if (FD_ISSET(sock, &in)) {
      since = seconds();
      if (!hear())
        return 0;
    }
    if (!reads && waits && seconds() - since > 5)
      fail(ending ? "no goodbye from the server" : "not everything has come back", "5 seconds of silence");
    if (reads && FD_ISSET(STDIN_FILENO, &in)) {
      ssize_t n = read(STDIN_FILENO, input + input_length, sizeof input - input_length);
      if (n < 0 && errno != EINTR)
        fail("standard input", strerror(errno));
      input_over = n == 0;
      input_length += n > 0 ? (size_t)n : 0;
      if (said_count == 0)
        since = seconds();
    }
  }
}
