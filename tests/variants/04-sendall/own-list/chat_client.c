// chat_client - stage 04 in another manner: one thread reads and says lines, another one hears and prints
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
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 65536, MANY = 16, SILENCE = 5 };

static const char usage[] = "usage: chat_client [-p PORT] HOST\n"
                            "  -p PORT  the port of the server (2013)\n";

struct line {
  struct line *next;
  size_t length;
  char *bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static struct line *first, *last; /* said, and not come back */
static unsigned unanswered, heard;
static bool goodbye, over;
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

static void compare(const char *bytes, size_t length)
{
  heard++;
  if (first != NULL && first->length == length && memcmp(first->bytes, bytes, length) == 0) {
    struct line *line = first;
    first = line->next;
    if (first == NULL)
      last = NULL;
    unanswered--;
    free(line->bytes);
    free(line);
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
  static char whole[2 * LONGEST];
  static char piece[LONGEST];
  size_t length = 0;
  for (;;) {
    struct iovec vector = {piece, sizeof piece};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
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
    if (length + (size_t)n > LONGEST)
      die("a message is longer than %d bytes", LONGEST);
    memcpy(whole + length, piece, (size_t)n);
    length += (size_t)n;
    if (header.msg_flags & MSG_EOR) {
      show(whole, length);
      compare(whole, length);
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

static void say(char *bytes, size_t length)
{
  struct line *line = malloc(sizeof *line);
  if (line == NULL || (line->bytes = malloc(length)) == NULL)
    die("out of memory");
  memcpy(line->bytes, bytes, length);
  line->length = length;
  line->next = NULL;
  pthread_mutex_lock(&lock);
  while (unanswered >= MANY)
    if (!wait_for_news())
      die("what was said does not come back");
  if (last == NULL)
    first = line;
  else
    last->next = line;
  last = line;
  unanswered++;
  pthread_mutex_unlock(&lock);
  while (send(sock, bytes, length, MSG_NOSIGNAL) < 0)
    if (errno != EINTR) {
      int reason = errno;
      struct timespec moment = {.tv_nsec = 200000000};
      nanosleep(&moment, NULL); /* the other thread may know more */
      die("cannot send: %s", strerror(reason));
    }
}

int main(int argc, char **argv)
{
  uint16_t port = 2013;
  int option;
  while ((option = next_option(argc, argv, "p:", usage)) != -1)
    port = parse_port(optarg, 1, usage);
  if (argc - optind != 1)
    usage_error(usage, "one HOST, please");
  sock = connect_to(argv[optind], port, NULL);
  struct timeval no_limit = {0};
  setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &no_limit, sizeof no_limit);
  struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
  if (setsockopt(sock, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event) < 0)
    die("SCTP_EVENT: %s", strerror(errno));
  pthread_t listener;
  if (pthread_create(&listener, NULL, listen_to_all, NULL) != 0)
    die("no thread");

  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  while ((length = getline(&line, &room, stdin)) > 0)
    if (length > LONGEST)
      fprintf(stderr, "chat_client: a line of %zd bytes: a message has 65,536 at the most\n", length);
    else
      say(line, (size_t)length);
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
