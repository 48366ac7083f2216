// chat_server - stage 04 in another manner: the calls that RFC 6458 deprecates (sctp_recvmsg, sctp_send, sctp_sendmsg,
// SCTP_EVENTS), and what waits for room is done inside the send; with the stage's room.h, which asks whether there is
// room
//
// Compile:  cc -I../common -o chat_server chat_server.c ../common/*.c -lsctp
#define _GNU_SOURCE
#include "address.h"
#include "associations.h"
#include "options.h"
#include "room.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 20000 };

static const char usage[] = "Usage: chat_server [options]\n"
                            "  -h          this help\n"
                            "  -l          a loop instead of SCTP_SENDALL\n"
                            "  -p PORT     port, 2013 by default\n"
                            "  -a ADDRESS  local address\n";

static struct room room;

/* Messages of which only pieces are there: one of each association. */
static struct half {
  sctp_assoc_t of; /* 0: free */
  bool refused;
  size_t length;
  char *bytes;
} * halves;
static size_t half_count;

static struct half *half_of(sctp_assoc_t id)
{
  struct half *free_one = NULL;
  for (size_t i = 0; i < half_count; i++) {
    if (halves[i].of == id)
      return &halves[i];
    if (halves[i].of == 0)
      free_one = &halves[i];
  }
  if (free_one == NULL) {
    halves = realloc(halves, (half_count + 1) * sizeof *halves);
    if (halves == NULL)
      err(1, "realloc");
    free_one = &halves[half_count++];
  }
  *free_one = (struct half){.of = id};
  return free_one;
}

static void drop(struct half *half)
{
  free(half->bytes);
  *half = (struct half){0};
}

static void one_by_one(const char *bytes, size_t length, uint32_t ppid)
{
  struct sctp_assoc_ids *list = list_associations(room.fd);
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++) {
    struct sctp_sndrcvinfo to = {.sinfo_ppid = ppid, .sinfo_assoc_id = list->gaids_assoc_id[i]};
    reserve_for_one(&room, length, list->gaids_number_of_ids);
    if (sctp_send(room.fd, bytes, length, &to, 0) < 0 && (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS))
      abort_association(room.fd, to.sinfo_assoc_id, "no memory for a message to you");
  }
  free(list);
}

static void broadcast(const char *bytes, size_t length, uint32_t ppid)
{
  if (!reserve_for_all(&room, length)) {
    one_by_one(bytes, length, ppid);
  } else if (sctp_sendmsg(room.fd, bytes, length, NULL, 0, ppid, SCTP_SENDALL, 0, 0, 0) < 0) {
    perror("chat_server: sctp_sendmsg");
    abort_associations(room.fd, "no memory for a message to you");
  }
}

static void receive(void)
{
  static char piece[PIECE];
  struct sctp_sndrcvinfo from = {0};
  int flags = 0, n = sctp_recvmsg(room.fd, piece, sizeof piece, NULL, NULL, &from, &flags);
  if (n < 0)
    return;
  if (flags & MSG_NOTIFICATION) {
    const union sctp_notification *event = (const void *)piece;
    if (event->sn_header.sn_type == SCTP_ASSOC_CHANGE && event->sn_assoc_change.sac_state != SCTP_COMM_UP)
      drop(half_of(event->sn_assoc_change.sac_assoc_id));
    if (event->sn_header.sn_type == SCTP_PARTIAL_DELIVERY_EVENT)
      drop(half_of(event->sn_pdapi_event.pdapi_assoc_id));
    return;
  }
  struct half *half = half_of(from.sinfo_assoc_id);
  if (!half->refused && half->length + (size_t)n > 65536) {
    half->refused = true;
    abort_association(room.fd, from.sinfo_assoc_id, "message too long");
  }
  if (!half->refused) {
    if (half->bytes == NULL && (half->bytes = malloc(65536)) == NULL)
      err(1, "malloc");
    memcpy(half->bytes + half->length, piece, (size_t)n);
    half->length += (size_t)n;
  }
  if (flags & MSG_EOR) {
    if (!half->refused)
      broadcast(half->bytes, half->length, from.sinfo_ppid);
    drop(half);
  }
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
  if (setsockopt(room.fd, IPPROTO_SCTP, SCTP_EVENTS, &events, sizeof events) < 0)
    err(1, "SCTP_EVENTS");
  static const int off = 0;
  setsockopt(room.fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &off, sizeof off);
  printf("Listening on port %u\n", bound_port(room.fd));
  fflush(stdout);
  fprintf(stderr, "chat_server: ready\n");
  while (goes_on(&room, NEVER))
    receive();
  for (size_t i = 0; i < half_count; i++)
    free(halves[i].bytes);
  free(halves);
  return 0;
}
