// event_client - stage 03 in another manner: recvmsg() and sendmsg() with ancillary data; whether there is a reply that
// is not to be read is seen by the number of bytes in the socket's receive buffer, after all notifications have been
// read
#include "address.h"
#include "lines.h"
#include "messages.h"
#include "options.h"
#include "print.h"
#include "show.h"

#include <poll.h>
#include <signal.h>
#include <time.h>

static const char usage[] = "usage: event_client [-e shutdown|abort|unread] [-r REASON] [-t MS] [-p PORT] HOST\n";

static struct client {
  int fd;
  struct addrinfo *address;
  bool called, up, ending, over, reads, waiting; /* waiting: a reply is there, and stays there */
  unsigned sent, heard;
} me = {.reads = true};
static struct got got;
static struct parts parts;

static void fail(const char *what, const char *why)
{
  fflush(stdout);
  dprintf(2, "event_client: %s: %s\n", what, why);
  exit(1);
}

static void changed(const struct sctp_assoc_change *change)
{
  if (change->sac_state == SCTP_COMM_UP) {
    me.up = true;
    me.sent = 1;
  } else if (change->sac_state == SCTP_CANT_STR_ASSOC) {
    me.called = false;
    me.address = me.address->ai_next;
    if (me.address == NULL)
      fail("the server", "it cannot be reached");
  } else if (change->sac_state != SCTP_RESTART) {
    me.over = true;
    if (!me.ending)
      fail("the association", "it has been ended by the other side");
  }
}

static bool reply_is_next(void)
{
  char byte;
  struct iovec space = {&byte, 1};
  struct msghdr header = {.msg_iov = &space, .msg_iovlen = 1};
  return recvmsg(me.fd, &header, MSG_PEEK | MSG_DONTWAIT) > 0 && !(header.msg_flags & MSG_NOTIFICATION);
}

static void hear(void)
{
  const char *bytes;
  for (;;) {
    me.waiting = !me.reads && reply_is_next();
    if (me.waiting)
      return;
    receive(me.fd, &got);
    if (got.size < 0)
      return;
    if (got.notification) {
      print_event(&got);
      told(&parts, &got.space.event);
      if (got.space.event.sn_header.sn_type == SCTP_ASSOC_CHANGE)
        changed(&got.space.event.sn_assoc_change);
      continue;
    }
    size_t length = add(&parts, &got, &bytes);
    if (length > LARGEST)
      fail("a reply", "it is too long");
    if (!got.ends)
      continue;
    show(bytes, length);
    if (bytes[length - 1] != '\n')
      show("\n", 1);
    drop(&parts, got.info.rcv_assoc_id);
    me.heard++;
  }
}

int main(int argc, char **argv)
{
  const char *how = "shutdown", *reason = "", *line = NULL;
  int option, ms = 0;
  uint16_t port = DEFAULT_PORT;
  size_t length = 0;
  static struct lines input;
  while ((option = next_option(argc, argv, "e:r:t:p:", usage)) != -1)
    if (option == 'e')
      how = optarg;
    else if (option == 'r')
      reason = optarg;
    else if (option == 't')
      ms = parse_number(optarg, 20, 100000, "MS", usage);
    else
      port = parse_port(optarg, 1, usage);
  me.reads = strcmp(how, "unread") != 0;
  if (argc != optind + 1 || strstr(" shutdown abort unread ", how) == NULL || strlen(how) < 5)
    usage_error(usage, "a HOST, and before it %s", "options");
  signal(SIGPIPE, SIG_IGN);
  struct addrinfo *all = me.address = resolve_host(argv[optind], port);
  me.fd = socket(AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP);
  struct sctp_rtoinfo timeouts = {.srto_initial = 800};
  struct sctp_initmsg patience = {.sinit_max_attempts = 3, .sinit_max_init_timeo = 1000};
  set(me.fd, SCTP_RTOINFO, &timeouts, sizeof timeouts);
  set(me.fd, SCTP_INITMSG, &patience, sizeof patience);
  subscribe_to_all(me.fd);
  if (ms > 0)
    shorten(me.fd, ms);

  for (;;) {
    if (length == 0)
      lines_next(&input, &line, &length);
    if (input.ended && length == 0 && (me.reads ? me.heard == me.sent : me.sent == 0 || me.waiting))
      break;
    bool may = length > 0 && (!me.called || (me.up && (!me.reads || me.sent < me.heard + 8)));
    struct pollfd fds[] = {{.fd = me.waiting ? -1 : me.fd, .events = POLLIN},
                           {.fd = length > 0 || input.ended ? -1 : 0, .events = POLLIN}};
    if (may) {
      ssize_t n = put(me.fd, me.address->ai_addr, me.address->ai_addrlen, (struct sctp_sndinfo){0}, line, length);
      if (n >= 0 && me.called) {
        me.sent++;
        length = 0;
        continue;
      }
      if (n < 0 && !me.called)
        fail("sending", strerror(errno));
      if (n < 0 && errno == EAGAIN && !me.reads)
        fail("sending", "the server takes no more as long as we read nothing");
      me.called = true;
    }
    bool was_up = me.up;
    poll(fds, 2, may ? 20 : 1000);
    hear();
    if (me.up && !was_up)
      length = 0; /* it went with the COOKIE ECHO */
    if (fds[1].revents != 0)
      lines_read(&input);
  }

  me.ending = true;
  if (me.up && me.reads) {
    bool aborts = strcmp(how, "abort") == 0;
    put(me.fd, me.address->ai_addr, me.address->ai_addrlen,
        (struct sctp_sndinfo){.snd_flags = aborts ? SCTP_ABORT : SCTP_EOF}, reason, aborts ? strlen(reason) : 0);
    for (int i = 0; !me.over; i++) {
      struct pollfd more = {.fd = me.fd, .events = POLLIN};
      if (i > 50)
        fail("goodbye", "the server does not agree");
      poll(&more, 1, 100);
      hear();
    }
  }
  close(me.fd);
  freeaddrinfo(all);
  return 0;
}
