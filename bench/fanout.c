// fanout - a load generator: a room of clients, one of which talks; measures how its messages reach the others
//
// The talker keeps WINDOW messages in flight: the next one is sent when the oldest has reached everyone. Every byte
// that arrives is compared with what was sent. A message that is lost, doubled, changed or out of order, or does not
// come in time, ends the program with status 1; a server that does not take all clients, with 3. With -g the names are
// taken off before, and the server's notices are left out.
//
// Compile:  cc -I../common -o fanout fanout.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c '../04-sendall/chat_server & sleep 1; ./fanout -P $! -n 10 64:1:1000 64:32:1000'
#include "../tests/tools/spoken.h"
#include "address.h"
#include "lines.h"
#include "options.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <netinet/sctp.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { RING = 64, FRAME_MAX = MESSAGE_MAX + 16, EVENTS = 64, REFUSED = 3 };

static const char usage[] =
    "usage: fanout [-t | -m | -g] [-a] [-e] [-n COUNT] [-s COUNT] [-b BYTES] [-P PID] [-d SECONDS] [-l SECONDS]\n"
    "              [-p PORT] [-w TEXT] SIZE:WINDOW:MESSAGES...\n"
    "Joins the room of the server on this machine, sends MESSAGES of SIZE bytes, with WINDOW of them in flight, and\n"
    "prints a JSON object with times in seconds; for each operand, over the same clients.\n"
    "  -t          TCP, not SCTP\n"
    "  -m          MQTT over TCP, quality of service 0\n"
    "  -g          the server gives names, and tells who comes and goes: stage 05\n"
    "  -a          the clients acknowledge every packet at once (SCTP); by default after 200 ms, or two packets\n"
    "  -e          the server does not send to the talker, who is one more client\n"
    "  -n COUNT    so many receivers (default 10)\n"
    "  -s COUNT    so many more clients join and never read\n"
    "  -b BYTES    SO_RCVBUF of those that never read\n"
    "  -P PID      the server, whose processor time is measured\n"
    "  -d SECONDS  sends nothing more after that time\n"
    "  -l SECONDS  nothing arrives for so long: the server has stalled (default 10)\n"
    "  -p PORT     the server's (default 2013)\n"
    "  -w TEXT     the value of \"what\" in the output\n";

struct client {
  int fd, number;
  bool receives;
  unsigned next; /* the message that is due */
  size_t offset; /* so many bytes of it have come */
  char *pieces;  /* with -g, what has come of it */
};

struct room {
  enum { SCTP, TCP, MQTT } protocol;
  bool names;                                /* the server gives names */
  bool talker_is_extra, sack_at_once, heard; /* heard: something has come */
  int receivers, spoilers, spoiler_buffer, stall_s, limit_s, epoll;
  uint16_t port;
  const char *what;
  clockid_t server; /* its processor time, or CLOCK_MONOTONIC */
  struct client *talker;
  unsigned sent, oldest, measured_from; /* messages, counted from 0 */
  size_t size, frame;                   /* of a message, and with what the protocol puts before it */
  double now, started, server_started;
  float *delays; /* of each delivery */
  size_t deliveries;
  struct {
    char bytes[FRAME_MAX];
    double sent_at;
    int due; /* clients that have not got it yet */
  } flight[RING];
};

static double seconds(clockid_t clock)
{
  struct timespec t;
  if (clock_gettime(clock, &t) < 0)
    err(1, "the server's clock");
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int result, const char *what)
{
  if (result < 0)
    err(1, "%s", what);
}

/* Tells the MQTT broker that we are here and want to hear of topic "t", and waits for its consent to both. */
static void mqtt_join(int fd)
{
  static const char hello[] = "\x10\x0c\0\4MQTT\4\2\0\0\0\0"
                              "\x82\x06\0\1\0\1t";
  static const char consent[] = "\x20\x02\0\0\x90\x03\0\1";
  char answer[9];
  must((int)send(fd, hello, sizeof hello, 0), "send"); /* its NUL is the quality of service */
  if (recv(fd, answer, sizeof answer, MSG_WAITALL) != sizeof answer || memcmp(answer, consent, sizeof consent) != 0)
    errx(REFUSED, "the MQTT broker refuses a client");
}

static int join(const struct room *room, int buffer)
{
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(room->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int fd = socket(AF_INET, SOCK_STREAM, room->protocol == SCTP ? IPPROTO_SCTP : IPPROTO_TCP);
  must(fd, "socket");
  const int on = 1;
  const struct timeval limit = {.tv_sec = room->stall_s};
  must(room->protocol == SCTP ? setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on)
                              : setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on),
       "NODELAY");
  must(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), "SO_SNDTIMEO");
  must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), "SO_RCVTIMEO");
  if (buffer > 0)
    must(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer), "SO_RCVBUF");
  const struct sctp_sack_info sack = {.sack_freq = 1};
  if (room->sack_at_once)
    must(setsockopt(fd, IPPROTO_SCTP, SCTP_DELAYED_SACK, &sack, sizeof sack), "SCTP_DELAYED_SACK");
  /* SCTP is refused at once where a server has not yet accepted those before; TCP tries again by itself. */
  double give_up = seconds(CLOCK_MONOTONIC) + 10;
  while (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
    if (errno != ECONNREFUSED || seconds(CLOCK_MONOTONIC) > give_up)
      err(REFUSED, "connect");
    usleep(5000);
  }
  if (room->protocol == MQTT)
    mqtt_join(fd);
  return fd;
}

/* The talker comes last: when a server hears it, it has accepted everyone. */
static struct client *join_all(struct room *room)
{
  int count = room->receivers + room->talker_is_extra;
  struct client *clients = calloc((size_t)count, sizeof *clients);
  if (clients == NULL)
    err(1, "calloc");
  for (int i = 0; i < count; i++) {
    for (int s = 0; i == count / 2 && s < room->spoilers; s++)
      join(room, room->spoiler_buffer);
    if (i % 5 == 4)
      usleep(2000); /* a server may have to accept those before: ncat's queue holds 10, and TCP is slow to try again */
    clients[i] = (struct client){.fd = join(room, 0), .number = i, .receives = i < room->receivers};
    if (room->names && (clients[i].pieces = malloc(RELAYED_MAX + 1)) == NULL)
      err(1, "malloc");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};
    must(epoll_ctl(room->epoll, EPOLL_CTL_ADD, clients[i].fd, &event), "epoll_ctl");
  }
  room->talker = &clients[count - 1];
  return clients;
}

/* Writes message `number`, and before it what MQTT wants: PUBLISH, a length, the topic. Returns the length of all. */
static size_t compose(const struct room *room, unsigned number, char *bytes)
{
  size_t head = 0;
  if (room->protocol == MQTT) {
    size_t rest = room->size + 3;
    bytes[head++] = 0x30;
    for (; rest > 127; rest /= 128)
      bytes[head++] = (char)(rest % 128 | 128);
    bytes[head++] = (char)rest;
    memcpy(bytes + head, "\0\1t", 3);
    head += 3;
  }
  int digits = snprintf(bytes + head, 16, "%011u ", number);
  for (size_t i = (size_t)digits; i < room->size - 1; i++)
    bytes[head + i] = (char)('a' + (number + i) % 26);
  bytes[head + room->size - 1] = '\n';
  return head + room->size;
}

static void send_next(struct room *room)
{
  unsigned slot = room->sent % RING;
  char *bytes = room->flight[slot].bytes;
  room->frame = compose(room, room->sent++, bytes);
  room->flight[slot].due = room->receivers;
  room->flight[slot].sent_at = seconds(CLOCK_MONOTONIC);
  if (send(room->talker->fd, bytes, room->frame, MSG_NOSIGNAL) != (ssize_t)room->frame)
    err(1, "message %u cannot be sent", room->sent - 1);
}

static int by_value(const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* Prints what was measured. */
static void report(struct room *room, int window, bool stalled)
{
  size_t n = room->deliveries;
  qsort(room->delays, n, sizeof *room->delays, by_value);
  printf("{\"what\":\"%s\",\"receivers\":%d,\"spoilers\":%d,\"size\":%zu,\"window\":%d,\"messages\":%u,"
         "\"deliveries\":%zu,\"stalled\":%s",
         room->what, room->receivers, room->spoilers, room->size, window, room->oldest - room->measured_from, n,
         stalled ? "true" : "false");
  if (n > 0) {
    printf(",\"wall\":%.9f,\"p50\":%.6f,\"p90\":%.6f,\"p99\":%.6f,\"max\":%.6f",
           (room->now - room->started) / (double)n, room->delays[(n - 1) / 2], room->delays[(n - 1) * 9 / 10],
           room->delays[(n - 1) * 99 / 100], room->delays[n - 1]);
    if (room->server != CLOCK_MONOTONIC)
      printf(",\"cpu\":%.9f", (seconds(room->server) - room->server_started) / (double)n);
  }
  printf("}\n");
}

static void delivered(struct room *room, struct client *client)
{
  unsigned slot = client->next % RING;
  client->offset = 0;
  client->next++;
  room->delays[room->deliveries++] = (float)(room->now - room->flight[slot].sent_at);
  room->flight[slot].due--;
  while (room->oldest < room->sent && room->flight[room->oldest % RING].due == 0)
    room->oldest++;
}

/* Compares a whole message with what is due; a notice need not be. */
static void hear(struct room *room, struct client *client)
{
  const char *bytes = client->pieces;
  size_t length = client->offset;
  client->offset = 0;
  if (spoken_strip(&bytes, &length) == 0)
    return;
  if (!client->receives || client->next == room->sent)
    errx(1, "client %d: more comes than was sent: %.11s", client->number, bytes);
  if (!spoken_same(bytes, length, room->flight[client->next % RING].bytes, room->frame))
    errx(1, "client %d: what comes is not message %u, but: %.11s", client->number, client->next, bytes);
  delivered(room, client);
}

/* Receives once, and compares what comes with what is due. */
static void receive(struct room *room, struct client *client)
{
  static char bytes[1 << 18];
  struct iovec space = {bytes, sizeof bytes};
  struct msghdr header = {.msg_iov = &space, .msg_iovlen = 1};
  if (room->names)
    space = (struct iovec){client->pieces + client->offset, RELAYED_MAX + 1 - client->offset};
  ssize_t n = recvmsg(client->fd, &header, 0);
  if (n <= 0 && !room->heard)
    errx(REFUSED, "the server has sent client %d away", client->number);
  if (n < 0)
    err(1, "client %d", client->number);
  if (n == 0)
    errx(1, "client %d: the server ends the connection before message %u", client->number, client->next);
  room->heard = true;
  if (room->names) {
    client->offset += (size_t)n;
    if (client->offset > RELAYED_MAX)
      errx(1, "client %d: a message of more than %d bytes comes", client->number, RELAYED_MAX);
    if (header.msg_flags & MSG_EOR)
      hear(room, client);
    return;
  }
  for (size_t at = 0, part; at < (size_t)n; at += part) {
    if (!client->receives || client->next == room->sent)
      errx(1, "client %d: more comes than was sent: %.11s", client->number, bytes + at);
    part = room->frame - client->offset;
    if (part > (size_t)n - at)
      part = (size_t)n - at;
    if (memcmp(room->flight[client->next % RING].bytes + client->offset, bytes + at, part) != 0)
      errx(1, "client %d: what comes is not message %u, but: %.11s", client->number, client->next, bytes + at);
    client->offset += part;
    if (client->offset == room->frame)
      delivered(room, client);
    if (room->protocol == SCTP && (part < (size_t)n || !(header.msg_flags & MSG_EOR) != (client->offset > 0)))
      errx(1, "client %d: message %u has other boundaries than what was sent", client->number, client->next);
  }
}

/* Waits for what comes, and takes it. Returns false where nothing came for so long. */
static bool take(struct room *room, int milliseconds)
{
  struct epoll_event events[EVENTS];
  int n = epoll_wait(room->epoll, events, EVENTS, milliseconds);
  must(n, "epoll_wait");
  room->now = seconds(CLOCK_MONOTONIC);
  for (int i = 0; i < n; i++)
    receive(room, events[i].data.ptr);
  return n > 0;
}

/* The first message of a measurement is not counted: it finds caches and windows as the last one has left them. */
static void measure(struct room *room, size_t size, int window, unsigned messages)
{
  unsigned first = room->sent, end = first + messages + 1;
  room->size = size;
  room->measured_from = first + 1;
  room->delays = calloc((size_t)room->receivers * (messages + 1), sizeof *room->delays);
  if (room->delays == NULL)
    err(1, "calloc");
  room->deliveries = 0;
  room->now = 0;
  double give_up = seconds(CLOCK_MONOTONIC) + room->limit_s;
  while (room->oldest < end) {
    if (room->limit_s > 0 && room->now > give_up)
      end = room->sent;
    while (room->sent < end && room->sent - room->oldest < (unsigned)window &&
           (room->sent == first || room->oldest > first))
      send_next(room);
    if (!take(room, 1000 * room->stall_s)) {
      report(room, window, true);
      errx(1, "message %u has not reached %d of %d clients, and nothing came for %d s", room->oldest,
           room->flight[room->oldest % RING].due, room->receivers, room->stall_s);
    }
    if (room->oldest == first + 1 && room->sent == first + 1) { /* here it begins */
      room->started = room->now = seconds(CLOCK_MONOTONIC);
      room->server_started = seconds(room->server);
      room->deliveries = 0;
    }
  }
  room->now = seconds(CLOCK_MONOTONIC);
  report(room, window, false);
  free(room->delays);
}

int main(int argc, char **argv)
{
  static struct room room = {
      .receivers = 10, .stall_s = 10, .port = DEFAULT_PORT, .what = "", .server = CLOCK_MONOTONIC};
  int option;
  while ((option = next_option(argc, argv, "tmgaen:s:b:P:d:l:p:w:", usage)) != -1)
    switch (option) {
    case 't':
      room.protocol = TCP;
      break;
    case 'm':
      room.protocol = MQTT;
      break;
    case 'g':
      room.names = true;
      break;
    case 'a':
      room.sack_at_once = true;
      break;
    case 'e':
      room.talker_is_extra = true;
      break;
    case 'n':
      room.receivers = parse_number(optarg, 1, 100000, "a number of receivers", usage);
      break;
    case 's':
      room.spoilers = parse_number(optarg, 0, 100000, "a number of clients", usage);
      break;
    case 'b':
      room.spoiler_buffer = parse_number(optarg, 1, INT_MAX, "a size in bytes", usage);
      break;
    case 'P':
      if (clock_getcpuclockid(parse_number(optarg, 1, INT_MAX, "a process", usage), &room.server) != 0)
        errx(1, "there is no process %s", optarg);
      break;
    case 'd':
      room.limit_s = parse_number(optarg, 1, 3600, "a time in seconds", usage);
      break;
    case 'l':
      room.stall_s = parse_number(optarg, 1, 3600, "a time in seconds", usage);
      break;
    case 'p':
      room.port = parse_port(optarg, 1, usage);
      break;
    case 'w':
      room.what = optarg;
    }
  if (optind == argc)
    usage_error(usage, "SIZE:WINDOW:MESSAGES is missing");
  struct rlimit files = {65536, 65536};
  setrlimit(RLIMIT_NOFILE, &files); /* where it may not, socket() tells */
  setvbuf(stdout, NULL, _IOLBF, 0);
  room.epoll = epoll_create1(0);
  must(room.epoll, "epoll_create1");
  struct client *clients = join_all(&room);
  for (; optind < argc; optind++) {
    int size, window, messages;
    if (sscanf(argv[optind], "%d:%d:%d", &size, &window, &messages) != 3 || size < 16 || size > MESSAGE_MAX ||
        window < 1 || window > RING || messages < 1)
      usage_error(usage, "'%s' is not SIZE:WINDOW:MESSAGES (16 to %d, 1 to %d)", argv[optind], MESSAGE_MAX, RING);
    measure(&room, (size_t)size, window, (unsigned)messages);
  }
  while (take(&room, 100)) /* which fails where a message comes twice */
    if (!room.names)
      errx(1, "something comes that was not sent");
  for (int i = 0; i < room.receivers + room.talker_is_extra; i++)
    free(clients[i].pieces);
  free(clients);
  return EXIT_SUCCESS;
}
