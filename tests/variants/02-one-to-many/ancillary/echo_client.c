// echo_client - stage 02 in another manner: recvmsg() and sendmsg() with ancillary data; which server is not there is
// seen by the context of the message that comes back unsent (SCTP_SEND_FAILED_EVENT)
#include "address.h"
#include "feed.h"
#include "messages.h"
#include "options.h"
#include "show.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static const char usage[] = "usage: echo_client [-p PORT] HOST[:PORT]...\n";

static struct server {
  const char *operand;
  struct addrinfo *address;
  enum { NEW, CALLED, UP, LEAVING, GONE } state;
  sctp_assoc_t id;
  size_t sent, answered;
} * servers;
static int count, fd, status;
static struct feed input;
static struct parts parts;
static struct got got;

static void lost(struct server *server, const char *why)
{
  fflush(stdout);
  dprintf(2, "echo_client: %s: %s\n", server->operand, why);
  server->state = GONE;
  status = 1;
}

static void next_address(struct server *server)
{
  server->state = NEW;
  server->sent = 0;
  if ((server->address = server->address->ai_next) == NULL)
    lost(server, "cannot be reached");
}

/* One of the peer's addresses is the server's, and this is the socket's port there. */
static bool same_peer(sctp_assoc_t id, const struct server *server)
{
  struct sctp_paddrinfo info;
  socklen_t size = sizeof info;
  memset(&info, 0, sizeof info);
  memcpy(&info.spinfo_address, server->address->ai_addr, server->address->ai_addrlen);
  return getsockopt(fd, IPPROTO_SCTP, SCTP_GET_PEER_ADDR_INFO, &info, &size) == 0 && info.spinfo_assoc_id == id;
}

static void told_of(const union sctp_notification *event)
{
  const struct sctp_assoc_change *change = &event->sn_assoc_change;
  if (event->sn_header.sn_type == SCTP_SEND_FAILED_EVENT) {
    unsigned number = event->sn_send_failed_event.ssfe_info.snd_context;
    if (number > 0 && number <= (unsigned)count && servers[number - 1].state == CALLED)
      next_address(&servers[number - 1]);
  }
  if (event->sn_header.sn_type != SCTP_ASSOC_CHANGE)
    return;
  for (int i = 0; i < count; i++) {
    if (servers[i].state == CALLED && change->sac_state == SCTP_COMM_UP &&
        same_peer(change->sac_assoc_id, &servers[i])) {
      servers[i].state = UP;
      servers[i].id = change->sac_assoc_id;
    } else if ((servers[i].state == UP || servers[i].state == LEAVING) && servers[i].id == change->sac_assoc_id) {
      if (change->sac_state == SCTP_SHUTDOWN_COMP && servers[i].state == LEAVING)
        servers[i].state = GONE;
      else if (change->sac_state == SCTP_SHUTDOWN_COMP || change->sac_state == SCTP_COMM_LOST)
        lost(&servers[i], "it has left in the middle of the conversation");
    }
  }
}

static bool hear(void)
{
  const char *bytes;
  receive(fd, &got);
  if (got.size < 0)
    return false;
  if (got.notification) {
    told(&parts, &got.space.event);
    told_of(&got.space.event);
    return true;
  }
  size_t length = add(&parts, &got, &bytes);
  for (int i = 0; got.ends && i < count; i++)
    if (servers[i].state == UP && servers[i].id == got.info.rcv_assoc_id) {
      printf("%s: ", servers[i].operand);
      show(bytes, length <= LARGEST ? length : LARGEST);
      if (bytes[length - 1] != '\n')
        show("\n", 1);
      servers[i].answered++;
    }
  if (got.ends)
    drop(&parts, got.info.rcv_assoc_id);
  return true;
}

/* Returns false where there is no room. */
static bool speak(int i)
{
  struct server *server = &servers[i];
  const char *line;
  size_t length;
  while ((server->state == NEW || server->state == UP) && server->sent < server->answered + 10 &&
         (line = feed_line(&input, server->sent, &length)) != NULL) {
    struct sctp_sndinfo info = {.snd_context = (unsigned)i + 1, .snd_assoc_id = server->state == UP ? server->id : 0};
    ssize_t n = server->state == UP
                    ? put(fd, NULL, 0, info, line, length)
                    : put(fd, server->address->ai_addr, server->address->ai_addrlen, info, line, length);
    if (n < 0 && (errno == EAGAIN || server->state == UP))
      return errno != EAGAIN;
    if (n < 0) {
      next_address(server);
      continue;
    }
    server->sent++;
    if (server->state == NEW)
      server->state = CALLED;
  }
  if (feed_ends_at(&input, server->sent) && server->answered == server->sent) {
    if (server->state == NEW)
      server->state = GONE;
    if (server->state == UP) {
      put(fd, NULL, 0, (struct sctp_sndinfo){.snd_assoc_id = server->id, .snd_flags = SCTP_EOF}, NULL, 0);
      server->state = LEAVING;
    }
  }
  return true;
}

int main(int argc, char **argv)
{
  int option, on = 1, ticks = 0;
  uint16_t port = DEFAULT_PORT;
  while ((option = next_option(argc, argv, "p:", usage)) != -1)
    port = parse_port(optarg, 1, usage);
  if ((count = argc - optind) == 0)
    usage_error(usage, "which %s?", "HOST");
  servers = calloc((size_t)count, sizeof *servers);
  if (servers == NULL)
    return 1;
  for (int i = 0; i < count; i++) {
    servers[i].operand = argv[optind + i];
    servers[i].address = resolve_operand(servers[i].operand, port, usage);
    if (servers[i].address == NULL) {
      servers[i].state = GONE;
      status = 1;
    }
  }
  signal(SIGPIPE, SIG_IGN);
  fd = socket(AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP);
  struct sctp_rtoinfo times = {.srto_initial = 500};
  struct sctp_initmsg patience = {.sinit_max_attempts = 2, .sinit_max_init_timeo = 1000};
  set(fd, SCTP_RTOINFO, &times, sizeof times);
  set(fd, SCTP_INITMSG, &patience, sizeof patience);
  set(fd, SCTP_RECVRCVINFO, &on, sizeof on);
  set(fd, SCTP_NODELAY, &on, sizeof on);
  subscribe(fd, SCTP_ASSOC_CHANGE);
  subscribe(fd, SCTP_SEND_FAILED_EVENT);
  subscribe(fd, SCTP_PARTIAL_DELIVERY_EVENT);

  for (;;) {
    bool room = true, talking = false, here = false;
    size_t slowest = SIZE_MAX;
    for (int i = 0; i < count; i++) {
      room = speak(i) && room;
      here = here || servers[i].state != GONE;
      talking = talking || servers[i].state < LEAVING;
      if (servers[i].state != GONE && slowest > servers[i].answered)
        slowest = servers[i].answered;
    }
    if (slowest != SIZE_MAX)
      feed_forget(&input, slowest);
    if (!here || ticks > 50)
      break;
    struct pollfd either[] = {{.fd = fd, .events = room ? POLLIN : POLLIN | POLLOUT},
                              {.fd = feed_descriptor(&input), .events = POLLIN}};
    int n = poll(either, 2, talking ? -1 : 100);
    ticks += n == 0;
    while (hear())
      ;
    if (n > 0 && either[1].revents != 0)
      feed_read(&input);
  }
  feed_forget(&input, SIZE_MAX);
  return ticks > 50 ? 1 : status;
}
