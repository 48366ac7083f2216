/* deadline.c - see deadline.h */
#include "deadline.h"

#include <time.h>

long long nanoseconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

deadline deadline_in(long long milliseconds)
{
  return nanoseconds() / 1000000 + milliseconds;
}

deadline deadline_first(deadline one, deadline other)
{
  if (one == NEVER || other == NEVER)
    return one == NEVER ? other : one;
  return one < other ? one : other;
}

int deadline_left(deadline moment)
{
  if (moment == NEVER)
    return -1;
  long long left = moment - deadline_in(0);
  return left > 0 ? (int)left : 0;
}
