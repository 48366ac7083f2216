// echo_server - stage 02: sends back what it receives, to any number of peers over one one-to-many socket
//
// No accept, no fork, no table of clients: all associations live in one socket, and the kernel has the list of them.
// What comes with each message says whose it is; a reply says where it goes.
//
// Compile:  cc -I../common -o echo_server echo_server.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './echo_server & sleep 1; echo hello | ./echo_client localhost'
#include "address.h"
#include "buffers.h"
#include "deadline.h"
#include "ending.h"
#include "lines.h"
#include "listen.h"
#include "options.h"
#include "reassembly.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/sctp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 4 << 20, STREAMS = 2048, STALL_S = 1, GOODBYE_MS = 5000 };

static const char usage[] = "usage: echo_server [-c SECONDS] [-p PORT] [-a ADDRESS]...\n"
                            "Sends every message back to its sender, on the stream that it came on, and reports it.\n"
                            "Ends on SIGINT or SIGTERM.\n"
                            "  -c SECONDS  close associations on which nothing has come for so long\n"
                            "  -p PORT     listen on this port (default 2013; 0: the kernel chooses)\n"
                            "  -a ADDRESS  serve this local address only; several make the server multihomed\n";

static void set_option(int fd, int level, int option, const char *name, const void *value, socklen_t size)
{
  if (setsockopt(fd, level, option, value, size) < 0)
    err(1, "%s", name);
}

/* Returns the one socket for all peers. */
static int listen_at(const struct local_addresses *local, int autoclose)
{
  // exercise: Open a one-to-many socket (RFC 6458, 3.1.1). It is to tell whose each message is (SCTP_RECVRCVINFO,
  // 8.1.29); nobody waits for another's unfinished message (SCTP_FRAGMENT_INTERLEAVE, 8.1.20); replies leave at once
  // (SCTP_NODELAY, 8.1.5); STREAMS streams (SCTP_INITMSG, 8.1.3); `autoclose` (SCTP_AUTOCLOSE, 8.1.8);
  // SCTP_ASSOC_CHANGE and SCTP_PARTIAL_DELIVERY_EVENT are told (SCTP_EVENT, 6.2.2). TUTORIAL.md, stage 02: "Do I need a
  // descriptor for each client?".
  const int on = 1;
  int fd = socket(local->family, SOCK_SEQPACKET, IPPROTO_SCTP);
  if (fd < 0)
    err(1, "socket");
  /* With each message the kernel tells its association, stream and PPID (RFC 6458, 8.1.29). */
  set_option(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, "SCTP_RECVRCVINFO", &on, sizeof on);
  /* One association's unfinished message does not hold up the others' messages (8.1.20). */
  set_option(fd, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, "SCTP_FRAGMENT_INTERLEAVE", &on, sizeof on);
  /* A reply leaves at once, also while the one before it is not acknowledged yet (8.1.5). */
  set_option(fd, IPPROTO_SCTP, SCTP_NODELAY, "SCTP_NODELAY", &on, sizeof on);
  if (autoclose > 0)
    set_option(fd, IPPROTO_SCTP, SCTP_AUTOCLOSE, "SCTP_AUTOCLOSE", &autoclose, sizeof autoclose);
  /* Whoever sends on many streams is to get its replies on as many (8.1.3). */
  const struct sctp_initmsg streams = {.sinit_num_ostreams = STREAMS};
  set_option(fd, IPPROTO_SCTP, SCTP_INITMSG, "SCTP_INITMSG", &streams, sizeof streams);
  /* Who ends in the middle of a message? Two of the notifications of stage 03 tell. */
  static const struct sctp_event events[] = {
      {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1},
      {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_PARTIAL_DELIVERY_EVENT, .se_on = 1}};
  for (size_t i = 0; i < sizeof events / sizeof *events; i++)
    set_option(fd, IPPROTO_SCTP, SCTP_EVENT, "SCTP_EVENT", &events[i], sizeof events[i]);
  // until then: (void)autoclose; int fd = -1; errx(3, "listen_at() is to be written");
  /* All associations share these buffers, and one that does not read its replies fills the one for sending. */
  ask_for_buffers(fd, BUFFER_BYTES);
  const struct timeval limit = {.tv_sec = STALL_S};
  set_option(fd, SOL_SOCKET, SO_SNDTIMEO, "SO_SNDTIMEO", &limit, sizeof limit);
  local_listen(fd, local);
  return fd;
}

/* Sends one message (RFC 6458, 9.12). No address: the association in `to` says it all. */
static int send_to(int fd, struct sctp_sndinfo to, const char *message, size_t length)
{
  // exercise: Send the message: sctp_sendv() with the sctp_sndinfo (RFC 6458, 9.12 and 5.3.4).
  struct iovec bytes = {(char *)message, length};
  return sctp_sendv(fd, &bytes, 1, NULL, 0, &to, sizeof to, SCTP_SENDV_SNDINFO, 0);
  // until then: (void)fd; (void)to; (void)message; (void)length; errno = ENOSYS; return -1;
}

/* Aborts an association; its peer is told the reason. */
static void abort_for(int fd, sctp_assoc_t association, const char *reason)
{
  send_to(fd, (struct sctp_sndinfo){.snd_assoc_id = association, .snd_flags = SCTP_ABORT}, reason, strlen(reason));
}

/* Returns how many associations the socket has (RFC 6458, 8.2.5). */
static uint32_t count_associations(int fd)
{
  uint32_t count = 0;
  socklen_t size = sizeof count;
  if (getsockopt(fd, IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, &count, &size) < 0)
    err(1, "SCTP_GET_ASSOC_NUMBER");
  return count;
}

/* Returns which ones (8.2.6); to be freed. */
static struct sctp_assoc_ids *list_associations(int fd)
{
  for (uint32_t room = count_associations(fd) + 1;; room *= 2) { /* more may have come meanwhile */
    socklen_t size = (socklen_t)(sizeof(struct sctp_assoc_ids) + room * sizeof(sctp_assoc_t));
    struct sctp_assoc_ids *list = calloc(1, size);
    if (list == NULL)
      err(1, "calloc");
    if (getsockopt(fd, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, list, &size) == 0)
      return list;
    free(list);
    if (errno != EINVAL)
      err(1, "SCTP_GET_ASSOC_ID_LIST");
  }
}

/*
 * There has been no room to send for STALL_S seconds, in which everyone who reads has emptied its part of the buffer.
 * So it is full of what somebody does not read: aborts the association with the most chunks unacknowledged.
 */
static void abort_slowest(int fd)
{
  struct sctp_assoc_ids *list = list_associations(fd);
  struct sctp_status slowest = {0};
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++) {
    struct sctp_status status = {.sstat_assoc_id = list->gaids_assoc_id[i]};
    socklen_t size = sizeof status;
    if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &status, &size) < 0)
      continue; /* it has ended */
    if (status.sstat_unackdata > slowest.sstat_unackdata)
      slowest = status;
  }
  free(list);
  if (slowest.sstat_unackdata > 0) {
    warnx("assoc %d: replies not read: aborted", slowest.sstat_assoc_id);
    abort_for(fd, slowest.sstat_assoc_id, "replies not read");
  }
}

/* Sends a message back the way it came: association, stream, order and PPID. */
static void echo(int fd, const struct sctp_rcvinfo *from, const char *message, size_t length)
{
  // exercise: Say where the reply goes: to the association, on the stream, in the order and with the PPID with which
  // the message came (RFC 6458, 5.3.4 and 5.3.5). TUTORIAL.md, stage 02: "So whose message is it?".
  struct sctp_sndinfo to = {.snd_assoc_id = from->rcv_assoc_id,
                            .snd_sid = from->rcv_sid,
                            .snd_flags = from->rcv_flags & SCTP_UNORDERED,
                            .snd_ppid = from->rcv_ppid};
  // until then: struct sctp_sndinfo to = {0}; (void)from;
  while (send_to(fd, to, message, length) < 0) {
    if (errno == EINVAL && to.snd_sid != 0)
      to.snd_sid = 0; /* the peer accepts fewer streams than it sends on */
    else if (errno == EAGAIN)
      abort_slowest(fd);
    else if (errno != EINTR)
      return; /* it has ended: nobody waits for the reply */
  }
}

/* Receives a message, or a piece of one, or a notification. A whole message is reported and echoed. */
static void take(int fd, struct reassembly *unfinished)
{
  static union {
    union sctp_notification event;
    char bytes[MESSAGE_MAX + 1];
  } buffer;
  // exercise: Receive with sctp_recvv() (RFC 6458, 9.13): the bytes, the peer's address, the sctp_rcvinfo, the flags. A
  // notification (MSG_NOTIFICATION) goes to reassembly_notified(). Of the rest make whole messages with reassemble().
  // TUTORIAL.md, stage 02: "So whose message is it?".
  struct iovec space = {&buffer, sizeof buffer};
  struct sockaddr_storage peer;
  socklen_t peer_size = sizeof peer;
  struct sctp_rcvinfo info = {0};
  socklen_t info_size = sizeof info;
  unsigned info_type = SCTP_RECVV_NOINFO;
  int flags = 0;
  ssize_t n = sctp_recvv(fd, &space, 1, (struct sockaddr *)&peer, &peer_size, &info, &info_size, &info_type, &flags);
  if (n < 0) {
    if (errno != EINTR && errno != EAGAIN)
      warn("sctp_recvv");
    return;
  }
  if (flags & MSG_NOTIFICATION) {
    reassembly_notified(unfinished, &buffer.event); /* a piece that it leaves never gets whole */
    return;
  }

  size_t length = (size_t)n;
  const char *message = reassemble(unfinished, info.rcv_assoc_id, buffer.bytes, &length, flags & MSG_EOR);
  // until then: struct sockaddr_storage peer = {0}; struct sctp_rcvinfo info = {0}; size_t length = 0; const char
  // *message = NULL; (void)buffer; (void)unfinished; errx(3, "take() is to be written");
  if (message != NULL) {
    char text[ADDRESS_TEXT];
    printf("assoc %d stream %u ppid %u: %zu bytes from %s\n", info.rcv_assoc_id, info.rcv_sid, ntohl(info.rcv_ppid),
           length, address_text((struct sockaddr *)&peer, text));
    echo(fd, &info, message, length);
  } else if (length > MESSAGE_MAX) {
    abort_for(fd, info.rcv_assoc_id, "message too long");
  }
}

/* Does something to every association: SCTP_EOF shuts it down gracefully, SCTP_ABORT aborts it (RFC 6458, 5.3.4). */
static void end_all(int fd, uint16_t how)
{
  // exercise: Send nothing to each association of list_associations(), with `how` in the flags (RFC 6458, 5.3.4).
  struct sctp_assoc_ids *list = list_associations(fd);
  for (uint32_t i = 0; i < list->gaids_number_of_ids; i++)
    send_to(fd, (struct sctp_sndinfo){.snd_assoc_id = list->gaids_assoc_id[i], .snd_flags = how}, NULL, 0);
  free(list);
  // until then: (void)fd; (void)how;
}

/* Echoes what is queued, shuts all associations down, and aborts those that have not agreed in time. */
static void say_goodbye(int fd, struct reassembly *unfinished)
{
  struct pollfd queue = {.fd = fd, .events = POLLIN};
  deadline give_up = deadline_in(GOODBYE_MS);
  while (poll(&queue, 1, 0) > 0 && deadline_left(give_up) > 0)
    take(fd, unfinished);
  end_all(fd, SCTP_EOF);
  while (count_associations(fd) > 0 && deadline_left(give_up) > 0)
    if (poll(&queue, 1, deadline_left(give_up)) > 0)
      take(fd, unfinished); /* the notification that one has ended, if nothing else */
  end_all(fd, SCTP_ABORT);
  close(fd);
}

int main(int argc, char **argv)
{
  int option, autoclose = 0;
  uint16_t port = DEFAULT_PORT;
  struct local_addresses local = {0};
  struct reassembly unfinished = {0};

  while ((option = next_option(argc, argv, "c:p:a:", usage)) != -1)
    switch (option) {
    case 'c':
      autoclose = parse_number(optarg, 1, INT32_MAX / 1000, "a time in seconds", usage);
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
  int fd = listen_at(&local, autoclose);
  printf("Listening on port %u\n", bound_port(fd));

  struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = ending, .events = POLLIN}};
  while (fds[1].revents == 0)
    if (poll(fds, 2, -1) > 0 && fds[0].revents != 0)
      take(fd, &unfinished);
  say_goodbye(fd, &unfinished);
  reassembly_end(&unfinished);
  return EXIT_SUCCESS;
}
