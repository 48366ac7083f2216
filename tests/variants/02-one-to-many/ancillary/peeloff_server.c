// peeloff_server - stage 02 in another manner: one process, poll(), and a list of the associations that have been
// branched off; whose reply does not fit is not read from meanwhile
#include "address.h"
#include "listen.h"
#include "messages.h"
#include "options.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static const char usage[] = "usage: peeloff_server [-p PORT] [-a ADDRESS]...\n";

enum { MOST = 1000 };
static struct one {
  bool ending;
  char *bytes; /* of the message that is coming, or of the reply that waits */
  size_t length;
  bool waits;
  struct sctp_sndinfo to;
} ones[MOST];
static struct pollfd fds[1 + MOST];
static int count;
static volatile sig_atomic_t asked;
static struct got got;

static void ask(int number)
{
  (void)number;
  asked = 1;
}

static void forget(int i)
{
  close(fds[1 + i].fd);
  free(ones[i].bytes);
  count--;
  ones[i] = ones[count];
  fds[1 + i] = fds[1 + count];
}

static void reply(int i)
{
  struct one *one = &ones[i];
  ssize_t n = put(fds[1 + i].fd, NULL, 0, one->to, one->bytes, one->length);
  if (n < 0 && errno == EINVAL && one->to.snd_sid != 0) {
    one->to.snd_sid = 0;
    n = put(fds[1 + i].fd, NULL, 0, one->to, one->bytes, one->length);
  }
  one->waits = n < 0 && (errno == EAGAIN || errno == EINTR);
  if (!one->waits)
    one->length = 0;
}

/* Takes what `got` has. Returns false where the association is over. */
static bool take(int i)
{
  struct one *one = &ones[i];
  if (got.notification) {
    const struct sctp_assoc_change *change = &got.space.event.sn_assoc_change;
    one->length = 0;
    return change->sac_type != SCTP_ASSOC_CHANGE || change->sac_state == SCTP_COMM_UP ||
           change->sac_state == SCTP_RESTART;
  }
  if (one->length + (size_t)got.size > LARGEST) {
    put(fds[1 + i].fd, NULL, 0, (struct sctp_sndinfo){.snd_flags = SCTP_ABORT}, "message too long", 16);
    return false;
  }
  memcpy(one->bytes + one->length, &got.space, (size_t)got.size);
  one->length += (size_t)got.size;
  if (got.ends) {
    char address[ADDRESS_TEXT];
    printf("assoc %d stream %d ppid %u: %zu bytes from %s\n", got.info.rcv_assoc_id, got.info.rcv_sid,
           ntohl(got.info.rcv_ppid), one->length, address_text((struct sockaddr *)&got.from, address));
    fflush(stdout);
    one->to = (struct sctp_sndinfo){
        .snd_sid = got.info.rcv_sid, .snd_flags = got.info.rcv_flags & SCTP_UNORDERED, .snd_ppid = got.info.rcv_ppid};
    reply(i);
  }
  return true;
}

/* Branches off all of which something has come to the listening socket. */
static void branch_off(int listener)
{
  for (receive(listener, &got); got.size >= 0; receive(listener, &got)) {
    if (got.notification)
      continue;
    int fd = sctp_peeloff(listener, got.info.rcv_assoc_id);
    if (fd < 0 || count == MOST || (ones[count].bytes = malloc(LARGEST)) == NULL) {
      if (fd >= 0)
        close(fd);
      continue;
    }
    char *bytes = ones[count].bytes;
    ones[count] = (struct one){.bytes = bytes};
    fds[1 + count].fd = fd;
    count++;
    if (!take(count - 1))
      forget(count - 1);
  }
}

static long long milliseconds(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
  int option, on = 1;
  uint16_t port = DEFAULT_PORT;
  struct local_addresses local = {0};
  while ((option = next_option(argc, argv, "p:a:", usage)) != -1)
    if (option == 'p')
      port = parse_port(optarg, 0, usage);
    else
      local_name(&local, optarg, usage);
  if (optind != argc)
    usage_error(usage, "%s: what is that?", argv[optind]);
  signal(SIGTERM, ask);
  signal(SIGINT, ask);
  signal(SIGPIPE, SIG_IGN);
  local_resolve(&local, port);
  int listener = socket(local.family, SOCK_SEQPACKET, IPPROTO_SCTP);
  struct sctp_initmsg streams = {.sinit_num_ostreams = 100};
  set(listener, SCTP_RECVRCVINFO, &on, sizeof on);
  set(listener, SCTP_NODELAY, &on, sizeof on);
  set(listener, SCTP_FRAGMENT_INTERLEAVE, &on, sizeof on);
  set(listener, SCTP_INITMSG, &streams, sizeof streams);
  subscribe(listener, SCTP_ASSOC_CHANGE);
  subscribe(listener, SCTP_PARTIAL_DELIVERY_EVENT);
  local_listen(listener, &local);
  printf("Listening on port %d\n", bound_port(listener));
  fflush(stdout);
  fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};

  long long until = 0;
  while (until == 0 || (count > 0 && milliseconds() < until)) {
    for (int i = 0; i < count; i++)
      fds[1 + i].events = ones[i].waits ? POLLOUT : POLLIN;
    int n = poll(fds, 1 + (nfds_t)count, 100); /* a signal that has come just before is seen then */
    if (n > 0 && fds[0].revents != 0)
      branch_off(listener);
    if (asked && until == 0) {
      branch_off(listener);
      close(listener);
      fds[0].fd = -1;
      until = milliseconds() + 5000;
      continue;
    }
    for (int i = count - 1; i >= 0; i--) {
      if (ones[i].waits) {
        reply(i);
        continue;
      }
      receive(fds[1 + i].fd, &got);
      if (got.size >= 0) {
        if (!take(i))
          forget(i);
      } else if (errno != EAGAIN && errno != EINTR) {
        forget(i);
      } else if (until != 0 && !ones[i].ending) {
        put(fds[1 + i].fd, NULL, 0, (struct sctp_sndinfo){.snd_flags = SCTP_EOF}, NULL, 0);
        ones[i].ending = true;
      }
    }
  }
  while (count > 0) {
    put(fds[count].fd, NULL, 0, (struct sctp_sndinfo){.snd_flags = SCTP_ABORT}, NULL, 0);
    forget(count - 1);
  }
  return 0;
}
