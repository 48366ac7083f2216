/* feed.c - see feed.h */
#include "feed.h"

#include <err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool full(const struct feed *feed)
{
  return feed->end - feed->first == FEED_LINES || feed->bytes >= FEED_BYTES;
}

/* Takes lines from the input, as long as there is room for them. */
static void take(struct feed *feed)
{
  const char *line;
  size_t length;
  while (!full(feed) && lines_next(&feed->input, &line, &length)) {
    char *copy = malloc(length);
    if (copy == NULL)
      err(1, "malloc");
    memcpy(copy, line, length);
    feed->lines[feed->end % FEED_LINES].bytes = copy;
    feed->lines[feed->end % FEED_LINES].length = length;
    feed->end++;
    feed->bytes += length;
  }
}

int feed_descriptor(const struct feed *feed)
{
  return feed->input.ended || full(feed) ? -1 : STDIN_FILENO;
}

void feed_read(struct feed *feed)
{
  lines_read(&feed->input);
  take(feed);
}

const char *feed_line(const struct feed *feed, size_t number, size_t *length)
{
  if (number < feed->first || number >= feed->end)
    return NULL;
  *length = feed->lines[number % FEED_LINES].length;
  return feed->lines[number % FEED_LINES].bytes;
}

bool feed_ends_at(const struct feed *feed, size_t number)
{
  return feed->input.ended && number >= feed->end;
}

void feed_forget(struct feed *feed, size_t number)
{
  for (; feed->first < feed->end && feed->first < number; feed->first++) {
    feed->bytes -= feed->lines[feed->first % FEED_LINES].length;
    free(feed->lines[feed->first % FEED_LINES].bytes);
  }
  if (number != SIZE_MAX)
    take(feed); /* there may be room now for what has been read already */
}
