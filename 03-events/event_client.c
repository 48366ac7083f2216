// event_client - stage 03: sends each line of its input and prints the replies, with everything that the kernel tells
//
// At the end of its input it ends the association in one of three ways, for the server to tell apart.
//
// Compile:  cc -I../common -o event_client event_client.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './event_server & sleep 1; echo hello | ./event_client localhost'
#include "address.h"
#include "associations.h"
#include "deadline.h"
#include "lines.h"
#include "notification.h"
#include "options.h"
#include "reassembly.h"
#include "show.h"
#include "timeouts.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/sctp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALL_S = 9, RTO_MS = 1000, GOODBYE_MS = 5000, UNANSWERED_MAX = 32, REASON_MAX = 1000 };

static const char usage[] =
    "usage: event_client [-e shutdown|abort|unread] [-r REASON] [-t MS] [-p PORT] HOST\n"
    "Sends each line of standard input as one message; prints the replies and all notifications.\n"
    "  -e shutdown  ends the association gracefully, when all is answered (the default)\n"
    "  -e abort     aborts it then, for the REASON of -r\n"
    "  -e unread    closes the socket with the last reply unread\n"
    "  -t MS        wait no longer than so many milliseconds for an acknowledgement, not a minute\n"
    "  -p PORT      the server's port (default 2013)\n";

struct client {
  int fd;
  const char *host;
  uint16_t port;
  bool reads;                                /* replies; else they stay in the socket */
  struct addrinfo *address;                  /* of the server: the one in use, and those that may be tried after it */
  enum { UNCALLED, CALLED, UP, OVER } state; /* of the association */
  sctp_assoc_t association;
  deadline refused_before; /* an answer before this is a refusal */
  const char *line;        /* to be sent */
  size_t length;           /* 0: none */
  size_t sent, answered;
  bool ending;    /* we have ended the association */
  bool unread;    /* a reply stays in the socket */
  bool truncated; /* the rest of a notification is still to come */
  struct reassembly unfinished;
};

/* Returns a one-to-many socket: a one-to-one socket would not tell of an association that could not be set up. */
static int open_socket(const struct addrinfo *addresses, int timeout_ms)
{
  // exercise: Open a one-to-many socket as echo_client of stage 02 does, and subscribe_to_all(). How often an INIT is
  // sent (SCTP_INITMSG: RFC 6458, 8.1.3) is to let each of the addresses have its turn within CALL_S seconds.
  const int on = 1;
  int count = 0;
  for (const struct addrinfo *address = addresses; address != NULL; address = address->ai_next)
    count++;
  struct local_addresses any = {0};
  local_resolve(&any, 0);
  int fd = socket(any.family, SOCK_SEQPACKET, IPPROTO_SCTP);
  if (fd < 0)
    err(1, "socket");
  const struct sctp_rtoinfo timeouts = {.srto_initial = RTO_MS};
  const struct sctp_initmsg patience = {.sinit_max_attempts = (uint16_t)(2 * count < CALL_S ? CALL_S / count - 1 : 1),
                                        .sinit_max_init_timeo = RTO_MS};
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_RTOINFO, &timeouts, sizeof timeouts) < 0)
    err(1, "SCTP_RTOINFO");
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_INITMSG, &patience, sizeof patience) < 0)
    err(1, "SCTP_INITMSG");
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on) < 0)
    err(1, "SCTP_RECVRCVINFO");
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) < 0)
    err(1, "SCTP_NODELAY");
  subscribe_to_all(fd, false);
  // until then: (void)addresses; int fd = -1; errx(3, "open_socket() is to be written");
  if (timeout_ms > 0)
    shorten_timeouts(fd, timeout_ms);
  if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
    err(1, "O_NONBLOCK");
  return fd;
}

/* The address in use does not do: the next one is tried, if there is one. */
static void next_address(struct client *client, int reason)
{
  client->state = UNCALLED;
  client->address = client->address->ai_next;
  if (client->address == NULL)
    errx(1, "cannot reach %s port %u: %s", client->host, client->port, strerror(reason));
}

/* What the state of the association means for us; it has been printed. */
static void take_change(struct client *client, const struct sctp_assoc_change *change)
{
  switch (change->sac_state) {
  case SCTP_COMM_UP:
    client->state = UP;
    client->association = change->sac_assoc_id;
    client->sent++; /* the line that has set it up */
    client->length = 0;
    break;
  case SCTP_CANT_STR_ASSOC:
    next_address(client, deadline_left(client->refused_before) > 0 ? ECONNREFUSED : ETIMEDOUT);
    break;
  case SCTP_RESTART:
    errx(1, "the server has begun anew");
  default:
    client->state = OVER;
    if (!client->ending)
      errx(1, "the server has ended the association");
  }
}

/* Returns true where the next thing in the socket is a reply, not a notification. */
static bool reply_is_next(int fd)
{
  char byte;
  struct iovec space = {&byte, 1};
  struct msghdr header = {.msg_iov = &space, .msg_iovlen = 1};
  return recvmsg(fd, &header, MSG_PEEK) >= 0 && !(header.msg_flags & MSG_NOTIFICATION);
}

/* Receives a notification or a reply, or a piece of one, and prints it. Returns false where there is none to read. */
static bool hear(struct client *client)
{
  client->unread = !client->reads && reply_is_next(client->fd);
  if (client->unread)
    return false;

  static union {
    union sctp_notification event;
    char bytes[MESSAGE_MAX];
  } buffer;
  // exercise: Receive, as the server does. Print a notification; when it is whole, take_change() looks at it, if it is
  // SCTP_ASSOC_CHANGE (RFC 6458, 6.1.1), and reassembly_notified(). Of the rest make whole replies. TUTORIAL.md, stage
  // 03: "Which news may a server not miss?".
  struct iovec space = {&buffer, sizeof buffer};
  struct sctp_rcvinfo info = {0};
  socklen_t info_size = sizeof info, no_address = 0;
  unsigned info_type = SCTP_RECVV_NOINFO;
  int flags = 0;
  ssize_t n = sctp_recvv(client->fd, &space, 1, NULL, &no_address, &info, &info_size, &info_type, &flags);
  if (n < 0 && errno != EINTR && errno != EAGAIN)
    err(1, "sctp_recvv");
  if (n < 0)
    return false;
  if (flags & MSG_NOTIFICATION) {
    bool begins = !client->truncated;
    client->truncated = !(flags & MSG_EOR);
    if (!begins)
      return true; /* the rest of one that did not fit the buffer */
    print_notification(&buffer.event, (size_t)n, flags & MSG_EOR);
    fflush(stdout);
    if (buffer.event.sn_header.sn_type == SCTP_ASSOC_CHANGE && !client->truncated)
      take_change(client, &buffer.event.sn_assoc_change);
    if (!client->truncated)
      reassembly_notified(&client->unfinished, &buffer.event);
    return true;
  }
  size_t length = (size_t)n;
  const char *reply = reassemble(&client->unfinished, info.rcv_assoc_id, buffer.bytes, &length, flags & MSG_EOR);
  // until then: size_t length = 0; const char *reply = NULL; (void)buffer; (void)take_change; errx(3, "hear() is to be
  // written");
  if (reply == NULL && length > MESSAGE_MAX)
    errx(1, "a reply of more than %d bytes came", MESSAGE_MAX);
  if (reply != NULL) {
    show(reply, length);
    if (length == 0 || reply[length - 1] != '\n')
      show("\n", 1); /* what comes next is a line of its own */
    client->answered++;
  }
  return true;
}

/* Returns false where so much has not been answered that we had better read first; who does not read may always. */
static bool may_say_more(const struct client *client)
{
  return !client->reads || client->sent - client->answered < UNANSWERED_MAX;
}

/* Sends the line, if that can be now; the first one sets up the association. Returns true when it has been sent. */
static bool say(struct client *client)
{
  // exercise: Send the line: the first one to the address, which sets up the association (RFC 6458, 7.5), the others to
  // its id, as in stage 02. Where that fails the next_address() is tried; where it has ended, what is in the socket
  // says why.
  struct iovec bytes = {(char *)client->line, client->length};
  struct sctp_sndinfo to = {.snd_assoc_id = client->association};
  while (client->state == UNCALLED && client->length > 0) {
    if (sctp_sendv(client->fd, &bytes, 1, client->address->ai_addr, 1, NULL, 0, SCTP_SENDV_NOINFO, 0) < 0) {
      next_address(client, errno);
    } else {
      client->state = CALLED;
      client->refused_before = deadline_in(RTO_MS);
    }
  }
  if (client->state != UP || client->length == 0 || !may_say_more(client))
    return false;
  if (sctp_sendv(client->fd, &bytes, 1, NULL, 0, &to, sizeof to, SCTP_SENDV_SNDINFO, 0) < 0) {
    if (errno != EAGAIN && errno != EINTR)
      client->reads = true; /* it has ended: what is in the socket says why */
    return false;
  }
  client->sent++;
  client->length = 0;
  return true;
  // until then: (void)client; return false;
}

/* Talks until the input is over, and all has been answered, or there is a reply that is not to be read. */
static void talk(struct client *client)
{
  static struct lines input;
  for (;;) {
    if (client->length == 0)
      lines_next(&input, &client->line, &client->length);
    if (say(client))
      continue;
    bool answered = client->reads || client->sent == 0 ? client->answered == client->sent : client->unread;
    if (input.ended && client->length == 0 && answered)
      return;
    short readable = client->unread ? 0 : POLLIN;
    bool full = client->state == UP && client->length > 0 && may_say_more(client);
    struct pollfd fds[] = {{.fd = client->fd, .events = full ? readable | POLLOUT : readable},
                           {.fd = client->length > 0 || input.ended ? -1 : STDIN_FILENO, .events = POLLIN}};
    if (client->unread && full)
      errx(1, "the server takes no more for now, and we read nothing: closed with the rest of the input unsaid");
    if (poll(fds, 2, -1) < 0)
      continue;
    if (fds[0].revents != 0)
      while (hear(client))
        ;
    if (fds[1].revents != 0)
      lines_read(&input);
  }
}

/* We have ended the association: prints what comes until that is done. */
static void await_end(struct client *client)
{
  struct pollfd fds = {.fd = client->fd, .events = POLLIN};
  deadline give_up = deadline_in(GOODBYE_MS);
  while (client->state != OVER) {
    if (poll(&fds, 1, deadline_left(give_up)) == 0)
      errx(1, "the server does not agree to end the association");
    while (hear(client))
      ;
  }
}

int main(int argc, char **argv)
{
  struct client client = {.port = DEFAULT_PORT, .reads = true};
  const char *how = "shutdown", *reason = NULL;
  int option, timeout_ms = 0;

  while ((option = next_option(argc, argv, "e:r:t:p:", usage)) != -1)
    switch (option) {
    case 'e':
      how = optarg;
      break;
    case 'r':
      reason = optarg;
      break;
    case 't':
      timeout_ms = parse_number(optarg, TIMEOUT_LEAST_MS, TIMEOUT_MOST_MS, "a timeout in milliseconds", usage);
      break;
    case 'p':
      client.port = parse_port(optarg, 1, usage);
    }
  if (strcmp(how, "shutdown") != 0 && strcmp(how, "abort") != 0 && strcmp(how, "unread") != 0)
    usage_error(usage, "-e takes shutdown, abort or unread, not '%s'", how);
  if (reason != NULL && strcmp(how, "abort") != 0)
    usage_error(usage, "-r %s: only -e abort has a reason", reason);
  if (reason != NULL && strlen(reason) > REASON_MAX)
    usage_error(usage, "a reason has at most %d bytes", REASON_MAX);
  if (optind == argc)
    usage_error(usage, "no HOST given");
  if (argc - optind > 1)
    usage_error(usage, "one HOST only, not also '%s'", argv[optind + 1]);

  setvbuf(stdout, NULL, _IOLBF, 0);
  client.host = argv[optind];
  client.reads = strcmp(how, "unread") != 0;
  struct addrinfo *addresses = client.address = resolve_host(client.host, client.port);
  client.fd = open_socket(addresses, timeout_ms);
  talk(&client);

  client.ending = true;
  if (client.state == UP && strcmp(how, "shutdown") == 0) {
    end_associations(client.fd, SCTP_EOF);
    await_end(&client);
  } else if (client.state == UP && strcmp(how, "abort") == 0) {
    abort_association(client.fd, client.association, reason != NULL ? reason : "");
    await_end(&client);
  }
  close(client.fd); /* with a reply unread in it: an abort */
  freeaddrinfo(addresses);
  reassembly_end(&client.unfinished);
  return EXIT_SUCCESS;
}
