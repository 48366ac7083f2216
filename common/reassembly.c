/* reassembly.c - see reassembly.h */
#include "reassembly.h"
#include "lines.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

struct unfinished {
  struct unfinished *next;
  sctp_assoc_t association;
  size_t length; /* above the maximum: too long, its remaining pieces are thrown away */
  bool whole;    /* handed out: to be freed at the next call */
  char bytes[RELAYED_MAX];
};

/* Returns the link that leads to the entry, or to the end of the list. */
static struct unfinished **find(struct reassembly *all, sctp_assoc_t association)
{
  struct unfinished **link = &all->first;
  while (*link != NULL && ((*link)->association != association || (*link)->whole))
    link = &(*link)->next;
  return link;
}

static void drop(struct unfinished **link)
{
  struct unfinished *gone = *link;
  *link = gone->next;
  free(gone);
}

void reassembly_forget(struct reassembly *all, sctp_assoc_t association)
{
  struct unfinished **link = find(all, association);
  if (*link != NULL)
    drop(link);
}

void reassembly_end(struct reassembly *all)
{
  while (all->first != NULL)
    drop(&all->first);
}

void reassembly_notified(struct reassembly *all, const union sctp_notification *event)
{
  if (event->sn_header.sn_type == SCTP_ASSOC_CHANGE && event->sn_assoc_change.sac_state != SCTP_COMM_UP)
    reassembly_forget(all, event->sn_assoc_change.sac_assoc_id);
  if (event->sn_header.sn_type == SCTP_PARTIAL_DELIVERY_EVENT)
    reassembly_forget(all, event->sn_pdapi_event.pdapi_assoc_id);
}

const char *reassemble(struct reassembly *all, sctp_assoc_t association, const char *piece, size_t *length, bool end)
{
  size_t max = all->max > 0 ? all->max : MESSAGE_MAX;
  for (struct unfinished **link = &all->first; *link != NULL;)
    if ((*link)->whole)
      drop(link);
    else
      link = &(*link)->next;

  struct unfinished **link = find(all, association);
  if (*link == NULL && end)
    return *length <= max ? piece : NULL; /* the usual case: nothing to keep */
  struct unfinished *message = *link;
  if (message == NULL) {
    message = calloc(1, sizeof *message);
    if (message == NULL)
      err(1, "calloc");
    message->association = association;
    message->next = all->first;
    all->first = message;
  }
  size_t so_far = message->length + *length;
  if (so_far <= max)
    memcpy(message->bytes + message->length, piece, *length);
  *length = message->length = so_far;
  message->whole = end;
  return end && so_far <= max ? message->bytes : NULL;
}
