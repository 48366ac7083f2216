/* deadline.h - how long poll() may wait */
#ifndef COMMON_DEADLINE_H
#define COMMON_DEADLINE_H

/* Returns the time of the monotonic clock, which all processes of a machine share, in nanoseconds. */
long long nanoseconds(void);

/* A moment, in milliseconds of the monotonic clock; NEVER is after all others. */
typedef long long deadline;
enum { NEVER = -1 };

/* Returns the moment `milliseconds` from now. */
deadline deadline_in(long long milliseconds);

/* Returns the one that comes first. */
deadline deadline_first(deadline one, deadline other);

/* Returns the milliseconds left: 0 when it has passed, -1 for NEVER, as poll() takes them. */
int deadline_left(deadline moment);

#endif
