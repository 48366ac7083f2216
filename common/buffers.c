/* buffers.c - see buffers.h */
#include "buffers.h"

#include <err.h>
#include <sys/socket.h>

static size_t ask_for(int fd, int option, const char *name, int bytes)
{
  int granted = 0;
  socklen_t size = sizeof granted;
  setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof bytes);
  getsockopt(fd, SOL_SOCKET, option, &granted, &size);
  /* Linux doubles what is asked for, to have room for its own records (socket(7)). */
  if (granted / 2 < bytes)
    warnx("%s: %d bytes instead of %d; many large messages at once will be slow", name, granted / 2, bytes);
  return (size_t)granted;
}

size_t ask_for_buffers(int fd, int bytes)
{
  ask_for(fd, SO_RCVBUF, "receive buffer", bytes);
  return ask_for(fd, SO_SNDBUF, "send buffer", bytes);
}
