// chat_server - stage 05: the room of stage 04 with names, with 16 rooms, and with order only where it is wanted
//
// A room is a stream: what comes on stream N goes to everyone on stream N, ordered or unordered as it came. The server
// keeps no list of who is in which room: it is the client's choice which streams it shows. All that it keeps are names.
//
// Compile:  cc -I../common -o chat_server chat_server.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './chat_server & sleep 1; echo hello | ./chat_client localhost'
#include "address.h"
#include "associations.h"
#include "chat.h"
#include "everyone.h"
#include "guests.h"
#include "lines.h"
#include "one_to_many.h"
#include "options.h"
#include "words.h"

#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  UNNAMED_MS = 1000, /* so long may a guest take to say its name before it is announced */
  NEWS_MAX = 4096
};

static const char usage[] = "usage: chat_server [-l] [-p PORT] [-a ADDRESS]...\n"
                            "A chat with 16 rooms, the streams 0 to 15. Ends on SIGINT or SIGTERM.\n"
                            "  -l          send to one association after the other, instead of SCTP_SENDALL\n"
                            "  -p PORT     listen on this port (default 2013; 0: the kernel chooses)\n"
                            "  -a ADDRESS  serve this local address only; several make the server multihomed\n";

struct chat {
  struct room room;
  struct guests guests;
  size_t news_length;
  char news[NEWS_MAX]; /* notices that have not been sent yet, a line each */
};

/* Sends the notices that have been gathered, as one message. One by one, those of 1000 guests who come at the same time
 * would be a million deliveries. */
static void publish(struct chat *chat)
{
  size_t length = chat->news_length;
  chat->news_length = 0;
  if (length > 0)
    send_to_all(&chat->room, &chat->guests, (struct sctp_sndinfo){0}, chat->news, length);
}

/* Publishes when nothing has come that could bring more news. */
static void publish_in_time(struct chat *chat)
{
  struct pollfd queue = {.fd = chat->room.fd, .events = POLLIN};
  if (chat->news_length > 0 && poll(&queue, 1, 0) == 0)
    publish(chat);
}

/* Tells everyone what has happened, or with `to` that guest alone: a line that begins with "* ", ordered, on stream 0.
 */
__attribute__((format(printf, 3, 4))) static void tell(struct chat *chat, const struct guest *to, const char *format,
                                                       ...)
{
  static char line[MESSAGE_MAX] = "* ";
  va_list values;
  va_start(values, format);
  size_t length = 2 + (size_t)vsnprintf(line + 2, sizeof line - 3, format, values);
  va_end(values);
  line[length++] = '\n';
  if (to != NULL || chat->news_length + length > NEWS_MAX)
    publish(chat);
  if (to != NULL) {
    reserve_for_one(&chat->room, length, count_associations(chat->room.fd));
    send_to_one(chat->room.fd, &chat->guests, to->association, (struct sctp_sndinfo){0}, line, length);
  } else { /* which is never longer than a nick and a reason are */
    memcpy(chat->news + chat->news_length, line, length);
    chat->news_length += length;
  }
}

static void announce(struct chat *chat, struct guest *guest)
{
  if (guest->due == NEVER)
    return;
  guest->due = NEVER;
  tell(chat, NULL, "%s joined", guest->nick);
}

/* Announces those who have taken their time, and publishes what there is. Returns when it is the next one's turn. */
static deadline announce_due(struct chat *chat)
{
  deadline next = NEVER;
  for (size_t i = 0; i < chat->guests.count && next == NEVER; i++)
    if (deadline_left(chat->guests.all[i].due) == 0)
      announce(chat, &chat->guests.all[i]);
    else
      next = chat->guests.all[i].due; /* they are in the order in which they have come */
  publish_in_time(chat);
  return next;
}

static void say_goodbye_for(struct chat *chat, struct guest *guest, const char *what)
{
  struct guest gone = *guest;
  guest_goes(&chat->guests, guest);
  if (gone.due == NEVER) /* else nobody knows of it */
    tell(chat, NULL, "%s %s", gone.nick, what);
}

/* An association has come, or has ended (RFC 6458, 6.1.1). */
static void changed(struct chat *chat, const struct sctp_assoc_change *change, size_t size)
{
  struct guest *guest = guest_of(&chat->guests, change->sac_assoc_id);
  char what[DEPARTURE_TEXT];
  if (guest != NULL)
    say_goodbye_for(chat, guest, departure(change, size, what));
  if (change->sac_state == SCTP_COMM_UP || change->sac_state == SCTP_RESTART)
    guest_comes(&chat->guests, change->sac_assoc_id, change->sac_outbound_streams, deadline_in(UNNAMED_MS));
}

static void change_nick(struct chat *chat, struct guest *guest, const char *nick)
{
  char old[sizeof guest->nick];
  const char *objection = nick_objection(&chat->guests, guest, nick);
  if (objection != NULL) {
    tell(chat, guest, "nick refused: %s", objection);
    return;
  }
  strcpy(old, guest->nick);
  strcpy(guest->nick, nick);
  if (guest->due == NEVER)
    tell(chat, NULL, "%s is now %s", old, nick);
  announce(chat, guest);
}

/* A message that begins with a slash. */
static void obey(struct chat *chat, struct guest *guest, const char *message, size_t length)
{
  static char names[MESSAGE_MAX / 2];
  char text[COMMAND_TEXT], *argument = split_command(message, length, text);
  if (strcmp(text, "/nick") == 0) {
    change_nick(chat, guest, argument);
    return;
  }
  announce(chat, guest);
  if (strcmp(text, "/who") == 0)
    tell(chat, guest, "here: %s", list_nicks(&chat->guests, names, sizeof names));
  else
    tell(chat, guest, "unknown command: %s", text);
}

/* Passes on what a guest says, in its room, and ordered only where it came so. */
static void pass_on(struct chat *chat, struct guest *guest, const struct received *got)
{
  static char line[RELAYED_MAX];
  // exercise: It goes out as it came: stream, U bit, PPID (RFC 6458, 5.3.4 and 5.3.5). TUTORIAL.md, stage 05: "A room
  // is a stream".
  struct sctp_sndinfo as_it_came = {
      .snd_sid = got->info.rcv_sid,
      .snd_flags = got->info.rcv_flags & SCTP_UNORDERED,
      .snd_ppid = got->info.rcv_ppid,
  };
  // until then: struct sctp_sndinfo as_it_came = {0};
  announce(chat, guest);
  publish(chat);
  send_to_all(&chat->room, &chat->guests, as_it_came, line, spoken_line(guest->nick, got->message, got->length, line));
}

/* Receives once. */
static void take(struct chat *chat)
{
  struct received got = one_to_many_receive(chat->room.fd, &chat->room.unfinished);
  if (got.change != NULL)
    changed(chat, got.change, got.change_size);
  struct guest *guest = guest_of(&chat->guests, got.info.rcv_assoc_id);
  if (got.message == NULL || guest == NULL)
    return;
  if (got.message[0] == '/' && (got.length == 1 || got.message[1] != '/'))
    obey(chat, guest, got.message, got.length);
  else
    pass_on(chat, guest, &got);
}

int main(int argc, char **argv)
{
  uint16_t port = DEFAULT_PORT;
  struct local_addresses local = {0};
  struct chat chat = {0};
  int option;

  while ((option = next_option(argc, argv, "lp:a:", usage)) != -1)
    switch (option) {
    case 'l':
      chat.room.loop = true;
      break;
    case 'p':
      port = parse_port(optarg, 0, usage);
      break;
    case 'a':
      local_name(&local, optarg, usage);
    }
  if (optind < argc)
    usage_error(usage, "unexpected argument '%s'", argv[optind]);

  local_resolve(&local, port);
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN); /* libsctp 1.0.19 does not hand MSG_NOSIGNAL on */
  open_room(&chat.room, &local);
  // exercise: ROOMS streams, both ways: SCTP_INITMSG (RFC 6458, 8.1.3).
  /* To each new association we offer a stream for each room, and take as many; Linux offers 10 by itself (RFC 6458,
   * 8.1.3). The peer may have less. */
  const struct sctp_initmsg streams = {.sinit_num_ostreams = ROOMS, .sinit_max_instreams = ROOMS};
  if (setsockopt(chat.room.fd, IPPROTO_SCTP, SCTP_INITMSG, &streams, sizeof streams) < 0)
    err(1, "SCTP_INITMSG");
  // until then: nothing
  printf("Listening on port %u\n", bound_port(chat.room.fd));

  while (goes_on(&chat.room, announce_due(&chat)))
    take(&chat);
  free(chat.guests.all);
  reassembly_end(&chat.room.unfinished);
  return EXIT_SUCCESS;
}
