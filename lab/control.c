/* control.c - see control.h */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEND_LIMIT_MS = 1000 }; /* a lab that hangs must not take the host's side along */

bool control_send(int fd, enum frame_type type, const void *payload, size_t length)
{
  struct frame head = {.type = type, .length = (uint32_t)length};
  char *bytes = malloc(sizeof head + length);
  if (bytes == NULL)
    return false;
  memcpy(bytes, &head, sizeof head);
  if (length > 0)
    memcpy(bytes + sizeof head, payload, length);

  size_t sent = 0;
  while (sent < sizeof head + length) {
    ssize_t n = write(fd, bytes + sent, sizeof head + length - sent);
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    if (n < 0 && (errno == EINTR || (errno == EAGAIN && poll(&room, 1, SEND_LIMIT_MS) > 0)))
      continue;
    if (n < 0)
      break;
    sent += (size_t)n;
  }
  free(bytes);
  return sent == sizeof head + length;
}

/* Drops the frame that was returned last, which lies at the start of the buffer. */
static void drop_first(struct control *control)
{
  const struct frame *first = (const void *)control->bytes;
  size_t whole = sizeof *first + first->length;
  memmove(control->bytes, control->bytes + whole, control->used - whole);
  control->used -= whole;
  control->returned = false;
}

static bool whole_frame(const struct control *control)
{
  const struct frame *first = (const void *)control->bytes;
  return control->used >= sizeof *first && control->used >= sizeof *first + first->length;
}

const struct frame *control_receive(struct control *control, bool *ended)
{
  if (control->bytes == NULL && (control->bytes = calloc(1, FRAME_MAX)) == NULL)
    abort();
  if (control->returned)
    drop_first(control);

  while (!whole_frame(control)) {
    ssize_t n = read(control->fd, control->bytes + control->used, FRAME_MAX - control->used);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN)
      return NULL;
    if (n <= 0) {
      *ended = true;
      return NULL;
    }
    control->used += (size_t)n;
  }
  control->returned = true;
  return (const void *)control->bytes;
}
