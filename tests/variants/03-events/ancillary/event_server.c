// event_server - stage 03 in another manner: recvmsg() and sendmsg() with ancillary data, epoll and signalfd; what does
// not fit the send buffer waits in a queue, and is sent when there is room
#include "address.h"
#include "listen.h"
#include "messages.h"
#include "options.h"
#include "print.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const char usage[] = "usage: event_server [-t MS] [-p PORT] [-a ADDRESS]...\n";

struct reply {
  struct reply *next;
  struct sctp_sndinfo to;
  size_t length;
  char bytes[];
};
static struct reply *first, **last = &first;
static size_t queued;
static struct parts parts;
static struct got got;

static long long milliseconds(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC_RAW, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* Returns false where there is no room. */
static bool send_now(int fd, struct sctp_sndinfo to, const char *bytes, size_t length)
{
  if (put(fd, NULL, 0, to, bytes, length) >= 0)
    return true;
  if (errno == EINVAL && to.snd_sid != 0) {
    to.snd_sid = 0;
    return send_now(fd, to, bytes, length);
  }
  return errno != EAGAIN && errno != ENOBUFS;
}

static void later(struct sctp_sndinfo to, const char *bytes, size_t length)
{
  struct reply *reply = malloc(sizeof *reply + length);
  if (reply == NULL) {
    perror("malloc");
    exit(1);
  }
  reply->next = NULL;
  reply->to = to;
  reply->length = length;
  memcpy(reply->bytes, bytes, length);
  *last = reply;
  last = &reply->next;
  queued += length;
}

static void drop_replies(sctp_assoc_t id)
{
  for (struct reply **link = &first; *link != NULL;) {
    struct reply *reply = *link;
    if (reply->to.snd_assoc_id != id) {
      link = &reply->next;
      continue;
    }
    *link = reply->next;
    queued -= reply->length;
    free(reply);
  }
  for (last = &first; *last != NULL; last = &(*last)->next)
    ;
}

/* Returns true where some could be sent. */
static bool send_queue(int fd)
{
  bool any = false;
  while (first != NULL && send_now(fd, first->to, first->bytes, first->length)) {
    struct reply *reply = first;
    first = reply->next;
    queued -= reply->length;
    free(reply);
    any = true;
  }
  if (first == NULL)
    last = &first;
  return any;
}

/* Does it to every association: SCTP_EOF or SCTP_ABORT. */
static unsigned all(int fd, uint16_t flags)
{
  static char space[sizeof(struct sctp_assoc_ids) + 70000 * sizeof(sctp_assoc_t)];
  struct sctp_assoc_ids *ids = (void *)space;
  socklen_t size = sizeof space;
  if (getsockopt(fd, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, ids, &size) < 0)
    return 0;
  for (unsigned i = 0; flags != 0 && i < ids->gaids_number_of_ids; i++)
    put(fd, NULL, 0, (struct sctp_sndinfo){.snd_assoc_id = ids->gaids_assoc_id[i], .snd_flags = flags}, NULL, 0);
  return ids->gaids_number_of_ids;
}

/* Nothing has become free for a second: whoever has the most unacknowledged is aborted. */
static void abort_one(int fd)
{
  char space[sizeof(struct sctp_assoc_ids) + 1000 * sizeof(sctp_assoc_t)];
  struct sctp_assoc_ids *ids = (void *)space;
  struct sctp_status most = {.sstat_assoc_id = 0};
  socklen_t size = sizeof space;
  if (getsockopt(fd, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, ids, &size) < 0)
    return;
  for (unsigned i = 0; i < ids->gaids_number_of_ids; i++) {
    struct sctp_status one = {.sstat_assoc_id = ids->gaids_assoc_id[i]};
    size = sizeof one;
    if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &one, &size) == 0 && one.sstat_unackdata > most.sstat_unackdata)
      most = one;
  }
  put(fd, NULL, 0, (struct sctp_sndinfo){.snd_assoc_id = most.sstat_assoc_id, .snd_flags = SCTP_ABORT}, "slow", 4);
  drop_replies(most.sstat_assoc_id);
}

/* Returns false where nothing has come. */
static bool take(int fd)
{
  const char *bytes;
  receive(fd, &got);
  if (got.size < 0)
    return false;
  if (got.notification) {
    static bool inside; /* of one that comes in pieces */
    if (!inside)
      print_event(&got);
    bool whole = !inside && got.ends;
    inside = !got.ends;
    if (whole && told(&parts, &got.space.event))
      drop_replies(got.space.event.sn_assoc_change.sac_assoc_id);
    return true;
  }
  sctp_assoc_t id = got.info.rcv_assoc_id;
  size_t length = add(&parts, &got, &bytes);
  if (length > LARGEST) {
    static const char reason[] = "message too long";
    put(fd, NULL, 0, (struct sctp_sndinfo){.snd_assoc_id = id, .snd_flags = SCTP_ABORT}, reason, strlen(reason));
  } else if (got.ends) {
    char address[ADDRESS_TEXT];
    dprintf(1, "assoc %d stream %d ppid %u: %zu bytes from %s\n", id, got.info.rcv_sid, ntohl(got.info.rcv_ppid),
            length, address_text((struct sockaddr *)&got.from, address));
    struct sctp_sndinfo to = {.snd_sid = got.info.rcv_sid,
                              .snd_flags = got.info.rcv_flags & SCTP_UNORDERED,
                              .snd_ppid = got.info.rcv_ppid,
                              .snd_assoc_id = id};
    if (first != NULL || !send_now(fd, to, bytes, length))
      later(to, bytes, length);
  }
  if (got.ends)
    drop(&parts, id);
  return true;
}

int main(int argc, char **argv)
{
  int option, on = 1, large = 4 * 1024 * 1024, ms = 0;
  uint16_t port = DEFAULT_PORT;
  struct local_addresses local = {0};
  while ((option = next_option(argc, argv, "t:p:a:", usage)) != -1)
    if (option == 't')
      ms = parse_number(optarg, 20, 100000, "MS", usage);
    else if (option == 'p')
      port = parse_port(optarg, 0, usage);
    else
      local_name(&local, optarg, usage);
  if (optind != argc)
    usage_error(usage, "%s: what is that?", argv[optind]);

  sigset_t set_of_signals;
  sigemptyset(&set_of_signals);
  sigaddset(&set_of_signals, SIGTERM);
  sigaddset(&set_of_signals, SIGINT);
  sigprocmask(SIG_BLOCK, &set_of_signals, NULL);
  int signals = signalfd(-1, &set_of_signals, 0), both = epoll_create1(0);

  local_resolve(&local, port);
  int fd = socket(local.family, SOCK_SEQPACKET, IPPROTO_SCTP);
  struct sctp_initmsg streams = {.sinit_num_ostreams = 3000};
  set(fd, SCTP_FRAGMENT_INTERLEAVE, &on, sizeof on);
  set(fd, SCTP_INITMSG, &streams, sizeof streams);
  subscribe_to_all(fd);
  if (ms > 0)
    shorten(fd, ms);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
  local_listen(fd, &local);
  dprintf(1, "Listening on port %d\n", bound_port(fd));

  struct epoll_event event = {.events = EPOLLIN, .data.fd = signals};
  epoll_ctl(both, EPOLL_CTL_ADD, signals, &event);
  event.data.fd = fd;
  epoll_ctl(both, EPOLL_CTL_ADD, fd, &event);
  long long until = 0, progress = milliseconds();
  bool said_goodbye = false;
  for (;;) {
    /* Who has filled the queue is not listened to for the moment. */
    event.events = (queued < (8 << 20) ? EPOLLIN : 0) | (first != NULL ? EPOLLOUT : 0);
    event.data.fd = fd;
    epoll_ctl(both, EPOLL_CTL_MOD, fd, &event);
    struct epoll_event came;
    int n = epoll_wait(both, &came, 1, until != 0 || first != NULL ? 50 : -1);
    if (n > 0 && came.data.fd == signals) {
      struct signalfd_siginfo which;
      if (read(signals, &which, sizeof which) > 0 && until == 0)
        until = milliseconds() + 5000;
    }
    bool more = n > 0 && came.data.fd == fd && (came.events & EPOLLIN) && take(fd);
    if (first == NULL || send_queue(fd))
      progress = milliseconds();
    else if (milliseconds() - progress > 1000)
      abort_one(fd);
    if (until == 0)
      continue;
    if (!said_goodbye && !more) {
      while (take(fd))
        ;
      if (first == NULL) {
        all(fd, SCTP_EOF);
        said_goodbye = true;
      }
    }
    if ((said_goodbye && all(fd, 0) == 0) || milliseconds() > until)
      break;
  }
  while (take(fd))
    ; /* the last notifications */
  all(fd, SCTP_ABORT);
  while (first != NULL)
    drop_replies(first->to.snd_assoc_id);
  for (int i = 0; i < CHAINS; i++)
    while (parts.chain[i] != NULL)
      drop(&parts, parts.chain[i]->id);
  return 0;
}
