/* spoken.h - what the chat server of stage 05 makes of a message: with the name of who says it, as one line; and its
   notices. For the tools that compare what comes with what was said. */
#ifndef TOOLS_SPOKEN_H
#define TOOLS_SPOKEN_H

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SPOKEN_NICK_MAX = 16 };

/* Returns the length of the nick at the beginning, 0 where there is none. */
static inline size_t spoken_nick(const char *bytes, size_t length)
{
  size_t end = 0;
  while (end < length && bytes[end] != '\0' &&
         strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", bytes[end]) != NULL)
    end++;
  return end <= SPOKEN_NICK_MAX ? end : 0;
}

static inline bool spoken_begins(const char *bytes, size_t length, const char *with)
{
  return length >= strlen(with) && memcmp(bytes, with, strlen(with)) == 0;
}

/* Returns true where this is what the server says of itself: "* " and a text that cannot steer a terminal, of a kind
   that it has. */
static inline bool spoken_is_notice(const char *bytes, size_t length)
{
  static const char *const answers[] = {"here: ", "nick refused: ", "unknown command: /"};
  static const char *const news[] = {" joined\n", " left\n", " is gone: ", " is now "};
  if (!spoken_begins(bytes, length, "* "))
    return false;
  if (length < 4 || bytes[length - 1] != '\n')
    return false;
  for (size_t i = 2; i < length - 1; i++)
    if ((unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f)
      return false;
  bytes += 2;
  length -= 2;
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
    if (spoken_begins(bytes, length, answers[i]))
      return true;
  size_t nick = spoken_nick(bytes, length);
  for (size_t i = 0; nick > 0 && i < sizeof news / sizeof *news; i++)
    if (spoken_begins(bytes + nick, length - nick, news[i]))
      return true;
  return false;
}

/* Returns the length of the first line, with its newline, 0 where it has none. */
static inline size_t spoken_line_length(const char *bytes, size_t length)
{
  const char *end = length > 0 ? memchr(bytes, '\n', length) : NULL;
  return end != NULL ? (size_t)(end - bytes) + 1 : 0;
}

/*
 * Takes off a whole message what the server has added: the name before it and the newline behind it. Ends the program
 * where it is neither what somebody has said, nor a notice.
 *
 * Returns the length of the name, which ends where *bytes then begins, two bytes before; or 0 for notices, which stay
 * as they are, a line each.
 */
static inline size_t spoken_strip(const char **bytes, size_t *length)
{
  size_t nick = spoken_nick(*bytes, *length), line = spoken_line_length(*bytes, *length);
  /* Notices may come several at a time. */
  for (size_t at = 0; spoken_is_notice(*bytes + at, line); line = spoken_line_length(*bytes + at, *length - at))
    if ((at += line) == *length)
      return 0;
  if (line == 0 || spoken_line_length(*bytes, *length) != *length)
    errx(1, "what comes is not one line, but %zu bytes: %.*s", *length, *length < 60 ? (int)*length : 60, *bytes);
  if (nick == 0 || *length < nick + 3 || memcmp(*bytes + nick, ": ", 2) != 0)
    errx(1, "%zu bytes came that are neither a notice nor said by anyone: %.*s", *length,
         *length < 60 ? (int)*length : 60, *bytes);
  *bytes += nick + 2;
  *length -= nick + 3;
  return nick;
}

/* Returns true where the server has made this, which is stripped, of what was said: blanks of the newlines within, and
   of two slashes at the beginning one. */
static inline bool spoken_same(const char *bytes, size_t length, const char *said, size_t said_length)
{
  if (spoken_begins(said, said_length, "//")) {
    said++;
    said_length--;
  }
  if (said_length > 0 && said[said_length - 1] == '\n')
    said_length--;
  if (length != said_length)
    return false;
  for (size_t i = 0; i < length; i++)
    if (bytes[i] != (said[i] == '\n' ? ' ' : said[i]))
      return false;
  return true;
}

#endif
