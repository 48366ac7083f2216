// chat.h - what the chat server and the clients of stage 05 agree on
#ifndef CHAT_H
#define CHAT_H

#include <stddef.h>
#include <string.h>

enum { ROOMS = 16 /* they are streams 0 to 15 */, NICK_MAX = 16 };

/* Returns the length of the nick with which the text begins, or 0 where it begins with none. */
static inline size_t nick_length(const char *text)
{
  size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
  return length <= NICK_MAX ? length : 0;
}

#endif
