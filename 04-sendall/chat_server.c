// chat_server - stage 04: sends each message that arrives to everyone, with one system call
//
// All associations live in one one-to-many socket. The kernel keeps the list of them, and SCTP_SENDALL sends to every
// one on it: the server has no table of clients and no loop. With -l it has the loop, to compare.
//
// SENDALL stops at the first association for which there is no room in the send buffer, which all share, and does not
// say at which. So there is always room before it is called, and who keeps others waiting for room has to go.
//
// Compile:  cc -I../common -o chat_server chat_server.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './chat_server & sleep 1; echo hello | ./chat_client localhost'
#include "address.h"
#include "associations.h"
#include "buffers.h"
#include "deadline.h"
#include "ending.h"
#include "laggards.h"
#include "lines.h"
#include "one_to_many.h"
#include "options.h"
#include "reassembly.h"
#include "sctp_compat.h"

#include <err.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
  BUFFER_BYTES = 4 << 20,
  SHARE_BYTES = 256 << 10, /* of the send buffer: so far may a client be behind, on average */
  PATIENCE_MS = 3000,      /* so long may a message wait for clients that read, but little */
  GOODBYE_MS = 5000
};

static const char usage[] = "usage: chat_server [-l] [-p PORT] [-a ADDRESS]...\n"
                            "Sends every message that arrives to every association. Ends on SIGINT or SIGTERM.\n"
                            "  -l          send to one association after the other, instead of SCTP_SENDALL\n"
                            "  -p PORT     listen on this port (default 2013; 0: the kernel chooses)\n"
                            "  -a ADDRESS  serve this local address only; several make the server multihomed\n";

struct room {
  int fd, ending;
  bool loop;         /* send to one after the other */
  size_t buffer;     /* bytes that the send buffer can hold, as the kernel counts */
  size_t queued;     /* bytes that it holds at the most */
  deadline glance;   /* when to look for laggards; NEVER where there are none */
  deadline patience; /* when who holds up a message has to go; NEVER where none is held up */
  deadline give_up;  /* NEVER until SIGINT or SIGTERM comes */
  struct reassembly unfinished;
};

static void set_option(int fd, int level, int option, const char *name, int value)
{
  if (setsockopt(fd, level, option, &value, sizeof value) < 0)
    err(1, "%s", name);
}

/* Opens the room's one-to-many socket. It does not block: where something has to be waited for, await() does it. */
static void open_room(struct room *room, const struct local_addresses *local)
{
  int fd = room->fd = one_to_many_socket(local);
  /* Each message is sent at once, instead of waiting for more to share its packet. */
  set_option(fd, IPPROTO_SCTP, SCTP_NODELAY, "SCTP_NODELAY", 1);
  /* What is lost is sent again within half a second, so that who takes nothing for 1 s does not read; and 60 times: in
   * a quiet room the network may be gone for half a minute (RFC 6458, 8.1.1 and 8.1.2). */
  const struct sctp_rtoinfo timeout = {.srto_initial = 500, .srto_min = 200, .srto_max = 500};
  const struct sctp_assocparams tries = {.sasoc_asocmaxrxt = 60};
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_RTOINFO, &timeout, sizeof timeout) < 0 ||
      setsockopt(fd, IPPROTO_SCTP, SCTP_ASSOCINFO, &tries, sizeof tries) < 0)
    err(1, "SCTP_RTOINFO, SCTP_ASSOCINFO");
  room->buffer = ask_for_buffers(fd, BUFFER_BYTES);
  if (room->buffer < 2 * MESSAGE_MAX)
    errx(1, "a send buffer of %zu bytes is too small for a message (net.core.wmem_max)", room->buffer / 2);
}

/* Sends to one association, or with SCTP_SENDALL in the flags to all. */
static int send_to(int fd, struct sctp_sndinfo info, const char *bytes, size_t length)
{
  struct iovec message = {(char *)bytes, length};
  return sctp_sendv(fd, &message, 1, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0);
}

/* Returns how much the send buffer holds, all associations together, as the kernel counts. */
static size_t bytes_queued(int fd)
{
  uint32_t memory[SK_MEMINFO_VARS];
  socklen_t size = sizeof memory;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) < 0)
    err(1, "SO_MEMINFO");
  return memory[SK_MEMINFO_WMEM_QUEUED];
}

/*
 * Waits until the socket is ready, or it is time to look for laggards. Returns false when it is time to end: to receive
 * no more from SIGINT or SIGTERM on, to send no more when GOODBYE_MS are over.
 */
static bool await(struct room *room, short event)
{
  struct pollfd fds[] = {{.fd = room->fd, .events = event},
                         {.fd = room->give_up == NEVER ? room->ending : -1, .events = POLLIN}};
  poll(fds, 2, deadline_left(room->glance == NEVER ? room->give_up : room->glance));
  if (deadline_left(room->glance) == 0) {
    abort_laggards(room->fd);
    room->glance = bytes_queued(room->fd) > 0 ? deadline_in(GLANCE_MS) : NEVER;
  }
  if (fds[1].revents != 0)
    room->give_up = deadline_in(GOODBYE_MS);
  return room->give_up == NEVER || (event == POLLOUT && deadline_left(room->give_up) != 0);
}

/*
 * Reserves room in the send buffer, for `need` bytes more. Clients that are behind, on average by more than their
 * share, have to be waited for. Returns false where it has waited: then there may be other associations than before.
 */
static bool reserve(struct room *room, size_t need, size_t associations)
{
  size_t limit = 2 * need > associations * SHARE_BYTES ? 2 * need : associations * SHARE_BYTES;
  if (limit > room->buffer)
    limit = room->buffer;
  if (room->queued + need > limit) { /* at the most, that is: the clients have taken much of it since */
    room->queued = bytes_queued(room->fd);
    if (room->queued < limit / 8)
      room->glance = NEVER;
    else if (room->glance == NEVER)
      room->glance = deadline_in(0);
  }
  if (room->queued + need > limit) {
    /* poll() says POLLOUT where less is queued than SO_SNDBUF, and so long messages are taken. Therefore it is lowered,
     * but only for this wait. It is half of what the kernel counts (socket(7)). */
    set_option(room->fd, SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF", (int)(limit - need) / 2);
    await(room, POLLOUT);
    set_option(room->fd, SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF", (int)room->buffer / 2);
    if (room->patience == NEVER)
      room->patience = deadline_in(PATIENCE_MS);
    if (deadline_left(room->patience) == 0) {
      abort_slowest(room->fd, "too slow for this room");
      room->patience = NEVER;
    }
    return false;
  }
  room->patience = NEVER;
  room->queued += need;
  return true;
}

/* Sends a message to every association. One that cannot have it is aborted: nobody has a hole without knowing. */
static void send_to_all(struct room *room, struct sctp_sndinfo info, const char *bytes, size_t length)
{
  static const char no_memory[] = "the server has no memory left";
  /* What a copy takes in the send buffer at the most: with it come the kernel's records, for each fragment anew. */
  size_t copy = 4 * length + 2048;
  /* To be acknowledged at once (the I bit, RFC 7053): so the send buffer empties itself up to 200 ms sooner. */
  info.snd_flags |= SCTP_SACK_IMMEDIATELY;

  while (!room->loop && deadline_left(room->give_up) != 0) {
    size_t associations = count_associations(room->fd);
    if (associations * copy > room->buffer / 8 * 7)
      break; /* so much cannot be there at a time */
    if (!reserve(room, associations * copy, associations))
      continue;
    struct sctp_sndinfo all = info;
    all.snd_flags |= SCTP_SENDALL;
    if (send_to(room->fd, all, bytes, length) >= 0)
      return;
    if (errno != EINVAL) { /* the kernel has no memory; who has the message and who has not, nobody knows */
      warn("SCTP_SENDALL");
      abort_associations(room->fd, no_memory);
      return;
    }
    warnx("this kernel has no SCTP_SENDALL (Linux 4.17 or later has): sending to one after the other");
    room->loop = true;
  }

  /* The same for every association on the kernel's list (RFC 6458, 8.2.6), one after the other. */
  struct sctp_assoc_ids *list = list_associations(room->fd);
  size_t one = copy < room->buffer / 2 ? copy : room->buffer / 2;
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++) {
    while (!reserve(room, one, list->gaids_number_of_ids) && deadline_left(room->give_up) != 0)
      ;
    info.snd_assoc_id = list->gaids_assoc_id[i];
    if (send_to(room->fd, info, bytes, length) < 0 && (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS)) {
      warn("assoc %d", info.snd_assoc_id);
      abort_association(room->fd, info.snd_assoc_id, no_memory);
    } /* else, it is about to end, and needs nothing any more */
  }
  free(list);
}

/* Receives once. What is a whole message goes to everyone. */
static void take(struct room *room)
{
  struct sctp_rcvinfo info;
  size_t length;
  const char *message = one_to_many_receive(room->fd, &room->unfinished, &info, &length);
  if (message != NULL)
    send_to_all(room, (struct sctp_sndinfo){.snd_ppid = info.rcv_ppid}, message, length);
}

/* Sends what is queued, shuts all associations down gracefully, and aborts those that have not agreed in time. */
static void say_goodbye(struct room *room)
{
  struct pollfd queue = {.fd = room->fd, .events = POLLIN};
  while (deadline_left(room->give_up) > GOODBYE_MS / 2 && poll(&queue, 1, 0) > 0)
    take(room);
  listen(room->fd, 0); /* nobody joins any more */
  end_associations(room->fd, SCTP_EOF);
  while (has_associations(room->fd) && poll(&queue, 1, deadline_left(room->give_up)) > 0)
    take(room);
  end_associations(room->fd, SCTP_ABORT);
  close(room->fd);
}

int main(int argc, char **argv)
{
  uint16_t port = DEFAULT_PORT;
  struct local_addresses local = {0};
  struct room room = {.glance = NEVER, .patience = NEVER, .give_up = NEVER};
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
  room.ending = ending_watch();
  open_room(&room, &local);
  printf("Listening on port %u\n", bound_port(room.fd));

  while (await(&room, POLLIN))
    take(&room);
  say_goodbye(&room);
  return EXIT_SUCCESS;
}
