/* feed.h - the lines of standard input, numbered from 0, for several readers that take them at their own pace */
#ifndef COMMON_FEED_H
#define COMMON_FEED_H

#include "lines.h"

enum { FEED_LINES = 1024, FEED_BYTES = 1 << 20 }; /* that are kept at the most, or little more */

/* Starts as {0}. */
struct feed {
  struct lines input;
  size_t first, end; /* the lines that are kept: from `first` to the one before `end` */
  size_t bytes;      /* of all of them */
  struct {
    char *bytes;
    size_t length;
  } lines[FEED_LINES]; /* line N at N % FEED_LINES */
};

/* Returns the descriptor to wait for in order to read more, or -1 where the input is over or enough is kept for now. */
int feed_descriptor(const struct feed *feed);

/* Reads once; call when the descriptor is readable. An error ends the program. */
void feed_read(struct feed *feed);

/* Returns line `number` as lines_next() gives it, and its length in bytes, or NULL where it has not been read yet. */
const char *feed_line(const struct feed *feed, size_t number, size_t *length);

/* Returns true where the input is over, and line `number` is behind its end. */
bool feed_ends_at(const struct feed *feed, size_t number);

/* Frees the lines before `number`: every reader has taken them. SIZE_MAX frees all, for good. */
void feed_forget(struct feed *feed, size_t number);

#endif
