// chat_client - stage 04: says each line of its input in the room, and prints what everyone says
//
// The room sends a message to its sender too: that copy is the receipt. At the end of its input the client stays until
// all that it said has come back.
//
// Compile:  cc -I../common -o chat_client chat_client.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './chat_server & sleep 1; echo hello | ./chat_client localhost'
#include "client.h"
#include "deadline.h"
#include "lines.h"
#include "options.h"
#include "reassembly.h"
#include "sctp_compat.h"
#include "show.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SILENCE_MS = 5000, UNANSWERED_MAX = 32 /* lines: more of them would only wait in the server */ };

static const char usage[] = "usage: chat_client [-p PORT] HOST\n"
                            "Says each line of standard input in the room, and prints what everyone says.\n"
                            "  -p PORT  the server's port (default 2013)\n";

/* What has been said and has not come back, in order. */
struct unanswered {
  struct said *first, **end;
  size_t count;
};

struct said {
  struct said *next;
  size_t length;
  char bytes[];
};

static void remember(struct unanswered *unanswered, const char *message, size_t length)
{
  struct said *said = malloc(sizeof *said + length);
  if (said == NULL)
    err(1, "malloc");
  said->next = NULL;
  said->length = length;
  memcpy(said->bytes, message, length);
  *unanswered->end = said;
  unanswered->end = &said->next;
  unanswered->count++;
}

/* A message has come from the room. Is it the next receipt? */
static void compare(struct unanswered *unanswered, const char *message, size_t length)
{
  // exercise: Is it the one that was said first of those that have not come back? Then it is no longer unanswered.
  struct said *said = unanswered->first;
  if (said == NULL || said->length != length || memcmp(said->bytes, message, length) != 0)
    return;
  unanswered->first = said->next;
  if (unanswered->first == NULL)
    unanswered->end = &unanswered->first;
  unanswered->count--;
  free(said);
  // until then: (void)unanswered; (void)message; (void)length;
}

/* Receives one message, a piece of one, or a notification, and prints what is a whole message. */
static void hear(int fd, struct reassembly *unfinished, struct unanswered *unanswered)
{
  static union {
    struct sctp_assoc_change change;
    char bytes[MESSAGE_MAX];
  } buffer;
  // exercise: Receive with sctp_recvv(). A notification that says that the association has ended (RFC 6458, 6.1.1) ends
  // the program: disconnected(). Of the rest make whole messages with reassemble().
  struct iovec space = {&buffer, sizeof buffer};
  socklen_t no_address = 0, no_info = 0;
  unsigned info_type = 0;
  int flags = 0;
  ssize_t n = sctp_recvv(fd, &space, 1, NULL, &no_address, NULL, &no_info, &info_type, &flags);
  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  if (n < 0)
    err(1, "the server is gone");
  if (n == 0)
    errx(1, "the server has ended the association");
  if (flags & MSG_NOTIFICATION) {
    if (buffer.change.sac_type == SCTP_ASSOC_CHANGE && buffer.change.sac_state != SCTP_COMM_UP)
      disconnected(&buffer.change, (size_t)n);
    return;
  }
  size_t length = (size_t)n;
  const char *message = reassemble(unfinished, 0, buffer.bytes, &length, flags & MSG_EOR);
  if (message == NULL && length > MESSAGE_MAX)
    errx(1, "a message of more than %d bytes came", MESSAGE_MAX);
  // until then: (void)fd; (void)unfinished; (void)buffer; size_t length = 0; const char *message = NULL; errx(3,
  // "hear() is to be written");
  if (message == NULL)
    return;
  compare(unanswered, message, length);
  show(message, length);
}

/* Talks until the input is over and all of it has come back. */
static void talk(int fd)
{
  static struct lines input;
  struct reassembly unfinished = {0};
  struct unanswered unanswered = {.end = &unanswered.first};
  const char *message = NULL;
  size_t length = 0;
  deadline silence = NEVER;

  for (;;) {
    if (length == 0 && unanswered.count < UNANSWERED_MAX)
      lines_next(&input, &message, &length);
    bool waiting = input.ended || unanswered.count >= UNANSWERED_MAX; /* for receipts, and nothing else */
    if (input.ended && unanswered.count == 0)
      break;
    if (!waiting)
      silence = NEVER;
    else if (silence == NEVER)
      silence = deadline_in(SILENCE_MS);

    struct pollfd fds[] = {{.fd = fd, .events = length > 0 ? POLLIN | POLLOUT : POLLIN},
                           {.fd = length > 0 || waiting ? -1 : STDIN_FILENO, .events = POLLIN}};
    int ready = poll(fds, 2, deadline_left(silence));
    if (ready == 0)
      errx(1, "%zu messages have not come back", unanswered.count);
    if (ready < 0)
      continue;
    if (fds[0].revents & POLLOUT) {
      // exercise: Send the line without waiting, whole or not at all.
      ssize_t n = send(fd, message, length, MSG_DONTWAIT | MSG_NOSIGNAL); /* whole or not at all */
      // until then: ssize_t n = -1; errx(3, "what is said is to be sent");
      if (n >= 0) {
        remember(&unanswered, message, length);
        length = 0;
      } else if (errno != EAGAIN && errno != EINTR && !(fds[0].revents & POLLIN)) {
        err(1, "the server is gone"); /* where there is something to read, it says more than errno */
      }
    }
    if (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) {
      hear(fd, &unfinished, &unanswered);
      silence = NEVER;
    }
    if (fds[1].revents != 0)
      lines_read(&input);
  }
  reassembly_end(&unfinished);
}

int main(int argc, char **argv)
{
  uint16_t port = DEFAULT_PORT;
  int option;

  while ((option = next_option(argc, argv, "p:", usage)) != -1)
    port = parse_port(optarg, 1, usage);
  if (optind == argc)
    usage_error(usage, "no HOST given");
  if (argc - optind > 1)
    usage_error(usage, "one HOST only, not also '%s'", argv[optind + 1]);

  int fd = connect_to(argv[optind], port, NULL);
  // exercise: Subscribe to SCTP_ASSOC_CHANGE (SCTP_EVENT: RFC 6458, 6.2.2).
  static const struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event) < 0)
    err(1, "SCTP_EVENT");
  // until then: nothing
  talk(fd);
  say_goodbye(fd);
  return EXIT_SUCCESS;
}
