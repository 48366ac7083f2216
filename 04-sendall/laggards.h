// laggards.h - who has stopped reading; for the chat servers of stages 04 and 05
#ifndef LAGGARDS_H
#define LAGGARDS_H

#include "associations.h"

#include <err.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum {
  GLANCE_MS = 200, /* from one glance at all associations to the next */
  GLANCES = 5      /* a laggard is who has taken nothing in the time between so many: 1 s */
};

/* To be called every GLANCE_MS. Returns true where the association has had something to take for 1 s, and took nothing.
 */
static bool lags(int fd, sctp_assoc_t association)
{
  struct sctp_status status = {.sstat_assoc_id = association};
  struct sctp_assoc_stats stats = {.sas_assoc_id = association};
  struct sctp_assoc_value note = {.assoc_id = association};
  socklen_t size = sizeof status;
  if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &status, &size) < 0 || status.sstat_unackdata == 0)
    return false;
  size = sizeof stats;
  if (getsockopt(fd, IPPROTO_SCTP, SCTP_GET_ASSOC_STATS, &stats, &size) < 0)
    return false;
  size = sizeof note;
  if (getsockopt(fd, IPPROTO_SCTP, SCTP_CONTEXT, &note, &size) < 0)
    return false;

  /* The kernel keeps a number of ours with each association, 0 at first (RFC 6458, 8.1.25). We note there how many
   * chunks it had acknowledged at the last glance, plus one, and in the lowest four bits at how many glances before
   * already. */
  uint32_t taken = (uint32_t)(stats.sas_oodchunks + stats.sas_ouodchunks - status.sstat_unackdata + 1U) << 4;
  note.assoc_value = (note.assoc_value & ~15U) == taken ? note.assoc_value + 1 : taken;
  setsockopt(fd, IPPROTO_SCTP, SCTP_CONTEXT, &note, sizeof note);
  return (note.assoc_value & 15) >= GLANCES;
}

/* Glances at all associations, and aborts the laggards. Each is told why. */
static void abort_laggards(int fd)
{
  struct sctp_assoc_ids *list = list_associations(fd);
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++)
    if (lags(fd, list->gaids_assoc_id[i])) {
      warnx("assoc %d: nothing taken for 1 s: aborted", list->gaids_assoc_id[i]);
      abort_association(fd, list->gaids_assoc_id[i], "nothing taken for 1 s");
    }
  free(list);
}

#endif
