// chat_server - stage 04 in another manner: sendmsg() and recvmsg() with ancillary data, signals by signalfd(), a list
// of the associations kept from notifications, and a message that waits for room while the program looks at other
// things
//
// Compile:  cc -I../common -o chat_server chat_server.c ../common/*.c -lsctp
#define _GNU_SOURCE
#include "address.h"
#include "listen.h"
#include "options.h"

#include <err.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SCTP_SENDALL
#define SCTP_SENDALL (1 << 6)
#endif

enum { LONGEST = 65536, TICK = 20, LOOK = 200, STUCK = 1000, TOO_LONG = 3000, FAREWELL = 5000 };

static const char usage[] = "usage: chat_server [-l] [-p PORT] [-a ADDRESS]...\n"
                            "  -l          one send for each association\n"
                            "  -p PORT     the port to listen on (2013); 0: any\n"
                            "  -a ADDRESS  an address to listen on; may be repeated\n";

struct member {
  struct member *next;
  sctp_assoc_t id;
  uint64_t taken; /* chunks that it has acknowledged */
  int64_t since;  /* when this has changed */
  char *piece;    /* of a message that is not whole */
  size_t length;
};

static struct member *members;
static int sock, signals;
static size_t space; /* of the send buffer */
static bool one_by_one, leaving, closed;
static int64_t leave_at;

/* The message that is being passed on. */
static char *message;
static size_t message_length;
static uint32_t message_ppid;
static sctp_assoc_t *todo;
static size_t todo_count, todo_next;
static int64_t waiting_since, next_look;

static int64_t now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static ssize_t transmit(sctp_assoc_t to, int flags, uint32_t ppid, const void *bytes, size_t length)
{
  union {
    struct cmsghdr align;
    char room[CMSG_SPACE(sizeof(struct sctp_sndinfo))];
  } control = {0};
  struct iovec vector = {(void *)bytes, length};
  struct msghdr header = {
      .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
  struct cmsghdr *info = CMSG_FIRSTHDR(&header);
  info->cmsg_level = IPPROTO_SCTP;
  info->cmsg_type = SCTP_SNDINFO;
  info->cmsg_len = CMSG_LEN(sizeof(struct sctp_sndinfo));
  struct sctp_sndinfo how = {.snd_flags = (uint16_t)flags, .snd_ppid = ppid, .snd_assoc_id = to};
  memcpy(CMSG_DATA(info), &how, sizeof how);
  return sendmsg(sock, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void dismiss(sctp_assoc_t id, const char *why)
{
  fprintf(stderr, "chat_server: association %d is aborted: %s\n", id, why);
  transmit(id, SCTP_ABORT, 0, why, strlen(why));
}

static size_t in_buffer(void)
{
  uint32_t info[SK_MEMINFO_VARS];
  socklen_t size = sizeof info;
  if (getsockopt(sock, SOL_SOCKET, SO_MEMINFO, info, &size) < 0)
    err(1, "SO_MEMINFO");
  return info[SK_MEMINFO_WMEM_QUEUED];
}

static uint32_t population(void)
{
  uint32_t count = 0;
  socklen_t size = sizeof count;
  if (getsockopt(sock, IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, &count, &size) < 0)
    err(1, "SCTP_GET_ASSOC_NUMBER");
  return count;
}

/* Notes who has acknowledged something, and returns how many chunks of the member are on their way. */
static uint32_t look_at(struct member *member)
{
  struct sctp_status status = {.sstat_assoc_id = member->id};
  struct sctp_assoc_stats stats = {.sas_assoc_id = member->id};
  socklen_t status_size = sizeof status, stats_size = sizeof stats;
  if (getsockopt(sock, IPPROTO_SCTP, SCTP_STATUS, &status, &status_size) < 0 ||
      getsockopt(sock, IPPROTO_SCTP, SCTP_GET_ASSOC_STATS, &stats, &stats_size) < 0)
    return 0;
  uint64_t taken = stats.sas_oodchunks + stats.sas_ouodchunks - status.sstat_unackdata;
  if (taken != member->taken || status.sstat_unackdata == 0) {
    member->taken = taken;
    member->since = now();
  }
  return status.sstat_unackdata;
}

static void look_at_all(void)
{
  struct member *worst = NULL;
  uint32_t most = 0;
  bool dismissed = false;
  for (struct member *member = members; member != NULL; member = member->next) {
    uint32_t left = look_at(member);
    if (left > most) {
      most = left;
      worst = member;
    }
    if (left > 0 && now() - member->since >= STUCK) {
      dismiss(member->id, "you have stopped reading");
      member->since = now();
      dismissed = true;
    }
  }
  if (!dismissed && worst != NULL && message != NULL && waiting_since > 0 && now() - waiting_since > TOO_LONG) {
    dismiss(worst->id, "you read too slowly");
    waiting_since = now();
  }
}

static bool fits(size_t copies, size_t length)
{
  size_t need = copies * (4 * length + 2048), used = in_buffer();
  return used == 0 || used + need <= space / 8 * 7;
}

/* Does what can be done now to pass the message on. */
static void pass_on(void)
{
  if (message == NULL)
    return;
  if (todo == NULL && !one_by_one) {
    size_t count = population();
    if (count * (4 * message_length + 2048) <= space / 8 * 7) {
      if (!fits(count, message_length)) {
        if (waiting_since == 0)
          waiting_since = now();
        return;
      }
      if (transmit(0, SCTP_SENDALL | SCTP_SACK_IMMEDIATELY, message_ppid, message, message_length) >= 0)
        goto done;
      if (errno != EINVAL) {
        warn("to all");
        transmit(0, SCTP_SENDALL | SCTP_ABORT, 0, "out of memory", 13);
        goto done;
      }
      fprintf(stderr, "chat_server: SCTP_SENDALL is not supported by this kernel\n");
      one_by_one = true;
    }
  }
  if (todo == NULL) {
    size_t room = population() + 64;
    socklen_t size = (socklen_t)(sizeof(struct sctp_assoc_ids) + room * sizeof(sctp_assoc_t));
    struct sctp_assoc_ids *list = malloc(size);
    if (list == NULL || getsockopt(sock, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, list, &size) < 0)
      err(1, "SCTP_GET_ASSOC_ID_LIST");
    todo_count = list->gaids_number_of_ids;
    todo_next = 0;
    todo = malloc((todo_count + 1) * sizeof *todo);
    if (todo == NULL)
      err(1, "malloc");
    memcpy(todo, list->gaids_assoc_id, todo_count * sizeof *todo);
    free(list);
  }
  for (; todo_next < todo_count; todo_next++) {
    if (!fits(1, message_length) && !(leaving && now() >= leave_at)) {
      if (waiting_since == 0)
        waiting_since = now();
      return;
    }
    if (transmit(todo[todo_next], SCTP_SACK_IMMEDIATELY, message_ppid, message, message_length) < 0 &&
        (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS))
      dismiss(todo[todo_next], "out of memory");
  }
done:
  free(todo);
  free(message);
  todo = NULL;
  message = NULL;
  waiting_since = 0;
}

static struct member **find(sctp_assoc_t id)
{
  struct member **link = &members;
  while (*link != NULL && (*link)->id != id)
    link = &(*link)->next;
  return link;
}

static void forget_piece(struct member *member)
{
  free(member->piece);
  member->piece = NULL;
  member->length = 0;
}

static void notified(const union sctp_notification *news)
{
  if (news->sn_header.sn_type == SCTP_PARTIAL_DELIVERY_EVENT) {
    struct member *member = *find(news->sn_pdapi_event.pdapi_assoc_id);
    if (member != NULL)
      forget_piece(member);
  }
  if (news->sn_header.sn_type != SCTP_ASSOC_CHANGE)
    return;
  struct member **link = find(news->sn_assoc_change.sac_assoc_id), *member = *link;
  if (news->sn_assoc_change.sac_state == SCTP_COMM_UP) {
    if (member == NULL) {
      *link = member = calloc(1, sizeof *member);
      if (member == NULL)
        err(1, "calloc");
      member->id = news->sn_assoc_change.sac_assoc_id;
    }
    member->since = now();
  } else if (member != NULL && news->sn_assoc_change.sac_state == SCTP_RESTART) {
    forget_piece(member);
  } else if (member != NULL) {
    *link = member->next;
    forget_piece(member);
    free(member);
  }
}

/* Receives once; sets the message when one is whole. */
static void receive(void)
{
  static union {
    union sctp_notification news;
    char bytes[LONGEST + 1];
  } buffer;
  union {
    struct cmsghdr align;
    char room[256];
  } control;
  struct iovec vector = {&buffer, sizeof buffer};
  struct msghdr header = {
      .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t n = recvmsg(sock, &header, MSG_DONTWAIT);
  if (n < 0)
    return;
  if (header.msg_flags & MSG_NOTIFICATION) {
    notified(&buffer.news);
    return;
  }
  struct sctp_rcvinfo from = {0};
  for (struct cmsghdr *info = CMSG_FIRSTHDR(&header); info != NULL; info = CMSG_NXTHDR(&header, info))
    if (info->cmsg_level == IPPROTO_SCTP && info->cmsg_type == SCTP_RCVINFO)
      memcpy(&from, CMSG_DATA(info), sizeof from);
  struct member *member = *find(from.rcv_assoc_id);
  if (member == NULL)
    return;
  if (member->length + (size_t)n > LONGEST) {
    if (member->length <= LONGEST)
      dismiss(member->id, "message too long");
    forget_piece(member);
    member->length = header.msg_flags & MSG_EOR ? 0 : LONGEST + 1; /* the rest of it does not count either */
    return;
  }
  char *longer = realloc(member->piece, member->length + (size_t)n);
  if (longer == NULL)
    err(1, "realloc");
  memcpy(longer + member->length, buffer.bytes, (size_t)n);
  member->piece = longer;
  member->length += (size_t)n;
  if (header.msg_flags & MSG_EOR) {
    message = member->piece;
    message_length = member->length;
    message_ppid = from.rcv_ppid;
    member->piece = NULL;
    member->length = 0;
  }
}

static void option_on(int level, int name, const void *value, socklen_t size)
{
  if (setsockopt(sock, level, name, value, size) < 0)
    err(1, "socket option %d", name);
}

static void open_socket(const struct local_addresses *local)
{
  static const int on = 1, bytes = 4 << 20;
  sock = socket(local->family, SOCK_SEQPACKET, IPPROTO_SCTP);
  if (sock < 0)
    err(1, "socket");
  option_on(IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on);
  option_on(IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &on, sizeof on);
  option_on(IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
  for (int i = 0; i < 2; i++) {
    struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC,
                               .se_type = i == 0 ? SCTP_ASSOC_CHANGE : SCTP_PARTIAL_DELIVERY_EVENT,
                               .se_on = 1};
    option_on(IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event);
  }
  struct sctp_rtoinfo rto = {.srto_initial = 400, .srto_min = 200, .srto_max = 500};
  struct sctp_assocparams association = {.sasoc_asocmaxrxt = 60};
  option_on(IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof rto);
  option_on(IPPROTO_SCTP, SCTP_ASSOCINFO, &association, sizeof association);
  int got = 0;
  socklen_t size = sizeof got;
  for (int i = 0; i < 2; i++) {
    int which = i == 0 ? SO_RCVBUF : SO_SNDBUF;
    option_on(SOL_SOCKET, which, &bytes, sizeof bytes);
    getsockopt(sock, SOL_SOCKET, which, &got, &size);
    if (got < 2 * bytes)
      fprintf(stderr, "chat_server: wanted a %s buffer of %d bytes, got %d\n", i == 0 ? "receive" : "send", bytes,
              got / 2);
  }
  space = (size_t)got;
  local_listen(sock, local);
}

int main(int argc, char **argv)
{
  struct local_addresses local = {0};
  uint16_t port = 2013;
  int option;
  while ((option = next_option(argc, argv, "lp:a:", usage)) != -1)
    if (option == 'l')
      one_by_one = true;
    else if (option == 'p')
      port = parse_port(optarg, 0, usage);
    else
      local_name(&local, optarg, usage);
  if (optind < argc)
    usage_error(usage, "no arguments are expected, but there is %s", argv[optind]);
  local_resolve(&local, port);

  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signals = signalfd(-1, &set, SFD_CLOEXEC);
  if (signals < 0)
    err(1, "signalfd");
  open_socket(&local);
  char line[64];
  int length = snprintf(line, sizeof line, "Listening on port %d\n", bound_port(sock));
  if (write(STDOUT_FILENO, line, (size_t)length) < 0)
    err(1, "standard output");

  for (;;) {
    struct pollfd fds[] = {{.fd = message == NULL ? sock : -1, .events = POLLIN},
                           {.fd = leaving ? -1 : signals, .events = POLLIN}};
    bool busy = message != NULL || in_buffer() > space / 16;
    poll(fds, 2, message != NULL ? TICK : busy || leaving ? LOOK / 2 : -1);
    if (fds[1].revents != 0) {
      leaving = true;
      leave_at = now() + FAREWELL;
    }
    if (busy && now() >= next_look) {
      look_at_all();
      next_look = now() + LOOK;
    }
    if (fds[0].revents != 0)
      receive();
    if (closed && message != NULL) {
      free(message);
      message = NULL;
    }
    pass_on();
    if (!leaving)
      continue;
    struct pollfd more = {.fd = sock, .events = POLLIN};
    bool queued = message != NULL || poll(&more, 1, 0) > 0;
    if (!closed && (!queued || now() > leave_at - FAREWELL / 2)) {
      listen(sock, 0);
      transmit(0, SCTP_SENDALL | SCTP_EOF, 0, NULL, 0);
      closed = true;
    }
    if (closed && (population() == 0 || now() >= leave_at))
      break;
  }
  transmit(0, SCTP_SENDALL | SCTP_ABORT, 0, NULL, 0);
  close(sock);
  while (members != NULL) {
    struct member *next = members->next;
    free(members->piece);
    free(members);
    members = next;
  }
  return 0;
}
