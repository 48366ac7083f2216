// print.h - a line for each notification, made from a table
#ifndef PRINT_H
#define PRINT_H

#include "address.h"
#include "messages.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <unistd.h>

static inline uint32_t member(const void *event, size_t at, size_t size)
{
  uint32_t four = 0;
  uint16_t two = 0;
  memcpy(&four, (const char *)event + at, size == 4 ? 4 : 0);
  memcpy(&two, (const char *)event + at, size == 2 ? 2 : 0);
  return size == 4 ? four : two;
}

/* The members of each kind that are printed as numbers, in this order. */
#define NUMBER(type, name, structure, field)                                                                           \
  {                                                                                                                    \
    type, name, offsetof(structure, field), sizeof(((structure *)0)->field)                                            \
  }
static const struct number {
  uint16_t type;
  const char *name;
  size_t at, size;
} numbers[] = {
    NUMBER(SCTP_ASSOC_CHANGE, "assoc", struct sctp_assoc_change, sac_assoc_id),
    NUMBER(SCTP_ASSOC_CHANGE, "error", struct sctp_assoc_change, sac_error),
    NUMBER(SCTP_ASSOC_CHANGE, "out", struct sctp_assoc_change, sac_outbound_streams),
    NUMBER(SCTP_ASSOC_CHANGE, "in", struct sctp_assoc_change, sac_inbound_streams),
    NUMBER(SCTP_PEER_ADDR_CHANGE, "assoc", struct sctp_paddr_change, spc_assoc_id),
    NUMBER(SCTP_PEER_ADDR_CHANGE, "error", struct sctp_paddr_change, spc_error),
    NUMBER(SCTP_REMOTE_ERROR, "assoc", struct sctp_remote_error, sre_assoc_id),
    NUMBER(SCTP_REMOTE_ERROR, "error", struct sctp_remote_error, sre_error),
    NUMBER(SCTP_SEND_FAILED_EVENT, "assoc", struct sctp_send_failed_event, ssf_assoc_id),
    NUMBER(SCTP_SEND_FAILED_EVENT, "error", struct sctp_send_failed_event, ssf_error),
    NUMBER(SCTP_SEND_FAILED_EVENT, "stream", struct sctp_send_failed_event, ssfe_info.snd_sid),
    NUMBER(SCTP_SEND_FAILED_EVENT, "ppid", struct sctp_send_failed_event, ssfe_info.snd_ppid),
    NUMBER(SCTP_SEND_FAILED_EVENT, "context", struct sctp_send_failed_event, ssfe_info.snd_context),
    NUMBER(SCTP_SHUTDOWN_EVENT, "assoc", struct sctp_shutdown_event, sse_assoc_id),
    NUMBER(SCTP_ADAPTATION_INDICATION, "assoc", struct sctp_adaptation_event, sai_assoc_id),
    NUMBER(SCTP_ADAPTATION_INDICATION, "indication", struct sctp_adaptation_event, sai_adaptation_ind),
    NUMBER(SCTP_PARTIAL_DELIVERY_EVENT, "assoc", struct sctp_pdapi_event, pdapi_assoc_id),
    NUMBER(SCTP_PARTIAL_DELIVERY_EVENT, "stream", struct sctp_pdapi_event, pdapi_stream),
    NUMBER(SCTP_PARTIAL_DELIVERY_EVENT, "seq", struct sctp_pdapi_event, pdapi_seq),
    NUMBER(SCTP_AUTHENTICATION_EVENT, "assoc", struct sctp_authkey_event, auth_assoc_id),
    NUMBER(SCTP_AUTHENTICATION_EVENT, "key", struct sctp_authkey_event, auth_keynumber),
    NUMBER(SCTP_AUTHENTICATION_EVENT, "altkey", struct sctp_authkey_event, auth_altkeynumber),
    NUMBER(SCTP_SENDER_DRY_EVENT, "assoc", struct sctp_sender_dry_event, sender_dry_assoc_id),
    NUMBER(SCTP_STREAM_RESET_EVENT, "assoc", struct sctp_stream_reset_event, strreset_assoc_id),
    NUMBER(SCTP_ASSOC_RESET_EVENT, "assoc", struct sctp_assoc_reset_event, assocreset_assoc_id),
    NUMBER(SCTP_ASSOC_RESET_EVENT, "local_tsn", struct sctp_assoc_reset_event, assocreset_local_tsn),
    NUMBER(SCTP_ASSOC_RESET_EVENT, "remote_tsn", struct sctp_assoc_reset_event, assocreset_remote_tsn),
    NUMBER(SCTP_STREAM_CHANGE_EVENT, "assoc", struct sctp_stream_change_event, strchange_assoc_id),
    NUMBER(SCTP_STREAM_CHANGE_EVENT, "in", struct sctp_stream_change_event, strchange_instrms),
    NUMBER(SCTP_STREAM_CHANGE_EVENT, "out", struct sctp_stream_change_event, strchange_outstrms),
};

/* How each kind is called, and the member that says what has happened; its values are joined by blanks. */
#define KIND(name, structure, field, values)                                                                           \
  {                                                                                                                    \
    name, #name, sizeof(structure), offsetof(structure, field), sizeof(((structure *)0)->field), values                \
  }
static const struct kind {
  uint16_t type;
  const char *name;
  size_t size, at, width;
  const char *values; /* NULL: it has none */
} kinds[] = {
    KIND(SCTP_ASSOC_CHANGE, struct sctp_assoc_change, sac_state,
         "SCTP_COMM_UP SCTP_COMM_LOST SCTP_RESTART SCTP_SHUTDOWN_COMP SCTP_CANT_STR_ASSOC"),
    KIND(SCTP_PEER_ADDR_CHANGE, struct sctp_paddr_change, spc_state,
         "SCTP_ADDR_AVAILABLE SCTP_ADDR_UNREACHABLE SCTP_ADDR_REMOVED SCTP_ADDR_ADDED SCTP_ADDR_MADE_PRIM "
         "SCTP_ADDR_CONFIRMED"),
    KIND(SCTP_REMOTE_ERROR, struct sctp_remote_error, sre_flags, NULL),
    KIND(SCTP_SEND_FAILED_EVENT, struct sctp_send_failed_event, ssf_flags, "SCTP_DATA_UNSENT SCTP_DATA_SENT"),
    KIND(SCTP_SHUTDOWN_EVENT, struct sctp_shutdown_event, sse_flags, NULL),
    KIND(SCTP_ADAPTATION_INDICATION, struct sctp_adaptation_event, sai_flags, NULL),
    KIND(SCTP_PARTIAL_DELIVERY_EVENT, struct sctp_pdapi_event, pdapi_indication, "SCTP_PARTIAL_DELIVERY_ABORTED"),
    KIND(SCTP_AUTHENTICATION_EVENT, struct sctp_authkey_event, auth_indication,
         "SCTP_AUTH_NEW_KEY SCTP_AUTH_FREE_KEY SCTP_AUTH_NO_AUTH"),
    KIND(SCTP_SENDER_DRY_EVENT, struct sctp_sender_dry_event, sender_dry_flags, NULL),
    KIND(SCTP_STREAM_RESET_EVENT, struct sctp_stream_reset_event, strreset_flags,
         "? SCTP_STREAM_RESET_INCOMING_SSN SCTP_STREAM_RESET_OUTGOING_SSN "
         "SCTP_STREAM_RESET_INCOMING_SSN|SCTP_STREAM_RESET_OUTGOING_SSN SCTP_STREAM_RESET_DENIED"),
    KIND(SCTP_ASSOC_RESET_EVENT, struct sctp_assoc_reset_event, assocreset_flags, NULL),
    KIND(SCTP_STREAM_CHANGE_EVENT, struct sctp_stream_change_event, strchange_flags, NULL),
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static inline void print_event(const struct got *got)
{
  const union sctp_notification *event = &got->space.event;
  const struct kind *kind = kinds;
  while (kind < kinds + KINDS && kind->type != event->sn_header.sn_type)
    kind++;
  if (kind == kinds + KINDS) {
    printf("unknown: %#x\n", event->sn_header.sn_type);
    return;
  }
  printf("%s", kind->name);
  if (!got->ends || (size_t)got->size < kind->size) {
    printf(", incomplete\n");
    fflush(stdout);
    return;
  }
  uint32_t value = member(event, kind->at, kind->width);
  const char *word = kind->values;
  for (; word != NULL && value > 0; value--) {
    word = strchr(word, ' ');
    word = word != NULL ? word + 1 : NULL;
  }
  if (word != NULL)
    printf(" %.*s", (int)strcspn(word, " "), word);
  for (const struct number *one = numbers; one < numbers + sizeof numbers / sizeof *numbers; one++) {
    if (one->type != kind->type)
      continue;
    uint32_t number = member(event, one->at, one->size);
    if (strcmp(one->name, "error") == 0 && kind->type != SCTP_PEER_ADDR_CHANGE)
      number = ntohs((uint16_t)number);
    else if (strcmp(one->name, "ppid") == 0)
      number = ntohl(number);
    printf(" %s=%u", one->name, number);
  }
  size_t more = (size_t)got->size - kind->size;
  if (kind->type == SCTP_ASSOC_CHANGE && event->sn_assoc_change.sac_state == SCTP_COMM_LOST && more > 4 &&
      event->sn_assoc_change.sac_error == htons(12))
    printf(" reason=%.*s", (int)more - 4, got->space.bytes + kind->size + 4);
  if (kind->type == SCTP_SEND_FAILED_EVENT)
    printf(": %zu bytes", more);
  if (kind->type == SCTP_STREAM_RESET_EVENT) {
    printf(" streams=%s", more == 0 ? "all" : "");
    for (size_t i = 0; i + 1 < more; i += 2)
      printf("%s%u", i > 0 ? "," : "", member(got->space.bytes, kind->size + i, 2));
  }
  if (kind->type == SCTP_PEER_ADDR_CHANGE) {
    struct sockaddr_storage address = event->sn_paddr_change.spc_aaddr;
    char text[ADDRESS_TEXT];
    address_text((struct sockaddr *)&address, text);
    *strchr(text, ' ') = '\0';
    printf(" address=%s", text);
  }
  printf("\n");
  fflush(stdout);
}

static inline void subscribe_to_all(int fd)
{
  struct sctp_assoc_value yes = {.assoc_value = 1}, all = {.assoc_value = 7};
  int on = 1;
  set(fd, SCTP_RECVRCVINFO, &on, sizeof on);
  set(fd, SCTP_NODELAY, &on, sizeof on);
  set(fd, SCTP_AUTH_SUPPORTED, &yes, sizeof yes);
  set(fd, SCTP_RECONFIG_SUPPORTED, &yes, sizeof yes);
  set(fd, SCTP_ENABLE_STREAM_RESET, &all, sizeof all);
  for (int i = 0; i < KINDS; i++)
    subscribe(fd, kinds[i].type);
}

static inline void shorten(int fd, int ms)
{
  struct sctp_rtoinfo timeouts = {.srto_initial = (uint32_t)ms, .srto_min = (uint32_t)ms / 2, .srto_max = (uint32_t)ms};
  struct sctp_paddrparams paths = {.spp_flags = SPP_HB_ENABLE | SPP_SACKDELAY_ENABLE,
                                   .spp_hbinterval = (uint32_t)ms,
                                   .spp_pathmaxrxt = 2,
                                   .spp_sackdelay = (uint32_t)ms / 4};
  struct sctp_assocparams tries = {.sasoc_asocmaxrxt = 4};
  set(fd, SCTP_RTOINFO, &timeouts, sizeof timeouts);
  set(fd, SCTP_PEER_ADDR_PARAMS, &paths, sizeof paths);
  set(fd, SCTP_ASSOCINFO, &tries, sizeof tries);
}

#endif
