// receipts.h - what chat_client has said, and the server has not yet answered
#ifndef RECEIPTS_H
#define RECEIPTS_H

#include <err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What has been said, in order. Starts as {0}. */
struct receipts {
  struct said *first;
  size_t count;
};

struct said {
  struct said *next;
  uint16_t stream;
  size_t length;
  char bytes[];
};

static void expect(struct receipts *receipts, uint16_t stream, const char *message, size_t length)
{
  struct said *said = malloc(sizeof *said + length), **end = &receipts->first;
  if (said == NULL)
    err(1, "malloc");
  *said = (struct said){.stream = stream, .length = length};
  memcpy(said->bytes, message, length);
  while (*end != NULL)
    end = &(*end)->next;
  *end = said;
  receipts->count++;
}

static bool begins(const char *text, size_t length, const char *with)
{
  return length >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* Returns true where this notice says that somebody has the nick now. */
static bool names(const char *notice, size_t length, const char *nick, size_t size)
{
  while (size > 0 && memchr("\0\r\n \t", nick[size - 1], 5) != NULL)
    size--;
  while (size > 0 && *nick == ' ')
    nick++, size--;
  const char *before = length > size ? notice + length - size - 1 : notice; /* "* guest3 is now NICK\n" */
  return begins(notice, length, "* ") &&
         ((length >= size + 9 && memcmp(before - 8, " is now ", 8) == 0 && memcmp(before, nick, size) == 0) ||
          (length == size + 10 && memcmp(notice + 2, nick, size) == 0 &&
           memcmp(notice + 2 + size, " joined\n", 8) == 0));
}

/* Returns true where this message is the server's answer: to a command; or it is what was said, behind somebody's name.
 */
static bool answers(const struct said *said, uint16_t stream, const char *message, size_t length)
{
  const char *text = said->bytes;
  size_t size = said->length;
  if (stream != said->stream)
    return false;
  if (begins(text, size, "/") && !begins(text, size, "//")) {
    if (begins(text, size, "/who"))
      return begins(message, length, "* here: ") || begins(message, length, "* unknown command: ");
    if (begins(text, size, "/nick "))
      return begins(message, length, "* nick refused: ") || names(message, length, text + 6, size - 6);
    return begins(message, length, "* unknown command: ") || begins(message, length, "* nick refused: ");
  }
  if (begins(text, size, "//"))
    text++, size--;
  if (size > 0 && text[size - 1] == '\n')
    size--;
  const char *colon = memchr(message, ':', length);
  return colon != NULL && length - (size_t)(colon - message) == size + 3 && memcmp(colon + 2, text, size) == 0;
}

/* A message, or a line of several notices, has come. If it is the answer to something that was said, we wait for one
 * less. In which order they come, is not sure: each room has its own order, and what is unordered has none. */
static void receive_line(struct receipts *receipts, uint16_t stream, const char *message, size_t length)
{
  for (struct said **link = &receipts->first; *link != NULL; link = &(*link)->next)
    if (answers(*link, stream, message, length)) {
      struct said *said = *link;
      *link = said->next;
      receipts->count--;
      free(said);
      return;
    }
}

/* A message has come. Notices may come several at a time, a line each. */
static void receive_receipt(struct receipts *receipts, uint16_t stream, const char *message, size_t length)
{
  while (length > 0) {
    const char *end = begins(message, length, "* ") ? memchr(message, '\n', length) : NULL;
    size_t line = end != NULL ? (size_t)(end - message) + 1 : length;
    receive_line(receipts, stream, message, line);
    message += line;
    length -= line;
  }
}

#endif
