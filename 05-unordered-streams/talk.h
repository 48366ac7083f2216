// talk.h - how a client of stage 05 joins and hears, and the commands that it obeys itself; for chat_client and
// chat_tui
#ifndef TALK_H
#define TALK_H

#include "chat.h"
#include "client.h"
#include "lines.h"
#include "options.h"
#include "reassembly.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_TEXT = 1024, NICK_LINE = 64 };

/* How somebody takes part. */
struct talk {
  int fd;           /* a one-to-one socket that does not block */
  uint16_t streams; /* that we can send on: the rooms in which we can speak */
  uint16_t room;    /* in which we speak */
  uint32_t joined;  /* the rooms that we want to see: bit N for room N */
  bool unordered;   /* what we say need not arrive in order */
  struct reassembly unfinished;
};

/*
 * Reads the command line, which is the same for both.
 *
 * port  gets the server's port
 * nick  gets the line "/nick NICK", or nothing
 *
 * Returns the server's name. Bad usage ends the program.
 */
static const char *talk_arguments(struct talk *talk, int argc, char **argv, const char *usage, uint16_t *port,
                                  char nick[NICK_LINE])
{
  int option;
  *port = DEFAULT_PORT;
  nick[0] = '\0';
  while ((option = next_option(argc, argv, "n:up:", usage)) != -1)
    switch (option) {
    case 'n':
      if (snprintf(nick, NICK_LINE, "/nick %s\n", optarg) >= NICK_LINE)
        usage_error(usage, "a nick has %d characters at the most", NICK_MAX);
      break;
    case 'u':
      talk->unordered = true;
      break;
    case 'p':
      *port = parse_port(optarg, 1, usage);
    }
  if (optind == argc)
    usage_error(usage, "no HOST given");
  if (argc - optind > 1)
    usage_error(usage, "one HOST only, not also '%s'", argv[optind + 1]);
  return argv[optind];
}

/* Joins the chat: asks for a stream for each room, and to be told with each message on which stream it came. */
static void join(struct talk *talk, const char *host, uint16_t port)
{
  signal(SIGPIPE, SIG_IGN); /* libsctp 1.0.19 does not hand MSG_NOSIGNAL on */
  // exercise: connect_to() the server, with ROOMS streams both ways (SCTP_INITMSG). With each message its stream is
  // told (SCTP_RECVRCVINFO), and the association's end (SCTP_EVENT); SCTP_NODELAY; O_NONBLOCK. Fill in `talk`: how many
  // streams there are, SCTP_STATUS tells (RFC 6458, 8.2.1); room 0 is joined. TUTORIAL.md, stage 05: "A room is a
  // stream".
  static const struct sctp_initmsg streams = {.sinit_num_ostreams = ROOMS, .sinit_max_instreams = ROOMS};
  static const struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
  static const int with_info = 1, at_once = 1;
  struct sctp_status status = {0};
  socklen_t size = sizeof status;
  int fd = talk->fd = connect_to(host, port, &streams);
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event) < 0)
    err(1, "SCTP_EVENT");
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &with_info, sizeof with_info) < 0)
    err(1, "SCTP_RECVRCVINFO");
  /* Else a short message waits until what was sent before is acknowledged: in whatever order, it would be late. */
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &at_once, sizeof at_once) < 0)
    err(1, "SCTP_NODELAY");
  if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &status, &size) < 0)
    err(1, "SCTP_STATUS");
  if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
    err(1, "O_NONBLOCK");
  talk->streams = status.sstat_outstrms; /* the server may take less than we have asked for */
  talk->joined = 1;
  talk->unfinished.max = RELAYED_MAX;
  // until then: (void)talk; (void)host; (void)port; errx(3, "join() is to be written");
}

/*
 * Receives once. The program ends, and says why, when the association has ended.
 *
 * Returns a whole message, valid until the next call, its stream and its length in bytes; NULL where a piece of one
 * came, a notification, or nothing.
 */
static const char *hear(struct talk *talk, uint16_t *stream, size_t *length)
{
  // exercise: Receive, as chat_client of stage 04 does; the stream is in the sctp_rcvinfo (RFC 6458, 5.3.5). With the
  // name before it a message may have RELAYED_MAX bytes.
  static union {
    struct sctp_assoc_change change;
    char bytes[RELAYED_MAX];
  } buffer;
  struct iovec space = {&buffer, sizeof buffer};
  struct sctp_rcvinfo info = {0};
  socklen_t no_address = 0, info_size = sizeof info;
  unsigned info_type = 0;
  int flags = 0;
  ssize_t n = sctp_recvv(talk->fd, &space, 1, NULL, &no_address, &info, &info_size, &info_type, &flags);
  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return NULL;
  if (n < 0)
    err(1, "the server is gone");
  if (n == 0)
    errx(1, "the server has ended the association");
  if (flags & MSG_NOTIFICATION) {
    if (buffer.change.sac_type == SCTP_ASSOC_CHANGE && buffer.change.sac_state != SCTP_COMM_UP)
      disconnected(&buffer.change, (size_t)n);
    return NULL;
  }
  *stream = info.rcv_sid;
  *length = (size_t)n;
  const char *message = reassemble(&talk->unfinished, 0, buffer.bytes, length, flags & MSG_EOR);
  if (message == NULL && *length > RELAYED_MAX)
    errx(1, "a message of more than %d bytes came", RELAYED_MAX);
  return message;
  // until then: (void)talk; (void)stream; (void)length; errx(3, "hear() is to be written");
}

static const char help[] = "/join N    show room N, too (0 to 15)\n"
                           "/part N    show it no more\n"
                           "/room N    show room N, and speak in it\n"
                           "/u         send unordered from here on, or ordered again\n"
                           "/quit      end\n"
                           "/help      this\n"
                           "The server's: /nick NAME, /who. //text says /text.\n";

/* What is to be done with a line. */
enum intent {
  SAY,     /* it goes to the room */
  ASK,     /* it is a command to the server */
  OBEYED,  /* it was a command for us, done; perhaps there is an answer */
  REFUSED, /* it was one that cannot be done: the answer says why */
  QUIT
};

/* Reads the number of a room. Returns -1 where it is none. */
static int room_number(const char *text)
{
  char *end;
  long number = strtol(text, &end, 10);
  return *text < '0' || *text > '9' || *end != '\0' || number >= ROOMS ? -1 : (int)number;
}

/* Obeys a line, if it is a command for the client. `answer` gets what is to be shown to the user, perhaps nothing. */
static enum intent consider(struct talk *talk, const char *line, size_t length, char answer[ANSWER_TEXT])
{
  char word[8] = "", argument[8] = "", rest[2] = "", text[64];
  answer[0] = '\0';
  if (length == 0 || line[0] != '/' || (length > 1 && line[1] == '/'))
    return SAY;
  snprintf(text, sizeof text, "%.*s", (int)length, line);
  sscanf(text, "%7s %7s %1s", word, argument, rest);

  if (strcmp(word, "/help") == 0) {
    strcpy(answer, help);
    return OBEYED;
  }
  if (strcmp(word, "/quit") == 0)
    return QUIT;
  if (strcmp(word, "/u") == 0) {
    talk->unordered = !talk->unordered;
    return OBEYED;
  }
  if (strcmp(word, "/join") != 0 && strcmp(word, "/part") != 0 && strcmp(word, "/room") != 0)
    return ASK;
  int room = *rest == '\0' ? room_number(argument) : -1;
  if (room < 0) {
    snprintf(answer, ANSWER_TEXT, "%s takes the number of a room, 0 to %d\n", word, ROOMS - 1);
    return REFUSED;
  }
  if (strcmp(word, "/room") == 0 && room >= talk->streams) {
    snprintf(answer, ANSWER_TEXT, "the server has no stream for room %d, only 0 to %u\n", room, talk->streams - 1U);
    return REFUSED;
  }
  if (strcmp(word, "/part") == 0)
    talk->joined &= ~(1U << room);
  else
    talk->joined |= 1U << room;
  if (strcmp(word, "/room") == 0)
    talk->room = (uint16_t)room;
  return OBEYED;
}

/* Returns true where a message that has come on this stream is to be shown: of its room, or a notice to all. */
static bool to_be_shown(const struct talk *talk, uint16_t stream, const char *message, size_t length)
{
  // exercise: A message of a room that we have joined, or a notice, on stream 0.
  return (stream < ROOMS && talk->joined & 1U << stream) ||
         (stream == 0 && length >= 2 && memcmp(message, "* ", 2) == 0);
  // until then: (void)talk; (void)stream; (void)message; (void)length; return true;
}

#endif
