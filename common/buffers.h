/* buffers.h - the buffers of a socket that serves many associations */
#ifndef COMMON_BUFFERS_H
#define COMMON_BUFFERS_H

#include <stddef.h>

/*
 * Asks for receive and send buffers of `bytes` each. All associations of a one-to-many socket share them. Says so on
 * standard error where the system grants less (net.core.rmem_max and wmem_max limit everyone but root).
 *
 * Returns the size of the send buffer, in bytes as the kernel counts: with its own records, twice what was granted.
 */
size_t ask_for_buffers(int fd, int bytes);

#endif
