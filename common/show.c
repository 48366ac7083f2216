/* show.c - see show.h */
#include "show.h"

#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/*
 * Decodes the UTF-8 sequence (RFC 3629) at the start of the bytes. Returns its length and the code point, or 0 where
 * there is no valid one.
 */
static size_t decode(const unsigned char *bytes, size_t left, uint32_t *point)
{
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t length = bytes[0] < 0x80   ? 1
                  : bytes[0] < 0xc2 ? 0
                  : bytes[0] < 0xe0 ? 2
                  : bytes[0] < 0xf0 ? 3
                  : bytes[0] < 0xf5 ? 4
                                    : 0;
  if (length == 0 || length > left)
    return 0;
  *point = length == 1 ? bytes[0] : bytes[0] & (0x7fU >> length);
  for (size_t i = 1; i < length; i++) {
    if ((bytes[i] & 0xc0) != 0x80)
      return 0;
    *point = *point << 6 | (bytes[i] & 0x3fU);
  }
  bool surrogate = *point >= 0xd800 && *point <= 0xdfff;
  return *point < smallest[length] || *point > 0x10ffff || surrogate ? 0 : length;
}

static bool steers_a_terminal(uint32_t point)
{
  bool control = point < 0x20 || (point >= 0x7f && point <= 0x9f);
  bool bidirectional = point == 0x061c || point == 0x200e || point == 0x200f || (point >= 0x202a && point <= 0x202e) ||
                       (point >= 0x2066 && point <= 0x2069);
  return control || bidirectional;
}

void escape(const void *bytes, size_t length, char *text, size_t room)
{
  const unsigned char *from = bytes;
  size_t used = 0;
  while (length > 0) {
    uint32_t point;
    size_t valid = decode(from, length, &point);
    size_t step = valid > 0 ? valid : 1;
    bool escaped = valid == 0 || steers_a_terminal(point);
    if (used + (escaped ? 4 * step : step) >= room)
      break;
    for (size_t i = 0; i < step; i++)
      used += (size_t)snprintf(text + used, room - used, escaped ? "\\x%02X" : "%c", from[i]);
    from += step;
    length -= step;
  }
  text[used] = '\0';
}

static void show_safely(const char *bytes, size_t length)
{
  while (length > 0) {
    uint32_t point;
    size_t step = decode((const unsigned char *)bytes, length, &point);
    step = step > 0 ? step : 1;
    char text[4 * 4 + 1];
    escape(bytes, step, text, sizeof text);
    fputs(*bytes == '\n' ? "\n" : text, stdout);
    bytes += step;
    length -= step;
  }
}

void show(const void *bytes, size_t length)
{
  if (isatty(STDOUT_FILENO))
    show_safely(bytes, length);
  else
    fwrite(bytes, 1, length, stdout);
  if (fflush(stdout) != 0 || ferror(stdout))
    err(1, "standard output");
}
