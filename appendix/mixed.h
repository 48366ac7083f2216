/* mixed.h - what mixed_sender and mixed_receiver agree on */
#ifndef APPENDIX_MIXED_H
#define APPENDIX_MIXED_H

#include "deadline.h"

#include <err.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdint.h>

/* The streams, and how long each message of the chat is. It begins with the time at which it was sent. */
enum { CHAT, FILE_STREAM, STREAMS, CHAT_BYTES = 100, SILENCE_S = 20 };

/*
 * Interleaving (RFC 8260, 4.3.1), for associations that are to come; they have it where the peer asks for it, too.
 * Linux has two conditions: net.sctp.intl_enable is 1, and the application is ready for pieces of several messages at a
 * time.
 */
static inline void ask_for_interleaving(int fd)
{
  int pieces_of_all_streams = 2; /* RFC 6458, 8.1.20 */
  struct sctp_assoc_value on = {.assoc_id = SCTP_FUTURE_ASSOC, .assoc_value = 1};
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &pieces_of_all_streams, sizeof pieces_of_all_streams) < 0)
    err(1, "SCTP_FRAGMENT_INTERLEAVE");
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_INTERLEAVING_SUPPORTED, &on, sizeof on) < 0)
    err(1, "SCTP_INTERLEAVING_SUPPORTED (is the sysctl net.sctp.intl_enable 1?)");
}

#endif
