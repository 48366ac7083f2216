/* chance.h - chance that a seed repeats, for the tools that try at random */
#ifndef TOOLS_CHANCE_H
#define TOOLS_CHANCE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct chance {
  uint64_t state;
};

/* The next 64 bits (splitmix64). */
static inline uint64_t chance_next(struct chance *chance)
{
  uint64_t z = chance->state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

/* One of 0 to below - 1. */
static inline uint32_t chance_below(struct chance *chance, uint32_t below)
{
  return (uint32_t)((chance_next(chance) >> 32) * below >> 32);
}

/* Is true once in so many times. */
static inline int chance_once_in(struct chance *chance, uint32_t times)
{
  return chance_below(chance, times) == 0;
}

/* Between 0 and 1. */
static inline double chance_part(struct chance *chance)
{
  return (double)(chance_next(chance) >> 11) / 9007199254740992.0;
}

static inline void chance_fill(struct chance *chance, void *bytes, size_t length)
{
  for (char *next = bytes; length > 0;) {
    uint64_t random = chance_next(chance);
    size_t some = length < sizeof random ? length : sizeof random;
    memcpy(next, &random, some);
    next += some;
    length -= some;
  }
}

#endif
