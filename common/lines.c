/* lines.c - see lines.h */
#include "lines.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

void lines_read(struct lines *lines)
{
  memmove(lines->bytes, lines->bytes + lines->start, lines->end - lines->start);
  lines->end -= lines->start;
  lines->start = 0;
  ssize_t n = read(STDIN_FILENO, lines->bytes + lines->end, sizeof lines->bytes - lines->end);
  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  if (n < 0)
    err(1, "standard input");
  if (n == 0)
    lines->over = true;
  lines->end += (size_t)n;
}

bool lines_next(struct lines *lines, const char **line, size_t *length)
{
  for (;;) {
    char *start = lines->bytes + lines->start;
    size_t left = lines->end - lines->start;
    char *newline = memchr(start, '\n', left);
    size_t whole = newline != NULL ? (size_t)(newline - start) + 1 : left;
    bool ends = newline != NULL || (lines->over && left > 0);

    if (!lines->too_long && whole > MESSAGE_MAX) {
      warnx("input line refused: longer than %d bytes", MESSAGE_MAX);
      lines->too_long = true;
    }
    if (ends || lines->too_long)
      lines->start += whole;
    if (ends && !lines->too_long) {
      *line = start;
      *length = whole;
      return true;
    }
    if (!ends) {
      lines->ended = lines->over;
      return false;
    }
    lines->too_long = false;
  }
}
