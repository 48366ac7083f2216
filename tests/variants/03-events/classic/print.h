// print.h - a line for each notification
#ifndef PRINT_H
#define PRINT_H

#include "own.h"

/* Subscribes to everything, by the old structure, and turns on what some of it needs. */
static inline void subscribe(int fd)
{
  struct sctp_event_subscribe events;
  struct sctp_assoc_value on = {.assoc_id = SCTP_FUTURE_ASSOC, .assoc_value = 1}, resets = on;
  resets.assoc_value = SCTP_ENABLE_RESET_STREAM_REQ | SCTP_ENABLE_RESET_ASSOC_REQ | SCTP_ENABLE_CHANGE_ASSOC_REQ;
  setsockopt(fd, IPPROTO_SCTP, SCTP_AUTH_SUPPORTED, &on, sizeof on);
  setsockopt(fd, IPPROTO_SCTP, SCTP_RECONFIG_SUPPORTED, &on, sizeof on);
  setsockopt(fd, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &resets, sizeof resets);
  memset(&events, 1, sizeof events);
  events.sctp_send_failure_event = 0;
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENTS, &events, sizeof events) < 0)
    die("SCTP_EVENTS", strerror(errno));
}

/* -t */
static inline void hurry(int fd, unsigned ms)
{
  struct sctp_rtoinfo rto = {.srto_initial = ms, .srto_max = ms, .srto_min = ms / 2};
  struct sctp_assocparams tries = {.sasoc_asocmaxrxt = 4};
  struct sctp_paddrparams path;
  memset(&path, 0, sizeof path);
  path.spp_flags = SPP_HB_ENABLE | SPP_SACKDELAY_ENABLE;
  path.spp_hbinterval = ms;
  path.spp_pathmaxrxt = 2;
  path.spp_sackdelay = ms / 4 + 1;
  setsockopt(fd, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof rto);
  setsockopt(fd, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path);
  setsockopt(fd, IPPROTO_SCTP, SCTP_ASSOCINFO, &tries, sizeof tries);
}

static inline const char *name_of(const char *const *names, unsigned count, unsigned value)
{
  return value < count ? names[value] : "?";
}

static inline void print_event(const union sctp_notification *e, size_t size)
{
  switch (e->sn_header.sn_type) {
  case SCTP_ASSOC_CHANGE: {
    static const char *const names[] = {"COMM_UP", "COMM_LOST", "RESTART", "SHUTDOWN_COMP", "CANT_STR_ASSOC"};
    const struct sctp_assoc_change *c = &e->sn_assoc_change;
    printf("SCTP_ASSOC_CHANGE SCTP_%s assoc=%d error=%d out=%d in=%d", name_of(names, 5, c->sac_state), c->sac_assoc_id,
           ntohs(c->sac_error), c->sac_outbound_streams, c->sac_inbound_streams);
    if (c->sac_state == SCTP_COMM_LOST && ntohs(c->sac_error) == 12 && size > sizeof *c + 4)
      printf(" reason=%.*s", (int)(size - sizeof *c - 4), (const char *)c->sac_info + 4);
    break;
  }
  case SCTP_PEER_ADDR_CHANGE: {
    static const char *const names[] = {"AVAILABLE", "UNREACHABLE", "REMOVED",           "ADDED",
                                        "MADE_PRIM", "CONFIRMED",   "POTENTIALLY_FAILED"};
    const struct sctp_paddr_change *c = &e->sn_paddr_change;
    char host[INET6_ADDRSTRLEN] = "";
    struct sockaddr_storage at;
    memcpy(&at, (const char *)c + offsetof(struct sctp_paddr_change, spc_aaddr), sizeof at);
    const struct sockaddr_in6 *in6 = (void *)&at;
    if (at.ss_family == AF_INET)
      inet_ntop(AF_INET, &((struct sockaddr_in *)&at)->sin_addr, host, sizeof host);
    else if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
      inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], host, sizeof host);
    else
      inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    printf("SCTP_PEER_ADDR_CHANGE SCTP_ADDR_%s assoc=%d error=%d address=%s", name_of(names, 7, (unsigned)c->spc_state),
           c->spc_assoc_id, c->spc_error, host);
    break;
  }
  case SCTP_REMOTE_ERROR:
    printf("SCTP_REMOTE_ERROR assoc=%d error=%d", e->sn_remote_error.sre_assoc_id, ntohs(e->sn_remote_error.sre_error));
    break;
  case SCTP_SEND_FAILED_EVENT: {
    const struct sctp_send_failed_event *f = &e->sn_send_failed_event;
    printf("SCTP_SEND_FAILED_EVENT SCTP_DATA_%s assoc=%d error=%d stream=%d ppid=%u context=%u: %zu bytes",
           f->ssf_flags == SCTP_DATA_SENT ? "SENT" : "UNSENT", f->ssf_assoc_id, ntohs((unsigned short)f->ssf_error),
           f->ssfe_info.snd_sid, ntohl(f->ssfe_info.snd_ppid), f->ssfe_info.snd_context, size - sizeof *f);
    break;
  }
  case SCTP_SHUTDOWN_EVENT:
    printf("SCTP_SHUTDOWN_EVENT assoc=%d", e->sn_shutdown_event.sse_assoc_id);
    break;
  case SCTP_ADAPTATION_INDICATION:
    printf("SCTP_ADAPTATION_INDICATION assoc=%d indication=%u", e->sn_adaptation_event.sai_assoc_id,
           e->sn_adaptation_event.sai_adaptation_ind);
    break;
  case SCTP_PARTIAL_DELIVERY_EVENT:
    printf("SCTP_PARTIAL_DELIVERY_EVENT SCTP_PARTIAL_DELIVERY_ABORTED assoc=%d stream=%u seq=%u",
           e->sn_pdapi_event.pdapi_assoc_id, e->sn_pdapi_event.pdapi_stream, e->sn_pdapi_event.pdapi_seq);
    break;
  case SCTP_AUTHENTICATION_EVENT: {
    static const char *const names[] = {"NEW_KEY", "FREE_KEY", "NO_AUTH"};
    printf("SCTP_AUTHENTICATION_EVENT SCTP_AUTH_%s assoc=%d key=%d altkey=%d",
           name_of(names, 3, e->sn_authkey_event.auth_indication), e->sn_authkey_event.auth_assoc_id,
           e->sn_authkey_event.auth_keynumber, e->sn_authkey_event.auth_altkeynumber);
    break;
  }
  case SCTP_SENDER_DRY_EVENT:
    printf("SCTP_SENDER_DRY_EVENT assoc=%d", e->sn_sender_dry_event.sender_dry_assoc_id);
    break;
  case SCTP_STREAM_RESET_EVENT: {
    const struct sctp_stream_reset_event *r = &e->sn_strreset_event;
    int list = (int)(size - sizeof *r) / 2;
    const char *before = " ";
    static const char *const names[] = {"INCOMING_SSN", "OUTGOING_SSN", "DENIED", "FAILED"};
    printf("SCTP_STREAM_RESET_EVENT");
    for (int i = 0; i < 4; i++)
      if (r->strreset_flags & 1 << i) {
        printf("%sSCTP_STREAM_RESET_%s", before, names[i]);
        before = "|";
      }
    printf(" assoc=%d streams=%s", r->strreset_assoc_id, list == 0 ? "all" : "");
    for (int i = 0; i < list; i++)
      printf(i == 0 ? "%d" : ",%d", r->strreset_stream_list[i]);
    break;
  }
  case SCTP_ASSOC_RESET_EVENT:
    printf("SCTP_ASSOC_RESET_EVENT%s assoc=%d local_tsn=%u remote_tsn=%u",
           e->sn_assocreset_event.assocreset_flags & 4   ? " SCTP_ASSOC_RESET_DENIED"
           : e->sn_assocreset_event.assocreset_flags & 8 ? " SCTP_ASSOC_RESET_FAILED"
                                                         : "",
           e->sn_assocreset_event.assocreset_assoc_id, e->sn_assocreset_event.assocreset_local_tsn,
           e->sn_assocreset_event.assocreset_remote_tsn);
    break;
  case SCTP_STREAM_CHANGE_EVENT:
    printf("SCTP_STREAM_CHANGE_EVENT%s assoc=%d in=%u out=%u",
           e->sn_strchange_event.strchange_flags & 4   ? " SCTP_STREAM_CHANGE_DENIED"
           : e->sn_strchange_event.strchange_flags & 8 ? " SCTP_STREAM_CHANGE_FAILED"
                                                       : "",
           e->sn_strchange_event.strchange_assoc_id, e->sn_strchange_event.strchange_instrms,
           e->sn_strchange_event.strchange_outstrms);
    break;
  default:
    printf("a notification of type %#x", e->sn_header.sn_type);
  }
  printf("\n");
  fflush(stdout);
}

#endif
