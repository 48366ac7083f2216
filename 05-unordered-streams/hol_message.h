/* hol_message.h - what hol_sender sends and hol_receiver expects; and what both need to measure */
#ifndef HOL_MESSAGE_H
#define HOL_MESSAGE_H

#include "deadline.h"

#include <err.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
  BYTES_MAX = 65536,
  COUNT_MAX = 1000000,
  BUFFER = 4 << 20, /* what waits behind a gap must not fill a window: it is the order that is measured */
  SILENCE_S = 60
};

/* What a message begins with. Both ends are one machine: no byte order. */
struct head {
  uint32_t length, number, count, interval; /* bytes; from 0; messages in all; microseconds */
  int64_t due, sent;                        /* nanoseconds of CLOCK_MONOTONIC */
};

/* The rest of a message: this text, from its character NUMBER % 251 on. It repeats itself after 251 characters, a
 * prime. */
static inline const char *filling(uint32_t number)
{
  static char text[251 + BYTES_MAX];
  if (text[1] == 0)
    for (size_t i = 0; i < sizeof text; i++)
      text[i] = (char)(i % 251);
  return text + number % 251;
}

static inline double processor_seconds(void)
{
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static inline void set_option(int fd, int level, int option, const void *value, size_t size, const char *name)
{
  if (setsockopt(fd, level, option, value, (socklen_t)size) < 0)
    err(1, "%s", name);
}

#endif
