// chat_server - stage 04: sends each message that arrives to everyone, with one system call
//
// All associations live in one one-to-many socket. The kernel keeps the list of them, and SCTP_SENDALL sends to every
// one on it: the server has no table of clients and no loop. With -l it has the loop, to compare.
//
// Compile:  cc -I../common -o chat_server chat_server.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './chat_server & sleep 1; echo hello | ./chat_client localhost'
#include "address.h"
#include "associations.h"
#include "buffers.h"
#include "deadline.h"
#include "ending.h"
#include "lines.h"
#include "options.h"
#include "reassembly.h"
#include "sctp_compat.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 4 << 20, SEND_S = 1, GOODBYE_MS = 5000 };

static const char usage[] = "usage: chat_server [-l] [-p PORT] [-a ADDRESS]...\n"
                            "Sends every message that arrives to every association. Ends on SIGINT or SIGTERM.\n"
                            "  -l          send to one association after the other, instead of SCTP_SENDALL\n"
                            "  -p PORT     listen on this port (default 2013; 0: the kernel chooses)\n"
                            "  -a ADDRESS  serve this local address only; several make the server multihomed\n";

struct room {
  int fd;
  bool loop; /* send to one after the other */
  struct reassembly unfinished;
};

static void set_option(int fd, int level, int option, const char *name, int value)
{
  if (setsockopt(fd, level, option, &value, sizeof value) < 0)
    err(1, "%s", name);
}

/* Returns a one-to-many socket that listens at the addresses. */
static int listen_at(const struct local_addresses *local)
{
  int fd = socket(local->family, SOCK_SEQPACKET, IPPROTO_SCTP);
  if (fd < 0)
    err(1, "socket");
  /* Each message is sent at once, instead of waiting for more to share its packet. */
  set_option(fd, IPPROTO_SCTP, SCTP_NODELAY, "SCTP_NODELAY", 1);
  set_option(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, "SCTP_RECVRCVINFO", 1);
  /* One association's unfinished message does not hold up the others' messages. */
  set_option(fd, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, "SCTP_FRAGMENT_INTERLEAVE", 1);
  static const struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event) < 0)
    err(1, "SCTP_EVENT");
  ask_for_buffers(fd, BUFFER_BYTES);
  /* One client that reads nothing fills the send buffer, which all associations share. Sending gives up then. */
  struct timeval limit = {.tv_sec = SEND_S};
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
    err(1, "SO_SNDTIMEO");
  local_listen(fd, local);
  return fd;
}

/* Sends to one association, or with SCTP_SENDALL in the flags to all. A length of 0 goes with SCTP_EOF or SCTP_ABORT.
 */
static int send_to(int fd, struct sctp_sndinfo info, const char *bytes, size_t length)
{
  struct iovec message = {(char *)bytes, length};
  return sctp_sendv(fd, &message, 1, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0);
}

/* The same for every association on the kernel's list (RFC 6458, 8.2.6), one after the other. */
static void send_to_each(int fd, struct sctp_sndinfo info, const char *bytes, size_t length)
{
  struct sctp_assoc_ids *list = list_associations(fd);
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++) {
    info.snd_assoc_id = list->gaids_assoc_id[i];
    send_to(fd, info, bytes, length); /* one that is about to end fails, and needs nothing any more */
  }
  free(list);
}

static void send_to_all(struct room *room, struct sctp_sndinfo info, const char *bytes, size_t length)
{
  if (!room->loop) {
    struct sctp_sndinfo all = info;
    all.snd_flags |= SCTP_SENDALL;
    if (send_to(room->fd, all, bytes, length) >= 0)
      return;
    if (errno != EINVAL) {
      warn("a message could not be sent to everyone");
      return;
    }
    warnx("this kernel has no SCTP_SENDALL (Linux 4.17 or later has): sending to one after the other");
    room->loop = true;
  }
  send_to_each(room->fd, info, bytes, length);
}

/* Receives one message, a piece of one, or a notification. What is a whole message goes to everyone. */
static void take(struct room *room)
{
  static union {
    union sctp_notification notification;
    char bytes[MESSAGE_MAX + 1];
  } buffer;
  struct iovec space = {&buffer, sizeof buffer};
  struct sctp_rcvinfo info = {0};
  socklen_t info_size = sizeof info, no_address = 0;
  unsigned info_type = 0;
  int flags = 0;
  ssize_t n = sctp_recvv(room->fd, &space, 1, NULL, &no_address, &info, &info_size, &info_type, &flags);
  if (n < 0) {
    if (errno != EINTR && errno != EAGAIN)
      warn("receiving");
    return;
  }
  if (flags & MSG_NOTIFICATION) {
    reassembly_notified(&room->unfinished, &buffer.notification);
    return;
  }

  size_t length = (size_t)n;
  const char *message = reassemble(&room->unfinished, info.rcv_assoc_id, buffer.bytes, &length, flags & MSG_EOR);
  if (message != NULL) {
    send_to_all(room, (struct sctp_sndinfo){.snd_ppid = info.rcv_ppid}, message, length);
  } else if (length > MESSAGE_MAX) {
    abort_association(room->fd, info.rcv_assoc_id, "message too long");
  }
}

/* Sends what is queued, shuts all associations down gracefully, and aborts those that have not agreed in time. */
static void say_goodbye(struct room *room)
{
  struct pollfd queue = {.fd = room->fd, .events = POLLIN};
  deadline give_up = deadline_in(GOODBYE_MS);
  while (poll(&queue, 1, 0) > 0 && deadline_left(give_up) > 0)
    take(room);
  send_to_all(room, (struct sctp_sndinfo){.snd_flags = SCTP_EOF}, NULL, 0);
  while (has_associations(room->fd) && deadline_left(give_up) > 0 && poll(&queue, 1, deadline_left(give_up)) > 0)
    take(room);
  send_to_all(room, (struct sctp_sndinfo){.snd_flags = SCTP_ABORT}, NULL, 0);
  close(room->fd);
}

int main(int argc, char **argv)
{
  uint16_t port = DEFAULT_PORT;
  struct local_addresses local = {0};
  struct room room = {0};
  int option;

  while ((option = next_option(argc, argv, "lp:a:", usage)) != -1)
    switch (option) {
    case 'l':
      room.loop = true;
      break;
    case 'p':
      port = parse_port(optarg, 0, usage);
      break;
    case 'a':
      local_name(&local, optarg, usage);
    }
  if (optind < argc)
    usage_error(usage, "unexpected argument '%s'", argv[optind]);

  local_resolve(&local, port);
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN); /* libsctp 1.0.19 does not hand MSG_NOSIGNAL on */
  int ending = ending_watch();
  room.fd = listen_at(&local);
  printf("Listening on port %u\n", bound_port(room.fd));

  struct pollfd fds[] = {{.fd = room.fd, .events = POLLIN}, {.fd = ending, .events = POLLIN}};
  while (fds[1].revents == 0)
    if (poll(fds, 2, -1) > 0 && fds[0].revents != 0)
      take(&room);
  say_goodbye(&room);
  return EXIT_SUCCESS;
}
