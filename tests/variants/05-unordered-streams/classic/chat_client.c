// chat_client - stage 05 in another manner: a one-to-many socket that connects, the calls that RFC 6458 deprecates
// (sctp_send, sctp_recvmsg), and select()
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

enum { LONGEST = 65536, RELAYED = 65600, AHEAD = 20 };

static const char usage[] = "usage: chat_client [-n NICK] [-u] [-p PORT] HOST\n"
                            "  -n NICK  your name\n"
                            "  -u       no order\n"
                            "  -p PORT  where the server listens, 2013 unless given\n";

static struct expected {
  bool used;
  uint16_t stream;
  size_t length;
  char bytes[LONGEST];
} expected[AHEAD];
static unsigned waiting_for, streams, speaks_in, visible = 1;
static char input[LONGEST + 1];
static size_t input_length;
static bool input_over, skipping, ending, unordered;
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
    struct sctp_initmsg init = {
        .sinit_num_ostreams = 16, .sinit_max_instreams = 16, .sinit_max_attempts = 3, .sinit_max_init_timeo = 1000};
    struct timeval limit = {.tv_sec = 4};
    const int on = 1;
    set(SCTP_EVENTS, &events, sizeof events);
    set(SCTP_INITMSG, &init, sizeof init);
    set(SCTP_NODELAY, &on, sizeof on);
    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(sock, one->ai_addr, one->ai_addrlen) == 0) {
      freeaddrinfo(list);
      uint32_t ids[4] = {0}; /* a struct sctp_assoc_ids: how many, and the first of them */
      socklen_t size = sizeof ids;
      if (getsockopt(sock, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, ids, &size) < 0)
        fail("SCTP_GET_ASSOC_ID_LIST", strerror(errno));
      association = (sctp_assoc_t)ids[1];
      struct sctp_status status = {.sstat_assoc_id = association};
      size = sizeof status;
      if (getsockopt(sock, IPPROTO_SCTP, SCTP_STATUS, &status, &size) < 0)
        fail("SCTP_STATUS", strerror(errno));
      streams = status.sstat_outstrms;
      fcntl(sock, F_SETFL, O_NONBLOCK);
      return;
    }
    why = strerror(errno == EINPROGRESS || errno == EAGAIN ? ETIMEDOUT : errno);
    close(sock);
  }
  fail("cannot connect", why);
}

static bool is_command(const char *line, size_t length)
{
  return line[0] == '/' && (length == 1 || line[1] != '/');
}

/* Of what kind is the answer to a command? */
static bool answers(const char *asked, size_t size, const char *line, size_t length)
{
  char question[100], reply[200], name[100] = "";
  snprintf(question, sizeof question, "%.*s", (int)size, asked);
  snprintf(reply, sizeof reply, "%.*s", (int)length, line);
  bool unknown = strncmp(reply, "* unknown command: ", 19) == 0;
  if (strncmp(question, "/who", 4) == 0)
    return unknown || strncmp(reply, "* here: ", 8) == 0;
  if (strncmp(question, "/nick", 5) != 0)
    return unknown;
  sscanf(question, "/nick %90s", name);
  char joined[130], is_now[130];
  snprintf(joined, sizeof joined, "* %s joined\n", name);
  snprintf(is_now, sizeof is_now, " is now %s\n", name);
  size_t tail = strlen(is_now);
  return unknown || strncmp(reply, "* nick refused: ", 16) == 0 || strcmp(reply, joined) == 0 ||
         (strncmp(reply, "* ", 2) == 0 && strlen(reply) > tail && strcmp(reply + strlen(reply) - tail, is_now) == 0);
}

static void received(uint16_t stream, const char *line, size_t length)
{
  for (int i = 0; i < AHEAD; i++) {
    struct expected *one = &expected[i];
    const char *text = one->bytes;
    size_t size = one->length;
    bool fits;
    if (!one->used || one->stream != stream)
      continue;
    if (is_command(text, size)) {
      fits = answers(text, size, line, length);
    } else {
      if (size > 1 && memcmp(text, "//", 2) == 0) {
        text++;
        size--;
      }
      size -= size > 0 && text[size - 1] == '\n';
      const char *colon = memchr(line, ':', length);
      fits = colon != NULL && (size_t)(line + length - colon) == size + 3 && memcmp(colon + 2, text, size) == 0;
    }
    if (fits) {
      one->used = false;
      waiting_for--;
      return;
    }
  }
}

static void heard(uint16_t stream, const char *bytes, size_t length)
{
  bool notice = stream == 0 && length > 1 && memcmp(bytes, "* ", 2) == 0;
  if (notice || (stream < 16 && visible >> stream & 1)) {
    if (stream > 0) {
      printf("[%u] ", stream);
      fflush(stdout);
    }
    show(bytes, length);
  }
  if (!notice) {
    received(stream, bytes, length);
    return;
  }
  for (const char *end; length > 0 && (end = memchr(bytes, '\n', length)) != NULL; bytes = end + 1) {
    received(stream, bytes, (size_t)(end - bytes) + 1);
    length -= (size_t)(end - bytes) + 1;
  }
}

/* Returns false when the association has ended as we wanted. */
static bool hear(void)
{
  static char whole[RELAYED];
  static size_t length;
  static char piece[RELAYED];
  struct sctp_sndrcvinfo from = {0};
  int flags = 0, n = sctp_recvmsg(sock, piece, sizeof piece, NULL, NULL, &from, &flags);
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
  if (length + (size_t)n > RELAYED)
    fail("a message is too long", "65600 bytes are the limit");
  memcpy(whole + length, piece, (size_t)n);
  length += (size_t)n;
  if (flags & MSG_EOR) {
    heard(from.sinfo_stream, whole, length);
    length = 0;
  }
  return true;
}

/* Obeys a line that is for us. Returns false where it is for the server. */
static bool obey(const char *line, size_t length)
{
  char text[80], word[10] = "", more[70] = "", end;
  unsigned n;
  if (!is_command(line, length))
    return false;
  snprintf(text, sizeof text, "%.*s", (int)length, line);
  sscanf(text, "%9s %69[^\n]", word, more);
  bool join = strcmp(word, "/join") == 0, part = strcmp(word, "/part") == 0, room = strcmp(word, "/room") == 0;
  if (strcmp(word, "/quit") == 0) {
    input_over = true;
    input_length = length; /* and the rest is forgotten */
  } else if (strcmp(word, "/u") == 0) {
    unordered = !unordered;
  } else if (strcmp(word, "/help") == 0) {
    static const char help[] = "/join N  /part N  /room N  /u  /quit  /nick NAME  /who\n";
    show(help, sizeof help - 1);
  } else if (join || part || room) {
    if (more[0] < '0' || more[0] > '9' || sscanf(more, "%2u%c", &n, &end) != 1 || n > 15)
      fprintf(stderr, "chat_client: no such room\n");
    else if (room && n >= streams)
      fprintf(stderr, "chat_client: the server has not so many rooms\n");
    else {
      visible = part ? visible & ~(1U << n) : visible | 1U << n;
      speaks_in = room ? n : speaks_in;
    }
  } else {
    return false;
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
    } else if (!obey(input, length)) {
      bool command = is_command(input, length);
      struct sctp_sndrcvinfo to = {.sinfo_assoc_id = association,
                                   .sinfo_stream = (uint16_t)(command ? 0 : speaks_in),
                                   .sinfo_flags = unordered && !command ? SCTP_UNORDERED : 0};
      if (waiting_for >= AHEAD)
        return true;
      if (sctp_send(sock, input, length, &to, 0) < 0)
        return false; /* no room; or it is gone, then there is something to be read */
      struct expected *one = expected;
      while (one->used)
        one++;
      one->used = true;
      one->stream = to.sinfo_stream;
      one->length = length;
      memcpy(one->bytes, input, length);
      waiting_for++;
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
  while ((option = next_option(argc, argv, "n:up:", usage)) != -1)
    if (option == 'n')
      input_length = (size_t)snprintf(input, 80, "/nick %.70s\n", optarg);
    else if (option == 'u')
      unordered = true;
    else
      snprintf(service, sizeof service, "%u", parse_port(optarg, 1, usage));
  if (argc - optind != 1)
    usage_error(usage, "exactly one HOST");
  signal(SIGPIPE, SIG_IGN);
  join(argv[optind], service);

  double since = seconds();
  for (;;) {
    bool sent = say();
    bool idle = input_over && input_length == 0 && waiting_for == 0;
    if (idle && !ending) {
      ending = true;
      since = seconds();
      struct sctp_sndrcvinfo to = {.sinfo_assoc_id = association, .sinfo_flags = SCTP_EOF};
      sctp_send(sock, NULL, 0, &to, 0);
    }
    bool reads = !input_over && input_length < sizeof input && waiting_for < AHEAD && sent;
    bool waits = ending || waiting_for > 0;
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
      if (waiting_for == 0)
        since = seconds();
    }
  }
}
