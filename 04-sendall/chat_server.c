// chat_server - stage 04: sends each message that arrives to everyone, with one system call
//
// All associations live in one one-to-many socket. The kernel keeps the list of them, and SCTP_SENDALL sends to every
// one on it: the server has no table of clients and no loop. With -l it has the loop, to compare.
//
// SENDALL stops at the first association for which there is no room in the send buffer, which all share, and does not
// say at which. So there is always room before it is called, and who keeps others waiting for room has to go: room.h.
//
// Compile:  cc -I../common -o chat_server chat_server.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './chat_server & sleep 1; echo hello | ./chat_client localhost'
#include "address.h"
#include "associations.h"
#include "one_to_many.h"
#include "options.h"
#include "room.h"
#include "sctp_compat.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] = "usage: chat_server [-l] [-p PORT] [-a ADDRESS]...\n"
                            "Sends every message that arrives to every association. Ends on SIGINT or SIGTERM.\n"
                            "  -l          send to one association after the other, instead of SCTP_SENDALL\n"
                            "  -p PORT     listen on this port (default 2013; 0: the kernel chooses)\n"
                            "  -a ADDRESS  serve this local address only; several make the server multihomed\n";

// exercise: A function that sends a message by sctp_sendv() (RFC 6458, 9.12), and what an association is told that
// cannot have one.
static const char no_memory[] = "the server has no memory left";

/* Sends to one association, or with SCTP_SENDALL in the flags to all. */
static int send_to(int fd, struct sctp_sndinfo info, const char *bytes, size_t length)
{
  struct iovec message = {(char *)bytes, length};
  return sctp_sendv(fd, &message, 1, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0);
}
// until then: nothing

/* Sends a message to every association. One that cannot have it is aborted: nobody has a hole without knowing. */
static void send_to_all(struct room *room, struct sctp_sndinfo info, const char *bytes, size_t length)
{
  // exercise: Where reserve_for_all() says so, send to all with one call: SCTP_SENDALL (RFC 6458, 5.3.4). Else send to
  // one after the other: list_associations(), reserve_for_one(). Who cannot have the message, for the kernel has no
  // memory, is aborted. TUTORIAL.md, stage 04: "How does a message reach everyone?", "When does SENDALL not stop?".
  /* To be acknowledged at once (the I bit, RFC 7053): so the send buffer empties itself up to 200 ms sooner. */
  info.snd_flags |= SCTP_SACK_IMMEDIATELY;

  if (reserve_for_all(room, length)) {
    struct sctp_sndinfo all = info;
    all.snd_flags |= SCTP_SENDALL;
    if (send_to(room->fd, all, bytes, length) < 0) {
      warn("SCTP_SENDALL"); /* the kernel has no memory; who has the message and who has not, nobody knows */
      abort_associations(room->fd, no_memory);
    }
    return;
  }

  /* The same for every association on the kernel's list (RFC 6458, 8.2.6), one after the other. */
  struct sctp_assoc_ids *list = list_associations(room->fd);
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++) {
    reserve_for_one(room, length, list->gaids_number_of_ids);
    info.snd_assoc_id = list->gaids_assoc_id[i];
    if (send_to(room->fd, info, bytes, length) < 0 && (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS)) {
      warn("assoc %d", info.snd_assoc_id);
      abort_association(room->fd, info.snd_assoc_id, no_memory);
    } /* else, it is about to end, and needs nothing any more */
  }
  free(list);
  // until then: (void)room; (void)info; (void)bytes; (void)length;
}

/* Receives once. What is a whole message goes to everyone. */
static void take(struct room *room)
{
  struct received got = one_to_many_receive(room->fd, &room->unfinished);
  if (got.message != NULL)
    send_to_all(room, (struct sctp_sndinfo){.snd_ppid = got.info.rcv_ppid}, got.message, got.length);
}

int main(int argc, char **argv)
{
  uint16_t port = DEFAULT_PORT;
  struct local_addresses local = {0};
  struct room room = {0};
  int option;

  while ((option = next_option(argc, argv, "lp:a:", usage)) != -1)
    switch (option) {
    case 'l':
      room.loop = true;
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
  open_room(&room, &local);
  printf("Listening on port %u\n", bound_port(room.fd));

  while (goes_on(&room, NEVER))
    take(&room);
  reassembly_end(&room.unfinished);
  return EXIT_SUCCESS;
}
