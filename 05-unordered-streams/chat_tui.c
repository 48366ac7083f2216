// chat_tui - stage 05: the chat client that is pleasant in a terminal
//
// It says and shows what chat_client does, but has an input line of its own below what arrives, with history,
// completion and colours (terminal.h). libedit, which edits that line, asks wait_for_key() for each key, and while that
// waits for one, it serves the association.
//
// Enter says the line, Tab completes a command or a nick. Ctrl-C drops the line; where it is empty, it ends the program
// as Ctrl-D and /quit do: gracefully, so that nothing is lost that has been said.
//
// Compile:  cc -I../common -o chat_tui chat_tui.c ../common/*.c -lsctp -ledit
// Run:      ../lab/run sh -c './chat_server & sleep 1; ./chat_tui -n alice localhost'
#define _GNU_SOURCE /* wcwidth, memmem */
#include "client.h"
#include "lines.h"
#include "show.h"
#include "talk.h"
#include "terminal.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { BATCH = 64 /* messages that are shown before the keyboard has its turn */, UNSENT_S = 5 };

static const char usage[] = "usage: chat_tui [-n NICK] [-u] [-p PORT] HOST\n"
                            "Talks in a chat, in a terminal; /help lists the commands, Ctrl-D ends.\n"
                            "  -n NICK  take this name\n"
                            "  -u       send unordered: what is late does not hold up what comes behind it\n"
                            "  -p PORT  the server's port (default 2013)\n";

struct chat {
  struct terminal terminal; /* the first, so that libedit's functions find the rest by it */
  struct talk talk;
  char line[MESSAGE_MAX];  /* has been said and could not be sent yet: */
  size_t length;           /* its length in bytes, or 0, */
  struct sctp_sndinfo how; /* its stream and its ordering */
};

static void show_prompt(struct chat *chat)
{
  char text[32];
  snprintf(text, sizeof text, "room %u%s", chat->talk.room, chat->talk.unordered ? " unordered" : "");
  set_prompt(&chat->terminal, text);
}

/* Shows a line: a notice dim, and what somebody says with the name in a colour of its own. */
static void show_line(struct chat *chat, uint16_t stream, const char *line, size_t length)
{
  static char text[4 * RELAYED_MAX + 16];
  size_t room = stream > 0 ? (size_t)snprintf(text, sizeof text, "[%u] ", stream) : 0;
  escape(line, length, text + room, sizeof text - room);

  size_t nick = nick_length(text + room);
  if (stream == 0 && strncmp(text, "* ", 2) == 0) {
    learn_nicks(&chat->terminal.nicks, text + 2);
    show_above(&chat->terminal, DIM, strlen(text), text);
  } else if (nick > 0 && text[room + nick] == ':') {
    remember_nick(&chat->terminal.nicks, text + room, nick);
    show_above(&chat->terminal, nick_colour(text + room, nick), room + nick, text);
  } else {
    show_above(&chat->terminal, 0, 0, text);
  }
}

/* Shows a message. It is one line, but for notices: those of the same moment come together. */
static void show_message(struct chat *chat, uint16_t stream, const char *message, size_t length)
{
  const char *next;
  if (length > 0 && message[length - 1] == '\n')
    length--;
  while (stream == 0 && length > 2 && memcmp(message, "* ", 2) == 0 &&
         (next = memmem(message, length, "\n* ", 3)) != NULL) {
    show_line(chat, stream, message, (size_t)(next - message));
    length -= (size_t)(next + 1 - message);
    message = next + 1;
  }
  show_line(chat, stream, message, length);
}

/*
 * Returns true where there is something for hear() to take. Where that is the end of the association, hear() will end
 * the program with the reason on standard error: the terminal is given back before.
 */
static bool something_came(const struct chat *chat)
{
  struct sctp_assoc_change change;
  struct iovec space = {&change, sizeof change};
  struct msghdr next = {.msg_iov = &space, .msg_iovlen = 1};
  ssize_t n = recvmsg(chat->talk.fd, &next, MSG_PEEK);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return false;
  if (n <= 0 || (next.msg_flags & MSG_NOTIFICATION && change.sac_state != SCTP_COMM_UP))
    leave_terminal();
  return true;
}

static void hear_and_show(struct chat *chat)
{
  for (int i = 0; i < BATCH && something_came(chat); i++) {
    uint16_t stream;
    size_t length;
    const char *message = hear(&chat->talk, &stream, &length);
    if (message != NULL && to_be_shown(&chat->talk, stream, message, length))
      show_message(chat, stream, message, length);
  }
}

/* Sends the line, whole or not at all: where there is no room for it in the send buffer, it stays. */
static void send_line(struct chat *chat)
{
  struct iovec message = {chat->line, chat->length};
  if (sctp_sendv(chat->talk.fd, &message, 1, NULL, 0, &chat->how, sizeof chat->how, SCTP_SENDV_SNDINFO, 0) >= 0) {
    chat->length = 0;
  } else if (errno != EAGAIN && errno != EINTR && !something_came(chat)) { /* what has come says more than errno */
    leave_terminal();
    err(1, "the server is gone");
  }
}

/* What has been said goes out on the stream of its room, ordered or not; a command to the server on stream 0, ordered.
 */
static void say(struct chat *chat, bool command, const char *line, size_t length)
{
  memcpy(chat->line, line, length);
  chat->line[length] = '\n';
  chat->length = length + 1;
  // exercise: As chat_client does.
  chat->how = (struct sctp_sndinfo){.snd_sid = command ? 0 : chat->talk.room,
                                    .snd_flags = !command && chat->talk.unordered ? SCTP_UNORDERED : 0};
  // until then: (void)command;
  send_line(chat);
}

static void show_rooms(struct chat *chat)
{
  char text[ANSWER_TEXT] = "the rooms you see now:";
  for (unsigned room = 0; room < ROOMS; room++)
    if (chat->talk.joined & 1U << room)
      snprintf(text + strlen(text), sizeof text - strlen(text), " %u", room);
  show_note(&chat->terminal, text);
}

/* Enter. What is said is not left on the screen: it comes back from the server, and then has its place among the rest.
 */
static unsigned char enter(EditLine *edit, int key)
{
  (void)key;
  struct chat *chat = (struct chat *)terminal_of(edit);
  const LineInfo *at = el_line(edit);
  const char *line = at->buffer;
  size_t length = (size_t)(at->lastchar - line);
  char answer[ANSWER_TEXT];
  if (chat->length > 0) {
    show_note(&chat->terminal, "the server takes nothing at present: Enter again, when it has taken the line before");
    return CC_NORM;
  }
  hide_line(&chat->terminal);
  remember_line(&chat->terminal, line, length);
  uint32_t joined = chat->talk.joined;
  enum intent intent = consider(&chat->talk, line, length, answer);
  show_note(&chat->terminal, answer);
  if (joined != chat->talk.joined)
    show_rooms(chat);
  if ((intent == SAY || intent == ASK) && length >= MESSAGE_MAX) {
    snprintf(answer, sizeof answer, "not said: the line has more than %d bytes, its end included", MESSAGE_MAX);
    show_note(&chat->terminal, answer);
  } else if (intent == ASK || (intent == SAY && length > 0)) {
    say(chat, intent == ASK, line, length);
  }
  show_prompt(chat);
  return intent == QUIT ? CC_EOF : end_line(&chat->terminal);
}

/* libedit wants a key. Until there is one, what comes is shown, and what could not be sent yet is sent. */
static int wait_for_key(EditLine *edit, wchar_t *key)
{
  struct chat *chat = (struct chat *)terminal_of(edit);
  for (;;) {
    unhide_line(&chat->terminal);
    if (take_character(&chat->terminal, key))
      return 1;
    struct pollfd fds[] = {{.fd = chat->talk.fd, .events = chat->length > 0 ? POLLIN | POLLOUT : POLLIN},
                           {.fd = chat->terminal.signals, .events = POLLIN},
                           {.fd = STDIN_FILENO, .events = POLLIN}};
    if (poll(fds, 3, -1) < 0)
      continue;
    if (fds[0].revents & POLLOUT)
      send_line(chat);
    if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
      hear_and_show(chat);
    if (fds[1].revents != 0 && (*key = take_signal(&chat->terminal)) != 0) {
      unhide_line(&chat->terminal);
      return 1;
    }
    if (chat->terminal.killed != 0 || (fds[2].revents != 0 && !read_typed(&chat->terminal)))
      return 0;
  }
}

/* Ends the association: what has been said and could not be sent yet has some seconds more. */
static void leave_chat(struct chat *chat)
{
  static const struct timeval limit = {.tv_sec = UNSENT_S};
  setsockopt(chat->talk.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  fcntl(chat->talk.fd, F_SETFL, 0); /* without O_NONBLOCK */
  if (chat->length > 0)
    send_line(chat);
  if (chat->length > 0)
    errx(1, "the server takes nothing: the last line has not been said");
  say_goodbye(chat->talk.fd);
}

int main(int argc, char **argv)
{
  static struct chat chat;
  char nick[NICK_LINE];
  uint16_t port;
  int length;
  const char *host = talk_arguments(&chat.talk, argc, argv, usage, &port, nick);

  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
    errx(2, "standard input and output are to be a terminal; for pipes and files there is chat_client");

  join(&chat.talk, host, port);
  enter_terminal(&chat.terminal, wait_for_key, enter);
  show_prompt(&chat);
  if (*nick != '\0')
    say(&chat, true, nick, strlen(nick) - 1);
  el_gets(chat.terminal.edit, &length); /* until the end: lines are dealt with in enter() */
  leave_terminal();
  if (chat.terminal.killed != 0)
    by_default(chat.terminal.killed);
  leave_chat(&chat);
  reassembly_end(&chat.talk.unfinished);
  return EXIT_SUCCESS;
}
