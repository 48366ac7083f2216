// room.h - room in the send buffer for a message to everyone; for the chat servers of stages 04 and 05
#ifndef ROOM_H
#define ROOM_H

#include "associations.h"
#include "buffers.h"
#include "deadline.h"
#include "ending.h"
#include "laggards.h"
#include "lines.h"
#include "one_to_many.h"
#include "reassembly.h"
#include "sctp_compat.h"

#include <err.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

enum {
  BUFFER_BYTES = 4 << 20,
  SHARE_BYTES = 256 << 10, /* of the send buffer: so far may a client be behind, on average */
  PATIENCE_MS = 3000,      /* so long may a message wait for clients that read, but little */
  GOODBYE_MS = 5000
};

struct room {
  int fd, ending;
  bool loop;         /* send to one after the other */
  bool closing;      /* all associations have been told to end */
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

/* Returns true where the kernel has SCTP_SENDALL: it then sends, on a socket without any association, to nobody. */
static bool has_sendall(const struct local_addresses *local)
{
  struct iovec message = {"?", 1};
  struct sctp_sndinfo all = {.snd_flags = SCTP_SENDALL};
  int fd = socket(local->family, SOCK_SEQPACKET, IPPROTO_SCTP);
  bool has = fd >= 0 && sctp_sendv(fd, &message, 1, NULL, 0, &all, sizeof all, SCTP_SENDV_SNDINFO, 0) >= 0;
  close(fd);
  return has;
}

/* Opens the room's one-to-many socket. It does not block: where something has to be waited for, await() does it. */
static inline void open_room(struct room *room, const struct local_addresses *local)
{
  if (!room->loop && !has_sendall(local)) {
    warnx("this kernel has no SCTP_SENDALL (Linux 4.17 or later has): sending to one after the other");
    room->loop = true;
  }
  room->glance = room->patience = room->give_up = NEVER;
  room->ending = ending_watch();
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

/* Returns how much the send buffer holds, all associations together, as the kernel counts. */
static size_t bytes_queued(int fd)
{
  uint32_t memory[SK_MEMINFO_VARS];
  socklen_t size = sizeof memory;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) < 0)
    err(1, "SO_MEMINFO");
  return memory[SK_MEMINFO_WMEM_QUEUED];
}

/* Returns what a copy takes in the send buffer at the most: with it come the kernel's records, for each fragment anew.
 */
static size_t copy_cost(size_t length)
{
  return 4 * length + 2048;
}

/* Waits until the socket is ready, or it is time: for a glance at the laggards, for what the caller wants to do `then`,
 * or to end. */
static void await(struct room *room, short event, deadline then)
{
  struct pollfd fds[] = {{.fd = room->fd, .events = event},
                         {.fd = room->give_up == NEVER ? room->ending : -1, .events = POLLIN}};
  poll(fds, 2, deadline_left(deadline_first(deadline_first(room->glance, then), room->give_up)));
  if (deadline_left(room->glance) == 0) {
    abort_laggards(room->fd);
    room->glance = bytes_queued(room->fd) > 0 ? deadline_in(GLANCE_MS) : NEVER;
  }
  if (fds[1].revents != 0)
    room->give_up = deadline_in(GOODBYE_MS);
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
    await(room, POLLOUT, NEVER);
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

/* Reserves room for one message to each association. Returns false where they have to have it one after the other: with
 * -l, where so much cannot be there at a time, or where it is too late to wait. */
static inline bool reserve_for_all(struct room *room, size_t length)
{
  while (!room->loop && deadline_left(room->give_up) != 0) {
    size_t associations = count_associations(room->fd), need = associations * copy_cost(length);
    if (need > room->buffer / 8 * 7)
      return false;
    if (reserve(room, need, associations))
      return true;
  }
  return false;
}

/* Reserves room for a message to one of so many associations; where it is too late to wait, it does not. */
static inline void reserve_for_one(struct room *room, size_t length, size_t associations)
{
  size_t need = copy_cost(length) < room->buffer / 2 ? copy_cost(length) : room->buffer / 2;
  while (!reserve(room, need, associations) && deadline_left(room->give_up) != 0)
    ;
}

/*
 * Waits until something has come, or it is time for what the caller wants to do `then`. From SIGINT or SIGTERM on what
 * is queued still comes; then all associations are shut down gracefully, and those that have not agreed in time are
 * aborted. Returns false when that is done.
 */
static inline bool goes_on(struct room *room, deadline then)
{
  struct pollfd queue = {.fd = room->fd, .events = POLLIN};
  if (room->give_up == NEVER)
    await(room, POLLIN, then);
  if (room->give_up == NEVER || (deadline_left(room->give_up) > GOODBYE_MS / 2 && poll(&queue, 1, 0) > 0))
    return true;
  if (!room->closing) {
    listen(room->fd, 0); /* nobody joins any more */
    end_associations(room->fd, SCTP_EOF);
    room->closing = true;
  }
  if (has_associations(room->fd) && poll(&queue, 1, deadline_left(room->give_up)) > 0)
    return true;
  end_associations(room->fd, SCTP_ABORT);
  close(room->fd);
  return false;
}

#endif
