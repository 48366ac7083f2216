/*
 * sctp_compat.h - constants that older <netinet/sctp.h> lack
 *
 * "'SCTP_SENDALL' undeclared" means that the header is older than the flag (lksctp-tools before 1.0.18). What counts at
 * run time is the kernel, 4.17 or later. The values are Linux's, from include/uapi/linux/sctp.h; a newer header
 * declares the same ones as enumerators, which these macros then only repeat.
 */
#ifndef COMMON_SCTP_COMPAT_H
#define COMMON_SCTP_COMPAT_H

#include <netinet/sctp.h>

#ifndef SCTP_SACK_IMMEDIATELY
#define SCTP_SACK_IMMEDIATELY (1 << 3) /* RFC 7053; in sinfo_flags and snd_flags */
#endif

#ifndef SCTP_SENDALL
#define SCTP_SENDALL (1 << 6) /* RFC 6458, 5.3.4 */
#endif

#endif
