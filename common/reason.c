/* reason.c - see reason.h */
#include "reason.h"
#include "show.h"

#include <arpa/inet.h>

enum { CAUSE_HEAD = 4, USER_INITIATED_ABORT = 12 };

const char *abort_reason(const struct sctp_assoc_change *change, size_t size, char text[REASON_TEXT])
{
  size_t info = size > sizeof *change ? size - sizeof *change : 0;
  text[0] = '\0';
  if (change->sac_state == SCTP_COMM_LOST && ntohs(change->sac_error) == USER_INITIATED_ABORT && info > CAUSE_HEAD)
    escape(change->sac_info + CAUSE_HEAD, info - CAUSE_HEAD, text, REASON_TEXT);
  return text;
}
