// chat_server - stage 05 in another manner: the calls that RFC 6458 deprecates (sctp_recvmsg, sctp_send, sctp_sendmsg,
// SCTP_EVENTS), a linked list of guests, the newest first, and each notice a message of its own; with stage 04's
// room.h, which asks whether there is room
//
// Compile:  cc -I../common -o chat_server chat_server.c ../common/*.c -lsctp
#define _GNU_SOURCE
#include "../04-sendall/room.h"
#include "address.h"
#include "associations.h"
#include "options.h"
#include "show.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PIECE = 66000, WHOLE = 65536, NAME_ROOM = 17 };

static const char usage[] = "Usage: chat_server [options]\n"
                            "  -h          this help\n"
                            "  -l          a loop instead of SCTP_SENDALL\n"
                            "  -p PORT     port, 2013 by default\n"
                            "  -a ADDRESS  local address\n";

struct guest {
  struct guest *next;
  sctp_assoc_t id;
  bool hidden; /* not announced yet */
  deadline due;
  char name[NAME_ROOM];
  size_t length; /* of what there is of a message */
  char *bytes;
};

static struct room room;
static struct guest *guests;
static unsigned number;

static bool send_one(sctp_assoc_t id, uint16_t stream, uint16_t flags, uint32_t ppid, const char *bytes, size_t length)
{
  struct sctp_sndrcvinfo to = {.sinfo_assoc_id = id, .sinfo_stream = stream, .sinfo_flags = flags, .sinfo_ppid = ppid};
  return sctp_send(room.fd, bytes, length, &to, 0) >= 0 || (errno != EAGAIN && errno != ENOMEM && errno != ENOBUFS);
}

/* Returns whether we can send to it on this stream; who is ending needs nothing, and is in nobody's way. */
static bool has(sctp_assoc_t id, uint16_t stream)
{
  struct sctp_status status = {.sstat_assoc_id = id};
  socklen_t size = sizeof status;
  return stream == 0 || getsockopt(room.fd, IPPROTO_SCTP, SCTP_STATUS, &status, &size) < 0 ||
         stream < status.sstat_outstrms;
}

static void broadcast(uint16_t stream, uint16_t flags, uint32_t ppid, const char *bytes, size_t length)
{
  bool at_once = reserve_for_all(&room, length);
  struct sctp_assoc_ids *list = list_associations(room.fd);
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++)
    at_once = at_once && has(list->gaids_assoc_id[i], stream);
  if (at_once) {
    if (sctp_sendmsg(room.fd, bytes, length, NULL, 0, ppid, flags | SCTP_SENDALL, stream, 0, 0) < 0) {
      perror("chat_server: sctp_sendmsg");
      abort_associations(room.fd, "no memory for a message to you");
    }
  } else {
    for (uint32_t i = 0; i < list->gaids_number_of_ids; i++) {
      sctp_assoc_t id = list->gaids_assoc_id[i];
      reserve_for_one(&room, length, list->gaids_number_of_ids);
      if (!send_one(id, has(id, stream) ? stream : 0, flags, ppid, bytes, length))
        abort_association(room.fd, id, "no memory for a message to you");
    }
  }
  free(list);
}

static void notice(const char *name, const char *what, const char *more)
{
  char text[600];
  int length = snprintf(text, sizeof text, "* %s %s%s\n", name, what, more);
  broadcast(0, 0, 0, text, (size_t)length);
}

static void answer(const struct guest *guest, const char *text, size_t length)
{
  reserve_for_one(&room, length, count_associations(room.fd));
  if (!send_one(guest->id, 0, 0, 0, text, length))
    abort_association(room.fd, guest->id, "no memory for an answer");
}

static void reveal(struct guest *guest)
{
  if (guest->hidden) {
    guest->hidden = false;
    notice(guest->name, "joined", "");
  }
}

static deadline reveal_due(void)
{
  deadline next = NEVER;
  for (struct guest *guest = guests; guest != NULL; guest = guest->next)
    if (guest->hidden && deadline_left(guest->due) == 0)
      reveal(guest);
    else if (guest->hidden)
      next = deadline_first(next, guest->due);
  return next;
}

static struct guest *who(sctp_assoc_t id)
{
  struct guest *guest = guests;
  while (guest != NULL && guest->id != id)
    guest = guest->next;
  return guest;
}

static void enter(sctp_assoc_t id)
{
  struct guest *guest = calloc(1, sizeof *guest);
  if (guest == NULL)
    err(1, "calloc");
  guest->id = id;
  guest->hidden = true;
  guest->due = deadline_in(1000);
  snprintf(guest->name, sizeof guest->name, "guest%u", 100 + ++number);
  guest->next = guests;
  guests = guest;
}

static void leave(struct guest *guest, const char *how, const char *reason)
{
  struct guest **link = &guests;
  while (*link != guest)
    link = &(*link)->next;
  *link = guest->next;
  if (!guest->hidden)
    notice(guest->name, how, reason);
  free(guest->bytes);
  free(guest);
}

static void event(const union sctp_notification *event, size_t size)
{
  const struct sctp_assoc_change *change = &event->sn_assoc_change;
  if (event->sn_header.sn_type == SCTP_PARTIAL_DELIVERY_EVENT) {
    struct guest *guest = who(event->sn_pdapi_event.pdapi_assoc_id);
    if (guest != NULL)
      guest->length = 0;
    return;
  }
  if (event->sn_header.sn_type != SCTP_ASSOC_CHANGE)
    return;
  struct guest *guest = who(change->sac_assoc_id);
  if (guest != NULL) {
    char reason[400] = "no reason given";
    if (size > sizeof *change + 4)
      escape(change->sac_info + 4, size - sizeof *change - 4, reason, sizeof reason);
    if (reason[0] == '\0')
      strcpy(reason, "aborted without a word");
    if (change->sac_state == SCTP_SHUTDOWN_COMP)
      leave(guest, "left", "");
    else
      leave(guest, "is gone: ", change->sac_state == SCTP_RESTART ? "started anew" : reason);
  }
  if (change->sac_state == SCTP_COMM_UP || change->sac_state == SCTP_RESTART)
    enter(change->sac_assoc_id);
}

static const char *bad_name(const struct guest *asking, const char *name)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  if (*name == '\0' || strlen(name) >= NAME_ROOM || name[strspn(name, letters)] != '\0')
    return "bad name";
  if (strncasecmp(name, "guest", 5) == 0 && name[5] != '\0' && name[5 + strspn(name + 5, letters + 52)] == '\0' &&
      strpbrk(name + 5, "-_") == NULL)
    return "a guest's name";
  for (const struct guest *guest = guests; guest != NULL; guest = guest->next)
    if (strcasecmp(guest->name, name) == 0 && (guest != asking || strcmp(guest->name, name) == 0))
      return "in use";
  return NULL;
}

static void command(struct guest *guest, size_t length)
{
  char text[256], reply[70000];
  while (length > 0 && strchr(" \t\r\n", guest->bytes[length - 1]) != NULL) /* NUL, too */
    length--;
  escape(guest->bytes, length, text, sizeof text);
  char *word = text, *name = strchr(text, ' ');
  if (name != NULL)
    *name++ = '\0';
  while (name != NULL && *name == ' ')
    name++;
  if (name == NULL)
    name = "";
  if (strcmp(word, "/nick") == 0) {
    const char *why = bad_name(guest, name);
    if (why != NULL) {
      answer(guest, reply, (size_t)sprintf(reply, "* nick refused: %s\n", why));
      return;
    }
    char before[NAME_ROOM];
    strcpy(before, guest->name);
    strcpy(guest->name, name);
    if (guest->hidden)
      reveal(guest);
    else
      notice(before, "is now ", name);
    return;
  }
  reveal(guest);
  if (strcmp(word, "/who") == 0) {
    size_t end = (size_t)sprintf(reply, "* here: ");
    for (const struct guest *one = guests; one != NULL && end < 65000; one = one->next)
      if (!one->hidden)
        end += (size_t)sprintf(reply + end, "%s, ", one->name);
    reply[end - 2] = '\n';
    answer(guest, reply, end - 1);
  } else {
    answer(guest, reply, (size_t)sprintf(reply, "* unknown command: %s\n", word));
  }
}

static void say(struct guest *guest, const struct sctp_sndrcvinfo *as)
{
  static char line[70000];
  char *from = guest->bytes, *to = line + sprintf(line, "%s: ", guest->name);
  size_t length = guest->length;
  reveal(guest);
  if (length > 1 && from[0] == '/' && from[1] == '/') {
    from++;
    length--;
  }
  for (size_t i = 0; i < length; i++)
    *to++ = from[i] != '\n' ? from[i] : i == length - 1 ? '\n' : ' ';
  if (to[-1] != '\n' || length == 0)
    *to++ = '\n';
  broadcast(as->sinfo_stream, as->sinfo_flags & SCTP_UNORDERED, as->sinfo_ppid, line, (size_t)(to - line));
}

static void receive(void)
{
  static char piece[PIECE];
  struct sctp_sndrcvinfo from = {0};
  int flags = 0, n = sctp_recvmsg(room.fd, piece, sizeof piece, NULL, NULL, &from, &flags);
  if (n < 0)
    return;
  if (flags & MSG_NOTIFICATION) {
    event((const void *)piece, (size_t)n);
    return;
  }
  struct guest *guest = who(from.sinfo_assoc_id);
  if (guest == NULL)
    return;
  if (guest->bytes == NULL && (guest->bytes = malloc(WHOLE)) == NULL)
    err(1, "malloc");
  if (guest->length <= WHOLE && guest->length + (size_t)n > WHOLE)
    abort_association(room.fd, guest->id, "message too long");
  if (guest->length + (size_t)n <= WHOLE)
    memcpy(guest->bytes + guest->length, piece, (size_t)n);
  guest->length += guest->length <= WHOLE ? (size_t)n : 0;
  if (!(flags & MSG_EOR))
    return;
  if (guest->length <= WHOLE) {
    if (guest->bytes[0] == '/' && (guest->length == 1 || guest->bytes[1] != '/'))
      command(guest, guest->length);
    else
      say(guest, &from);
  }
  guest->length = 0;
}

int main(int argc, char **argv)
{
  struct local_addresses local = {0};
  uint16_t port = 2013;
  int option;
  while ((option = next_option(argc, argv, "a:lp:", usage)) != -1) {
    room.loop |= option == 'l';
    if (option == 'p')
      port = parse_port(optarg, 0, usage);
    if (option == 'a')
      local_name(&local, optarg, usage);
  }
  if (optind != argc)
    usage_error(usage, "too many arguments");
  local_resolve(&local, port);
  signal(SIGPIPE, SIG_IGN);
  open_room(&room, &local);
  struct sctp_event_subscribe events = {
      .sctp_data_io_event = 1, .sctp_association_event = 1, .sctp_partial_delivery_event = 1};
  struct sctp_initmsg streams = {.sinit_num_ostreams = 16, .sinit_max_instreams = 16};
  if (setsockopt(room.fd, IPPROTO_SCTP, SCTP_EVENTS, &events, sizeof events) < 0 ||
      setsockopt(room.fd, IPPROTO_SCTP, SCTP_INITMSG, &streams, sizeof streams) < 0)
    err(1, "SCTP_EVENTS, SCTP_INITMSG");
  static const int off = 0;
  setsockopt(room.fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &off, sizeof off);
  printf("Listening on port %u\n", bound_port(room.fd));
  fflush(stdout);
  while (goes_on(&room, reveal_due()))
    receive();
  while (guests != NULL) {
    struct guest *next = guests->next;
    free(guests->bytes);
    free(guests);
    guests = next;
  }
  return 0;
}
