// echo_client - stage 02 in another manner: sctp_sendmsg() to addresses, sctp_recvmsg(); each server gets a line when
// it has answered the one before; all lines are kept
#include "own.h"

static const char usage[] = "[-p PORT] HOST[:PORT]...";

static struct server {
  const char *operand;
  struct addrinfo *address; /* in use; NULL: there is none */
  enum { NEW, CALLED, UP, LEAVING, GONE } state;
  sctp_assoc_t id;
  size_t next; /* the line that it gets next */
  int waiting; /* for a reply */
  long long called;
  size_t length;
  char reply[MAX_MESSAGE];
} * servers;
static int count, failures, fd;

static struct line {
  size_t length;
  char *bytes;
} * lines;
static size_t line_count, line_room;

/* The input, of which lines are made. */
static char input[MAX_MESSAGE + 1];
static size_t input_length;
static int input_over, too_long;

static void add_line(size_t length)
{
  if (line_count == line_room) {
    line_room = line_room * 2 + 100;
    lines = realloc(lines, line_room * sizeof *lines);
  }
  if (lines == NULL || (lines[line_count].bytes = malloc(length)) == NULL)
    die("memory", strerror(errno));
  memcpy(lines[line_count].bytes, input, length);
  lines[line_count++].length = length;
}

static void read_input(void)
{
  ssize_t n = read(0, input + input_length, sizeof input - input_length);
  if (n <= 0)
    input_over = 1;
  else
    input_length += (size_t)n;
  for (;;) {
    char *newline = memchr(input, '\n', input_length);
    size_t length = newline != NULL ? (size_t)(newline - input) + 1 : input_length;
    if (length > MAX_MESSAGE && !too_long) {
      fprintf(stderr, "%s: a line is longer than 64 KiB: left out\n", me);
      too_long = 1;
    }
    if (newline == NULL && !too_long && !(input_over && length > 0))
      return;
    if (!too_long)
      add_line(length);
    memmove(input, input + length, input_length - length);
    input_length -= length;
    if (newline != NULL)
      too_long = 0;
    else
      return;
  }
}

static void lost(struct server *server, const char *why)
{
  fflush(stdout);
  fprintf(stderr, "%s: %s: %s\n", me, server->operand, why);
  server->state = GONE;
  failures = 1;
}

/* True where the association with this id has the server's address. */
static int is_with(sctp_assoc_t id, const struct addrinfo *address)
{
  struct sockaddr *peers;
  int found = 0, n = sctp_getpaddrs(fd, id, &peers);
  char *at = (char *)peers;
  for (int i = 0; i < n; i++) {
    struct sockaddr *peer = (struct sockaddr *)at;
    const struct sockaddr_in6 *want = (const void *)address->ai_addr, *have6 = (const void *)peer;
    const struct sockaddr_in *have = (const void *)peer;
    if (peer->sa_family == AF_INET)
      found = found || (IN6_IS_ADDR_V4MAPPED(&want->sin6_addr) && have->sin_port == want->sin6_port &&
                        memcmp(&want->sin6_addr.s6_addr[12], &have->sin_addr, 4) == 0);
    else
      found = found || (have6->sin6_port == want->sin6_port && memcmp(&want->sin6_addr, &have6->sin6_addr, 16) == 0);
    at += peer->sa_family == AF_INET ? sizeof *have : sizeof *have6;
  }
  if (n > 0)
    sctp_freepaddrs(peers);
  return found;
}

/* True as long as there is an association with it, or one is being set up. */
static int is_there(const struct addrinfo *address)
{
  struct sctp_paddrinfo info;
  socklen_t size = sizeof info;
  memset(&info, 0, sizeof info);
  memcpy(&info.spinfo_address, address->ai_addr, address->ai_addrlen);
  return sctp_opt_info(fd, 0, SCTP_GET_PEER_ADDR_INFO, &info, &size) == 0;
}

static void try_next(struct server *server, const char *why)
{
  server->state = NEW;
  server->address = server->address->ai_next;
  if (server->address == NULL)
    lost(server, why);
}

static void speak(struct server *server)
{
  while ((server->state == NEW || server->state == UP) && !server->waiting && server->next < line_count) {
    struct line *line = &lines[server->next];
    if (sctp_sendmsg(fd, line->bytes, line->length, server->address->ai_addr, server->address->ai_addrlen, 0, 0, 0, 0,
                     0) < 0) {
      if (errno == EAGAIN || server->state == UP)
        return; /* there is no room; or it has ended, which will be told */
      try_next(server, strerror(errno));
      continue;
    }
    server->waiting = 1;
    server->next++;
    if (server->state == NEW) {
      server->state = CALLED;
      server->called = now();
    }
  }
  if (input_over && server->next == line_count && !server->waiting) {
    if (server->state == NEW)
      server->state = GONE;
    if (server->state == UP) {
      sctp_sendmsg(fd, NULL, 0, server->address->ai_addr, server->address->ai_addrlen, 0, SCTP_EOF, 0, 0, 0);
      server->state = LEAVING;
    }
  }
}

static void changed(const struct sctp_assoc_change *change)
{
  for (struct server *server = servers; server < servers + count; server++) {
    if (server->state == CALLED && change->sac_state == SCTP_COMM_UP &&
        is_with(change->sac_assoc_id, server->address)) {
      server->state = UP;
      server->id = change->sac_assoc_id;
    } else if (server->state == CALLED && change->sac_state != SCTP_COMM_UP && !is_there(server->address)) {
      server->waiting = 0;
      server->next = 0;
      try_next(server, now() - server->called < 900 ? "nobody is there" : "no answer");
    } else if ((server->state == UP || server->state == LEAVING) && server->id == change->sac_assoc_id &&
               change->sac_state != SCTP_COMM_UP) {
      if (server->state == LEAVING && change->sac_state == SCTP_SHUTDOWN_COMP)
        server->state = GONE;
      else
        lost(server, change->sac_state == SCTP_SHUTDOWN_COMP ? "it has shut down" : "it is lost");
    }
  }
}

static int steers(unsigned point)
{
  return (point < 0x20 && point != '\n') || (point >= 0x7f && point < 0xa0) || point == 0x61c || point == 0x200e ||
         point == 0x200f || (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

static void print(const unsigned char *bytes, size_t length)
{
  if (!isatty(1)) {
    fwrite(bytes, 1, length, stdout);
    return;
  }
  for (size_t i = 0, size; i < length; i += size) {
    unsigned char c = bytes[i];
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size = c < 0x80 ? 1 : c < 0xc2 || c > 0xf4 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    int ok = size > 0 && i + size <= length;
    unsigned point = size == 1 ? c : c & (0x7fU >> size);
    for (size_t k = 1; ok && k < size; k++) {
      ok = (bytes[i + k] & 0xc0) == 0x80;
      point = point << 6 | (bytes[i + k] & 0x3f);
    }
    ok = ok && point >= least[size] && (point < 0xd800 || (point > 0xdfff && point < 0x110000));
    if (!ok)
      size = 1;
    for (size_t k = 0; k < size; k++)
      printf(!ok || steers(point) ? "\\x%02x" : "%c", bytes[i + k]);
  }
}

static int hear(void)
{
  static union {
    char bytes[MAX_MESSAGE];
    union sctp_notification event;
  } space;
  struct sctp_sndrcvinfo info;
  int flags = 0;
  ssize_t n = sctp_recvmsg(fd, space.bytes, sizeof space.bytes, NULL, NULL, &info, &flags);
  if (n < 0)
    return 0;
  if (flags & MSG_NOTIFICATION) {
    if (space.event.sn_header.sn_type == SCTP_ASSOC_CHANGE)
      changed(&space.event.sn_assoc_change);
    return 1;
  }
  for (struct server *server = servers; server < servers + count; server++) {
    if (server->state != UP || server->id != info.sinfo_assoc_id)
      continue;
    if (server->length + (size_t)n > MAX_MESSAGE) {
      lost(server, "too long a reply");
      return 1;
    }
    memcpy(server->reply + server->length, space.bytes, (size_t)n);
    server->length += (size_t)n;
    if (!(flags & MSG_EOR))
      return 1;
    printf("%s: ", server->operand);
    print((unsigned char *)server->reply, server->length);
    if (server->reply[server->length - 1] != '\n')
      putchar('\n');
    fflush(stdout);
    server->length = 0;
    server->waiting = 0;
  }
  return 1;
}

/* HOST, HOST:PORT, [HOST] or [HOST]:PORT */
static void resolve(struct server *server, unsigned short port)
{
  char host[300], service[8];
  const char *text = server->operand, *rest;
  struct addrinfo hints = {.ai_family = AF_INET6, .ai_socktype = SOCK_STREAM, .ai_flags = AI_V4MAPPED | AI_ALL};
  size_t length;
  if (*text == '[') {
    length = strcspn(++text, "]");
    rest = text + length;
    if (*rest++ != ']')
      misuse(usage);
  } else {
    length = strcspn(text, ":");
    rest = text + length;
  }
  if (length == 0 || length >= sizeof host || (*rest != '\0' && *rest != ':'))
    misuse(usage);
  if (*rest == ':')
    port = (unsigned short)number_of(rest + 1, 1, 65535, usage);
  snprintf(host, sizeof host, "%.*s", (int)length, text);
  snprintf(service, sizeof service, "%u", port);
  int error = 0;
  struct addrinfo *v4 = NULL;
  if (strcmp(host, "localhost") == 0) { /* both, whatever a file or a server says */
    error = getaddrinfo("::1", service, &hints, &server->address);
    if (error == 0 && getaddrinfo("127.0.0.1", service, &hints, &v4) == 0)
      server->address->ai_next = v4;
  } else {
    error = getaddrinfo(host, service, &hints, &server->address);
  }
  if (error != 0) {
    server->address = NULL;
    lost(server, gai_strerror(error));
  }
}

int main(int argc, char **argv)
{
  int option;
  unsigned short port = 2013;
  me = "echo_client";
  while ((option = option_of(argc, argv, "hp:", usage)) != -1)
    port = (unsigned short)number_of(optarg, 1, 65535, usage);
  count = argc - optind;
  if (count == 0)
    misuse(usage);
  if ((servers = calloc((size_t)count, sizeof *servers)) == NULL)
    die("memory", strerror(errno));
  for (int i = 0; i < count; i++) {
    servers[i].operand = argv[optind + i];
    resolve(&servers[i], port);
  }
  signal(SIGPIPE, SIG_IGN);
  fd = open_one_to_many();
  struct sctp_rtoinfo times = {.srto_initial = 1000};
  struct sctp_initmsg patience = {.sinit_max_attempts = 3, .sinit_max_init_timeo = 1000};
  setsockopt(fd, IPPROTO_SCTP, SCTP_RTOINFO, &times, sizeof times);
  setsockopt(fd, IPPROTO_SCTP, SCTP_INITMSG, &patience, sizeof patience);

  long long until = 0;
  for (;;) {
    int here = 0, talking = 0;
    for (int i = 0; i < count; i++) {
      speak(&servers[i]);
      here += servers[i].state != GONE;
      talking += servers[i].state != GONE && servers[i].state != LEAVING;
    }
    if (here == 0)
      break;
    if (talking == 0 && until == 0)
      until = now() + 5000;
    if (until != 0 && now() > until)
      die("goodbye", "a server does not agree");
    struct pollfd either[] = {{.fd = fd, .events = POLLIN}, {.fd = input_over ? -1 : 0, .events = POLLIN}};
    if (poll(either, 2, until != 0 ? 100 : talking > 0 && input_over ? 500 : -1) < 0)
      continue;
    while (hear())
      ;
    if (either[1].revents != 0)
      read_input();
  }
  return failures;
}
