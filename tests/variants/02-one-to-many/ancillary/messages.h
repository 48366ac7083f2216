// messages.h - receiving and sending with recvmsg(), sendmsg() and ancillary data
#ifndef MESSAGES_H
#define MESSAGES_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LARGEST = 65536 };

/* What one call has brought. */
struct got {
  ssize_t size; /* -1: nothing, or an error: errno */
  bool notification, ends;
  struct sctp_rcvinfo info;
  struct sockaddr_storage from;
  union {
    char bytes[LARGEST + 1];
    union sctp_notification event;
  } space;
};

static inline void receive(int fd, struct got *got)
{
  char control[CMSG_SPACE(sizeof(struct sctp_rcvinfo)) + 100];
  struct iovec space = {&got->space, sizeof got->space};
  struct msghdr header = {.msg_name = &got->from,
                          .msg_namelen = sizeof got->from,
                          .msg_iov = &space,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof control};
  got->size = recvmsg(fd, &header, MSG_DONTWAIT);
  if (got->size < 0)
    return;
  got->notification = header.msg_flags & MSG_NOTIFICATION;
  got->ends = header.msg_flags & MSG_EOR;
  for (struct cmsghdr *one = CMSG_FIRSTHDR(&header); one != NULL; one = CMSG_NXTHDR(&header, one))
    if (one->cmsg_level == IPPROTO_SCTP && one->cmsg_type == SCTP_RCVINFO)
      memcpy(&got->info, CMSG_DATA(one), sizeof got->info);
}

/* `to` is NULL where the association says it. */
static inline ssize_t put(int fd, const struct sockaddr *to, socklen_t to_size, struct sctp_sndinfo info,
                          const void *bytes, size_t length)
{
  union {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof info)];
  } control;
  struct iovec space = {(void *)bytes, length};
  struct msghdr header = {.msg_name = (void *)to,
                          .msg_namelen = to_size,
                          .msg_iov = &space,
                          .msg_iovlen = length > 0,
                          .msg_control = &control,
                          .msg_controllen = sizeof control};
  memset(&control, 0, sizeof control);
  control.head.cmsg_level = IPPROTO_SCTP;
  control.head.cmsg_type = SCTP_SNDINFO;
  control.head.cmsg_len = CMSG_LEN(sizeof info);
  memcpy(CMSG_DATA(&control.head), &info, sizeof info);
  return sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Turns something on or off; ends the program where this does not work. */
static inline void set(int fd, int option, const void *value, socklen_t size)
{
  if (setsockopt(fd, IPPROTO_SCTP, option, value, size) == 0)
    return;
  perror("setsockopt");
  exit(1);
}

static inline void subscribe(int fd, uint16_t type)
{
  struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = type, .se_on = 1};
  set(fd, SCTP_EVENT, &event, sizeof event);
}

/* The pieces of messages, in a table of chains by the association's id. */
enum { CHAINS = 64 };
struct part {
  struct part *next;
  sctp_assoc_t id;
  size_t length;
  char bytes[LARGEST];
};
struct parts {
  struct part *chain[CHAINS];
};

static inline struct part **part_of(struct parts *parts, sctp_assoc_t id)
{
  struct part **link = &parts->chain[(unsigned)id % CHAINS];
  while (*link != NULL && (*link)->id != id)
    link = &(*link)->next;
  return link;
}

static inline void drop(struct parts *parts, sctp_assoc_t id)
{
  struct part **link = part_of(parts, id), *gone = *link;
  if (gone != NULL) {
    *link = gone->next;
    free(gone);
  }
}

/* Adds what has come to its message. Returns its length so far, more than LARGEST where it is too long; *bytes: where
 * it is. */
static inline size_t add(struct parts *parts, const struct got *got, const char **bytes)
{
  struct part **link = part_of(parts, got->info.rcv_assoc_id);
  *bytes = got->space.bytes;
  if (*link == NULL && got->ends)
    return (size_t)got->size;
  if (*link == NULL) {
    if ((*link = calloc(1, sizeof **link)) == NULL) {
      perror("calloc");
      exit(1);
    }
    (*link)->id = got->info.rcv_assoc_id;
  }
  struct part *part = *link;
  if (part->length + (size_t)got->size <= LARGEST)
    memcpy(part->bytes + part->length, got->space.bytes, (size_t)got->size);
  part->length += (size_t)got->size;
  *bytes = part->bytes;
  return part->length;
}

/* What a notification means for the pieces. Returns true where an association is over. */
static inline bool told(struct parts *parts, const union sctp_notification *event)
{
  bool change = event->sn_header.sn_type == SCTP_ASSOC_CHANGE;
  if (event->sn_header.sn_type == SCTP_PARTIAL_DELIVERY_EVENT)
    drop(parts, event->sn_pdapi_event.pdapi_assoc_id);
  if (change && event->sn_assoc_change.sac_state != SCTP_COMM_UP)
    drop(parts, event->sn_assoc_change.sac_assoc_id);
  return change &&
         (event->sn_assoc_change.sac_state == SCTP_COMM_LOST || event->sn_assoc_change.sac_state == SCTP_SHUTDOWN_COMP);
}

#endif
