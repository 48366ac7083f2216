/* pump.c - see pump.h */
#include "pump.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

void pump_start(struct pump *pump, int from, int to)
{
  *pump = (struct pump){.state = PUMP_RUNS, .from = from, .to = to};
}

void pump_wants(const struct pump *pump, struct pollfd wants[2])
{
  bool runs = pump->state == PUMP_RUNS || pump->state == PUMP_REFUSED;
  bool empty = pump->start == pump->end;
  wants[0] = (struct pollfd){.fd = runs && empty && !pump->source_ended ? pump->from : -1, .events = POLLIN};
  /* An empty pump asks for nothing but to be told (POLLERR) when its reader goes away. */
  wants[1] = (struct pollfd){.fd = pump->state == PUMP_RUNS ? pump->to : -1, .events = empty ? 0 : POLLOUT};
}

/* poll() promises room for PIPE_BUF bytes in a pipe, so a write of that size does not block even where
 * the descriptor would: it may belong to others, and so may not be made non-blocking. A socket promises
 * less, but can be asked not to block. */
static ssize_t write_some(int fd, const char *bytes, size_t length)
{
  ssize_t n = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0 || errno != ENOTSOCK)
    return n;
  return write(fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
}

static bool try_again_later(void)
{
  return errno == EAGAIN || errno == EINTR;
}

bool pump_move(struct pump *pump, const struct pollfd got[2])
{
  enum pump_state before = pump->state;

  if (got[0].fd >= 0 && got[0].revents != 0) {
    ssize_t n = read(pump->from, pump->bytes, sizeof pump->bytes);
    if (n > 0) {
      pump->start = 0;
      pump->end = (size_t)n;
      pump->taken += (size_t)n;
    } else if (n == 0 || !try_again_later()) {
      pump->source_ended = true; /* a terminal whose other side is gone reads as EIO */
    }
  } else if (got[1].fd >= 0 && got[1].revents != 0) {
    if (pump->start == pump->end) {
      pump->state = got[1].revents & (POLLERR | POLLHUP | POLLNVAL) ? PUMP_REFUSED : pump->state;
    } else {
      ssize_t n = write_some(pump->to, pump->bytes + pump->start, pump->end - pump->start);
      if (n > 0)
        pump->start += (size_t)n;
      else if (n < 0 && !try_again_later())
        pump->state = PUMP_REFUSED;
    }
  }

  if (pump->state == PUMP_REFUSED)
    pump->start = pump->end;
  if (pump->source_ended && pump->start == pump->end && pump->state != PUMP_OFF)
    pump->state = PUMP_ENDED;
  return pump->state != before;
}
