// echo_client - stage 02: sends each line of its input to every server that it is given, and prints their replies
//
// One one-to-many socket talks to them all. No connect: the first message to an address sets up the association. Every
// server is served at its own pace, and one that is not there does not stop the others.
//
// Compile:  cc -I../common -o echo_client echo_client.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './echo_server & sleep 1; echo hello | ./echo_client localhost'
#include "address.h"
#include "deadline.h"
#include "feed.h"
#include "options.h"
#include "reason.h"
#include "reassembly.h"
#include "show.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/sctp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALL_S = 9, RTO_MS = 1000, GOODBYE_MS = 5000, UNANSWERED_MAX = 32 };

static const char usage[] =
    "usage: echo_client [-p PORT] HOST[:PORT]...\n"
    "Sends each line of standard input to every server, and prints replies as HOST[:PORT]: reply.\n"
    "An IPv6 address is written in brackets: [::1] or [::1]:2014.\n"
    "  -p PORT  the port of servers for which none is given (default 2013)\n";

struct server {
  const char *name;                                   /* the operand, as it was typed */
  struct addrinfo *addresses, *address;               /* all that it has, and the one in use */
  enum { GONE, UNCALLED, CALLED, UP, LEAVING } state; /* of the association with it */
  sctp_assoc_t association;                           /* from UP on */
  deadline refused_before;                            /* an answer before this is a refusal */
  size_t sent, answered;                              /* lines */
};

struct client {
  int fd, count;
  struct server *servers;
  struct feed input;
  struct reassembly unfinished;
  bool failed;
};

static void set_option(int fd, int option, const char *name, const void *value, socklen_t size)
{
  if (setsockopt(fd, IPPROTO_SCTP, option, value, size) < 0)
    err(1, "%s", name);
}

/* Returns a one-to-many socket for all servers, of IPv4 and IPv6 (where there is IPv6). */
static int open_socket(void)
{
  // exercise: Open one one-to-many socket for all servers (RFC 6458, 3.1.1), with the options and notifications of this
  // stage's echo_server, but SCTP_INITMSG. The first timeout is RTO_MS (SCTP_RTOINFO, 8.1.1).
  const int on = 1;
  struct local_addresses any = {0};
  local_resolve(&any, 0);
  int fd = socket(any.family, SOCK_SEQPACKET, IPPROTO_SCTP);
  if (fd < 0)
    err(1, "socket");
  set_option(fd, SCTP_RECVRCVINFO, "SCTP_RECVRCVINFO", &on, sizeof on);
  set_option(fd, SCTP_FRAGMENT_INTERLEAVE, "SCTP_FRAGMENT_INTERLEAVE", &on, sizeof on);
  set_option(fd, SCTP_NODELAY, "SCTP_NODELAY", &on, sizeof on);
  /* How long to wait for an answer before there is a measured time (RFC 6458, 8.1.1): Linux would wait for 3 s. */
  const struct sctp_rtoinfo timeouts = {.srto_initial = RTO_MS};
  set_option(fd, SCTP_RTOINFO, "SCTP_RTOINFO", &timeouts, sizeof timeouts);
  /* Associations that come up, fail and end are told among the messages: stage 03 has more of this. */
  static const struct sctp_event events[] = {
      {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1},
      {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_PARTIAL_DELIVERY_EVENT, .se_on = 1}};
  for (size_t i = 0; i < sizeof events / sizeof *events; i++)
    set_option(fd, SCTP_EVENT, "SCTP_EVENT", &events[i], sizeof events[i]);
  // until then: int fd = -1; errx(3, "open_socket() is to be written");
  /* Who waits for one server cannot hear the others; and libsctp 1.0.19 does not hand MSG_DONTWAIT on. */
  if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
    err(1, "O_NONBLOCK");
  return fd;
}

/* Nothing comes from this server any more. The others go on. */
static void give_up(struct client *client, struct server *server, const char *reason)
{
  fflush(stdout);
  warnx("%s: %s", server->name, reason);
  client->failed = true;
  server->state = GONE;
}

/* The address in use does not do: the next line goes to the next one, if there is one. */
static void next_address(struct client *client, struct server *server, const char *reason)
{
  server->address = server->address->ai_next;
  server->state = UNCALLED;
  if (server->address == NULL)
    give_up(client, server, reason);
}

/*
 * Returns true where there is an association with this address, and its id (RFC 6458, 8.2.2). After an implicit set-up
 * it has one only when it is up: until then it is 0.
 */
static bool find_association(int fd, const struct addrinfo *address, sctp_assoc_t *association)
{
  // exercise: Ask the kernel about the peer's address: SCTP_GET_PEER_ADDR_INFO (RFC 6458, 8.2.2).
  struct sctp_paddrinfo info = {0};
  socklen_t size = sizeof info;
  memcpy(&info.spinfo_address, address->ai_addr, address->ai_addrlen);
  if (getsockopt(fd, IPPROTO_SCTP, SCTP_GET_PEER_ADDR_INFO, &info, &size) < 0)
    return false;
  *association = info.spinfo_assoc_id;
  return true;
  // until then: (void)fd; (void)address; *association = 0; return false;
}

/*
 * Sends the first line to a server's address, and no more than that. This sets up the association (RFC 6458, 7.5): an
 * INIT goes out now, and the line when it is answered. Unanswered, it is sent again. By default that goes on for
 * minutes; here for CALL_S seconds, in which each address of the server has its turn.
 */
static ssize_t call(struct client *client, struct server *server, struct iovec *line)
{
  int addresses = 0;
  sctp_assoc_t already;
  if (find_association(client->fd, server->address, &already)) {
    give_up(client, server, "this server has been given twice");
    return 0;
  }
  for (struct addrinfo *address = server->addresses; address != NULL; address = address->ai_next)
    addresses++;
  const struct sctp_initmsg patience = {.sinit_max_attempts =
                                            (uint16_t)(2 * addresses < CALL_S ? CALL_S / addresses - 1 : 1),
                                        .sinit_max_init_timeo = RTO_MS};
  set_option(client->fd, SCTP_INITMSG, "SCTP_INITMSG", &patience, sizeof patience);
  // exercise: Send the line to the address, without an association: this sets one up (RFC 6458, 7.5; sctp_sendv(),
  // 9.12). TUTORIAL.md, stage 02: "Can one socket call, too?".
  ssize_t n = sctp_sendv(client->fd, line, 1, server->address->ai_addr, 1, NULL, 0, SCTP_SENDV_NOINFO, 0);
  // until then: (void)line; ssize_t n = -1;
  if (n >= 0) {
    server->state = CALLED;
    server->refused_before = deadline_in(RTO_MS);
  } else if (errno != EAGAIN) {
    next_address(client, server, strerror(errno));
  }
  return n;
}

/* Sends one server what there is for it. Returns false where the socket has no room. */
static bool send_lines(struct client *client, struct server *server)
{
  struct iovec line;
  while ((server->state == UNCALLED || server->state == UP) && server->sent - server->answered < UNANSWERED_MAX &&
         (line.iov_base = (char *)feed_line(&client->input, server->sent, &line.iov_len)) != NULL) {
    // exercise: Where the association is up, send the line to its id (sctp_sndinfo: RFC 6458, 5.3.4).
    struct sctp_sndinfo to = {.snd_assoc_id = server->association};
    ssize_t n = server->state == UNCALLED
                    ? call(client, server, &line)
                    : sctp_sendv(client->fd, &line, 1, NULL, 0, &to, sizeof to, SCTP_SENDV_SNDINFO, 0);
    // until then: ssize_t n = server->state == UNCALLED ? call(client, server, &line) : -1;
    if (n < 0 && errno == EAGAIN)
      return false;
    if (n < 0 && server->state == UP)
      return true; /* it has ended: a notification will say why */
    server->sent += server->state == UP;
  }
  return true;
}

/* The association of a server that was up has ended: says why, unless we have ended it. */
static void take_end(struct client *client, struct server *server, const struct sctp_assoc_change *change, size_t size)
{
  char reason[REASON_TEXT], text[REASON_TEXT + 40];
  abort_reason(change, size, reason);
  snprintf(text, sizeof text, *reason != '\0' ? "the server has aborted: %s" : "the association is lost%s", reason);
  if (change->sac_state != SCTP_SHUTDOWN_COMP)
    give_up(client, server, text);
  else if (server->state != LEAVING)
    give_up(client, server, "the server has ended the association");
  else
    server->state = GONE;
}

/* An association has come up, or could not be set up, or has ended. */
static void take_change(struct client *client, const struct sctp_assoc_change *change, size_t size)
{
  for (struct server *server = client->servers; server < client->servers + client->count; server++) {
    sctp_assoc_t now;
    if (server->state >= UP && server->association == change->sac_assoc_id) {
      take_end(client, server, change, size);
    } else if (server->state == CALLED && !find_association(client->fd, server->address, &now)) {
      next_address(client, server, strerror(deadline_left(server->refused_before) > 0 ? ECONNREFUSED : ETIMEDOUT));
    } else if (server->state == CALLED && change->sac_state == SCTP_COMM_UP && now == change->sac_assoc_id) {
      server->state = UP;
      server->association = now;
      server->sent++; /* the line that has set it up */
    }
  }
}

/* Receives a reply, or a piece of one, or a notification. Returns false where there is none. */
static bool hear(struct client *client)
{
  static union {
    union sctp_notification event;
    char bytes[MESSAGE_MAX];
  } buffer;
  // exercise: Receive with sctp_recvv() (RFC 6458, 9.13), with the sctp_rcvinfo, which says whose reply it is. Of a
  // notification (MSG_NOTIFICATION) reassembly_notified() learns, and take_change(), if it is SCTP_ASSOC_CHANGE. Of the
  // rest make whole replies with reassemble().
  struct iovec space = {&buffer, sizeof buffer};
  struct sctp_rcvinfo info = {0};
  socklen_t info_size = sizeof info, no_address = 0;
  unsigned info_type = SCTP_RECVV_NOINFO;
  int flags = 0;
  ssize_t n = sctp_recvv(client->fd, &space, 1, NULL, &no_address, &info, &info_size, &info_type, &flags);
  if (n < 0 && errno != EINTR && errno != EAGAIN)
    err(1, "sctp_recvv");
  if (n >= 0 && flags & MSG_NOTIFICATION) {
    reassembly_notified(&client->unfinished, &buffer.event);
    if (buffer.event.sn_header.sn_type == SCTP_ASSOC_CHANGE)
      take_change(client, &buffer.event.sn_assoc_change, (size_t)n);
  }
  if (n < 0 || flags & MSG_NOTIFICATION)
    return n >= 0;

  size_t length = (size_t)n;
  const char *reply = reassemble(&client->unfinished, info.rcv_assoc_id, buffer.bytes, &length, flags & MSG_EOR);
  // until then: struct sctp_rcvinfo info = {0}; size_t length = 0; const char *reply = NULL; (void)buffer;
  // (void)take_change; errx(3, "hear() is to be written");
  for (struct server *server = client->servers; server < client->servers + client->count; server++) {
    if (server->state < UP || server->association != info.rcv_assoc_id)
      continue;
    if (reply != NULL) {
      printf("%s: ", server->name);
      show(reply, length);
      if (length == 0 || reply[length - 1] != '\n')
        show("\n", 1); /* the last line of the input may have none, and the next reply is a line of its own */
      server->answered++;
    } else if (length > MESSAGE_MAX) {
      give_up(client, server, "a reply is too long");
    }
  }
  return true;
}

/* Everything has been said to a server, and answered: ends the association gracefully. */
static void leave(struct client *client, struct server *server)
{
  if (server->state == UNCALLED) {
    server->state = GONE; /* there was nothing to say */
  } else if (server->state == UP) {
    // exercise: Shut the association down: SCTP_EOF in the flags (RFC 6458, 5.3.4).
    struct sctp_sndinfo end = {.snd_assoc_id = server->association, .snd_flags = SCTP_EOF};
    struct iovec nothing = {NULL, 0};
    sctp_sendv(client->fd, &nothing, 1, NULL, 0, &end, sizeof end, SCTP_SENDV_SNDINFO, 0);
    // until then: (void)client;
    server->state = LEAVING;
  }
}

/* Talks until every server has answered everything, or is gone. */
static void talk(struct client *client)
{
  deadline goodbye = NEVER;
  for (;;) {
    bool room = true, talking = false, here = false;
    size_t slowest = SIZE_MAX;
    for (struct server *server = client->servers; server < client->servers + client->count; server++) {
      room = send_lines(client, server) && room;
      if (feed_ends_at(&client->input, server->sent) && server->answered >= server->sent)
        leave(client, server);
      here = here || server->state != GONE;
      talking = talking || (server->state != GONE && server->state != LEAVING);
      if (server->state != GONE && server->sent < slowest)
        slowest = server->sent;
    }
    feed_forget(&client->input, slowest);
    if (!here)
      return;
    if (!talking && goodbye == NEVER)
      goodbye = deadline_in(GOODBYE_MS);
    struct pollfd fds[] = {{.fd = client->fd, .events = room ? POLLIN : POLLIN | POLLOUT},
                           {.fd = feed_descriptor(&client->input), .events = POLLIN}};
    int ready = poll(fds, 2, deadline_left(goodbye));
    if (ready == 0)
      errx(1, "a server does not agree to end the association");
    if (ready > 0 && fds[0].revents & (POLLIN | POLLERR))
      while (hear(client))
        ; /* all that has come, before we say more */
    if (ready > 0 && fds[1].revents != 0)
      feed_read(&client->input);
  }
}

int main(int argc, char **argv)
{
  uint16_t port = DEFAULT_PORT;
  static struct client client;
  int option;

  while ((option = next_option(argc, argv, "p:", usage)) != -1)
    port = parse_port(optarg, 1, usage);
  if (optind == argc)
    usage_error(usage, "no HOST given");

  client.count = argc - optind;
  client.servers = calloc((size_t)client.count, sizeof *client.servers);
  if (client.servers == NULL)
    err(1, "calloc");
  for (int i = 0; i < client.count; i++) {
    struct server *server = &client.servers[i];
    server->name = argv[optind + i];
    server->addresses = server->address = resolve_operand(server->name, port, usage);
    if (server->addresses != NULL)
      server->state = UNCALLED;
    else
      client.failed = true;
  }
  client.fd = open_socket();
  talk(&client);

  for (int i = 0; i < client.count; i++)
    if (client.servers[i].addresses != NULL)
      freeaddrinfo(client.servers[i].addresses);
  free(client.servers);
  feed_forget(&client.input, SIZE_MAX);
  reassembly_end(&client.unfinished);
  return client.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
