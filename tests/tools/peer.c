// peer - an SCTP client for the tests, which does exactly what it is told and reports what comes
//
// Usage: peer [OPTION]... HOST PORT ACTION...
//   -t         TCP instead of SCTP
//   -n COUNT   so many associations at once; each action is done on all before the next
//   -o STREAMS asks for so many streams to send on, -i STREAMS accepts at most so many
//   -m SIZE    fragments of at most so many bytes
//   -b ADDRESS binds to this address and -l PORT to this port
//   -d         all notifications are printed as "event TYPE"; else only the end is known
//   -x         streams and the association can be reset, AUTH is offered
//   -A NUMBER  sends this adaptation indication
//   -r REASON  abort gives this reason
//   -v         messages are printed as "message LENGTH stream S ppid P: TEXT" or "... unordered: TEXT"
// Actions:
//   on:S:P:F   what is sent from now on goes on stream S with PPID P (in host byte order), flags F: "u" or nothing
//   text:TEXT  sends the text as one message
//   send:SIZE  sends one message of so many bytes
//   recv       receives one message:             prints "message LENGTH: TEXT" (the text only up to 100 bytes)
//   same       receives one message, which must be the one sent last on this association; prints nothing
//   slow:N:MS  receives N messages, each MS milliseconds after the one before; prints "N slowly"
//   sip:B:MS   receives B bytes at a time from now on, and MS milliseconds after those before
//   reset      resets the streams that it sends on, tsn: the association (RFC 6525); streams:N adds N to send on
//   linger     its end is an abort, also where it is killed
//   flood      sends messages of 10,000 bytes, reading nothing, until no more fit for a while; prints "full"
//   ask:A|B    sends these texts in turn, reading nothing, until the association has ended; prints "no more"
//   end        waits for the end:                prints "shutdown", or "lost cause=N reason=TEXT"
//   shut       shuts the association down, and does not wait
//   abort      aborts the association
//   wait       waits for the end of standard input
//   line       waits for a line of standard input
//   print:TEXT prints the text
// Each wait ends after 30 seconds with exit status 1.
//
// Compile:  cc -I../../common -o peer peer.c ../../common/*.c -lsctp
#include "address.h"
#include "sctp_compat.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { LARGEST = 300000, FLOOD_SIZE = 10000, FLOOD_MOST = 5000, FLOOD_MS = 300 };

struct peer {
  int fd, number;
  size_t sent; /* length of the last message */
  struct sctp_rcvinfo from;
};

static bool tcp, verbose, events;
static const char *reason;
static struct sctp_sndinfo info;
static size_t mouthful = LARGEST; /* bytes that are received at a time */
static int pause_ms;              /* before each time */

static void fill(char *bytes, size_t length, int number)
{
  for (size_t i = 0; i < length; i++)
    bytes[i] = (char)(i * 7 + i / 256 + (size_t)number * 13);
}

static void send_message(struct peer *peer, const char *bytes, size_t length)
{
  struct iovec message = {(char *)bytes, length};
  ssize_t n = tcp ? send(peer->fd, bytes, length, MSG_NOSIGNAL)
                  : sctp_sendv(peer->fd, &message, 1, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0);
  if (n != (ssize_t)length)
    err(1, "send");
  peer->sent = length;
}

/* Receives a message, or the notification of the end. Returns its length, 0 at the end. */
static size_t receive(struct peer *peer, char *bytes, bool print_end)
{
  size_t length = 0;
  for (;;) {
    struct iovec space = {bytes + length, LARGEST - length < mouthful ? LARGEST - length : mouthful};
    poll(NULL, 0, pause_ms);
    struct msghdr header = {.msg_iov = &space, .msg_iovlen = 1};
    socklen_t no_address = 0, from_size = sizeof peer->from;
    unsigned type = 0;
    ssize_t n =
        tcp ? recvmsg(peer->fd, &header, 0)
            : sctp_recvv(peer->fd, &space, 1, NULL, &no_address, &peer->from, &from_size, &type, &header.msg_flags);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      errx(1, "nothing came for 30 seconds");
    if (n <= 0) {
      if (print_end)
        printf(n == 0 ? "shutdown\n" : "lost\n");
      return 0;
    }
    if (header.msg_flags & MSG_NOTIFICATION) {
      struct sctp_assoc_change *change = (void *)(bytes + length);
      if (events)
        printf("event %x\n", change->sac_type);
      if (change->sac_type != SCTP_ASSOC_CHANGE || change->sac_state != SCTP_COMM_LOST)
        continue;
      size_t info = (size_t)n - sizeof *change;
      if (print_end)
        printf("lost cause=%d reason=%.*s\n", ntohs(change->sac_error), info > 4 ? (int)info - 4 : 0,
               (char *)change->sac_info + 4);
      return 0;
    }
    length += (size_t)n;
    if (tcp || header.msg_flags & MSG_EOR)
      return length;
  }
}

/* Sends until there has been no room for a while: then it is the other end that takes no more, not the processor. */
static void flood(int fd, const char *bytes)
{
  struct pollfd room = {.fd = fd, .events = POLLOUT};
  for (int sent = 0; sent < FLOOD_MOST && poll(&room, 1, FLOOD_MS) > 0; sent++)
    if (send(fd, bytes, FLOOD_SIZE, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
      return;
}

static void act(struct peer *peer, const char *action)
{
  static char bytes[LARGEST], expected[LARGEST];
  if (strncmp(action, "on:", 3) == 0) {
    unsigned stream = 0, ppid = 0;
    char flags[8] = "";
    sscanf(action, "on:%u:%u:%7s", &stream, &ppid, flags);
    info = (struct sctp_sndinfo){.snd_sid = (uint16_t)stream, .snd_ppid = htonl(ppid)};
    info.snd_flags = strchr(flags, 'u') != NULL ? SCTP_UNORDERED : 0;
  } else if (strcmp(action, "reset") == 0) {
    struct sctp_reset_streams streams = {.srs_flags = SCTP_STREAM_RESET_OUTGOING};
    if (setsockopt(peer->fd, IPPROTO_SCTP, SCTP_RESET_STREAMS, &streams, sizeof streams) < 0)
      err(1, "SCTP_RESET_STREAMS");
  } else if (strcmp(action, "tsn") == 0) {
    sctp_assoc_t association = 0;
    if (setsockopt(peer->fd, IPPROTO_SCTP, SCTP_RESET_ASSOC, &association, sizeof association) < 0)
      err(1, "SCTP_RESET_ASSOC");
  } else if (strncmp(action, "streams:", 8) == 0) {
    struct sctp_add_streams more = {.sas_outstrms = (uint16_t)atoi(action + 8)};
    if (setsockopt(peer->fd, IPPROTO_SCTP, SCTP_ADD_STREAMS, &more, sizeof more) < 0)
      err(1, "SCTP_ADD_STREAMS");
  } else if (strcmp(action, "linger") == 0) {
    struct linger now = {.l_onoff = 1};
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  } else if (strncmp(action, "text:", 5) == 0) {
    send_message(peer, action + 5, strlen(action + 5));
  } else if (strncmp(action, "send:", 5) == 0) {
    size_t length = strtoul(action + 5, NULL, 10);
    fill(bytes, length, peer->number);
    send_message(peer, bytes, length);
  } else if (strcmp(action, "recv") == 0) {
    size_t length = receive(peer, bytes, true);
    char way[80] = "";
    if (verbose)
      snprintf(way, sizeof way, " stream %u ppid %u%s", peer->from.rcv_sid, ntohl(peer->from.rcv_ppid),
               peer->from.rcv_flags & SCTP_UNORDERED ? " unordered" : "");
    if (length > 0)
      printf("message %zu%s: %.*s\n", length, way, length <= 100 ? (int)length : 0, bytes);
  } else if (strncmp(action, "sip:", 4) == 0) {
    sscanf(action, "sip:%zu:%d", &mouthful, &pause_ms);
  } else if (strncmp(action, "slow:", 5) == 0) {
    unsigned count = 0, pause_ms = 0, i = 0;
    sscanf(action, "slow:%u:%u", &count, &pause_ms);
    while (i < count && receive(peer, bytes, true) > 0) {
      i++;
      poll(NULL, 0, (int)pause_ms);
    }
    printf("%u slowly\n", i);
  } else if (strcmp(action, "same") == 0) {
    fill(expected, peer->sent, peer->number);
    size_t length = receive(peer, bytes, true);
    if (length != peer->sent || memcmp(bytes, expected, length) != 0)
      errx(1, "association %d: sent %zu bytes, and another %zu came back", peer->number, peer->sent, length);
  } else if (strcmp(action, "flood") == 0) {
    flood(peer->fd, bytes);
    printf("full\n");
  } else if (strncmp(action, "ask:", 4) == 0) {
    const char *text = action + 4;
    for (size_t length; send(peer->fd, text, length = strcspn(text, "|"), MSG_NOSIGNAL) > 0;)
      text = text[length] == '|' ? text + length + 1 : action + 4;
    printf("no more\n");
  } else if (strcmp(action, "end") == 0) {
    while (receive(peer, bytes, true) > 0)
      ;
  } else if (strcmp(action, "shut") == 0) {
    shutdown(peer->fd, SHUT_WR);
  } else if (strcmp(action, "abort") == 0) {
    struct iovec words = {(char *)reason, reason != NULL ? strlen(reason) : 0};
    struct sctp_sndinfo how = {.snd_flags = SCTP_ABORT};
    if (reason != NULL)
      sctp_sendv(peer->fd, &words, 1, NULL, 0, &how, sizeof how, SCTP_SENDV_SNDINFO, 0);
    act(peer, "linger");
    close(peer->fd);
  } else if (strcmp(action, "wait") == 0) {
    while (read(STDIN_FILENO, bytes, sizeof bytes) > 0)
      ;
  } else if (strcmp(action, "line") == 0) {
    while (read(STDIN_FILENO, bytes, 1) > 0 && bytes[0] != '\n')
      ;
  } else if (strncmp(action, "print:", 6) == 0) {
    printf("%s\n", action + 6);
  } else {
    errx(2, "unknown action %s", action);
  }
}

static void set_option(int fd, int option, const char *name, const void *value, socklen_t size)
{
  if (setsockopt(fd, IPPROTO_SCTP, option, value, size) < 0)
    err(1, "%s", name);
}

/* Gives the only association of a one-to-many socket a descriptor of its own. */
static int peel_off(int fd)
{
  union {
    struct sctp_assoc_ids ids;
    char bytes[sizeof(struct sctp_assoc_ids) + sizeof(sctp_assoc_t)];
  } list;
  socklen_t size = sizeof list;
  if (getsockopt(fd, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, &list, &size) < 0)
    err(1, "SCTP_GET_ASSOC_ID_LIST");
  int peeled = sctp_peeloff(fd, list.ids.gaids_assoc_id[0]);
  if (peeled < 0)
    err(1, "sctp_peeloff");
  struct timeval limit = {.tv_sec = 30};
  setsockopt(peeled, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return peeled;
}

int main(int argc, char **argv)
{
  int count = 1, option, fragment = 0, local_port = 0;
  uint32_t adaptation = 0;
  bool extensions = false;
  const char *local = NULL;
  struct sctp_initmsg streams = {0};
  while ((option = getopt(argc, argv, "+tn:o:i:m:b:l:dxA:r:v")) != -1)
    switch (option) {
    case 't':
      tcp = true;
      break;
    case 'n':
      count = atoi(optarg);
      break;
    case 'o':
      streams.sinit_num_ostreams = (uint16_t)atoi(optarg);
      break;
    case 'i':
      streams.sinit_max_instreams = (uint16_t)atoi(optarg);
      break;
    case 'm':
      fragment = atoi(optarg);
      break;
    case 'b':
      local = optarg;
      break;
    case 'l':
      local_port = atoi(optarg);
      break;
    case 'd':
      events = true;
      break;
    case 'x':
      extensions = true;
      break;
    case 'A':
      adaptation = (uint32_t)strtoul(optarg, NULL, 10);
      break;
    case 'r':
      reason = optarg;
      break;
    case 'v':
      verbose = true;
      break;
    default:
      return 2;
    }
  if (argc - optind < 2)
    errx(2, "HOST PORT ACTION...");
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN);

  struct addrinfo *address = resolve_host(argv[optind], (uint16_t)atoi(argv[optind + 1]));
  struct peer *peers = calloc((size_t)count, sizeof *peers);
  struct timeval limit = {.tv_sec = 30};
  if (peers == NULL)
    err(1, "calloc");
  for (int i = 0; i < count; i++) {
    peers[i].number = i;
    int fd = peers[i].fd =
        socket(address->ai_family, reason != NULL ? SOCK_SEQPACKET : SOCK_STREAM, tcp ? IPPROTO_TCP : IPPROTO_SCTP);
    const int on = 1;
    if (!tcp) {
      set_option(fd, SCTP_RECVRCVINFO, "SCTP_RECVRCVINFO", &on, sizeof on);
      set_option(fd, SCTP_NODELAY, "SCTP_NODELAY", &on, sizeof on); /* what has been sent has left */
      set_option(fd, SCTP_INITMSG, "SCTP_INITMSG", &streams, sizeof streams);
      if (fragment > 0)
        set_option(fd, SCTP_MAXSEG, "SCTP_MAXSEG", &fragment, sizeof fragment);
      if (adaptation > 0)
        set_option(fd, SCTP_ADAPTATION_LAYER, "SCTP_ADAPTATION_LAYER", &adaptation, sizeof adaptation);
      if (extensions) {
        const struct sctp_assoc_value yes = {.assoc_value = 1}, all = {.assoc_value = 7};
        set_option(fd, SCTP_RECONFIG_SUPPORTED, "SCTP_RECONFIG_SUPPORTED", &yes, sizeof yes);
        set_option(fd, SCTP_ENABLE_STREAM_RESET, "SCTP_ENABLE_STREAM_RESET", &all, sizeof all);
        set_option(fd, SCTP_AUTH_SUPPORTED, "SCTP_AUTH_SUPPORTED", &yes, sizeof yes);
      }
      for (uint16_t type = SCTP_ASSOC_CHANGE; type <= (events ? SCTP_STREAM_CHANGE_EVENT : SCTP_ASSOC_CHANGE); type++) {
        const struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = type, .se_on = 1};
        set_option(fd, SCTP_EVENT, "SCTP_EVENT", &event, sizeof event);
      }
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (local != NULL || local_port > 0) {
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      struct addrinfo *from = resolve_host(local != NULL ? local : "0.0.0.0", (uint16_t)local_port);
      if (bind(fd, from->ai_addr, from->ai_addrlen) < 0)
        err(1, "bind");
      freeaddrinfo(from);
    }
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
      err(1, "connect");
    if (reason != NULL) /* one-to-one sockets cannot give one, but those that have been peeled off can */
      peers[i].fd = peel_off(fd);
  }
  freeaddrinfo(address);
  for (int i = optind + 2; i < argc; i++)
    for (int p = 0; p < count; p++)
      act(&peers[p], argv[i]);
  free(peers);
  return 0;
}
