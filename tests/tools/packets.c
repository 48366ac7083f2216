// packets - sends random packets to a chat server through raw sockets, as a broken or a malicious host would
//
// Some clients speak in the room, and a raw socket sees their packets. Most of what is sent is made from these: with
// bytes changed, cut, longer, chunks repeated, in another order or with lengths that lie; and so the ports and the
// verification tags are right. The rest is made of nothing: INITs with random parameters, cookies that are none or
// another's, DATA, SACK, FORWARD-TSN, RECONF, ASCONF, ERROR, ABORT and chunks that do not exist, with the tags and the
// sequence numbers of an association that lives, near to them, or without. Most have a right checksum.
//
// What a faulty packet does to the association that it names is that association's matter. At the end a fresh pair of
// clients must hear each other.
//
// Usage: packets [-g] [-n CLIENTS] [-s SEED] PORT COUNT    COUNT packets, while CLIENTS (default 4) speak
//   -g  the server gives names, and has rooms and commands: stage 05. They are used, and every line that comes is of
//   it.
// Prints one line of totals. Ends with 1 where the server is not right. Needs root of the lab (CAP_NET_RAW).
//
// 100,000 packets:
//   make -C 04-sendall && make -C tests/tools && lab/run --timeout 900 sh -c '
//     for name in auth_enable reconf_enable; do echo 1 >/proc/sys/net/sctp/$name; done
//     04-sendall/chat_server & sleep 1; tests/tools/packets 2013 100000'
//
// Compile:  cc -I../../common -o packets packets.c ../../common/*.c -lsctp
#include "chance.h"
#include "crc32c.h"
#include "fresh_pair.h"
#include "sctp_compat.h"

#include <endian.h>
#include <err.h>
#include <errno.h>
#include <netinet/ip.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 50, KNOWN_MAX = 8, SEEN_MAX = 32, PACKET_MAX = 4096, OUR_TTL = 77, HEADER = 12, BURST = 16 };

enum chunk_type {
  DATA = 0,
  INIT = 1,
  INIT_ACK = 2,
  SACK = 3,
  HEARTBEAT = 4,
  ABORT = 6,
  SHUTDOWN = 7,
  ERROR = 9,
  COOKIE_ECHO = 10,
  AUTH = 15,
  I_DATA = 64,
  RECONF = 130,
  ASCONF = 193,
  FORWARD_TSN = 192,
  I_FORWARD_TSN = 194
};

struct packet {
  size_t length;
  uint8_t bytes[PACKET_MAX];
};

/* Of one who speaks with the server: from the packets that were seen. */
struct association {
  uint16_t source;
  uint32_t tag;          /* which the server wants to see */
  uint32_t tsn, to_here; /* the last TSN to the server, and the last that was acknowledged to it */
};

static struct chance chance;
static uint16_t port;
static bool names; /* the server gives names */
static struct packet seen[SEEN_MAX];
static unsigned seen_count, seen_next;
static struct association associations[KNOWN_MAX]; /* the latest */
static unsigned association_next, association_count;
static uint8_t cookie[PACKET_MAX]; /* the last that the server gave to anyone */
static size_t cookie_length;
static uint32_t cookie_tag;
static uint16_t cookie_port;

static struct {
  unsigned long sent, wrong_checksum, mutated, init, cookies, said, heard, joined, lost;
} total;

static void put16(uint8_t *to, uint32_t value)
{
  to[0] = (uint8_t)(value >> 8);
  to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
  put16(to, value >> 16);
  put16(to + 2, value);
}

static uint32_t get16(const uint8_t *from)
{
  return (uint32_t)from[0] << 8 | from[1];
}

static uint32_t get32(const uint8_t *from)
{
  return get16(from) << 16 | get16(from + 2);
}

/* ---- what is seen */

static struct association *known(uint16_t source)
{
  for (unsigned i = 0; i < association_count; i++)
    if (associations[i].source == source)
      return &associations[i];
  struct association *one = &associations[association_next];
  association_next = (association_next + 1) % KNOWN_MAX;
  if (association_count < KNOWN_MAX)
    association_count++;
  *one = (struct association){.source = source};
  return one;
}

static void look_at(const uint8_t *bytes, size_t length)
{
  uint16_t source = (uint16_t)get16(bytes), destination = (uint16_t)get16(bytes + 2);
  const uint8_t *chunk = bytes + HEADER;
  if (length < HEADER + 4 || length > PACKET_MAX)
    return;
  if (source == port && chunk[0] == INIT_ACK) { /* the cookie is one of its parameters */
    size_t end = HEADER + get16(chunk + 2);
    for (size_t at = HEADER + 20; at + 4 <= end && end <= length; at += (get16(bytes + at + 2) + 3) & ~3u) {
      size_t size = get16(bytes + at + 2);
      if (size < 4 || at + size > end)
        break;
      if (get16(bytes + at) == 7) {
        cookie_length = size - 4;
        memcpy(cookie, bytes + at + 4, cookie_length);
        cookie_tag = get32(chunk + 4);
        cookie_port = destination;
      }
    }
  }
  if (destination != port || chunk[0] == ABORT) /* with which the kernel answers what nobody has asked for */
    return;
  seen[seen_next].length = length;
  memcpy(seen[seen_next].bytes, bytes, length);
  seen_next = (seen_next + 1) % SEEN_MAX;
  if (seen_count < SEEN_MAX)
    seen_count++;
  if (chunk[0] == INIT)
    return;
  struct association *one = known(source);
  one->tag = get32(bytes + 4);
  for (size_t at = HEADER; at + 8 <= length; at += (get16(bytes + at + 2) + 3) & ~3u) {
    if (bytes[at] == DATA || bytes[at] == I_DATA)
      one->tsn = get32(bytes + at + 4);
    if (bytes[at] == SACK)
      one->to_here = get32(bytes + at + 4);
    if (get16(bytes + at + 2) < 4)
      break;
  }
}

static void sniff(int fd)
{
  static uint8_t bytes[66000];
  ssize_t n;
  while ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
    const struct iphdr *ip = (const void *)bytes;
    size_t head = (size_t)ip->ihl * 4;
    if (ip->ttl != OUR_TTL && (size_t)n >= head + HEADER)
      look_at(bytes + head, (size_t)n - head);
  }
}

/* ---- what is made */

static const struct association *any_association(void)
{
  static struct association none;
  if (association_count > 0 && !chance_once_in(&chance, 20))
    return &associations[chance_below(&chance, association_count)];
  none = (struct association){.source = (uint16_t)(1024 + chance_below(&chance, 60000)),
                              .tag = chance_once_in(&chance, 3) ? 0 : (uint32_t)chance_next(&chance)};
  return &none;
}

static uint32_t near(uint32_t number)
{
  switch (chance_below(&chance, 6)) {
  case 0:
    return (uint32_t)chance_next(&chance);
  case 1:
    return number - chance_below(&chance, 10);
  case 2:
    return number + chance_below(&chance, 5000);
  default:
    return number + 1 + chance_below(&chance, 3);
  }
}

/* A parameter or an error cause: a type, a length that may lie, and what is in it. Returns its place in the packet. */
static size_t make_parameter(uint8_t *to, size_t room)
{
  static const uint16_t types[] = {1,      5,      6,      7,      8,      9,      11,     12,     13,
                                   14,     15,     16,     17,     18,     0x8000, 0x8002, 0x8003, 0x8004,
                                   0x8008, 0xc000, 0xc001, 0xc002, 0xc003, 0xc004, 0xc005, 0xc006};
  size_t length = 4 + chance_below(&chance, chance_once_in(&chance, 10) ? 300 : 24);
  size_t padded = (length + 3) & ~(size_t)3;
  if (padded > room)
    return 0;
  chance_fill(&chance, to, padded);
  put16(to, chance_once_in(&chance, 10) ? (uint16_t)chance_next(&chance)
                                        : types[chance_below(&chance, sizeof types / sizeof types[0])]);
  put16(to + 2, chance_once_in(&chance, 8) ? (uint32_t)chance_next(&chance) : (uint32_t)length);
  if (get16(to) == 5 && chance_once_in(&chance, 2)) { /* an address that is there */
    put16(to + 2, 8);
    put32(to + 4, 0x7f000001 + chance_below(&chance, 5));
    return 8;
  }
  return padded;
}

static size_t make_parameters(uint8_t *to, size_t room, uint32_t most)
{
  size_t length = 0;
  for (uint32_t count = chance_below(&chance, most + 1); count > 0; count--)
    length += make_parameter(to + length, room - length);
  return length;
}

/* A chunk. Returns its place in the packet. */
static size_t make_chunk(uint8_t *to, size_t room, const struct association *with)
{
  static const uint8_t types[] = {DATA, DATA, DATA,   SACK, SACK,   HEARTBEAT,   5,    ABORT, SHUTDOWN, 8,    ERROR,
                                  10,   11,   12,     13,   14,     AUTH,        INIT, 2,     I_DATA,   0x80, RECONF,
                                  0x84, 0x82, ASCONF, 0xc0, ASCONF, FORWARD_TSN, 0xc2, 63,    127,      191,  255};
  if (room < 64)
    return 0;
  uint8_t *body = to + 4;
  size_t most = room - 8, length;
  to[0] = types[chance_below(&chance, sizeof types)];
  if ((to[0] == ABORT || to[0] == SHUTDOWN || to[0] == 14) && !chance_once_in(&chance, 20))
    to[0] = DATA; /* else nothing lives for long */
  to[1] = chance_once_in(&chance, 3) ? (uint8_t)chance_next(&chance) : 3;
  switch (to[0]) {
  case DATA:
  case I_DATA:
    length = (to[0] == DATA ? 12 : 16) + chance_below(&chance, chance_once_in(&chance, 10) ? 1400 : 40);
    length = length > most ? most : length;
    chance_fill(&chance, body, length);
    put32(body, near(with->tsn));
    if (!chance_once_in(&chance, 4)) {
      put16(body + 4, chance_below(&chance, 12));
      put16(body + 6, chance_below(&chance, 4));
    }
    break;
  case SACK:
    length = 12 + 4 * (size_t)chance_below(&chance, 8);
    chance_fill(&chance, body, length);
    put32(body, chance_once_in(&chance, 8) ? near(with->to_here) : with->to_here - chance_below(&chance, 3));
    put32(body + 4, chance_once_in(&chance, 3) ? 0 : chance_below(&chance, 1000000));
    put16(body + 8, chance_once_in(&chance, 4) ? (uint32_t)chance_next(&chance) : (uint32_t)(length - 12) / 4);
    put16(body + 10, chance_once_in(&chance, 4) ? (uint32_t)chance_next(&chance) : 0);
    break;
  case INIT:
  case INIT_ACK:
    chance_fill(&chance, body, 16);
    if (!chance_once_in(&chance, 4)) {
      put16(body + 8, 1 + chance_below(&chance, 100));
      put16(body + 10, 1 + chance_below(&chance, 100));
    }
    length = 16 + make_parameters(body + 16, most - 16, 8);
    break;
  case FORWARD_TSN:
  case I_FORWARD_TSN:
    length = 4 + 4 * (size_t)chance_below(&chance, 8);
    chance_fill(&chance, body, length);
    put32(body, near(with->tsn));
    break;
  case ASCONF:
  case 0x80:
    put32(body, (uint32_t)chance_next(&chance));
    length = 4 + make_parameters(body + 4, most - 4, 6);
    break;
  case COOKIE_ECHO:
    length = cookie_length < most ? cookie_length : most;
    memcpy(body, cookie, length);
    for (uint32_t changes = chance_below(&chance, 3); changes > 0 && length > 0; changes--)
      body[chance_below(&chance, (uint32_t)length)] ^= (uint8_t)chance_next(&chance);
    break;
  case ERROR:
  case ABORT:
  case HEARTBEAT:
  case RECONF:
    length = make_parameters(body, most, 4);
    break;
  default:
    length = chance_below(&chance, 60);
    chance_fill(&chance, body, length);
  }
  put16(to + 2, chance_once_in(&chance, 12) ? (uint32_t)chance_next(&chance) : (uint32_t)length + 4);
  size_t padded = (length + 3) & ~(size_t)3;
  memset(body + length, 0, padded - length);
  return 4 + padded;
}

static void make_header(struct packet *packet, const struct association *with)
{
  put16(packet->bytes, with->source);
  put16(packet->bytes + 2, port);
  put32(packet->bytes + 4, with->tag);
  packet->length = HEADER;
}

static void make_of_nothing(struct packet *packet)
{
  const struct association *with = any_association();
  make_header(packet, with);
  for (uint32_t chunks = 1 + chance_below(&chance, 3); chunks > 0; chunks--)
    packet->length += make_chunk(packet->bytes + packet->length, 1480 - packet->length, with);
}

/* An INIT as it should be, but for its parameters; or the cookie that came of one. */
static void make_init(struct packet *packet)
{
  struct association with = {.source = (uint16_t)(1024 + chance_below(&chance, 60000))};
  if (chance_once_in(&chance, 8) && association_count > 0)
    with.source = any_association()->source; /* a restart */
  uint8_t *chunk = packet->bytes + HEADER;
  if (cookie_length > 0 && cookie_length < 1400 && chance_once_in(&chance, 3)) {
    with.source = cookie_port;
    with.tag = cookie_tag;
    make_header(packet, &with);
    chunk[0] = COOKIE_ECHO;
    chunk[1] = 0;
    put16(chunk + 2, (uint32_t)cookie_length + 4);
    memcpy(chunk + 4, cookie, cookie_length);
    if (chance_once_in(&chance, 2))
      chunk[4 + chance_below(&chance, (uint32_t)cookie_length)] ^= (uint8_t)(1 + chance_below(&chance, 255));
    packet->length += 4 + ((cookie_length + 3) & ~(size_t)3);
    if (chance_once_in(&chance, 2))
      packet->length += make_chunk(packet->bytes + packet->length, 1480 - packet->length, &with);
    total.cookies++;
    return;
  }
  make_header(packet, &with);
  chunk[0] = INIT;
  chunk[1] = 0;
  put32(chunk + 4, (uint32_t)chance_next(&chance) | 1);
  put32(chunk + 8, chance_once_in(&chance, 4) ? chance_below(&chance, 3000) : 100000);
  put16(chunk + 12, 1 + chance_below(&chance, 65535));
  put16(chunk + 14, 1 + chance_below(&chance, 65535));
  put32(chunk + 16, (uint32_t)chance_next(&chance));
  size_t length = 20 + make_parameters(chunk + 20, 1400, 8);
  put16(chunk + 2, (uint32_t)length);
  packet->length += length;
  total.init++;
}

/* Changes a packet that was seen. */
static void mutate(struct packet *packet)
{
  static const uint8_t interesting[] = {0, 1, 2, 3, 4, 127, 128, 192, 254, 255};
  *packet = seen[chance_below(&chance, seen_count)];
  const struct association *with = known((uint16_t)get16(packet->bytes));
  uint8_t *chunk = packet->bytes + HEADER;
  if (chunk[0] != INIT && chance_once_in(&chance, 2))
    put32(packet->bytes + 4, with->tag); /* it may have changed since */
  if ((chunk[0] == DATA || chunk[0] == I_DATA) && chance_once_in(&chance, 2))
    put32(chunk + 4, near(with->tsn));
  if (chunk[0] == SACK && chance_once_in(&chance, 2))
    put32(chunk + 4, with->to_here - chance_below(&chance, 3)); /* beyond what was sent is its end */
  for (uint32_t changes = 1 + chance_below(&chance, 3); changes > 0; changes--) {
    size_t body = packet->length - HEADER;
    switch (chance_below(&chance, 7)) {
    case 0: /* a bit */
      packet->bytes[HEADER + chance_below(&chance, (uint32_t)body)] ^= (uint8_t)(1 << chance_below(&chance, 8));
      break;
    case 1: /* a byte; rarely in the header */
      if (chance_once_in(&chance, 10))
        packet->bytes[chance_below(&chance, HEADER)] = (uint8_t)chance_next(&chance);
      else
        packet->bytes[HEADER + chance_below(&chance, (uint32_t)body)] =
            interesting[chance_below(&chance, sizeof interesting)];
      break;
    case 2: /* the length of the first chunk */
      put16(chunk + 2, chance_once_in(&chance, 2) ? chance_below(&chance, 40) : (uint32_t)chance_next(&chance));
      break;
    case 3: /* shorter */
      packet->length = HEADER + 4 + chance_below(&chance, (uint32_t)body - 3);
      break;
    case 4: /* longer */
      packet->length +=
          make_chunk(packet->bytes + packet->length, 1480 > packet->length ? 1480 - packet->length : 0, with);
      break;
    case 5: /* all its chunks again */
      if (packet->length % 4 == 0 && packet->length + body <= 1480) {
        memcpy(packet->bytes + packet->length, chunk, body);
        packet->length += body;
      }
      break;
    case 6: /* another chunk before them */
      if (body <= 700) {
        uint8_t rest[700];
        memcpy(rest, chunk, body);
        size_t length = make_chunk(chunk, 700, with);
        memcpy(chunk + length, rest, body);
        packet->length += length;
      }
    }
  }
  total.mutated++;
}

static void send_packet(int fd, struct packet *packet)
{
  bool wrong = chance_once_in(&chance, 30);
  memset(packet->bytes + 8, 0, 4);
  uint32_t sum = htole32(crc32c(packet->bytes, packet->length) ^ (wrong ? (uint32_t)chance_next(&chance) | 1 : 0));
  memcpy(packet->bytes + 8, &sum, sizeof sum);
  struct sockaddr_in to = loopback("127.0.0.1", 0);
  if (sendto(fd, packet->bytes, packet->length, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to) < 0) {
    if (errno != EAGAIN && errno != ENOBUFS && errno != EPERM)
      err(1, "sendto");
    return;
  }
  total.sent++;
  total.wrong_checksum += wrong;
}

/* ---- those who speak */

static int join(void)
{
  static const struct sctp_assoc_value yes = {.assoc_value = 1}, all = {.assoc_value = 7};
  static const int on = 1;
  struct sockaddr_in to = loopback("127.0.0.1", port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_SCTP);
  if (fd < 0)
    err(1, "socket");
  setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
  if (names) {
    const struct sctp_initmsg streams = {
        .sinit_num_ostreams = 16,
        .sinit_max_instreams = (uint16_t)(chance_once_in(&chance, 3) ? 1 + chance_below(&chance, 16) : 16)};
    setsockopt(fd, IPPROTO_SCTP, SCTP_INITMSG, &streams, sizeof streams);
  }
  setsockopt(fd, IPPROTO_SCTP, SCTP_RECONFIG_SUPPORTED, &yes, sizeof yes);
  setsockopt(fd, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &all, sizeof all);
  if (chance_once_in(&chance, 2))
    setsockopt(fd, IPPROTO_SCTP, SCTP_ASCONF_SUPPORTED, &yes, sizeof yes);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
    err(1, "connect");
  total.joined++;
  return fd;
}

static void end_abruptly(int fd)
{
  static const struct linger at_once = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}

/* Reads what is there. `in_pieces` tells whether a piece of a message has come before. Returns false where the
 * association has ended. */
static bool drain(int fd, bool connecting, bool *in_pieces)
{
  static char bytes[70000];
  struct iovec space = {bytes, sizeof bytes};
  struct msghdr header;
  ssize_t n;
  while (header = (struct msghdr){.msg_iov = &space, .msg_iovlen = 1}, (n = recvmsg(fd, &header, 0)) > 0) {
    const char *line = bytes;
    size_t length = (size_t)n;
    if (names && header.msg_flags & MSG_EOR && !*in_pieces)
      spoken_strip(&line, &length);
    *in_pieces = !(header.msg_flags & MSG_EOR);
    total.heard++;
  }
  return n < 0 && (errno == EAGAIN || errno == EINTR || (errno == ENOTCONN && connecting));
}

/* Says something, with names also a command, in any room. Returns false where there is no room for it. */
static bool speak(int fd)
{
  static char text[70000];
  static const char *const commands[] = {"/who", "/nick ann", "/nick bob\n", "/nick ann bob", "/", "/what?"};
  struct sctp_sndinfo info = {0};
  struct iovec message = {text, 1 + chance_below(&chance, chance_once_in(&chance, 20) ? 10000 : 300)};
  if (!names)
    return send(fd, text, message.iov_len, MSG_NOSIGNAL) > 0;
  if (chance_once_in(&chance, 5)) {
    message.iov_base = (char *)commands[chance_below(&chance, sizeof commands / sizeof *commands)];
    message.iov_len = strlen(message.iov_base);
  }
  info.snd_sid = (uint16_t)chance_below(&chance, 16);
  info.snd_flags = chance_once_in(&chance, 4) ? SCTP_UNORDERED : 0;
  return sctp_sendv(fd, &message, 1, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) > 0;
}

int main(int argc, char **argv)
{
  uint64_t seed = (uint64_t)time(NULL) % 1000000;
  unsigned clients = 4;
  int option;
  while ((option = getopt(argc, argv, "gn:s:")) != -1)
    switch (option) {
    case 'g':
      names = true;
      break;
    case 'n':
      clients = (unsigned)atoi(optarg);
      break;
    case 's':
      seed = strtoull(optarg, NULL, 10);
      break;
    default:
      return 2;
    }
  if (argc - optind != 2 || clients < 1 || clients > CLIENTS_MAX)
    errx(2, "[-g] [-n CLIENTS, at most %d] [-s SEED] PORT COUNT", CLIENTS_MAX);
  port = (uint16_t)atoi(argv[optind]);
  unsigned long count = strtoul(argv[optind + 1], NULL, 10);
  fprintf(stderr, "packets: seed %llu\n", (unsigned long long)seed);
  signal(SIGPIPE, SIG_IGN);
  chance.state = seed;

  /* Three addresses to send from; the packets that are seen come in at the first. */
  int raw[3], ttl = OUR_TTL, bytes = 1 << 20;
  for (int i = 0; i < 3; i++) {
    char address[32];
    snprintf(address, sizeof address, "127.0.0.%d", i + 1);
    struct sockaddr_in from = loopback(address, 0);
    raw[i] = socket(AF_INET, SOCK_RAW, IPPROTO_SCTP);
    if (raw[i] < 0 || setsockopt(raw[i], IPPROTO_IP, IP_TTL, &ttl, sizeof ttl) < 0 ||
        bind(raw[i], (struct sockaddr *)&from, sizeof from) < 0)
      err(1, "raw socket");
  }
  setsockopt(raw[0], SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);

  struct pollfd fds[CLIENTS_MAX + 1];
  bool in_pieces[CLIENTS_MAX] = {false};
  double joined[CLIENTS_MAX], start = clock_s(), first = 0;
  for (unsigned i = 0; i < clients; i++)
    fds[i] = (struct pollfd){.fd = join(), .events = POLLIN}, joined[i] = start;
  fds[clients] = (struct pollfd){.fd = raw[0], .events = POLLIN};

  while (total.sent < count) {
    poll(fds, clients + 1, 1);
    sniff(raw[0]);
    double time = clock_s();
    for (unsigned i = 0; i < clients; i++) {
      bool lives = drain(fds[i].fd, time < joined[i] + 3, &in_pieces[i]);
      if (lives && chance_once_in(&chance, 200)) { /* it may be one that nobody hears any more */
        end_abruptly(fds[i].fd);
      } else if (!lives) {
        close(fds[i].fd);
        total.lost++;
      } else {
        total.said += chance_once_in(&chance, 3) && speak(fds[i].fd);
        continue;
      }
      fds[i].fd = join();
      joined[i] = time;
      in_pieces[i] = false;
    }
    if (seen_count < 2 * clients && first == 0) {
      if (time > start + 10)
        errx(1, "nobody has joined within 10 s");
      continue;
    }
    first = first == 0 ? time : first;
    for (int i = 0; i < BURST && total.sent < count; i++) {
      static struct packet packet;
      uint32_t kind = chance_below(&chance, 10);
      if (kind < 5)
        mutate(&packet);
      else if (kind < 8)
        make_of_nothing(&packet);
      else
        make_init(&packet);
      send_packet(raw[chance_once_in(&chance, 8) ? 1 + chance_below(&chance, 2) : 0], &packet);
    }
  }
  double end = clock_s();
  for (unsigned i = 0; i < clients; i++)
    end_abruptly(fds[i].fd);
  if (total.heard == 0)
    errx(1, "nobody has heard anything");
  unsigned unended = fresh_pair_talks(port, &chance, names);
  printf("packets %lu, of these %lu changed ones, %lu INIT, %lu COOKIE ECHO, %lu with a wrong checksum; clients said "
         "%lu and "
         "heard %lu, %lu joined, %lu were lost, %u unended; %.1f s; the room is right %.1f s later\n",
         total.sent, total.mutated, total.init, total.cookies, total.wrong_checksum, total.said, total.heard,
         total.joined, total.lost, unended, end - start, clock_s() - end);
  return 0;
}
