// chat_client - stage 05: the client of stage 04 with rooms, which are streams, and with messages that need no order
//
// Compile:  cc -I../common -o chat_client chat_client.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './chat_server & sleep 1; echo hello | ./chat_client localhost'
#include "client.h"
#include "deadline.h"
#include "lines.h"
#include "receipts.h"
#include "show.h"
#include "talk.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SILENCE_MS = 5000, UNANSWERED_MAX = 32 /* lines: more of them would only wait in the server */ };

static const char usage[] = "usage: chat_client [-n NICK] [-u] [-p PORT] HOST\n"
                            "Says each line of standard input, and prints what is said; /help lists the commands.\n"
                            "  -n NICK  take this name\n"
                            "  -u       send unordered: what is late does not hold up what comes behind it\n"
                            "  -p PORT  the server's port (default 2013)\n";

/* Sends a line: on the stream of its room what is said, and commands on stream 0, in order. Returns false where there
 * is no room for it now. */
static bool speak(const struct talk *talk, bool command, const char *line, size_t length)
{
  // exercise: Send on the stream of the room, unordered where talk->unordered (SCTP_UNORDERED: RFC 6458, 5.3.4); a
  // command on stream 0, ordered. TUTORIAL.md, stage 05: "Who waits for a lost message?".
  struct iovec message = {(char *)line, length};
  struct sctp_sndinfo info = {.snd_sid = command ? 0 : talk->room,
                              .snd_flags = talk->unordered && !command ? SCTP_UNORDERED : 0};
  if (sctp_sendv(talk->fd, &message, 1, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) >= 0)
    return true;
  // until then: (void)command; (void)line; (void)length; errno = ENOSYS;
  /* Where there is something to read, it says more than errno. */
  struct pollfd more = {.fd = talk->fd, .events = POLLIN};
  if (errno != EAGAIN && errno != EINTR && poll(&more, 1, 0) == 0)
    err(1, "the server is gone");
  return false;
}

/* Receives once, and prints what is a whole message of a room that we see. */
static void print_one(struct talk *talk, struct receipts *receipts)
{
  char room[8];
  uint16_t stream;
  size_t length;
  const char *message = hear(talk, &stream, &length);
  if (message == NULL)
    return;
  receive_receipt(receipts, stream, message, length);
  if (!to_be_shown(talk, stream, message, length))
    return;
  if (stream > 0)
    show(room, (size_t)snprintf(room, sizeof room, "[%u] ", stream));
  show(message, length);
}

/* Talks until the input is over and all that was said has come back. */
static void converse(struct talk *talk, const char *nick)
{
  static struct lines input;
  struct receipts receipts = {0};
  char answer[ANSWER_TEXT];
  const char *line = nick;
  size_t length = strlen(nick); /* of the line that is to be sent; 0 where there is none */
  bool over = false, command = true;
  deadline silence = NEVER;

  for (;;) {
    while (length == 0 && !over && receipts.count < UNANSWERED_MAX && lines_next(&input, &line, &length)) {
      enum intent intent = consider(talk, line, length, answer);
      if (intent == REFUSED)
        fputs(answer, stderr);
      else
        show(answer, strlen(answer));
      over = intent == QUIT;
      command = intent == ASK;
      if (intent != SAY && intent != ASK)
        length = 0;
    }
    over = over || (length == 0 && input.ended);
    bool waiting = over || receipts.count >= UNANSWERED_MAX; /* for receipts, and nothing else */
    if (over && receipts.count == 0)
      return;
    if (!waiting)
      silence = NEVER;
    else if (silence == NEVER)
      silence = deadline_in(SILENCE_MS);

    struct pollfd fds[] = {{.fd = talk->fd, .events = length > 0 ? POLLIN | POLLOUT : POLLIN},
                           {.fd = length > 0 || waiting ? -1 : STDIN_FILENO, .events = POLLIN}};
    int ready = poll(fds, 2, deadline_left(silence));
    if (ready == 0)
      errx(1, "%zu messages have not come back", receipts.count);
    if (ready < 0)
      continue;
    if (fds[0].revents & POLLOUT && speak(talk, command, line, length)) {
      expect(&receipts, command ? 0 : talk->room, line, length);
      length = 0;
    }
    if (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) {
      print_one(talk, &receipts);
      silence = NEVER;
    }
    if (fds[1].revents != 0)
      lines_read(&input);
  }
}

int main(int argc, char **argv)
{
  struct talk talk = {0};
  char nick[NICK_LINE];
  uint16_t port;
  const char *host = talk_arguments(&talk, argc, argv, usage, &port, nick);

  join(&talk, host, port);
  converse(&talk, nick);
  say_goodbye(talk.fd);
  reassembly_end(&talk.unfinished);
  return EXIT_SUCCESS;
}
