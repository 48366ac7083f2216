// fuzz - clients of a chat server that do whatever the SCTP API lets them do, at random
//
// Messages of 1 to 70,000 bytes, mostly small, on any stream, with any PPID, ordered or not, with PR-SCTP's policies;
// from sockets of both styles with random options, buffers, numbers of streams, addresses and extensions; which reset
// streams and associations, add streams and addresses, abort and shut down in the middle, die in the middle of a
// message, read nothing for a while, and read with no events or with all.
//
// Whatever of it the server relays must be whole: a message tells its length and a checksum, so that one that was cut,
// or is longer than the limit, is found out. At the end all leave, and then a fresh pair of clients must hear each
// other.
//
// Usage: fuzz [-g] [-n CLIENTS] [-s SEED] PORT COUNT    COUNT messages from CLIENTS (default 12) on loopback
//   -g  the server gives names, and has rooms and commands: stage 05. They are used, and every line that comes is of
//   it.
// Prints one line of totals. Ends with 1 where the server is not right.
//
// The extensions need their sysctls before the server starts. 100,000 messages:
//   make -C 04-sendall && make -C tests/tools && lab/run --timeout 900 sh -c '
//     for name in auth_enable reconf_enable; do echo 1 >/proc/sys/net/sctp/$name; done
//     04-sendall/chat_server & sleep 1; tests/tools/fuzz 2013 100000'
// The server may be one that was built with -fsanitize=undefined -fno-sanitize-recover.
//
// With addip_enable and addip_noauth_enable clients add and remove addresses too (ASCONF). Linux 6.12 may then stop
// with "Kernel mode fault at addr 0x8c": sctp_v4_addr_valid() wants the route of the ASCONF's packet, and where that is
// one of several that arrived as one (GSO) it has none. It is seldom.
//
// Compile:  cc -I../../common -o fuzz fuzz.c ../../common/*.c -lsctp
#include "chance.h"
#include "fresh_pair.h"
#include "sctp_compat.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 200, LARGEST = 65536, OVER = 70000, SILENCE_S = 30, REFUSED_MAX = 300 };

struct client {
  int fd; /* -1: none */
  bool many, six;
  bool in_pieces; /* a piece of a message has come, and not its end; or it is not sure where messages begin */
  double since, deaf_until;
};

/* What a message of some length begins with: a mark, its length, and the sum of what follows. */
static const char head_format[] = "FZZ! %08x %016llx ";
enum { MARK = 5, HEAD = MARK + 9 + 17 };

static struct chance chance;
static uint16_t port;
static bool names; /* the server gives names */
static struct client clients[CLIENTS_MAX];
static unsigned client_count = 12;
static char buffer[OVER + 1];

static struct {
  unsigned long sent, over, refused, full, heard, checked, notices, commands, joined, shutdowns, aborts, killed, ended,
      operations, deaf, halves;
} total;

/* ---- messages */

/* With names, newlines become blanks on their way. */
static uint64_t sum(const char *bytes, size_t length)
{
  uint64_t hash = 0xcbf29ce484222325;
  for (; length > 0; bytes++, length--)
    hash = (hash ^ (unsigned char)(names && *bytes == '\n' ? ' ' : *bytes)) * 0x100000001b3;
  return hash;
}

static size_t any_length(void)
{
  uint32_t kind = chance_below(&chance, 200);
  if (kind == 0)
    return LARGEST + 1 + chance_below(&chance, OVER - LARGEST);
  if (kind == 1)
    return LARGEST - chance_below(&chance, 3);
  if (kind < 5)
    return 1 + chance_below(&chance, LARGEST);
  if (kind < 20)
    return 1 + chance_below(&chance, 6000);
  return 1 + chance_below(&chance, 300);
}

static void make_message(size_t length)
{
  char head[HEAD + 1];
  chance_fill(&chance, buffer, length);
  if (length < HEAD)
    return;
  if (names && buffer[length - 1] == '\n')
    buffer[length - 1] = '!'; /* which would not come back as a part of the message */
  snprintf(head, sizeof head, head_format, (unsigned)length, (unsigned long long)sum(buffer + HEAD, length - HEAD));
  memcpy(buffer, head, HEAD);
}

/* A command, or what looks like one. Returns its length. */
static size_t make_command(void)
{
  static const char *const begins[] = {"/who",    "/nick ",        "/nick ", "/nick ",       "/",       "/nick",
                                       "/NICK x", "/who is there", "//who",  "/nick guest7", "/ nick x"};
  static const char letters[] = "abcdeABCDE019-_";
  size_t length = (size_t)sprintf(buffer, "%s", begins[chance_below(&chance, sizeof begins / sizeof *begins)]);
  uint32_t more = chance_once_in(&chance, 50) ? chance_below(&chance, 60000) : chance_below(&chance, 20);
  bool binary = chance_once_in(&chance, 3);
  for (; more > 0; more--)
    buffer[length++] =
        binary ? (char)chance_next(&chance) : letters[chance_below(&chance, (uint32_t)sizeof letters - 1)];
  if (chance_once_in(&chance, 2))
    buffer[length++] = '\n';
  total.commands++;
  return length;
}

/* What has come up to MSG_EOR and begins as a message does is one, whole. */
static void check(const char *bytes, size_t length)
{
  unsigned said = 0;
  unsigned long long sum_said = 0;
  char head[HEAD + 1] = "";
  if (names && spoken_strip(&bytes, &length) == 0) {
    total.notices++;
    return;
  }
  if (length < HEAD || memcmp(bytes, head_format, MARK) != 0)
    return;
  memcpy(head, bytes, HEAD);
  if (sscanf(head, head_format, &said, &sum_said) != 2)
    errx(1, "a message of %zu bytes came with a damaged head", length);
  if (length > LARGEST)
    errx(1, "the server has relayed a message of %zu bytes", length);
  if (said != length)
    errx(1, "of a message of %u bytes the server has relayed %zu", said, length);
  if (sum_said != sum(bytes + HEAD, length - HEAD))
    errx(1, "a message of %zu bytes came damaged", length);
  total.checked++;
}

/* ---- clients */

/* Sets an option to a value that may be wrong, whether or not it can be set. */
static void try(int fd, int option, const void *value, socklen_t size)
{
  setsockopt(fd, IPPROTO_SCTP, option, value, size);
  total.operations++;
}

static void try_number(int fd, int option, int value)
{
  try(fd, option, &value, sizeof value);
}

static void try_value(int fd, int option, uint32_t value)
{
  const struct sctp_assoc_value number = {.assoc_id = SCTP_FUTURE_ASSOC, .assoc_value = value};
  try(fd, option, &number, sizeof number);
}

static uint32_t one_of(const uint32_t *values, uint32_t count)
{
  return values[chance_below(&chance, count)];
}
#define ONE_OF(...) one_of((const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* Before it joins. */
static void choose_options(int fd, bool many, bool extended)
{
  struct sctp_initmsg init = {.sinit_num_ostreams = (uint16_t)ONE_OF(0, 1, 2, 10, 100, 1000, 65535),
                              .sinit_max_instreams = (uint16_t)ONE_OF(0, 1, 2, 10, 65535),
                              .sinit_max_attempts = 3};
  if (names) { /* most have all rooms, or few */
    init.sinit_num_ostreams = (uint16_t)ONE_OF(0, 1, 2, 16, 16, 16, 100, 65535);
    init.sinit_max_instreams = (uint16_t)ONE_OF(1, 2, 6, 16, 16, 16, 16, 16, 16, 65535);
  }
  try(fd, SCTP_INITMSG, &init, sizeof init);
  if (chance_once_in(&chance, 3)) {
    int size = (int)ONE_OF(1, 4000, 20000, 100000, 1000000);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  if (chance_once_in(&chance, 3)) {
    int size = (int)ONE_OF(1, 4000, 20000, 100000, 1000000);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  uint32_t which = chance_below(&chance, 4); /* none, the first, all, any */
  for (uint16_t type = SCTP_ASSOC_CHANGE; type <= 0x800f; type++) {
    struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = type, .se_on = 1};
    if (which == 2 || (which == 1 && type == SCTP_ASSOC_CHANGE) || (which == 3 && chance_once_in(&chance, 2)))
      try(fd, SCTP_EVENT, &event, sizeof event);
  }
  static const int numbers[] = {SCTP_NODELAY,           SCTP_RECVRCVINFO,           SCTP_RECVNXTINFO,
                                SCTP_DISABLE_FRAGMENTS, SCTP_AUTO_ASCONF,           SCTP_MAX_BURST,
                                SCTP_CONTEXT,           SCTP_I_WANT_MAPPED_V4_ADDR, SCTP_ADAPTATION_LAYER};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    if (chance_once_in(&chance, numbers[i] == SCTP_DISABLE_FRAGMENTS ? 20 : 4))
      try_number(fd, numbers[i], (int)ONE_OF(0, 1, 1, 2, 1000));
  static const int values[] = {SCTP_RECONFIG_SUPPORTED, SCTP_AUTH_SUPPORTED, SCTP_ASCONF_SUPPORTED,
                               SCTP_PR_SUPPORTED,       SCTP_ECN_SUPPORTED,  SCTP_STREAM_SCHEDULER};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
    if (chance_once_in(&chance, 2))
      try_value(fd, values[i], values[i] == SCTP_STREAM_SCHEDULER ? chance_below(&chance, 6) : ONE_OF(0, 1, 1, 1));
  if (extended)
    for (int i = 0; i < 3; i++)
      try_value(fd, values[i], 1);
  try_value(fd, SCTP_ENABLE_STREAM_RESET, chance_below(&chance, 8));
  if (chance_once_in(&chance, 3)) {
    try_number(fd, SCTP_FRAGMENT_INTERLEAVE, (int)chance_below(&chance, 3));
    try_value(fd, SCTP_INTERLEAVING_SUPPORTED, 1);
  }
  if (chance_once_in(&chance, 4)) {
    struct sctp_authchunk chunk = {.sauth_chunk = (uint8_t)ONE_OF(0, 3, 64, 192, 193, 0x80, 0x82, 6, 255)};
    try(fd, SCTP_AUTH_CHUNK, &chunk, sizeof chunk);
  }
  if (chance_once_in(&chance, 4))
    try_value(fd, SCTP_MAXSEG, ONE_OF(0, 4, 100, 512, 1000, 1452, 9000, 65000));
  if (chance_once_in(&chance, 4)) {
    struct sctp_sack_info sack = {.sack_delay = ONE_OF(0, 1, 10, 500), .sack_freq = ONE_OF(0, 1, 2, 100)};
    try(fd, SCTP_DELAYED_SACK, &sack, sizeof sack);
  }
  if (chance_once_in(&chance, 4)) {
    struct sctp_rtoinfo rto = {.srto_initial = ONE_OF(10, 100, 3000), .srto_min = ONE_OF(1, 10, 100), .srto_max = 3000};
    try(fd, SCTP_RTOINFO, &rto, sizeof rto);
  }
  if (chance_once_in(&chance, 8)) {
    struct sctp_default_prinfo policy = {.pr_policy =
                                             (uint16_t)ONE_OF(SCTP_PR_SCTP_TTL, SCTP_PR_SCTP_RTX, SCTP_PR_SCTP_PRIO),
                                         .pr_value = chance_below(&chance, 20)};
    try(fd, SCTP_DEFAULT_PRINFO, &policy, sizeof policy);
  }
  if (many && chance_once_in(&chance, 8))
    try_number(fd, SCTP_AUTOCLOSE, 1);
  if (chance_once_in(&chance, 4))
    try_number(fd, SCTP_PARTIAL_DELIVERY_POINT, (int)ONE_OF(1, 100, 1000, 60000));
}

union address {
  struct sockaddr any;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
};

static socklen_t server_address(union address *address, bool six)
{
  if (six) {
    address->six =
        (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    return sizeof address->six;
  }
  address->four = loopback("127.0.0.1", port);
  return sizeof address->four;
}

/* An address of this machine; not every one can be used by every socket. */
static void any_local(struct sockaddr_in *name)
{
  char text[32];
  snprintf(text, sizeof text, "127.0.0.%u", 1 + chance_below(&chance, 6));
  *name = loopback(text, 0);
}

static void bind_at_random(int fd, bool six, bool extended)
{
  struct sockaddr_in name;
  if (six || (!extended && !chance_once_in(&chance, 3)))
    return;
  any_local(&name);
  if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0)
    return;
  uint16_t own = 0;
  socklen_t size = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &size) == 0)
    own = name.sin_port;
  for (uint32_t more = chance_below(&chance, 4); more > 0; more--) {
    any_local(&name);
    name.sin_port = own;
    sctp_bindx(fd, (struct sockaddr *)&name, 1, SCTP_BINDX_ADD_ADDR);
    total.operations++;
  }
}

static void join(struct client *client)
{
  union address to;
  *client = (struct client){.many = chance_once_in(&chance, 3), .six = chance_once_in(&chance, 3), .since = clock_s()};
  client->fd = socket(client->six ? AF_INET6 : AF_INET, (client->many ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_NONBLOCK,
                      IPPROTO_SCTP);
  if (client->fd < 0)
    err(1, "socket");
  bool extended = chance_once_in(&chance, 4); /* so that ASCONF goes through */
  choose_options(client->fd, client->many, extended);
  bind_at_random(client->fd, client->six, extended);
  socklen_t size = server_address(&to, client->six);
  total.joined++;
  if (client->many && chance_once_in(&chance, 2))
    return; /* its first message sets the association up */
  if (connect(client->fd, &to.any, size) < 0 && errno != EINPROGRESS && errno != ECONNREFUSED &&
      errno != EADDRNOTAVAIL && errno != EINVAL)
    warn("connect");
}

static void leave(struct client *client, bool abort)
{
  static const struct linger at_once = {.l_onoff = 1};
  if (abort)
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  *(abort ? &total.aborts : &total.shutdowns) += 1;
  close(client->fd);
  client->fd = -1;
}

/* Reads what is there. */
static void drain(struct client *client)
{
  static char bytes[OVER + 1];
  static unsigned refused;
  for (int some = 0; client->fd >= 0 && some < 100; some++) {
    bool little = chance_once_in(&chance, 20) && !(names && client->many);
    struct iovec space = {bytes, little ? 1 + chance_below(&chance, 2000) : sizeof bytes};
    struct msghdr header = {.msg_iov = &space, .msg_iovlen = 1};
    ssize_t n = recvmsg(client->fd, &header, 0);
    if (n > 0) {
      refused = 0;
      if (header.msg_flags & MSG_NOTIFICATION)
        continue;
      bool whole = !client->in_pieces && header.msg_flags & MSG_EOR;
      total.heard += header.msg_flags & MSG_EOR ? 1 : 0;
      client->in_pieces = !(header.msg_flags & MSG_EOR) || (client->many && client->in_pieces);
      if (whole)
        check(bytes, (size_t)n);
      continue;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (n < 0 && errno == ENOTCONN && !client->many && clock_s() < client->since + 3)
      return; /* not yet */
    refused = n < 0 && errno == ECONNREFUSED ? refused + 1 : 0;
    if (refused > REFUSED_MAX)
      errx(1, "the server refuses everyone");
    if (client->many && n < 0)
      continue; /* an association of it has ended; it goes on */
    total.ended++;
    close(client->fd);
    client->fd = -1;
  }
}

/* ---- what they do */

/* sctp_sendv() of libsctp 1.0.19 has no room for all three in SCTP_SENDV_SPA, and smashes its stack. */
static void add(struct msghdr *header, int type, const void *bytes, size_t size)
{
  struct cmsghdr *next = (void *)((char *)header->msg_control + header->msg_controllen);
  next->cmsg_level = IPPROTO_SCTP;
  next->cmsg_type = type;
  next->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(next), bytes, size);
  header->msg_controllen += CMSG_SPACE(size);
}

static ssize_t send_with(const struct client *client, size_t length, union address *to, socklen_t to_size,
                         const struct sctp_sendv_spa *with)
{
  _Alignas(struct cmsghdr) char control[512] = {0};
  struct iovec message = {buffer, length};
  struct msghdr header = {.msg_iov = &message, .msg_iovlen = 1, .msg_control = control};
  if (client->many) {
    header.msg_name = to;
    header.msg_namelen = to_size;
  }
  add(&header, SCTP_SNDINFO, &with->sendv_sndinfo, sizeof with->sendv_sndinfo);
  if (with->sendv_flags & SCTP_SEND_PRINFO_VALID)
    add(&header, SCTP_PRINFO, &with->sendv_prinfo, sizeof with->sendv_prinfo);
  if (with->sendv_flags & SCTP_SEND_AUTHINFO_VALID)
    add(&header, SCTP_AUTHINFO, &with->sendv_authinfo, sizeof with->sendv_authinfo);
  return sendmsg(client->fd, &header, MSG_NOSIGNAL);
}

static void say(struct client *client)
{
  bool command = names && chance_once_in(&chance, 5);
  size_t length = command ? make_command() : any_length();
  if (!command)
    make_message(length);
  struct sctp_sendv_spa with = {.sendv_flags = SCTP_SEND_SNDINFO_VALID};
  static const uint16_t flags[] = {SCTP_UNORDERED, SCTP_SACK_IMMEDIATELY, SCTP_UNORDERED | SCTP_SACK_IMMEDIATELY, 0, 0};
  with.sendv_sndinfo.snd_flags = flags[chance_below(&chance, 5)];
  if (chance_once_in(&chance, 200))
    with.sendv_sndinfo.snd_flags |= (uint16_t)ONE_OF(SCTP_SENDALL, SCTP_ADDR_OVER, SCTP_EOF, SCTP_ABORT);
  with.sendv_sndinfo.snd_sid =
      (uint16_t)(chance_once_in(&chance, 50) ? chance_next(&chance)
                                             : ONE_OF(0, 0, 0, 1, names ? chance_below(&chance, 16) : 9));
  with.sendv_sndinfo.snd_ppid = (uint32_t)chance_next(&chance);
  with.sendv_sndinfo.snd_context = (uint32_t)chance_next(&chance);
  if (chance_once_in(&chance, 4)) {
    with.sendv_flags |= SCTP_SEND_PRINFO_VALID;
    with.sendv_prinfo.pr_policy =
        (uint16_t)ONE_OF(SCTP_PR_SCTP_TTL, SCTP_PR_SCTP_TTL, SCTP_PR_SCTP_RTX, SCTP_PR_SCTP_PRIO);
    with.sendv_prinfo.pr_value = ONE_OF(0, 1, 2, 10, 50, 1000);
  }
  if (chance_once_in(&chance, 200)) {
    with.sendv_flags |= SCTP_SEND_AUTHINFO_VALID;
    with.sendv_authinfo.auth_keynumber = (uint16_t)chance_below(&chance, 2);
  }
  union address to;
  socklen_t size = server_address(&to, client->six);
  ssize_t n;
  if (!client->many && chance_once_in(&chance, 10))
    n = send(client->fd, buffer, length, MSG_NOSIGNAL | (int)ONE_OF(0, MSG_MORE, MSG_EOR, MSG_DONTROUTE));
  else
    n = send_with(client, length, &to, size, &with);
  if (n >= 0) {
    total.sent++;
    total.over += length > LARGEST;
  } else if (errno == EAGAIN) {
    total.full++;
  } else {
    total.refused++;
  }
  if (chance_once_in(&chance, 1000))
    leave(client, true); /* in the middle of it, perhaps */
}

/* Something else than a message. */
static void do_something(struct client *client)
{
  static char list[sizeof(struct sctp_reset_streams) + 16 * sizeof(uint16_t)];
  struct sctp_reset_streams *streams = (void *)list;
  struct sctp_add_streams more = {.sas_instrms = (uint16_t)ONE_OF(0, 0, 1, 5),
                                  .sas_outstrms = (uint16_t)ONE_OF(0, 1, 5, 1000)};
  struct sctp_paddrparams path = {.spp_flags = SPP_HB_DEMAND};
  struct sctp_sndinfo how = {.snd_flags = (uint16_t)ONE_OF(SCTP_EOF, SCTP_ABORT)};
  struct sockaddr_in name;
  struct iovec text = {buffer, chance_below(&chance, 300)};
  sctp_assoc_t association = 0;
  union address to;
  socklen_t size = sizeof name;
  server_address(&to, client->six);
  total.operations++;
  switch (chance_below(&chance, 16)) {
  case 0:
    streams->srs_assoc_id = 0;
    streams->srs_flags = (uint16_t)chance_below(&chance, 4);
    streams->srs_number_streams = (uint16_t)chance_below(&chance, 4);
    for (uint16_t i = 0; i < streams->srs_number_streams; i++)
      streams->srs_stream_list[i] = (uint16_t)chance_below(&chance, 12);
    try(client->fd, SCTP_RESET_STREAMS, streams,
        (socklen_t)(sizeof *streams + streams->srs_number_streams * sizeof(uint16_t)));
    break;
  case 1:
    try(client->fd, SCTP_RESET_ASSOC, &association, sizeof association);
    break;
  case 2:
    try(client->fd, SCTP_ADD_STREAMS, &more, sizeof more);
    break;
  case 3:
  case 4: /* ASCONF, where the association allows it */
    any_local(&name);
    name.sin_port = 0;
    struct sockaddr_in own;
    if (!client->six && getsockname(client->fd, (struct sockaddr *)&own, &size) == 0)
      name.sin_port = own.sin_port;
    sctp_bindx(client->fd, (struct sockaddr *)&name, 1,
               chance_once_in(&chance, 2) ? SCTP_BINDX_ADD_ADDR : SCTP_BINDX_REM_ADDR);
    break;
  case 5: {
    struct sctp_setpeerprim primary = {0};
    any_local(&name);
    memcpy(&primary.sspp_addr, &name, sizeof name);
    try(client->fd, SCTP_SET_PEER_PRIMARY_ADDR, &primary, sizeof primary);
    break;
  }
  case 6:
    memcpy(&path.spp_address, &to, sizeof to);
    try(client->fd, SCTP_PEER_ADDR_PARAMS, &path, sizeof path);
    break;
  case 7:
    try_value(client->fd, SCTP_MAXSEG, ONE_OF(0, 100, 512, 1452));
    break;
  case 8: {
    int bytes = (int)ONE_OF(4000, 20000, 100000);
    setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    break;
  }
  case 9: /* nothing to say, which SCTP refuses */
    if (send(client->fd, buffer, 0, MSG_NOSIGNAL) > 0)
      errx(1, "an empty message was sent");
    break;
  case 10:
    if (client->many && chance_once_in(&chance, 4))
      sctp_sendv(client->fd, &text, 1, &to.any, 1, &how, sizeof how, SCTP_SENDV_SNDINFO, 0);
    break;
  case 11:
    if (!client->many && chance_once_in(&chance, 4))
      shutdown(client->fd, SHUT_WR); /* and reads on */
    break;
  case 12:
    leave(client, chance_once_in(&chance, 2));
    break;
  case 13:
    if (chance_once_in(&chance, 2)) { /* the beginning of a message */
      int bytes = 400000;
      setsockopt(client->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
      make_message(LARGEST);
      if (send(client->fd, buffer, LARGEST, MSG_NOSIGNAL) > 0) {
        total.halves++;
        leave(client, true);
      }
    }
    break;
  case 14: {
    struct sctp_event event = {.se_assoc_id = SCTP_ALL_ASSOC,
                               .se_type = (uint16_t)(SCTP_ASSOC_CHANGE + chance_below(&chance, 15)),
                               .se_on = (uint8_t)chance_below(&chance, 2)};
    try(client->fd, SCTP_EVENT, &event, sizeof event);
    break;
  }
  case 15: {
    struct sctp_stream_value value = {.stream_id = (uint16_t)chance_below(&chance, 4),
                                      .stream_value = (uint16_t)chance_below(&chance, 4)};
    try(client->fd, SCTP_STREAM_SCHEDULER_VALUE, &value, sizeof value);
  }
  }
}

/* A process speaks without reading, and is killed. */
static void kill_one(void)
{
  pid_t pid = fork();
  if (pid < 0)
    err(1, "fork");
  if (pid == 0) {
    for (unsigned i = 0; i < client_count; i++)
      if (clients[i].fd >= 0)
        close(clients[i].fd);
    union address to;
    socklen_t size = server_address(&to, false);
    int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (fd >= 0 && connect(fd, &to.any, size) == 0)
      for (make_message(LARGEST); send(fd, buffer, LARGEST, MSG_NOSIGNAL) > 0;)
        ;
    _exit(0);
  }
  usleep(chance_below(&chance, 30000));
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  total.killed++;
}

/* Lets the server work, and reads. */
static void breathe(void)
{
  struct pollfd fds[CLIENTS_MAX];
  double time = clock_s();
  for (unsigned i = 0; i < client_count; i++)
    fds[i] = (struct pollfd){.fd = time < clients[i].deaf_until ? -1 : clients[i].fd, .events = POLLIN};
  poll(fds, client_count, 1);
  for (unsigned i = 0; i < client_count; i++)
    if (fds[i].fd >= 0)
      drain(&clients[i]);
}

int main(int argc, char **argv)
{
  uint64_t seed = (uint64_t)time(NULL) % 1000000;
  int option;
  while ((option = getopt(argc, argv, "gn:s:")) != -1)
    switch (option) {
    case 'g':
      names = true;
      break;
    case 'n':
      client_count = (unsigned)atoi(optarg);
      break;
    case 's':
      seed = strtoull(optarg, NULL, 10);
      break;
    default:
      return 2;
    }
  if (argc - optind != 2 || client_count < 1 || client_count > CLIENTS_MAX)
    errx(2, "[-g] [-n CLIENTS, at most %d] [-s SEED] PORT COUNT", CLIENTS_MAX);
  port = (uint16_t)atoi(argv[optind]);
  unsigned long count = strtoul(argv[optind + 1], NULL, 10);
  fprintf(stderr, "fuzz: seed %llu\n", (unsigned long long)seed);
  signal(SIGPIPE, SIG_IGN);
  chance.state = seed;
  for (unsigned i = 0; i < client_count; i++)
    clients[i].fd = -1;

  unsigned long before = 0;
  double moved = clock_s(), deaf_until = 0, start = moved;
  for (unsigned long step = 0; total.sent < count; step++) {
    struct client *client = &clients[chance_below(&chance, client_count)];
    if (client->fd < 0)
      join(client);
    if (chance_once_in(&chance, 12))
      do_something(client);
    else
      say(client);
    if (chance_once_in(&chance, 2000))
      kill_one();
    if (step % 8 == 0)
      breathe();
    double time = clock_s();
    if (chance_once_in(&chance, 2000) && time > deaf_until && client->fd >= 0) {
      deaf_until = client->deaf_until = time + 0.1 + 2 * chance_part(&chance); /* one at a time */
      total.deaf++;
      if (chance_once_in(&chance, 2))
        shutdown(client->fd, SHUT_WR);
    }
    if (total.sent != before)
      moved = time;
    before = total.sent;
    if (time > moved + SILENCE_S)
      errx(1, "the server has taken nothing for %d s", SILENCE_S);
  }
  double end = clock_s();
  while (total.checked == 0 && clock_s() < end + SILENCE_S)
    breathe(); /* a server under valgrind on a machine that is emulated has not begun yet */
  for (unsigned i = 0; i < client_count; i++)
    if (clients[i].fd >= 0)
      leave(&clients[i], true);
  if (total.checked == 0)
    errx(1, "nobody has heard anything");
  unsigned unended = fresh_pair_talks(port, &chance, names);
  printf("messages %lu, of these %lu over the limit, %lu cut off, and %lu commands, refused %lu, heard %lu, whole %lu, "
         "notices %lu; clients %lu "
         "joined, "
         "%lu left, %lu aborted, %lu killed, %lu disconnected, %lu deaf for a while, %u unended; other calls %lu; %.1f "
         "s; the room is right %.1f s later\n",
         total.sent, total.over, total.halves, total.commands, total.refused, total.heard, total.checked, total.notices,
         total.joined, total.shutdowns, total.aborts, total.killed, total.ended, total.deaf, unended, total.operations,
         end - start, clock_s() - end);
  return 0;
}
