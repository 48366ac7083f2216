/* lines.h - standard input as messages: each line is one, its newline included */
#ifndef COMMON_LINES_H
#define COMMON_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum {
  MESSAGE_MAX = 65536, /* bytes that a message of the course may hold */
  RELAYED_MAX = 65600  /* and with the name of who has said it: stage 05 */
};

struct lines {
  bool ended;    /* the input is over, and every line has been taken */
  bool over;     /* the input is over */
  bool too_long; /* the line at the start of `bytes` is being thrown away */
  size_t start, end;
  char bytes[MESSAGE_MAX + 1];
};

/*
 * Reads once from standard input. Call when poll() says that it is readable and lines_next() has nothing more. An error
 * ends the program.
 */
void lines_read(struct lines *lines);

/*
 * Takes the next whole line: a pointer that is valid until lines_read(), and its length in bytes, the newline included.
 * The last line may lack one. A line longer than MESSAGE_MAX is refused with an error on standard error and skipped.
 *
 * Returns false when none is left, in which case lines->ended tells whether any can follow.
 */
bool lines_next(struct lines *lines, const char **line, size_t *length);

#endif
