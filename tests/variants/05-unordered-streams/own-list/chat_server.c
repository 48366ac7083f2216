// chat_server - stage 05 in another manner: sendmsg() and recvmsg() with ancillary data, signals by signalfd(), a
// timerfd, and a queue of what is to be sent, from which a message goes when there is room for it
//
// Compile:  cc -I../common -o chat_server chat_server.c ../common/*.c -lsctp
#define _GNU_SOURCE
#include "address.h"
#include "listen.h"
#include "options.h"
#include "show.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SCTP_SENDALL
#define SCTP_SENDALL (1 << 6)
#endif

enum { LONGEST = 65536, NAME = 16, ROOMS = 16, TICK = 20, LOOK = 200, STUCK = 1000, TOO_LONG = 3000, FAREWELL = 5000 };

static const char usage[] = "usage: chat_server [-l] [-p PORT] [-a ADDRESS]...\n"
                            "  -l          one send for each association\n"
                            "  -p PORT     the port to listen on (2013); 0: any\n"
                            "  -a ADDRESS  an address to listen on; may be repeated\n";

struct member {
  struct member *next;
  sctp_assoc_t id;
  unsigned streams;
  bool known;       /* announced */
  int64_t announce; /* when it will be */
  char name[NAME + 1];
  uint64_t taken; /* chunks that it has acknowledged */
  int64_t since;  /* when this has changed */
  char *piece;    /* of a message that is not whole */
  size_t length;
};

/* What is to be sent. */
struct message {
  struct message *next;
  sctp_assoc_t to; /* 0: to all */
  uint16_t stream, flags;
  uint32_t ppid;
  size_t length;
  char bytes[];
};

static struct member *members, **members_end = &members;
static unsigned guests;
static int sock, signals;
static size_t space; /* of the send buffer */
static bool one_by_one, leaving, closed;
static int64_t leave_at;

static struct message *queue, **queue_end = &queue;
static sctp_assoc_t *todo; /* who has not got the first of the queue; NULL where it has not been begun */
static size_t todo_count, todo_next;
static int64_t waiting_since, next_look;

static int64_t now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static ssize_t transmit(sctp_assoc_t to, int flags, uint16_t stream, uint32_t ppid, const void *bytes, size_t length)
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
  struct sctp_sndinfo how = {.snd_sid = stream, .snd_flags = (uint16_t)flags, .snd_ppid = ppid, .snd_assoc_id = to};
  memcpy(CMSG_DATA(info), &how, sizeof how);
  return sendmsg(sock, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void dismiss(sctp_assoc_t id, const char *why)
{
  fprintf(stderr, "chat_server: association %d is sent away: %s\n", id, why);
  transmit(id, SCTP_ABORT, 0, 0, why, strlen(why));
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

static struct member **find(sctp_assoc_t id)
{
  struct member **link = &members;
  while (*link != NULL && (*link)->id != id)
    link = &(*link)->next;
  return link;
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
  if (!dismissed && worst != NULL && waiting_since > 0 && now() - waiting_since > TOO_LONG) {
    dismiss(worst->id, "you read too slowly");
    waiting_since = now();
  }
}

/* Returns true where there is room for so many copies; else it is noted that somebody waits. */
static bool fits(size_t copies, size_t length)
{
  size_t need = copies * (4 * length + 2048), used = in_buffer();
  if (used == 0 || used + need <= space / 8 * 7 || (leaving && now() >= leave_at))
    return true;
  if (waiting_since == 0)
    waiting_since = now();
  return false;
}

static unsigned streams_of(sctp_assoc_t id)
{
  struct member *member = *find(id);
  struct sctp_status status = {.sstat_assoc_id = id};
  socklen_t size = sizeof status;
  if (member != NULL)
    return member->streams;
  if (getsockopt(sock, IPPROTO_SCTP, SCTP_STATUS, &status, &size) < 0)
    return ROOMS; /* it has gone */
  return status.sstat_outstrms;
}

/* Lists all associations of the kernel's in `todo`; returns true where all of them have the stream. */
static bool list_all(uint16_t stream)
{
  size_t room = population() + 64;
  socklen_t size = (socklen_t)(sizeof(struct sctp_assoc_ids) + room * sizeof(sctp_assoc_t));
  struct sctp_assoc_ids *list = malloc(size);
  if (list == NULL || getsockopt(sock, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, list, &size) < 0)
    err(1, "SCTP_GET_ASSOC_ID_LIST");
  free(todo);
  todo_count = list->gaids_number_of_ids;
  todo_next = 0;
  todo = malloc((todo_count + 1) * sizeof *todo);
  if (todo == NULL)
    err(1, "malloc");
  memcpy(todo, list->gaids_assoc_id, todo_count * sizeof *todo);
  free(list);
  bool all = true;
  for (size_t i = 0; i < todo_count && stream > 0; i++)
    all = all && stream < streams_of(todo[i]);
  return all;
}

/* Sends the first of the queue, as far as there is room. Returns true when that is done. */
static bool send_first(void)
{
  struct message *message = queue;
  int flags = message->flags | SCTP_SACK_IMMEDIATELY;
  if (message->to != 0) {
    if (!fits(1, message->length))
      return false;
    transmit(message->to, flags, message->stream, message->ppid, message->bytes, message->length);
    return true;
  }
  if (todo == NULL) {
    size_t count = population();
    bool all = list_all(message->stream) && !one_by_one && count * (4 * message->length + 2048) <= space / 8 * 7;
    if (all && !fits(count, message->length)) {
      free(todo); /* there may be others then */
      todo = NULL;
      return false;
    }
    if (all) {
      if (transmit(0, flags | SCTP_SENDALL, message->stream, message->ppid, message->bytes, message->length) >= 0)
        return true;
      if (errno != EINVAL) {
        warn("to all");
        transmit(0, SCTP_SENDALL | SCTP_ABORT, 0, 0, "out of memory", 13);
        return true;
      }
      fprintf(stderr, "chat_server: SCTP_SENDALL is not supported by this kernel\n");
      one_by_one = true;
    }
  }
  for (; todo_next < todo_count; todo_next++) {
    if (!fits(1, message->length))
      return false;
    sctp_assoc_t to = todo[todo_next];
    uint16_t stream = message->stream < streams_of(to) ? message->stream : 0;
    if (transmit(to, flags, stream, message->ppid, message->bytes, message->length) < 0 &&
        (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS))
      dismiss(to, "out of memory");
  }
  return true;
}

static void send_queue(void)
{
  while (queue != NULL && send_first()) {
    struct message *sent = queue;
    queue = sent->next;
    if (queue == NULL)
      queue_end = &queue;
    free(sent);
    free(todo);
    todo = NULL;
    waiting_since = 0;
  }
}

static struct message *enqueue(sctp_assoc_t to, const char *bytes, size_t length)
{
  struct message *message = calloc(1, sizeof *message + length);
  if (message == NULL)
    err(1, "calloc");
  message->to = to;
  message->length = length;
  memcpy(message->bytes, bytes, length);
  *queue_end = message;
  queue_end = &message->next;
  return message;
}

/* A notice to all, or an answer to one. */
__attribute__((format(printf, 2, 3))) static void tell(sctp_assoc_t to, const char *format, ...)
{
  char *text = NULL;
  va_list values;
  va_start(values, format);
  int length = vasprintf(&text, format, values);
  va_end(values);
  if (length < 0)
    errx(1, "no memory");
  enqueue(to, text, (size_t)length);
  free(text);
}

static void announce(struct member *member)
{
  if (!member->known)
    tell(0, "* %s joined\n", member->name);
  member->known = true;
}

/* Announces those whose time has come; returns in how many milliseconds it is the next one's turn, or -1. */
static int announce_all(void)
{
  int64_t next = -1;
  for (struct member *member = members; member != NULL; member = member->next)
    if (!member->known) {
      int64_t left = member->announce - now();
      if (left <= 0)
        announce(member);
      else if (next < 0 || left < next)
        next = left;
    }
  return (int)next;
}

static void forget_piece(struct member *member)
{
  free(member->piece);
  member->piece = NULL;
  member->length = 0;
}

static void goes(struct member **link, const char *how)
{
  struct member *member = *link;
  *link = member->next;
  if (members_end == &member->next)
    members_end = link;
  if (member->known)
    tell(0, "* %s %s\n", member->name, how);
  forget_piece(member);
  free(member);
}

static void comes(const struct sctp_assoc_change *change)
{
  struct member *member = calloc(1, sizeof *member);
  if (member == NULL)
    err(1, "calloc");
  member->id = change->sac_assoc_id;
  member->streams = change->sac_outbound_streams;
  member->since = now();
  member->announce = now() + 1000;
  snprintf(member->name, sizeof member->name, "guest%u", guests++); /* from 0 */
  *members_end = member;
  members_end = &member->next;
}

static void notified(const union sctp_notification *news, size_t size)
{
  if (news->sn_header.sn_type == SCTP_PARTIAL_DELIVERY_EVENT) {
    struct member *member = *find(news->sn_pdapi_event.pdapi_assoc_id);
    if (member != NULL)
      forget_piece(member);
  }
  if (news->sn_header.sn_type != SCTP_ASSOC_CHANGE)
    return;
  const struct sctp_assoc_change *change = &news->sn_assoc_change;
  struct member **link = find(change->sac_assoc_id);
  char how[400] = "left", reason[300];
  if (change->sac_state == SCTP_COMM_LOST) {
    snprintf(how, sizeof how, "is gone: connection lost");
    if (size > sizeof *change + 4) {
      escape(change->sac_info + 4, size - sizeof *change - 4, reason, sizeof reason);
      snprintf(how, sizeof how, "is gone: %s", *reason != '\0' ? reason : "aborted");
    }
  } else if (change->sac_state == SCTP_RESTART) {
    snprintf(how, sizeof how, "is gone: restarted");
  }
  if (*link != NULL)
    goes(link, how);
  if (change->sac_state == SCTP_COMM_UP || change->sac_state == SCTP_RESTART)
    comes(change);
}

static const char *refusal(const struct member *asking, const char *name)
{
  size_t length = strlen(name);
  if (length == 0 || length > NAME)
    return "between 1 and 16 characters, please";
  for (size_t i = 0; i < length; i++)
    if (!isascii((unsigned char)name[i]) || (!isalnum((unsigned char)name[i]) && strchr("-_", name[i]) == NULL))
      return "letters, digits, - and _ only";
  if (strncasecmp(name, "guest", 5) == 0 && length > 5 && name[5 + strspn(name + 5, "0123456789")] == '\0')
    return "guests are numbered by the server";
  for (struct member *other = members; other != NULL; other = other->next)
    if (strcasecmp(other->name, name) == 0 && (other != asking || strcmp(other->name, name) == 0))
      return "taken";
  return NULL;
}

static void obey(struct member *member, const char *bytes, size_t length)
{
  char text[300];
  while (length > 0 && (bytes[length - 1] == '\0' || isspace((unsigned char)bytes[length - 1])))
    length--;
  escape(bytes, length, text, sizeof text);
  char *rest = text + strcspn(text, " "), old[NAME + 1];
  if (*rest != '\0')
    *rest++ = '\0';
  rest += strspn(rest, " ");
  if (strcmp(text, "/nick") == 0) {
    const char *why = refusal(member, rest);
    if (why != NULL) {
      tell(member->id, "* nick refused: %s\n", why);
      return;
    }
    strcpy(old, member->name);
    strcpy(member->name, rest);
    if (member->known)
      tell(0, "* %s is now %s\n", old, member->name);
    announce(member);
  } else if (strcmp(text, "/who") == 0) {
    announce(member);
    char *names = NULL;
    size_t size = 0;
    FILE *list = open_memstream(&names, &size);
    const char *between = "* here: ";
    for (struct member *one = members; one != NULL; one = one->next)
      if (one->known) {
        fprintf(list, "%s%s", between, one->name);
        between = ", ";
      }
    fputc('\n', list);
    fclose(list);
    enqueue(member->id, names, size);
    free(names);
  } else {
    announce(member);
    tell(member->id, "* unknown command: %s\n", text);
  }
}

static void spoken(struct member *member, const char *bytes, size_t length, const struct sctp_rcvinfo *how)
{
  if (bytes[0] == '/' && (length == 1 || bytes[1] != '/')) {
    obey(member, bytes, length);
    return;
  }
  if (bytes[0] == '/') {
    bytes++;
    length--;
  }
  announce(member);
  if (bytes[length - 1] == '\n')
    length--;
  static char line[LONGEST + NAME + 4];
  size_t end = (size_t)sprintf(line, "%s: ", member->name);
  memcpy(line + end, bytes, length);
  for (char *at = line + end; (at = memchr(at, '\n', (size_t)(line + end + length - at))) != NULL;)
    *at = ' ';
  line[end + length] = '\n';
  struct message *message = enqueue(0, line, end + length + 1);
  message->stream = how->rcv_sid;
  message->flags = how->rcv_flags & SCTP_UNORDERED;
  message->ppid = how->rcv_ppid;
}

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
    notified(&buffer.news, (size_t)n);
    return;
  }
  struct sctp_rcvinfo from = {0};
  for (struct cmsghdr *info = CMSG_FIRSTHDR(&header); info != NULL; info = CMSG_NXTHDR(&header, info))
    if (info->cmsg_level == IPPROTO_SCTP && info->cmsg_type == SCTP_RCVINFO)
      memcpy(&from, CMSG_DATA(info), sizeof from);
  struct member *member = *find(from.rcv_assoc_id);
  if (member == NULL)
    return;
  bool end = header.msg_flags & MSG_EOR;
  if (member->length + (size_t)n > LONGEST) {
    if (member->length <= LONGEST)
      dismiss(member->id, "message too long");
    forget_piece(member);
    member->length = end ? 0 : LONGEST + 1; /* the rest of it does not count either */
    return;
  }
  if (end && member->length == 0) {
    spoken(member, buffer.bytes, (size_t)n, &from);
    return;
  }
  char *longer = realloc(member->piece, member->length + (size_t)n);
  if (longer == NULL)
    err(1, "realloc");
  memcpy(longer + member->length, buffer.bytes, (size_t)n);
  member->piece = longer;
  member->length += (size_t)n;
  if (end) {
    spoken(member, member->piece, member->length, &from);
    forget_piece(member);
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
  struct sctp_initmsg streams = {.sinit_num_ostreams = ROOMS, .sinit_max_instreams = ROOMS};
  struct sctp_rtoinfo rto = {.srto_initial = 400, .srto_min = 200, .srto_max = 500};
  struct sctp_assocparams association = {.sasoc_asocmaxrxt = 60};
  option_on(IPPROTO_SCTP, SCTP_INITMSG, &streams, sizeof streams);
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
    int wait = queue == NULL ? announce_all() : -1;
    send_queue();
    bool busy = queue != NULL || in_buffer() > space / 16;
    int tick = queue != NULL ? TICK : busy || leaving ? LOOK / 2 : -1;
    if (tick >= 0 && (wait < 0 || tick < wait))
      wait = tick;
    struct pollfd fds[] = {{.fd = queue == NULL ? sock : -1, .events = POLLIN},
                           {.fd = leaving ? -1 : signals, .events = POLLIN}};
    poll(fds, 2, wait);
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
    if (!leaving)
      continue;
    struct pollfd more = {.fd = sock, .events = POLLIN};
    if (!closed && ((queue == NULL && poll(&more, 1, 0) == 0) || now() > leave_at - FAREWELL / 2)) {
      listen(sock, 0);
      transmit(0, SCTP_SENDALL | SCTP_EOF, 0, 0, NULL, 0);
      closed = true;
    }
    if (closed && (population() == 0 || now() >= leave_at))
      break;
  }
  transmit(0, SCTP_SENDALL | SCTP_ABORT, 0, 0, NULL, 0);
  close(sock);
  return 0;
}
