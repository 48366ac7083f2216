/* feed.c - see feed.h */
#include "feed.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENOUGH = 1 << 20 }; /* bytes */

struct feed_line {
  char *bytes;
  size_t length;
};

int feed_descriptor(const struct feed *feed)
{
  return feed->input.ended || feed->bytes >= ENOUGH ? -1 : STDIN_FILENO;
}

static void append(struct feed *feed, const char *bytes, size_t length)
{
  if (feed->count == feed->room) {
    feed->room = 2 * feed->room + 64;
    feed->lines = realloc(feed->lines, feed->room * sizeof *feed->lines);
  }
  char *copy = malloc(length);
  if (feed->lines == NULL || copy == NULL)
    err(1, "malloc");
  memcpy(copy, bytes, length);
  struct feed_line *line = &feed->lines[feed->count++];
  line->bytes = copy;
  line->length = length;
  feed->bytes += length;
}

void feed_read(struct feed *feed)
{
  const char *bytes;
  size_t length;
  lines_read(&feed->input);
  while (lines_next(&feed->input, &bytes, &length))
    append(feed, bytes, length);
}

const char *feed_line(const struct feed *feed, size_t number, size_t *length)
{
  if (number - feed->forgotten >= feed->count)
    return NULL;
  *length = feed->lines[number - feed->forgotten].length;
  return feed->lines[number - feed->forgotten].bytes;
}

bool feed_ends_at(const struct feed *feed, size_t number)
{
  return feed->input.ended && number - feed->forgotten >= feed->count;
}

void feed_forget(struct feed *feed, size_t number)
{
  for (; feed->first < feed->count && feed->forgotten + feed->first < number; feed->first++) {
    feed->bytes -= feed->lines[feed->first].length;
    free(feed->lines[feed->first].bytes);
  }
  if (feed->first > 0 && feed->first >= feed->count / 2) { /* seldom, so that each line is moved once or twice in all */
    feed->count -= feed->first;
    memmove(feed->lines, feed->lines + feed->first, feed->count * sizeof *feed->lines);
    feed->forgotten += feed->first;
    feed->first = 0;
  }
}

void feed_free(struct feed *feed)
{
  feed_forget(feed, feed->forgotten + feed->count);
  free(feed->lines);
  feed->lines = NULL;
  feed->room = 0;
}
