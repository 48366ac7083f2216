// timeouts.h - how soon a path, or a peer, is found to be gone; for the two programs of stage 03
#ifndef TIMEOUTS_H
#define TIMEOUTS_H

#include <err.h>
#include <netinet/in.h>
#include <netinet/sctp.h>

enum { TIMEOUT_LEAST_MS = 20, TIMEOUT_MOST_MS = 60000, PATH_TRIES = 2, ASSOCIATION_TRIES = 4 };

/*
 * Shortens the times of all associations that the socket will have. By default a path is given up when 6 packets in a
 * row have not been acknowledged, each waited for twice as long as the one before, from 1 s on, and an idle path is
 * probed every 30 s.
 *
 * ms  how long to wait for an acknowledgement at the most, and how often to probe an idle path, in milliseconds
 */
static inline void shorten_timeouts(int fd, int ms)
{
  /* The retransmission timeout: measured, but never out of these bounds (RFC 6458, 8.1.1; RFC 9260, 6.3.1). */
  const struct sctp_rtoinfo timeout = {
      .srto_initial = (uint32_t)(ms < 1000 ? ms : 1000), .srto_min = (uint32_t)ms / 2, .srto_max = (uint32_t)ms};
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_RTOINFO, &timeout, sizeof timeout) < 0)
    err(1, "SCTP_RTOINFO");
  /* Path.Max.Retrans and HB.interval (RFC 6458, 8.1.12; RFC 9260, 8.2 and 8.3). And who waits less for an
   * acknowledgement has to give its own sooner: a SACK may be held back for 200 ms, which a timeout of 100 ms takes for
   * a loss. */
  const struct sctp_paddrparams path = {.spp_flags = SPP_HB_ENABLE | SPP_SACKDELAY_ENABLE,
                                        .spp_hbinterval = (uint32_t)ms,
                                        .spp_pathmaxrxt = PATH_TRIES,
                                        .spp_sackdelay = (uint32_t)(ms < 800 ? ms / 4 : 200)};
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path) < 0)
    err(1, "SCTP_PEER_ADDR_PARAMS");
  /* Association.Max.Retrans: after so many, on all paths together, the peer is gone (RFC 6458, 8.1.2; RFC 9260, 8.1).
   */
  const struct sctp_assocparams association = {.sasoc_asocmaxrxt = ASSOCIATION_TRIES};
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_ASSOCINFO, &association, sizeof association) < 0)
    err(1, "SCTP_ASSOCINFO");
}

#endif
