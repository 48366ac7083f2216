// everyone.h - a message to everyone in the chat, on its stream; for the chat server of stage 05
#ifndef EVERYONE_H
#define EVERYONE_H

#include "../04-sendall/room.h"
#include "associations.h"
#include "guests.h"
#include "sctp_compat.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdbool.h>
#include <stdlib.h>

// exercise: What tells an association that it cannot have a message; a function that sends one message by sctp_sendv();
// and one that tells whether we can send to an association on a stream: guest_of() knows it, or SCTP_STATUS (RFC 6458,
// 8.2.1). TUTORIAL.md, stage 05: "What if somebody has fewer streams?".
static const char no_memory[] = "the server has no memory left";

/* Sends to one association, or with SCTP_SENDALL in the flags to all. */
static int send_to(int fd, struct sctp_sndinfo info, const char *bytes, size_t length)
{
  struct iovec message = {(char *)bytes, length};
  return sctp_sendv(fd, &message, 1, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0);
}

/* Returns true where we can send to an association on this stream. It may be one of which we have not read yet. */
static bool has_stream(int fd, const struct guests *guests, sctp_assoc_t association, uint16_t stream)
{
  struct sctp_status status = {.sstat_assoc_id = association};
  socklen_t size = sizeof status;
  if (stream == 0)
    return true;
  const struct guest *guest = guest_of(guests, association);
  if (guest != NULL)
    return stream < guest->streams;
  return getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &status, &size) == 0 && stream < status.sstat_outstrms;
}
// until then: nothing

/* Sends to one association, for which room has been reserved, on stream 0 where it has no such stream. If it cannot
 * have the message it is aborted. */
static void send_to_one(int fd, const struct guests *guests, sctp_assoc_t association, struct sctp_sndinfo info,
                        const char *bytes, size_t length)
{
  // exercise: Send it, on stream 0 where there is no such stream, and abort the association where the kernel has no
  // memory.
  info.snd_assoc_id = association;
  if (!has_stream(fd, guests, association, info.snd_sid))
    info.snd_sid = 0;
  if (send_to(fd, info, bytes, length) < 0 && (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS)) {
    warn("assoc %d", association);
    abort_association(fd, association, no_memory);
  } /* else, it is about to end, and needs nothing any more */
  // until then: (void)fd; (void)guests; (void)association; (void)info; (void)bytes; (void)length;
}

/* Returns true where every guest has this stream. */
static bool all_have(const struct guests *guests, uint16_t stream)
{
  // exercise: Look at the streams of each guest.
  for (size_t i = 0; i < guests->count; i++)
    if (guests->all[i].streams <= stream)
      return false;
  return true;
  // until then: (void)guests; (void)stream; return false;
}

/*
 * Sends a message to every association, with one call where all have the stream. One that cannot have it is aborted:
 * nobody has a hole without knowing.
 */
static void send_to_all(struct room *room, const struct guests *guests, struct sctp_sndinfo info, const char *bytes,
                        size_t length)
{
  // exercise: Where all_have() the stream, and reserve_for_all() says so, one call with SCTP_SENDALL. It stops (EINVAL)
  // at the first association without the stream, of which we may not have read yet. Else, or then for the rest of them,
  // the loop: list_associations(), reserve_for_one(), send_to_one(). TUTORIAL.md, stage 05: "What if somebody has fewer
  // streams?".
  bool stopped = false;
  /* To be acknowledged at once (the I bit, RFC 7053): so the send buffer empties itself up to 200 ms sooner. */
  info.snd_flags |= SCTP_SACK_IMMEDIATELY;

  if (all_have(guests, info.snd_sid) && reserve_for_all(room, length)) {
    struct sctp_sndinfo all = info;
    all.snd_flags |= SCTP_SENDALL;
    if (send_to(room->fd, all, bytes, length) >= 0)
      return;
    if (errno != EINVAL) {
      warn("SCTP_SENDALL"); /* the kernel has no memory; who has the message and who has not, nobody knows */
      abort_associations(room->fd, no_memory);
      return;
    }
    stopped = true; /* at the first without this stream, who has come so lately that we have not read of it */
  }
  /* The same for every association on the kernel's list (RFC 6458, 8.2.6), one after the other. Also for those of whom
   * we have not read: who has got one message by SENDALL must not miss the next. */
  struct sctp_assoc_ids *list = list_associations(room->fd);
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++) {
    sctp_assoc_t association = list->gaids_assoc_id[i];
    stopped = stopped && has_stream(room->fd, guests, association, info.snd_sid);
    if (stopped) /* it has it already */
      continue;
    reserve_for_one(room, length, list->gaids_number_of_ids);
    send_to_one(room->fd, guests, association, info, bytes, length);
  }
  free(list);
  // until then: (void)room; (void)guests; (void)info; (void)bytes; (void)length; (void)all_have;
}

#endif
