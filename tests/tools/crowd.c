// crowd - a crowd in a chat room: clients that join, speak and leave at random, and that compare all that they hear
//
// The clients live in child processes, some dozens in each. They leave by a shutdown, by an abort, or because their
// process is killed; others take their place. Each message carries its speaker's number, its own number, its length and
// when it was said, and the rest follows from these. What the room's order is, one more client tells that comes first
// and goes last: it writes down what it hears. Each other must hear just that, from its first message on, nothing
// missing, nothing twice, nothing in another order, and damaged nothing. What was said after a client had come is not
// missing at its beginning either. Who leaves by a shutdown has said a last word and has heard it; at the end everyone
// waits for a word that comes last. All of them read at once, so the server has no reason to disconnect anyone.
//
// With -g the server is that of stage 05. All speak in all rooms, and what is compared is the order in each room. Now
// and then someone comes who has fewer streams, and so hears several rooms on stream 0. Half of them choose a nick.
// The first client believes the notices: nobody joins twice, speaks in room 0 without having joined, or is left over.
// (Nothing is sent unordered: what comes in any order would have no place in the first client's list.)
//
// Usage: crowd [OPTION]... HOST PORT
//   -g             the server gives names and has rooms: stage 05
//   -n CLIENTS     so many at a time (default 1000)
//   -t SECONDS     for so long once all are there (default 10)
//   -d DELIVERIES  or until so many messages have arrived
//   -r RATE        messages a second (default 10), less where the room does not keep up
//   -c CHANGES     so many clients a second leave by shutdown or abort (default: a hundredth of them)
//   -k SECONDS     a process is killed every so many seconds (default 5; 0: never)
//   -P PID         the server's process: its memory and descriptors are reported
//   -i SECONDS     a line on standard error every so many seconds (default 5; 0: none)
//   -s SEED        repeats the choices of an earlier run, as far as time allows
// Prints one line of totals. Ends with 1 where anything was not as it should be, and says on standard error what.
//
// Ten minutes of 1000 clients, and some seven million deliveries:
//   make -C 04-sendall && make -C tests/tools && lab/run --timeout 900 sh -c '04-sendall/chat_server & sleep 1
//     tests/tools/crowd -t 600 -P $! 127.0.0.1 2013'
//
// Compile:  cc -I../../common -o crowd crowd.c ../../common/*.c -lsctp
#include "address.h"
#include "chance.h"
#include "deadline.h"
#include "reason.h"
#include "sctp_compat.h"
#include "spoken.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  PER_PROCESS = 40,
  PROCESSES_MAX = 1000,
  LARGEST = 65536,
  NAMED = 65600, /* with the name */
  ROOMS = 16,
  LOG_MAX = 8 << 20,   /* messages of a run */
  SLACK = 256,         /* messages in the log that may still be on their way to some */
  UNDER_WAY = 16,      /* nobody speaks while so many messages have been said and not heard */
  UNPLACED_MAX = 4096, /* messages that a client is ahead of the log */
  MISSED_MAX = 64,
  PATIENCE_S = 120,
  COMPLAINTS_MAX = 10,
  BEAT_MS = 100
};

/* What every message begins with, as text: each room has its own numbers. */
struct word {
  uint32_t speaker, number, length, stream;
  uint64_t said_at;
};

enum { HEAD = 5 + 3 * 9 + 3 + 17 };

enum phase { GATHERING, TALKING, ENDING };

struct entry {
  uint32_t speaker, number, stream;
  uint64_t said_at;
};

/* What the processes share. Only the first client writes the log; each room has a part of it. */
static struct {
  _Atomic uint64_t tail[ROOMS], last[ROOMS]; /* of the log; where in it the word stands that comes last, plus one */
  _Atomic uint64_t noted;                    /* messages in it */
  _Atomic uint64_t last_said_at;             /* the first of the last words */
  _Atomic uint64_t heard_at;                 /* when the log got its last message */
  _Atomic uint64_t deliveries, said, missing, twice, disordered, damaged, disconnected, unplaced, notices, confused;
  _Atomic uint32_t speakers, joined, left, aborted, complaints;
  _Atomic uint32_t present[PROCESSES_MAX];
  _Atomic int phase;
  struct entry log[LOG_MAX];
} * room;

enum state { NOWHERE, LEFT, JOINING, PRESENT, LAST_WORD, LEAVING }; /* LEFT: what it heard is still to be compared */

/* How far a client is in a room. */
struct track {
  bool placed; /* it is known where in the log it is */
  uint32_t said, heard_own;
  uint64_t floor, start, next; /* positions in the log: to search from, its first, its next */
  uint64_t missed[MISSED_MAX];
  unsigned misses;
};

struct client {
  enum state state;
  int fd;
  uint16_t streams; /* that it has */
  uint32_t speaker;
  uint64_t since, waiting_since; /* in the room; for its own word, or for the state to change */
  struct track tracks[ROOMS];
  struct entry *ahead; /* heard, and not compared yet */
  size_t aheads, ahead_room;
  char *unfinished; /* pieces of a message */
  size_t unfinished_length;
};

static struct client *clients; /* of this process */
static unsigned client_count;
static int process, queue; /* which of the processes this is, and its epoll */
static struct addrinfo *server;
static struct chance chance;
static char pattern[LARGEST + 1024];
static bool names;         /* the server gives names */
static unsigned rooms = 1; /* that are used */

static unsigned wanted_clients = 1000, processes, seconds = 10, kill_s = 5, report_s = 5;
static double rate = 10, changes = -1;
static uint64_t wanted_deliveries;
static pid_t server_pid;

static uint64_t now(void)
{
  return (uint64_t)nanoseconds();
}

static const uint64_t second = 1000000000;

__attribute__((format(printf, 2, 3))) static void complain(const struct client *client, const char *format, ...)
{
  if (atomic_fetch_add(&room->complaints, 1) >= COMPLAINTS_MAX)
    return;
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  fprintf(stderr, "crowd: client %u: %s\n", client->speaker, text);
}

/* ---- what is heard, against the log */

static struct entry *log_of(uint32_t stream)
{
  return room->log + LOG_MAX / rooms * stream;
}

static bool same(const struct entry *a, const struct entry *b)
{
  return a->speaker == b->speaker && a->number == b->number;
}

/* Finds a message in the log between two positions. Returns the position, or `to`. */
static uint64_t find(const struct entry *heard, uint64_t from, uint64_t to)
{
  const struct entry *log = log_of(heard->stream);
  while (from < to && !same(&log[from], heard))
    from++;
  return from;
}

/* The first message of a client: were there any before that it should have heard? */
static void place(const struct client *client, struct track *track, const struct entry *log, uint64_t position)
{
  unsigned missing = 0;
  for (uint64_t before = position; before > track->floor; before--)
    missing += log[before - 1].said_at > client->since;
  if (missing > 0) {
    complain(client, "%u messages missing that were said after it had joined", missing);
    atomic_fetch_add(&room->missing, missing);
  }
  track->placed = true;
  track->start = position;
  track->next = position;
}

static bool was_missed(struct track *track, uint64_t position)
{
  for (unsigned i = 0; i < track->misses; i++)
    if (track->missed[i] == position) {
      track->missed[i] = track->missed[--track->misses];
      return true;
    }
  return false;
}

/* Compares one message with the log. Returns false where the log does not go far enough to tell. */
static bool compare(struct client *client, const struct entry *heard)
{
  uint64_t tail = atomic_load(&room->tail[heard->stream]);
  struct track *track = &client->tracks[heard->stream];
  const struct entry *log = log_of(heard->stream);
  if (!track->placed) {
    uint64_t position = find(heard, track->floor, tail);
    if (position == tail)
      return false;
    place(client, track, log, position);
  }
  if (track->next < tail && same(&log[track->next], heard)) {
    track->next++;
    return true;
  }
  uint64_t position = find(heard, track->start, tail);
  if (position == tail)
    return false;
  if (position < track->next) {
    bool late = was_missed(track, position);
    complain(client, "message %u of %u %s", heard->number, heard->speaker, late ? "came out of order" : "came twice");
    atomic_fetch_add(late ? &room->disordered : &room->twice, 1);
    if (late)
      atomic_fetch_sub(&room->missing, 1);
    return true;
  }
  const struct entry *missing = &log[track->next];
  complain(client, "%llu missing, from message %u of %u on, before message %u of %u (%.3f s in the room)",
           (unsigned long long)(position - track->next), missing->number, missing->speaker, heard->number,
           heard->speaker, (double)(now() - client->since) / 1e9);
  atomic_fetch_add(&room->missing, position - track->next);
  for (; track->next < position; track->next++)
    if (track->misses < MISSED_MAX)
      track->missed[track->misses++] = track->next;
  track->next++;
  return true;
}

static void catch_up(struct client *client)
{
  bool waits[ROOMS] = {false}; /* one of this room, which the others have to come after */
  size_t kept = 0;
  for (size_t i = 0; i < client->aheads; i++) {
    const struct entry heard = client->ahead[i];
    if (waits[heard.stream] || !compare(client, &heard)) {
      waits[heard.stream] = true;
      client->ahead[kept++] = heard;
    }
  }
  client->aheads = kept;
}

/* The first client writes down what it hears; each speaker's messages must be numbered 1, 2, 3, ... */
static void write_down(struct client *client, const struct word *word)
{
  static uint32_t *numbers;
  static size_t number_room;
  size_t index = (size_t)word->speaker * rooms + word->stream;
  if (index >= number_room) {
    size_t more = index * 2 + 1024;
    numbers = realloc(numbers, more * sizeof *numbers);
    if (numbers == NULL)
      err(1, "realloc");
    memset(numbers + number_room, 0, (more - number_room) * sizeof *numbers);
    number_room = more;
  }
  const struct entry heard = {
      .speaker = word->speaker, .number = word->number, .stream = word->stream, .said_at = word->said_at};
  uint64_t tail = atomic_load(&room->tail[word->stream]);
  uint32_t *last = &numbers[index];
  if (word->number != *last + 1)
    complain(client, "message %u of %u came after number %u", word->number, word->speaker, *last);
  if (word->number > *last) {
    atomic_fetch_add(&room->missing, word->number - *last - 1);
    *last = word->number;
  } else if (find(&heard, 0, tail) < tail) {
    atomic_fetch_add(&room->twice, 1);
  } else {
    atomic_fetch_add(&room->disordered, 1);
    atomic_fetch_sub(&room->missing, 1);
  }
  if (tail == LOG_MAX / rooms)
    errx(1, "more than %d messages in a room: make the log larger", LOG_MAX / rooms);
  log_of(word->stream)[tail] = heard;
  atomic_store(&room->tail[word->stream], tail + 1);
  atomic_fetch_add(&room->noted, 1);
  atomic_store(&room->heard_at, now());
}

static const char *content(const struct word *word)
{
  return pattern + (word->speaker * 7 + word->number * 13) % 1000;
}

/* Those who are in the room, as the notices say; the first client keeps it. */
static struct {
  char (*nicks)[SPOKEN_NICK_MAX + 1];
  unsigned count, space;
} guests;

/* Returns the place of a nick among them, or NULL. */
static char *guest_named(const char *nick, size_t length)
{
  for (unsigned i = 0; i < guests.count; i++)
    if (strlen(guests.nicks[i]) == length && memcmp(guests.nicks[i], nick, length) == 0)
      return guests.nicks[i];
  return NULL;
}

static void confused(const struct client *client, const char *line, size_t length)
{
  complain(client, "this cannot be: %.*s", length < 80 ? (int)length : 80, line);
  atomic_fetch_add(&room->confused, 1);
}

/* A notice has come to the first client, here without "* ". */
static void believe(const struct client *client, const char *text, size_t length)
{
  size_t nick = spoken_nick(text, length);
  char *guest = guest_named(text, nick);
  const char *what = text + nick;
  size_t rest = length - nick;
  if (spoken_begins(what, rest, " joined\n") && guest == NULL) {
    if (guests.count == guests.space) {
      guests.space = 2 * guests.space + 64;
      guests.nicks = realloc(guests.nicks, guests.space * sizeof *guests.nicks);
      if (guests.nicks == NULL)
        err(1, "realloc");
    }
    memcpy(guests.nicks[guests.count], text, nick);
    guests.nicks[guests.count++][nick] = '\0';
  } else if ((spoken_begins(what, rest, " left\n") || spoken_begins(what, rest, " is gone: ")) && guest != NULL) {
    memcpy(guest, guests.nicks[--guests.count], sizeof *guests.nicks);
  } else if (spoken_begins(what, rest, " is now ") && guest != NULL &&
             guest_named(what + 8, spoken_nick(what + 8, rest - 8)) == NULL) {
    snprintf(guest, sizeof *guests.nicks, "%.*s", (int)spoken_nick(what + 8, rest - 8), what + 8);
  } else {
    confused(client, text, length);
  }
}

/* The name before a message has to be its speaker's; and the first client has to have heard of it. In another room than
   0 it may be ahead of the notices. */
static void recognize(const struct client *client, const struct word *word, const char *line, size_t nick)
{
  char chosen[SPOKEN_NICK_MAX + 8];
  snprintf(chosen, sizeof chosen, "c%u", word->speaker);
  bool its_own = (strlen(chosen) == nick && memcmp(line, chosen, nick) == 0) || spoken_begins(line, nick, "guest");
  if (!its_own || (process < 0 && word->stream == 0 && guest_named(line, nick) == NULL))
    confused(client, line, nick + HEAD);
}

static void write_head(const struct word *word, char head[HEAD + 1])
{
  snprintf(head, HEAD + 1, "CROW %08x %08x %08x %02x %016llx ", word->speaker, word->number, word->length,
           word->stream & 255U, (unsigned long long)word->said_at);
}

static bool read_head(const char *bytes, size_t length, struct word *word)
{
  char head[HEAD + 1] = "", again[HEAD + 1];
  unsigned long long said_at;
  if (length < HEAD)
    return false;
  memcpy(head, bytes, HEAD);
  if (sscanf(head, "CROW %8x %8x %8x %2x %16llx", &word->speaker, &word->number, &word->length, &word->stream,
             &said_at) != 5)
    return false;
  word->said_at = said_at;
  write_head(word, again);
  return memcmp(head, again, HEAD) == 0 && word->stream < rooms && word->length >= HEAD && word->length <= LARGEST;
}

static bool owed(const struct client *client)
{
  for (unsigned i = 0; i < rooms; i++)
    if (client->tracks[i].heard_own != client->tracks[i].said)
      return true;
  return false;
}

static bool is_content(const struct word *word, const char *bytes, size_t length)
{
  size_t said = word->length - HEAD;
  return names ? spoken_same(bytes, length, content(word), said)
               : length == said && memcmp(bytes, content(word), length) == 0;
}

/* A whole message has come. */
static void hear(struct client *client, const char *bytes, size_t length, const struct sctp_rcvinfo *info)
{
  struct word word;
  const char *line = bytes;
  size_t nick = names ? spoken_strip(&bytes, &length) : 0;
  if (names && nick == 0) {
    atomic_fetch_add(&room->notices, 1);
    for (size_t line; process < 0 && length > 0; bytes += line, length -= line) {
      line = spoken_line_length(bytes, length);
      believe(client, bytes + 2, line - 2);
    }
    return;
  }
  if (!read_head(bytes, length, &word) || !is_content(&word, bytes + HEAD, length - HEAD)) {
    complain(client, "a message of %zu bytes that nobody has said", length);
    atomic_fetch_add(&room->damaged, 1);
    return;
  }
  if (info->rcv_sid != (word.stream < client->streams ? word.stream : 0) || info->rcv_flags & SCTP_UNORDERED) {
    complain(client, "a message from room %u came on stream %u%s; it has %u", word.stream, info->rcv_sid,
             info->rcv_flags & SCTP_UNORDERED ? ", unordered" : "", client->streams);
    atomic_fetch_add(&room->damaged, 1);
  }
  if (names)
    recognize(client, &word, line, nick);
  atomic_fetch_add(&room->deliveries, 1);
  if (word.speaker == client->speaker) {
    client->tracks[word.stream].heard_own = word.number;
    client->waiting_since = now();
  }
  if (process < 0) {
    write_down(client, &word);
    return;
  }
  if (client->aheads == client->ahead_room) {
    client->ahead_room = client->ahead_room * 2 + 16;
    client->ahead = realloc(client->ahead, client->ahead_room * sizeof *client->ahead);
    if (client->ahead == NULL)
      err(1, "realloc");
  }
  client->ahead[client->aheads++] =
      (struct entry){.speaker = word.speaker, .number = word.number, .stream = word.stream, .said_at = word.said_at};
  catch_up(client);
  if (client->aheads > UNPLACED_MAX)
    errx(1, "client %u is %d messages ahead of the first client", client->speaker, UNPLACED_MAX);
}

/* ---- coming and going */

static void set_option(int fd, int option, const char *name, const void *value, socklen_t size)
{
  if (setsockopt(fd, IPPROTO_SCTP, option, value, size) < 0)
    err(1, "%s", name);
}

static void join(struct client *client)
{
  static const struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
  static const int on = 1;
  struct sctp_initmsg streams = {.sinit_num_ostreams = ROOMS, .sinit_max_instreams = ROOMS};
  struct entry *ahead = client->ahead;
  size_t ahead_room = client->ahead_room;
  *client = (struct client){.state = JOINING, .ahead = ahead, .ahead_room = ahead_room};
  client->speaker = atomic_fetch_add(&room->speakers, 1);
  client->waiting_since = now();
  for (unsigned i = 0; i < rooms; i++) {
    uint64_t tail = atomic_load(&room->tail[i]);
    client->tracks[i].floor = tail > SLACK ? tail - SLACK : 0;
  }
  client->fd = socket(server->ai_family, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_SCTP);
  if (client->fd < 0)
    err(1, "socket");
  set_option(client->fd, SCTP_EVENT, "SCTP_EVENT", &event, sizeof event);
  set_option(client->fd, SCTP_NODELAY, "SCTP_NODELAY", &on, sizeof on);
  set_option(client->fd, SCTP_RECVRCVINFO, "SCTP_RECVRCVINFO", &on, sizeof on);
  if (names) {
    if (process >= 0 && chance_once_in(&chance, 2 * wanted_clients)) /* so that sometimes nobody is like that */
      streams.sinit_max_instreams = (uint16_t)(1 + chance_below(&chance, ROOMS - 1));
    set_option(client->fd, SCTP_INITMSG, "SCTP_INITMSG", &streams, sizeof streams);
  }
  client->streams = streams.sinit_max_instreams;
  if (connect(client->fd, server->ai_addr, server->ai_addrlen) < 0 && errno != EINPROGRESS)
    err(1, "connect");
  struct epoll_event watch = {.events = EPOLLIN, .data.ptr = client};
  if (epoll_ctl(queue, EPOLL_CTL_ADD, client->fd, &watch) < 0)
    err(1, "epoll_ctl");
}

static void gone(struct client *client)
{
  if (client->state >= PRESENT && process >= 0)
    atomic_fetch_sub(&room->present[process], 1);
  close(client->fd);
  free(client->unfinished);
  client->unfinished = NULL;
  client->state = NOWHERE;
}

static unsigned sum_said(const struct client *client)
{
  unsigned sum = 0;
  for (unsigned i = 0; i < rooms; i++)
    sum += client->tracks[i].said;
  return sum;
}

static unsigned sum_heard(const struct client *client)
{
  unsigned sum = 0;
  for (unsigned i = 0; i < rooms; i++)
    sum += client->tracks[i].heard_own;
  return sum;
}

static void disconnected(struct client *client, const char *why)
{
  complain(client, "disconnected by the server: %s (%.3f s in the room, %u said, %u of them heard)", why,
           client->since > 0 ? (double)(now() - client->since) / 1e9 : 0.0, sum_said(client), sum_heard(client));
  atomic_fetch_add(&room->disconnected, 1);
  gone(client);
}

static void abort_client(struct client *client)
{
  static const struct linger at_once = {.l_onoff = 1};
  if (setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) < 0)
    err(1, "SO_LINGER");
  gone(client);
}

/* Is the room not behind? The last words of those who leave count too. */
static bool room_keeps_up(void)
{
  /* What an aborted or killed client has said last may never be heard: that must not silence the others for good. */
  return atomic_load(&room->said) < atomic_load(&room->noted) + UNDER_WAY ||
         now() - atomic_load(&room->heard_at) > second;
}

/* Says a message of its own in a room. Returns false where there is no space for it now. */
static bool speak_in(struct client *client, uint32_t stream, size_t length)
{
  static char bytes[LARGEST + 1];
  struct track *track = &client->tracks[stream];
  struct word word = {.speaker = client->speaker,
                      .number = track->said + 1,
                      .length = (uint32_t)length,
                      .stream = stream,
                      .said_at = now()};
  struct sctp_sndinfo info = {.snd_sid = (uint16_t)stream};
  struct iovec message = {bytes, length};
  write_head(&word, bytes);
  memcpy(bytes + HEAD, content(&word), length - HEAD);
  ssize_t n = sctp_sendv(client->fd, &message, 1, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0);
  if (n < 0) /* EAGAIN; what else there may be, reading tells */
    return false;
  if (n != (ssize_t)length)
    errx(1, "send: %zd bytes of %zu", n, length);
  if (!owed(client))
    client->waiting_since = word.said_at;
  track->said++;
  atomic_fetch_add(&room->said, 1);
  return true;
}

static bool speak(struct client *client, size_t length)
{
  return speak_in(client, rooms > 1 ? chance_below(&chance, rooms) : 0, length);
}

/* Every other one chooses a nick, by its number. */
static void choose_nick(const struct client *client)
{
  char command[32];
  int length = snprintf(command, sizeof command, "/nick c%u\n", client->speaker);
  if (client->speaker % 2 == 0 && send(client->fd, command, (size_t)length, MSG_NOSIGNAL) != length)
    err(1, "/nick");
}

static size_t any_length(void)
{
  uint32_t kind = chance_below(&chance, 400), least = HEAD, most = 200;
  if (kind == 0)
    return LARGEST;
  if (kind < 4)
    most = LARGEST;
  else if (kind < 20)
    most = 20000;
  else if (kind < 80)
    most = 4000;
  return least + chance_below(&chance, most - least + 1);
}

static void notified(struct client *client, const struct sctp_assoc_change *change, size_t size)
{
  char reason[REASON_TEXT] = "";
  if (change->sac_type != SCTP_ASSOC_CHANGE)
    return;
  switch (change->sac_state) {
  case SCTP_COMM_UP:
    client->state = PRESENT;
    client->since = client->waiting_since = now();
    if (names)
      choose_nick(client);
    if (process >= 0) {
      atomic_fetch_add(&room->joined, 1);
      atomic_fetch_add(&room->present[process], 1);
    }
    break;
  case SCTP_SHUTDOWN_COMP:
    if (client->state != LEAVING) {
      disconnected(client, "a shutdown that it has not asked for");
      break;
    }
    atomic_fetch_add(&room->left, 1);
    gone(client);
    client->state = LEFT;
    client->waiting_since = now();
    break;
  case SCTP_COMM_LOST:
  case SCTP_CANT_STR_ASSOC:
    abort_reason(change, size, reason);
    disconnected(client, *reason != '\0' ? reason : "lost, without a reason");
  }
}

/* Reads what is there. */
static void read_from(struct client *client)
{
  static union {
    struct sctp_assoc_change change;
    char bytes[NAMED + 1];
  } buffer;
  const size_t largest = names ? NAMED : LARGEST;
  for (int some = 0; some < 64 && client->state > LEFT; some++) {
    struct iovec space = {&buffer, sizeof buffer};
    struct sctp_rcvinfo info = {0};
    socklen_t no_address = 0, info_size = sizeof info;
    unsigned info_type = 0;
    int flags = 0;
    ssize_t n = sctp_recvv(client->fd, &space, 1, NULL, &no_address, &info, &info_size, &info_type, &flags);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (n <= 0) {
      disconnected(client, n == 0 ? "end of file" : strerror(errno));
      return;
    }
    if (flags & MSG_NOTIFICATION) {
      notified(client, &buffer.change, (size_t)n);
      continue;
    }
    if (client->unfinished == NULL && flags & MSG_EOR) {
      hear(client, buffer.bytes, (size_t)n, &info);
      continue;
    }
    if (client->unfinished == NULL) {
      client->unfinished_length = 0;
      client->unfinished = malloc(NAMED);
      if (client->unfinished == NULL)
        err(1, "malloc");
    }
    if (client->unfinished_length + (size_t)n > largest) {
      disconnected(client, "a message of more bytes came than there may be");
      return;
    }
    memcpy(client->unfinished + client->unfinished_length, buffer.bytes, (size_t)n);
    client->unfinished_length += (size_t)n;
    if (flags & MSG_EOR) {
      hear(client, client->unfinished, client->unfinished_length, &info);
      free(client->unfinished);
      client->unfinished = NULL;
    }
  }
}

static void leave(struct client *client)
{
  if (speak(client, any_length()))
    client->state = LAST_WORD;
}

/* Goes on with what a client waits for. */
static void look_after(struct client *client)
{
  catch_up(client);
  if (client->state == LEFT && client->aheads == 0)
    client->state = NOWHERE;
  if (client->state == LEFT && now() > client->waiting_since + PATIENCE_S * second) {
    complain(client, "heard message %u of %u, which has not come to the first client", client->ahead[0].number,
             client->ahead[0].speaker);
    atomic_fetch_add(&room->unplaced, client->aheads);
    client->state = NOWHERE;
  }
  if (client->state <= LEFT)
    return;
  bool ending = atomic_load(&room->phase) == ENDING, owes = owed(client);
  /* Who has come after the last word was said need not hear it. */
  uint64_t last_said_at = atomic_load(&room->last_said_at);
  bool late = last_said_at > 0 && client->since > last_said_at;
  bool all_heard = true;
  for (unsigned i = 0; i < rooms && !late; i++) {
    uint64_t last = atomic_load(&room->last[i]);
    all_heard = all_heard && last > 0 && client->tracks[i].placed && client->tracks[i].next >= last;
  }
  if (client->state == LAST_WORD && !owes && (!ending || all_heard)) {
    client->state = LEAVING;
    client->waiting_since = now();
    if (shutdown(client->fd, SHUT_WR) < 0) {
      disconnected(client, strerror(errno));
      return;
    }
  }
  if (client->state == PRESENT && ending) { /* the first client's last word is everyone's */
    client->state = LAST_WORD;
    client->waiting_since = now();
  }
  bool waits = client->state != PRESENT || owes;
  if (!waits || now() < client->waiting_since + PATIENCE_S * second)
    return;
  complain(client, "waited %d s %s: %u said, %u of them heard, heard the log of room 0 up to %lld of %llu", PATIENCE_S,
           client->state == JOINING   ? "to join"
           : client->state == LEAVING ? "for its shutdown"
                                      : "for a message",
           sum_said(client), sum_heard(client), client->tracks[0].placed ? (long long)client->tracks[0].next : -1,
           (unsigned long long)atomic_load(&room->tail[0]));
  atomic_fetch_add(owes || client->state == LAST_WORD ? &room->missing : &room->disconnected, 1);
  abort_client(client);
}

/* When the next thing happens that happens so many times a second. */
static uint64_t later(double times)
{
  if (times <= 0)
    return UINT64_MAX;
  return now() + (uint64_t)(2 * chance_part(&chance) / times * 1e9);
}

static void wait_for_messages(uint64_t until)
{
  struct epoll_event events[64];
  uint64_t time = now();
  int wait_ms = until <= time                                ? 0
                : until - time > (uint64_t)BEAT_MS * 1000000 ? BEAT_MS
                                                             : (int)((until - time) / 1000000) + 1;
  int count = epoll_wait(queue, events, 64, wait_ms);
  if (count < 0 && errno != EINTR)
    err(1, "epoll_wait");
  for (int i = 0; i < count; i++)
    read_from(events[i].data.ptr);
}

/* One of the processes: until all its clients have left at the end. */
static _Noreturn void be_clients(int number, uint64_t seed)
{
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  process = number;
  chance.state = seed;
  client_count = wanted_clients / processes + ((unsigned)number < wanted_clients % processes);
  clients = calloc(client_count, sizeof *clients);
  queue = epoll_create1(0);
  if (clients == NULL || queue < 0)
    err(1, "cannot begin");
  for (unsigned i = 0; i < client_count; i++)
    join(&clients[i]);

  uint64_t speaking = 0, changing = later(changes / processes), beat = 0;
  for (;;) {
    wait_for_messages(speaking < changing ? speaking : changing);
    int phase = atomic_load(&room->phase);
    uint64_t time = now();
    struct client *one = &clients[chance_below(&chance, client_count)];
    if (time >= speaking) {
      speaking = later(rate / processes);
      uint32_t words = chance_once_in(&chance, 10) ? 5 : 1;
      if (phase == TALKING && one->state == PRESENT)
        while (words-- > 0 && room_keeps_up())
          speak(one, any_length());
    }
    if (time >= changing) {
      changing = later(changes / processes);
      one = &clients[chance_below(&chance, client_count)];
      if (phase == TALKING && one->state == PRESENT && room_keeps_up()) {
        if (chance_once_in(&chance, 2)) {
          leave(one);
        } else {
          if (chance_once_in(&chance, 2))
            speak(one, any_length()); /* and nobody knows how far it comes */
          atomic_fetch_add(&room->aborted, 1);
          abort_client(one);
        }
      }
    }
    if (time < beat)
      continue;
    beat = time + (uint64_t)BEAT_MS * 1000000;
    unsigned here = 0;
    for (unsigned i = 0; i < client_count; i++) {
      look_after(&clients[i]);
      if (clients[i].state == NOWHERE && phase != ENDING)
        join(&clients[i]);
      here += clients[i].state != NOWHERE;
    }
    if (here == 0 && phase == ENDING)
      _exit(0);
  }
}

/* ---- the first client, which is the parent of all processes */

/* Returns the number that follows the name in a file of /proc, or -1. */
static long number_in(const char *path, const char *name)
{
  char line[512];
  long number = -1;
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return -1;
  while (number < 0 && fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, name, strlen(name)) == 0)
      sscanf(line + strlen(name), "%ld", &number);
  fclose(file);
  return number;
}

struct resources {
  long memory, descriptors, pages, available, slab;
};

static struct resources resources(void)
{
  struct resources are = {.memory = -1, .descriptors = -1, .pages = 0};
  char path[64], line[512];
  if (server_pid > 0) {
    snprintf(path, sizeof path, "/proc/%d/status", (int)server_pid);
    are.memory = number_in(path, "VmRSS:");
    snprintf(path, sizeof path, "/proc/%d/fd", (int)server_pid);
    DIR *folder = opendir(path);
    if (folder == NULL || are.memory < 0)
      errx(1, "the server has ended: there is no process %d", (int)server_pid);
    while (readdir(folder) != NULL)
      are.descriptors++;
    are.descriptors--; /* . and .. and the -1 */
    closedir(folder);
  }
  FILE *file = fopen("/proc/net/protocols", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    long pages = 0; /* SCTP and SCTPv6 count together */
    if (sscanf(line, "SCTP %*d %*d %ld", &pages) == 1)
      are.pages = pages;
  }
  if (file != NULL)
    fclose(file);
  are.available = number_in("/proc/meminfo", "MemAvailable:");
  are.slab = number_in("/proc/meminfo", "Slab:");
  return are;
}

static void report(uint64_t start)
{
  struct resources are = resources();
  unsigned here = 0;
  for (unsigned i = 0; i < processes; i++)
    here += atomic_load(&room->present[i]);
  fprintf(stderr,
          "crowd: %3.0f s: %u in the room, %llu said, %llu deliveries; server %ld kB, %ld descriptors; kernel: SCTP "
          "%ld kB, "
          "slab %ld kB, available %ld kB\n",
          (double)(now() - start) / 1e9, here, (unsigned long long)room->said, (unsigned long long)room->deliveries,
          are.memory, are.descriptors, are.pages * 4, are.slab, are.available);
}

static pid_t start_process(int number)
{
  static uint64_t generation;
  uint64_t seed = chance.state + ++generation * 1000003;
  fflush(stdout);
  pid_t pid = fork();
  if (pid < 0)
    err(1, "fork");
  if (pid == 0) {
    close(queue);
    close(clients->fd);
    be_clients(number, seed);
  }
  return pid;
}

static bool errors(void)
{
  return room->missing + room->twice + room->disordered + room->damaged + room->disconnected + room->unplaced +
             room->confused >
         0;
}

static void first_client(void)
{
  struct client *first = clients = calloc(1, sizeof *clients);
  queue = epoll_create1(0);
  if (first == NULL || queue < 0)
    err(1, "cannot begin");
  process = -1;
  join(first);
  while (first->state == JOINING && now() < first->waiting_since + PATIENCE_S * second)
    wait_for_messages(UINT64_MAX);
  if (first->state != PRESENT)
    errx(1, "the first client cannot join");

  pid_t pids[PROCESSES_MAX];
  for (unsigned i = 0; i < processes; i++)
    pids[i] = start_process((int)i);
  uint64_t start = now(), reporting = start;
  while (atomic_load(&room->joined) < wanted_clients && !errors()) {
    wait_for_messages(UINT64_MAX);
    if (now() > start + 2 * PATIENCE_S * second)
      errx(1, "only %u clients could join", atomic_load(&room->joined));
  }
  /* The largest message first: what memory the server needs for one, it has from now on. */
  if (!speak(first, LARGEST))
    err(1, "the first message");
  while (owed(first) && first->state == PRESENT) {
    wait_for_messages(UINT64_MAX);
    look_after(first);
  }
  struct resources before = resources();
  fprintf(stderr, "crowd: %u clients are in the room after %.1f s\n", atomic_load(&room->joined),
          (double)(now() - start) / 1e9);
  atomic_store(&room->phase, TALKING);

  uint32_t killed = 0;
  start = now();
  uint64_t killing = kill_s > 0 ? start + kill_s * second : UINT64_MAX;
  while (now() < start + seconds * second && first->state == PRESENT &&
         (wanted_deliveries == 0 || room->deliveries < wanted_deliveries)) {
    wait_for_messages(UINT64_MAX);
    if (now() >= killing) {
      unsigned number = chance_below(&chance, processes);
      kill(pids[number], SIGKILL);
      waitpid(pids[number], NULL, 0);
      killed += atomic_exchange(&room->present[number], 0);
      pids[number] = start_process((int)number);
      killing = now() + kill_s * second;
    }
    if (report_s > 0 && now() >= reporting) {
      report(start);
      reporting = now() + report_s * second;
    }
    for (unsigned i = 0; i < processes; i++)
      if (waitpid(pids[i], NULL, WNOHANG) == pids[i])
        errx(1, "one of the crowd's processes has ended");
  }

  uint64_t end = now();
  atomic_store(&room->phase, ENDING);
  uint32_t last_words = 0;
  for (unsigned running = processes; running > 0 && first->state == PRESENT;) {
    wait_for_messages(UINT64_MAX);
    uint64_t time = now();
    if (last_words == 0)
      atomic_store(&room->last_said_at, time);
    while (last_words < rooms && speak_in(first, last_words, any_length()))
      last_words++;
    for (unsigned i = 0; i < rooms && last_words == rooms && !owed(first); i++)
      if (room->last[i] == 0)
        atomic_store(&room->last[i], atomic_load(&room->tail[i]));
    for (unsigned i = 0; i < processes; i++) {
      int status;
      if (pids[i] > 0 && waitpid(pids[i], &status, WNOHANG) == pids[i]) {
        if (status != 0)
          errx(1, "one of the crowd's processes has ended with status %x", status);
        pids[i] = 0;
        running--;
      }
    }
    if (now() > end + 4 * PATIENCE_S * second)
      errx(1, "the crowd has not come to its end within %d s", 4 * PATIENCE_S);
  }
  while (names && guests.count > 1 && first->state == PRESENT && now() < end + PATIENCE_S * second)
    wait_for_messages(now() + second / 10);
  if (names && guests.count != 1) {
    complain(first, "%u are in the room, says the server, though all have left", guests.count);
    atomic_fetch_add(&room->confused, 1);
  }
  struct resources after = resources();
  if (first->state == PRESENT) {
    shutdown(first->fd, SHUT_WR);
    first->state = LEAVING;
    first->waiting_since = now();
    while (first->state == LEAVING) {
      wait_for_messages(UINT64_MAX);
      look_after(first);
    }
    room->left--; /* it does not count as one of the crowd */
  }

  fprintf(stderr,
          "crowd: kernel: SCTP first %ld kB last %ld kB, slab first %ld kB last %ld kB, available first %ld kB last "
          "%ld kB\n",
          before.pages * 4, after.pages * 4, before.slab, after.slab, before.available, after.available);
  printf("deliveries %llu, missing %llu, twice %llu, out of order %llu, damaged %llu, disconnected %llu, unknown %llu, "
         "messages %llu, clients %u joined, of these %u left, %u aborted, %u killed; server memory first %ld kB last "
         "%ld kB, descriptors first %ld last %ld; notices %llu, false %llu\n",
         (unsigned long long)room->deliveries, (unsigned long long)room->missing, (unsigned long long)room->twice,
         (unsigned long long)room->disordered, (unsigned long long)room->damaged,
         (unsigned long long)room->disconnected, (unsigned long long)room->unplaced, (unsigned long long)room->noted,
         room->joined, room->left, room->aborted, killed, before.memory, after.memory, before.descriptors,
         after.descriptors, (unsigned long long)room->notices, (unsigned long long)room->confused);
}

int main(int argc, char **argv)
{
  uint64_t seed = (uint64_t)time(NULL) % 1000000;
  int option;
  while ((option = getopt(argc, argv, "gn:t:d:r:c:k:P:i:s:")) != -1)
    switch (option) {
    case 'g':
      names = true;
      rooms = ROOMS;
      break;
    case 'n':
      wanted_clients = (unsigned)atoi(optarg);
      break;
    case 't':
      seconds = (unsigned)atoi(optarg);
      break;
    case 'd':
      wanted_deliveries = strtoull(optarg, NULL, 10);
      break;
    case 'r':
      rate = atof(optarg);
      break;
    case 'c':
      changes = atof(optarg);
      break;
    case 'k':
      kill_s = (unsigned)atoi(optarg);
      break;
    case 'P':
      server_pid = atoi(optarg);
      break;
    case 'i':
      report_s = (unsigned)atoi(optarg);
      break;
    case 's':
      seed = strtoull(optarg, NULL, 10);
      break;
    default:
      return 2;
    }
  if (argc - optind != 2)
    errx(2, "HOST PORT");
  if (wanted_clients < 2 || wanted_clients > PER_PROCESS * PROCESSES_MAX)
    errx(2, "-n: 2 to %d", PER_PROCESS * PROCESSES_MAX);
  if (changes < 0)
    changes = wanted_clients / 100.0;
  processes = wanted_clients < 2 * PER_PROCESS ? 2 : (wanted_clients + PER_PROCESS - 1) / PER_PROCESS;
  fprintf(stderr, "crowd: seed %llu\n", (unsigned long long)seed);
  signal(SIGPIPE, SIG_IGN);

  room = mmap(NULL, sizeof *room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED)
    err(1, "mmap");
  chance.state = seed;
  chance_fill(&chance, pattern, sizeof pattern);
  server = resolve_host(argv[optind], (uint16_t)atoi(argv[optind + 1]));
  first_client();
  freeaddrinfo(server);
  return errors();
}
