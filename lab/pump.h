/*
 * pump.h - moves bytes from one descriptor to another without ever blocking
 *
 * Both halves of lab/run are a poll() loop around a few pumps.
 */
#ifndef LAB_PUMP_H
#define LAB_PUMP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

enum pump_state {
  PUMP_OFF,     /* never started: moves nothing */
  PUMP_RUNS,    /* bytes may still come */
  PUMP_ENDED,   /* the source ended and all that came is written */
  PUMP_REFUSED, /* the destination takes no more: what comes is thrown away */
};

enum { PUMP_SIZE = 65536 };

struct pump {
  enum pump_state state;
  int from, to;
  bool source_ended;
  unsigned long long taken; /* bytes that it has read in all */
  size_t start, end;
  char bytes[PUMP_SIZE];
};

/* Starts a pump; `from` is -1 where the owner fills it by himself. Neither descriptor needs to be non-blocking: it is
 * asked first by poll(). */
void pump_start(struct pump *pump, int from, int to);

/* Says what the pump waits for: fills two entries for poll(). */
void pump_wants(const struct pump *pump, struct pollfd wants[2]);

/* Moves what can be moved now. Returns true when the pump's state changed. */
bool pump_move(struct pump *pump, const struct pollfd got[2]);

#endif
