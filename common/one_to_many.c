/* one_to_many.c - see one_to_many.h */
#include "one_to_many.h"
#include "associations.h"
#include "lines.h"
#include "listen.h"

#include <err.h>
#include <errno.h>
#include <sys/socket.h>

int one_to_many_socket(const struct local_addresses *local)
{
  static const int with_info = 1, apart = 1;
  static const struct sctp_event events[] = {
      {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1},
      {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_PARTIAL_DELIVERY_EVENT, .se_on = 1}};
  int fd = socket(local->family, SOCK_SEQPACKET | SOCK_NONBLOCK, IPPROTO_SCTP);
  if (fd < 0)
    err(1, "socket");
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &with_info, sizeof with_info) < 0)
    err(1, "SCTP_RECVRCVINFO");
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &apart, sizeof apart) < 0)
    err(1, "SCTP_FRAGMENT_INTERLEAVE");
  for (size_t i = 0; i < sizeof events / sizeof *events; i++)
    if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENT, &events[i], sizeof events[i]) < 0)
      err(1, "SCTP_EVENT");
  local_listen(fd, local);
  return fd;
}

struct received one_to_many_receive(int fd, struct reassembly *unfinished)
{
  static union {
    union sctp_notification notification;
    char bytes[MESSAGE_MAX + 1];
  } buffer;
  struct received got = {0};
  struct iovec space = {&buffer, sizeof buffer};
  socklen_t info_size = sizeof got.info, no_address = 0;
  unsigned info_type = 0;
  int flags = 0;
  ssize_t n = sctp_recvv(fd, &space, 1, NULL, &no_address, &got.info, &info_size, &info_type, &flags);
  if (n < 0) {
    if (errno != EINTR && errno != EAGAIN)
      warn("receiving");
  } else if (flags & MSG_NOTIFICATION) {
    reassembly_notified(unfinished, &buffer.notification);
    if (buffer.notification.sn_header.sn_type == SCTP_ASSOC_CHANGE) {
      got.change = &buffer.notification.sn_assoc_change;
      got.change_size = (size_t)n;
    }
  } else {
    got.length = (size_t)n;
    got.message = reassemble(unfinished, got.info.rcv_assoc_id, buffer.bytes, &got.length, flags & MSG_EOR);
    if (got.message == NULL && got.length > MESSAGE_MAX)
      abort_association(fd, got.info.rcv_assoc_id, "message too long");
  }
  return got;
}
