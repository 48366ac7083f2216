// notification.h - what the notifications are called and what they say, for the two programs of stage 03
//
// A notification comes out of the receive call like a message, with MSG_NOTIFICATION in its flags. It begins with its
// type and its length; what follows depends on the type (RFC 6458, section 6; RFC 6525, section 6.1).
#ifndef NOTIFICATION_H
#define NOTIFICATION_H

#include "address.h"
#include "reason.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/sctp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The types, and the least size of each: what its structure has, without what may follow. */
static const struct notification_type {
  uint16_t type; /* 0: <netinet/sctp.h> does not know it */
  const char *name;
  size_t size;
} notification_types[] = {
    {SCTP_ASSOC_CHANGE, "SCTP_ASSOC_CHANGE", sizeof(struct sctp_assoc_change)},
    {SCTP_PEER_ADDR_CHANGE, "SCTP_PEER_ADDR_CHANGE", sizeof(struct sctp_paddr_change)},
    {SCTP_REMOTE_ERROR, "SCTP_REMOTE_ERROR", sizeof(struct sctp_remote_error)},
    {SCTP_SHUTDOWN_EVENT, "SCTP_SHUTDOWN_EVENT", sizeof(struct sctp_shutdown_event)},
    {SCTP_ADAPTATION_INDICATION, "SCTP_ADAPTATION_INDICATION", sizeof(struct sctp_adaptation_event)},
    {SCTP_PARTIAL_DELIVERY_EVENT, "SCTP_PARTIAL_DELIVERY_EVENT", sizeof(struct sctp_pdapi_event)},
    {SCTP_AUTHENTICATION_EVENT, "SCTP_AUTHENTICATION_EVENT", sizeof(struct sctp_authkey_event)},
    {SCTP_SENDER_DRY_EVENT, "SCTP_SENDER_DRY_EVENT", sizeof(struct sctp_sender_dry_event)},
    {SCTP_SEND_FAILED_EVENT, "SCTP_SEND_FAILED_EVENT", sizeof(struct sctp_send_failed_event)},
    {SCTP_STREAM_RESET_EVENT, "SCTP_STREAM_RESET_EVENT", sizeof(struct sctp_stream_reset_event)},
    {SCTP_ASSOC_RESET_EVENT, "SCTP_ASSOC_RESET_EVENT", sizeof(struct sctp_assoc_reset_event)},
    {SCTP_STREAM_CHANGE_EVENT, "SCTP_STREAM_CHANGE_EVENT", sizeof(struct sctp_stream_change_event)},
#ifdef SCTP_NOTIFICATIONS_STOPPED_EVENT
    {SCTP_NOTIFICATIONS_STOPPED_EVENT, "SCTP_NOTIFICATIONS_STOPPED_EVENT", sizeof(struct sctp_tlv)},
#else
    {0, "SCTP_NOTIFICATIONS_STOPPED_EVENT", 0},
#endif
};
enum { NOTIFICATION_TYPES = sizeof notification_types / sizeof *notification_types };

/*
 * Subscribes a socket to every notification that the kernel offers (RFC 6458, 6.2.2). With `complain`, says on standard
 * error which it does not. SCTP_SEND_FAILED is deprecated, and would say again what SCTP_SEND_FAILED_EVENT says.
 */
static inline void subscribe_to_all(int fd, bool complain)
{
  // exercise: Subscribe to each type that has a number: SCTP_EVENT with SCTP_FUTURE_ASSOC (RFC 6458, 6.2.2).
  // TUTORIAL.md, stage 03: "All of them".
  for (int i = 0; i < NOTIFICATION_TYPES; i++) {
    struct sctp_event event;
    memset(&event, 0, sizeof event);
    event.se_assoc_id = SCTP_FUTURE_ASSOC;
    event.se_type = notification_types[i].type;
    event.se_on = 1;
    bool offered = event.se_type != 0 && setsockopt(fd, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event) == 0;
    if (!offered && complain)
      warnx("this kernel does not offer %s", notification_types[i].name);
  }
  // until then: (void)fd; (void)complain;
}

/* Prints a value by its name, or as a number where it has none. The names are those of 0, 1, 2, ..., and NULL at the
 * end. */
static inline void print_name(const char *const names[], unsigned value)
{
  unsigned i = 0;
  while (i < value && names[i] != NULL)
    i++;
  if (names[i] != NULL)
    printf(" %s", names[i]);
  else
    printf(" %u", value);
}

/* Prints the names of the bits that are set, joined by |, if any is. */
static inline void print_flags(const char *const names[], unsigned flags)
{
  const char *before = " ";
  for (int bit = 0; names[bit] != NULL; bit++)
    if (flags >> bit & 1) {
      printf("%s%s", before, names[bit]);
      before = "|";
    }
}

static void print_assoc_change(const struct sctp_assoc_change *change, size_t size)
{
  static const char *const states[] = {"SCTP_COMM_UP",       "SCTP_COMM_LOST",      "SCTP_RESTART",
                                       "SCTP_SHUTDOWN_COMP", "SCTP_CANT_STR_ASSOC", NULL};
  char reason[REASON_TEXT];
  print_name(states, change->sac_state);
  /* The cause code (RFC 9260, 3.3.10) comes in network byte order. */
  printf(" assoc=%d error=%u out=%u in=%u", change->sac_assoc_id, ntohs(change->sac_error),
         change->sac_outbound_streams, change->sac_inbound_streams);
  if (*abort_reason(change, size, reason) != '\0')
    printf(" reason=%s", reason);
}

// exercise: What a notification of another type says, a function for each as above (RFC 6458, 6.1.2 to 6.1.11; RFC
// 6525, 6.1). TUTORIAL.md, stage 03, has the table of the lines and their values: "All of them".
static void print_peer_addr_change(const struct sctp_paddr_change *change)
{
  static const char *const states[] = {"SCTP_ADDR_AVAILABLE",
                                       "SCTP_ADDR_UNREACHABLE",
                                       "SCTP_ADDR_REMOVED",
                                       "SCTP_ADDR_ADDED",
                                       "SCTP_ADDR_MADE_PRIM",
                                       "SCTP_ADDR_CONFIRMED",
                                       "SCTP_ADDR_POTENTIALLY_FAILED",
                                       NULL};
  struct sockaddr_storage address = change->spc_aaddr; /* a copy: the structure is packed */
  char text[ADDRESS_TEXT];
  address_text((struct sockaddr *)&address, text);
  print_name(states, (unsigned)change->spc_state);
  printf(" assoc=%d error=%d address=%.*s", change->spc_assoc_id, change->spc_error, (int)strcspn(text, " "), text);
}

static void print_send_failed(const struct sctp_send_failed_event *failed, size_t size)
{
  static const char *const flags[] = {"SCTP_DATA_UNSENT", "SCTP_DATA_SENT", NULL};
  print_name(flags, failed->ssf_flags); /* 0 or 1, unlike other flags; the error is a cause code, as above */
  printf(" assoc=%d error=%u stream=%u ppid=%u context=%u: %zu bytes", failed->ssf_assoc_id,
         ntohs((uint16_t)failed->ssf_error), failed->ssfe_info.snd_sid, ntohl(failed->ssfe_info.snd_ppid),
         failed->ssfe_info.snd_context, size - sizeof *failed);
}

static void print_authentication(const struct sctp_authkey_event *key)
{
  static const char *const indications[] = {"SCTP_AUTH_NEW_KEY", "SCTP_AUTH_FREE_KEY", "SCTP_AUTH_NO_AUTH", NULL};
  print_name(indications, key->auth_indication);
  printf(" assoc=%d key=%u altkey=%u", key->auth_assoc_id, key->auth_keynumber, key->auth_altkeynumber);
}

static void print_partial_delivery(const struct sctp_pdapi_event *partial)
{
  static const char *const indications[] = {"SCTP_PARTIAL_DELIVERY_ABORTED", NULL};
  print_name(indications, partial->pdapi_indication);
  printf(" assoc=%d stream=%u seq=%u", partial->pdapi_assoc_id, partial->pdapi_stream, partial->pdapi_seq);
}

static void print_stream_reset(const struct sctp_stream_reset_event *reset, size_t size)
{
  static const char *const flags[] = {"SCTP_STREAM_RESET_INCOMING_SSN", "SCTP_STREAM_RESET_OUTGOING_SSN",
                                      "SCTP_STREAM_RESET_DENIED", "SCTP_STREAM_RESET_FAILED", NULL};
  size_t count = (size - sizeof *reset) / sizeof *reset->strreset_stream_list;
  print_flags(flags, reset->strreset_flags);
  printf(" assoc=%d streams=%s", reset->strreset_assoc_id, count == 0 ? "all" : "");
  for (size_t i = 0; i < count; i++)
    printf("%s%u", i > 0 ? "," : "", reset->strreset_stream_list[i]);
}

static void print_assoc_reset(const struct sctp_assoc_reset_event *reset)
{
  static const char *const flags[] = {"", "", "SCTP_ASSOC_RESET_DENIED", "SCTP_ASSOC_RESET_FAILED", NULL};
  print_flags(flags, reset->assocreset_flags);
  printf(" assoc=%d local_tsn=%u remote_tsn=%u", reset->assocreset_assoc_id, reset->assocreset_local_tsn,
         reset->assocreset_remote_tsn);
}

static void print_stream_change(const struct sctp_stream_change_event *change)
{
  static const char *const flags[] = {"", "", "SCTP_STREAM_CHANGE_DENIED", "SCTP_STREAM_CHANGE_FAILED", NULL};
  print_flags(flags, change->strchange_flags);
  printf(" assoc=%d in=%u out=%u", change->strchange_assoc_id, change->strchange_instrms, change->strchange_outstrms);
}
// until then: nothing

/*
 * Prints a notification on one line: its name, what has happened, and its values.
 *
 * size   how many bytes of it were received; there may be fewer than it has, then it is said to be truncated
 * whole  MSG_EOR was set: there are no more
 */
static inline void print_notification(const union sctp_notification *event, size_t size, bool whole)
{
  const struct notification_type *type = notification_types;
  if (size < sizeof event->sn_header) {
    printf("a notification, truncated: %zu bytes\n", size);
    return;
  }
  while (type < notification_types + NOTIFICATION_TYPES && type->type != event->sn_header.sn_type)
    type++;
  if (type == notification_types + NOTIFICATION_TYPES || type->type == 0) {
    printf("unknown notification 0x%04x: %u bytes\n", event->sn_header.sn_type, event->sn_header.sn_length);
    return;
  }
  printf("%s", type->name);
  if (!whole || size < type->size) {
    printf(" truncated: %zu of %u bytes\n", size, event->sn_header.sn_length);
    return;
  }
  switch (type->type) {
  case SCTP_ASSOC_CHANGE:
    print_assoc_change(&event->sn_assoc_change, size);
    break;
  // exercise: And the other types.
  case SCTP_PEER_ADDR_CHANGE:
    print_peer_addr_change(&event->sn_paddr_change);
    break;
  case SCTP_REMOTE_ERROR:
    printf(" assoc=%d error=%u", event->sn_remote_error.sre_assoc_id, ntohs(event->sn_remote_error.sre_error));
    break;
  case SCTP_SHUTDOWN_EVENT:
    printf(" assoc=%d", event->sn_shutdown_event.sse_assoc_id);
    break;
  case SCTP_ADAPTATION_INDICATION:
    printf(" assoc=%d indication=%u", event->sn_adaptation_event.sai_assoc_id,
           event->sn_adaptation_event.sai_adaptation_ind);
    break;
  case SCTP_PARTIAL_DELIVERY_EVENT:
    print_partial_delivery(&event->sn_pdapi_event);
    break;
  case SCTP_AUTHENTICATION_EVENT:
    print_authentication(&event->sn_authkey_event);
    break;
  case SCTP_SENDER_DRY_EVENT:
    printf(" assoc=%d", event->sn_sender_dry_event.sender_dry_assoc_id);
    break;
  case SCTP_SEND_FAILED_EVENT:
    print_send_failed(&event->sn_send_failed_event, size);
    break;
  case SCTP_STREAM_RESET_EVENT:
    print_stream_reset(&event->sn_strreset_event, size);
    break;
  case SCTP_ASSOC_RESET_EVENT:
    print_assoc_reset(&event->sn_assocreset_event);
    break;
  case SCTP_STREAM_CHANGE_EVENT:
    print_stream_change(&event->sn_strchange_event);
    break;
    // until then: nothing
  }
  putchar('\n');
}

#endif
