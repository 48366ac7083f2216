/* associations.c - see associations.h */
#include "associations.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint32_t count_associations(int fd)
{
  uint32_t count = 0;
  socklen_t size = sizeof count;
  if (getsockopt(fd, IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, &count, &size) < 0)
    err(1, "SCTP_GET_ASSOC_NUMBER");
  return count;
}

bool has_associations(int fd)
{
  return count_associations(fd) > 0;
}

struct sctp_assoc_ids *list_associations(int fd)
{
  for (uint32_t room = count_associations(fd) + 1;; room *= 2) { /* more may have come meanwhile */
    socklen_t size = (socklen_t)(sizeof(struct sctp_assoc_ids) + room * sizeof(sctp_assoc_t));
    struct sctp_assoc_ids *list = calloc(1, size);
    if (list == NULL)
      err(1, "calloc");
    if (getsockopt(fd, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, list, &size) == 0)
      return list;
    free(list);
    if (errno != EINVAL)
      err(1, "SCTP_GET_ASSOC_ID_LIST");
  }
}

static void send_flags(int fd, sctp_assoc_t association, uint16_t flags, const char *reason, size_t length)
{
  struct iovec bytes = {(char *)reason, length};
  struct sctp_sndinfo to = {.snd_assoc_id = association, .snd_flags = flags};
  sctp_sendv(fd, &bytes, 1, NULL, 0, &to, sizeof to, SCTP_SENDV_SNDINFO, 0); /* fails where it has ended already */
}

void end_associations(int fd, uint16_t how)
{
  struct sctp_assoc_ids *list = list_associations(fd);
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++)
    send_flags(fd, list->gaids_assoc_id[i], how, NULL, 0);
  free(list);
}

void abort_association(int fd, sctp_assoc_t association, const char *reason)
{
  send_flags(fd, association, SCTP_ABORT, reason, strlen(reason));
}

void abort_associations(int fd, const char *reason)
{
  struct sctp_assoc_ids *list = list_associations(fd);
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++)
    abort_association(fd, list->gaids_assoc_id[i], reason);
  free(list);
}

void abort_slowest(int fd, const char *reason)
{
  struct sctp_assoc_ids *list = list_associations(fd);
  struct sctp_status slowest = {0};
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++) {
    struct sctp_status status = {.sstat_assoc_id = list->gaids_assoc_id[i]};
    socklen_t size = sizeof status;
    if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &status, &size) == 0 &&
        status.sstat_unackdata > slowest.sstat_unackdata)
      slowest = status;
  }
  free(list);
  if (slowest.sstat_unackdata > 0) {
    warnx("assoc %d: %s: aborted", slowest.sstat_assoc_id, reason);
    abort_association(fd, slowest.sstat_assoc_id, reason);
  }
}
