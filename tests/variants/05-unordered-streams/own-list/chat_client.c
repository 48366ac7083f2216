// chat_client - stage 05 in another manner: one thread reads and says lines, another one hears and prints
//
// Compile:  cc -I../common -o chat_client chat_client.c ../common/*.c -lsctp
#define _GNU_SOURCE
#include "client.h"
#include "options.h"
#include "show.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 65536, RELAYED = 65600, MANY = 16, SILENCE = 5, ROOMS = 16 };

static const char usage[] = "usage: chat_client [-n NICK] [-u] [-p PORT] HOST\n"
                            "  -n NICK  who you are\n"
                            "  -u       unordered\n"
                            "  -p PORT  the port of the server (2013)\n";

static const char help[] =
    "/join N, /part N: show a room, or hide it. /room N: speak in it. /u: unordered or ordered.\n"
    "/nick NAME, /who: ask the server. /quit: leave. //...: say /...\n";

struct line {
  struct line *next;
  unsigned room;
  size_t length;
  char *bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static struct line *said; /* and not come back */
static unsigned unanswered, heard, room, streams;
static bool shown[ROOMS] = {true};
static bool goodbye, over, unordered;
static int sock;

static void die(const char *format, ...)
{
  static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
  va_list values;
  pthread_mutex_lock(&once); /* for good */
  va_start(values, format);
  fflush(stdout);
  fputs("chat_client: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  _exit(1);
}

static bool starts(const char *bytes, size_t length, const char *with)
{
  return length >= strlen(with) && memcmp(bytes, with, strlen(with)) == 0;
}

/* Is this line, which has come, the answer to what was said? */
static bool is_answer(const struct line *line, unsigned stream, const char *bytes, size_t length)
{
  const char *text = line->bytes;
  size_t size = line->length;
  if (starts(text, size, "/") && !starts(text, size, "//")) {
    if (stream != 0 || !starts(bytes, length, "* "))
      return false;
    if (starts(text, size, "/who"))
      return starts(bytes, length, "* here: ") || starts(bytes, length, "* unknown command: ");
    if (starts(text, size, "/nick")) {
      if (starts(bytes, length, "* nick refused: ") || starts(bytes, length, "* unknown command: "))
        return true;
      char nick[32] = "", word[32] = "", last[32] = "", one[80], line_text[120];
      snprintf(one, sizeof one, "%.*s", (int)size, text);
      sscanf(one, "/nick %30s", nick);
      snprintf(line_text, sizeof line_text, "%.*s", (int)length, bytes);
      return (sscanf(line_text, "* %30s %30s", word, last) == 2 && strcmp(word, nick) == 0 &&
              strcmp(last, "joined") == 0) ||
             (sscanf(line_text, "* %*s is now %30s", last) == 1 && strcmp(last, nick) == 0);
    }
    return starts(bytes, length, "* unknown command: ");
  }
  if (starts(text, size, "//")) {
    text++;
    size--;
  }
  if (size > 0 && text[size - 1] == '\n')
    size--;
  const char *colon = memchr(bytes, ':', length < 20 ? length : 20);
  return stream == line->room && colon != NULL && (size_t)(colon - bytes) + size + 3 == length &&
         memcmp(colon + 2, text, size) == 0;
}

static void compare(unsigned stream, const char *bytes, size_t length)
{
  for (struct line **link = &said; *link != NULL; link = &(*link)->next)
    if (is_answer(*link, stream, bytes, length)) {
      struct line *line = *link;
      *link = line->next;
      unanswered--;
      free(line->bytes);
      free(line);
      return;
    }
}

static void came(unsigned stream, const char *bytes, size_t length)
{
  bool notices = stream == 0 && starts(bytes, length, "* ");
  heard++;
  if (notices || (stream < ROOMS && shown[stream])) {
    char number[16];
    if (stream > 0)
      show(number, (size_t)sprintf(number, "[%u] ", stream));
    show(bytes, length);
  }
  while (length > 0) { /* of notices there may be several, a line each */
    const char *end = notices ? memchr(bytes, '\n', length) : NULL;
    size_t size = end != NULL ? (size_t)(end - bytes) + 1 : length;
    compare(stream, bytes, size);
    bytes += size;
    length -= size;
  }
  pthread_cond_signal(&news);
}

static void ended(const struct sctp_assoc_change *change, size_t size)
{
  size_t more = size > sizeof *change + 4 ? size - sizeof *change - 4 : 0;
  char reason[512];
  if (change->sac_state == SCTP_COMM_LOST) {
    escape(change->sac_info + (more > 0 ? 4 : 0), more, reason, sizeof reason);
    die("aborted by the server: %s", more > 0 ? reason : "no reason given");
  }
  die("the server has left: association shut down");
}

static void *listen_to_all(void *nothing)
{
  static char whole[RELAYED + LONGEST];
  static char piece[LONGEST];
  size_t length = 0;
  for (;;) {
    union {
      struct cmsghdr align;
      char room[256];
    } control;
    struct iovec vector = {piece, sizeof piece};
    struct msghdr header = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(sock, &header, 0);
    if (n < 0 && errno == EINTR)
      continue;
    pthread_mutex_lock(&lock);
    if (n <= 0) {
      if (!goodbye)
        die("the server has left: %s", n < 0 ? strerror(errno) : "end of the association");
      over = true;
      pthread_cond_signal(&news);
      pthread_mutex_unlock(&lock);
      return nothing;
    }
    if (header.msg_flags & MSG_NOTIFICATION) {
      struct sctp_assoc_change *change = (void *)piece;
      if (!goodbye && change->sac_type == SCTP_ASSOC_CHANGE && change->sac_state != SCTP_COMM_UP)
        ended(change, (size_t)n);
      pthread_mutex_unlock(&lock);
      continue;
    }
    if (length + (size_t)n > RELAYED)
      die("a message is longer than %d bytes", RELAYED);
    memcpy(whole + length, piece, (size_t)n);
    length += (size_t)n;
    if (header.msg_flags & MSG_EOR) {
      struct sctp_rcvinfo from = {0};
      for (struct cmsghdr *info = CMSG_FIRSTHDR(&header); info != NULL; info = CMSG_NXTHDR(&header, info))
        if (info->cmsg_level == IPPROTO_SCTP && info->cmsg_type == SCTP_RCVINFO)
          memcpy(&from, CMSG_DATA(info), sizeof from);
      came(from.rcv_sid, whole, length);
      length = 0;
    }
    pthread_mutex_unlock(&lock);
  }
}

/* Waits, with the lock, for news from the other thread; at the most until so long after the last. */
static bool wait_for_news(void)
{
  struct timespec until;
  unsigned before = heard;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += SILENCE;
  while (heard == before && !over)
    if (pthread_cond_timedwait(&news, &lock, &until) != 0)
      return false;
  return true;
}

/* Sends a line in a room, or a command to the server. */
static void say(const char *bytes, size_t length, unsigned where, bool without_order)
{
  struct line *line = calloc(1, sizeof *line), **end = &said;
  if (line == NULL || (line->bytes = malloc(length)) == NULL)
    die("out of memory");
  memcpy(line->bytes, bytes, length);
  line->length = length;
  line->room = where;
  pthread_mutex_lock(&lock);
  while (unanswered >= MANY)
    if (!wait_for_news())
      die("what was said does not come back");
  while (*end != NULL)
    end = &(*end)->next;
  *end = line;
  unanswered++;
  pthread_mutex_unlock(&lock);
  struct iovec vector = {(char *)bytes, length};
  struct sctp_sndinfo how = {.snd_sid = (uint16_t)where, .snd_flags = without_order ? SCTP_UNORDERED : 0};
  while (sctp_sendv(sock, &vector, 1, NULL, 0, &how, sizeof how, SCTP_SENDV_SNDINFO, 0) < 0)
    if (errno != EINTR) {
      int reason = errno;
      struct timespec moment = {.tv_nsec = 200000000};
      nanosleep(&moment, NULL); /* the other thread may know more */
      die("cannot send: %s", strerror(reason));
    }
}

/* Does what a line wants; returns false at /quit. */
static bool consider(char *line, size_t length)
{
  char text[64], word[16] = "", number[16] = "", rest[2] = "";
  if (line[0] != '/' || (length > 1 && line[1] == '/')) {
    say(line, length, room, unordered);
    return true;
  }
  snprintf(text, sizeof text, "%.*s", (int)length, line);
  sscanf(text, "%15s %15s %1s", word, number, rest);
  if (strcmp(word, "/quit") == 0)
    return false;
  if (strcmp(word, "/help") == 0) {
    pthread_mutex_lock(&lock);
    show(help, strlen(help));
    pthread_mutex_unlock(&lock);
  } else if (strcmp(word, "/u") == 0) {
    unordered = !unordered;
  } else if (strcmp(word, "/join") == 0 || strcmp(word, "/part") == 0 || strcmp(word, "/room") == 0) {
    char *end = number;
    unsigned long n = number[0] >= '0' && number[0] <= '9' ? strtoul(number, &end, 10) : ROOMS;
    if (*end != '\0' || n >= ROOMS || *rest != '\0' || *number == '\0') {
      fprintf(stderr, "chat_client: which room? There are 16: %s\n", word);
    } else if (strcmp(word, "/room") == 0 && n >= streams) {
      fprintf(stderr, "chat_client: the association has no stream %lu\n", n);
    } else {
      pthread_mutex_lock(&lock);
      shown[n] = strcmp(word, "/part") != 0;
      pthread_mutex_unlock(&lock);
      if (strcmp(word, "/room") == 0)
        room = (unsigned)n;
    }
  } else {
    say(line, length, 0, false);
  }
  return true;
}

static void set(int option, const void *value, socklen_t size)
{
  if (setsockopt(sock, IPPROTO_SCTP, option, value, size) < 0)
    die("option %d: %s", option, strerror(errno));
}

int main(int argc, char **argv)
{
  uint16_t port = 2013;
  const char *nick = NULL;
  int option;
  while ((option = next_option(argc, argv, "n:up:", usage)) != -1)
    if (option == 'n')
      nick = optarg;
    else if (option == 'u')
      unordered = true;
    else
      port = parse_port(optarg, 1, usage);
  if (argc - optind != 1)
    usage_error(usage, "one HOST, please");
  signal(SIGPIPE, SIG_IGN);
  struct sctp_initmsg wanted = {.sinit_num_ostreams = ROOMS, .sinit_max_instreams = ROOMS};
  sock = connect_to(argv[optind], port, &wanted);
  struct timeval no_limit = {0};
  setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &no_limit, sizeof no_limit);
  struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
  const int on = 1;
  set(SCTP_EVENT, &event, sizeof event);
  set(SCTP_RECVRCVINFO, &on, sizeof on);
  set(SCTP_NODELAY, &on, sizeof on);
  struct sctp_status status = {0};
  socklen_t size = sizeof status;
  if (getsockopt(sock, IPPROTO_SCTP, SCTP_STATUS, &status, &size) < 0)
    die("SCTP_STATUS: %s", strerror(errno));
  streams = status.sstat_outstrms;
  pthread_t listener;
  if (pthread_create(&listener, NULL, listen_to_all, NULL) != 0)
    die("no thread");

  char *line = NULL;
  size_t space = 0;
  ssize_t length;
  if (nick != NULL) {
    length = asprintf(&line, "/nick %s\n", nick);
    if (length < 0)
      die("out of memory");
    say(line, (size_t)length, 0, false);
    free(line);
    line = NULL;
  }
  bool goes_on = true;
  while (goes_on && (length = getline(&line, &space, stdin)) > 0)
    if (length > LONGEST)
      fprintf(stderr, "chat_client: a line of %zd bytes: a message has 65,536 at the most\n", length);
    else
      goes_on = consider(line, (size_t)length);
  free(line);

  pthread_mutex_lock(&lock);
  while (unanswered > 0)
    if (!wait_for_news())
      die("%u lines have not come back", unanswered);
  goodbye = true;
  pthread_mutex_unlock(&lock);
  shutdown(sock, SHUT_WR);
  pthread_mutex_lock(&lock);
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += SILENCE;
  while (!over)
    if (pthread_cond_timedwait(&news, &lock, &until) != 0)
      die("the server does not let go");
  pthread_mutex_unlock(&lock);
  pthread_join(listener, NULL);
  close(sock);
  return 0;
}
