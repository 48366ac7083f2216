// event_client - stage 03 in another manner: the old calls; the input is read by a process of its own, which hands the
// lines over a pipe as messages (SOCK_SEQPACKET), so that main() has one thing at a time to do
#include "print.h"

#include <sys/wait.h>

static const char usage[] = "[-e shutdown|abort|unread] [-r REASON] [-t MS] [-p PORT] HOST";
static int fd, answered, sent, unread;
static enum { NEW, CALLED, UP, LEAVING, OVER } state;
static struct addrinfo *address;
static char reply[MAX_MESSAGE];
static size_t length;

/* Reads lines from standard input for ever, in the child. */
static void hand_over(int out)
{
  char *line = NULL;
  size_t room = 0;
  ssize_t n;
  while ((n = getline(&line, &room, stdin)) > 0)
    if (n > MAX_MESSAGE)
      fprintf(stderr, "%s: a line of more than 65536 bytes: left out\n", me);
    else if (send(out, line, (size_t)n, MSG_NOSIGNAL) < 0)
      break;
  _exit(0);
}

static void print_safely(const unsigned char *bytes, size_t size)
{
  for (size_t i = 0, step; i < size; i += step) {
    unsigned char c = bytes[i];
    unsigned point;
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    step = c < 0x80 ? 1 : c < 0xc2 || c > 0xf4 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    int ok = step > 0 && i + step <= size;
    point = step == 1 ? c : c & (0x7fU >> step);
    for (size_t k = 1; ok && k < step; k++) {
      ok = (bytes[i + k] & 0xc0) == 0x80;
      point = point << 6 | (bytes[i + k] & 0x3f);
    }
    ok = ok && point >= least[step] && (point < 0xd800 || (point > 0xdfff && point < 0x110000)) &&
         !((point < 0x20 && point != '\n') || (point >= 0x7f && point < 0xa0) || point == 0x61c || point == 0x200e ||
           point == 0x200f || (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069));
    int bad = step == 0 || !ok;
    if (step == 0 || i + step > size)
      step = 1;
    for (size_t k = 0; k < step; k++)
      printf(bad ? "\\x%02x" : "%c", bytes[i + k]);
  }
}

static void told(const union sctp_notification *event, size_t size)
{
  print_event(event, size);
  if (event->sn_header.sn_type != SCTP_ASSOC_CHANGE)
    return;
  switch (event->sn_assoc_change.sac_state) {
  case SCTP_COMM_UP:
    state = UP;
    break;
  case SCTP_CANT_STR_ASSOC:
    state = NEW;
    sent = 0;
    if ((address = address->ai_next) == NULL)
      die("no association", "nobody answers, or nobody is there");
    break;
  case SCTP_RESTART:
    break;
  default:
    if (state != LEAVING)
      die("the association is over", "the server has ended it, or is gone");
    state = OVER;
  }
}

/* Returns false where there is nothing to be read, or what there is, is not to be read. */
static int hear(int replies)
{
  static union {
    char bytes[MAX_MESSAGE];
    union sctp_notification event;
  } space;
  struct sctp_sndrcvinfo info;
  int flags = 0;
  char byte;
  struct iovec one = {&byte, 1};
  struct msghdr peek = {.msg_iov = &one, .msg_iovlen = 1};
  if (!replies && recvmsg(fd, &peek, MSG_PEEK) >= 0 && !(peek.msg_flags & MSG_NOTIFICATION)) {
    unread = 1;
    return 0;
  }
  ssize_t n = sctp_recvmsg(fd, space.bytes, sizeof space.bytes, NULL, NULL, &info, &flags);
  if (n < 0)
    return 0;
  if (flags & MSG_NOTIFICATION) {
    told(&space.event, (size_t)n);
    return 1;
  }
  if (length + (size_t)n > sizeof reply)
    die("a reply", "it is too long");
  memcpy(reply + length, space.bytes, (size_t)n);
  length += (size_t)n;
  if (flags & MSG_EOR) {
    if (isatty(1))
      print_safely((unsigned char *)reply, length);
    else
      fwrite(reply, 1, length, stdout);
    if (reply[length - 1] != '\n')
      printf("\n");
    fflush(stdout);
    answered++;
    length = 0;
  }
  return 1;
}

int main(int argc, char **argv)
{
  const char *how = "shutdown", *reason = "";
  int option, timeout = 0, lines[2], over = 0;
  unsigned short port = 2013;
  char service[8];
  me = "event_client";
  while ((option = option_of(argc, argv, "he:r:t:p:", usage)) != -1)
    if (option == 'e')
      how = optarg;
    else if (option == 'r')
      reason = optarg;
    else if (option == 't')
      timeout = (int)number_of(optarg, 20, 60000, usage);
    else
      port = (unsigned short)number_of(optarg, 1, 65535, usage);
  int replies = strcmp(how, "unread") != 0;
  if (optind + 1 != argc || (replies && strcmp(how, "shutdown") != 0 && strcmp(how, "abort") != 0))
    misuse(usage);
  signal(SIGPIPE, SIG_IGN);
  snprintf(service, sizeof service, "%u", port);
  struct addrinfo hints = {.ai_family = AF_INET6, .ai_socktype = SOCK_STREAM, .ai_flags = AI_V4MAPPED | AI_ALL}, *more;
  int local = strcmp(argv[optind], "localhost") == 0;
  int error = getaddrinfo(local ? "::1" : argv[optind], service, &hints, &address);
  if (error != 0)
    die(argv[optind], gai_strerror(error));
  if (local && getaddrinfo("127.0.0.1", service, &hints, &more) == 0)
    address->ai_next = more;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, lines) < 0)
    die("socketpair", strerror(errno));
  if (fork() == 0) {
    close(lines[0]);
    hand_over(lines[1]);
  }
  close(lines[1]);
  fd = open_one_to_many();
  subscribe(fd);
  struct sctp_rtoinfo times = {.srto_initial = 1000};
  struct sctp_initmsg patience = {.sinit_max_attempts = 3, .sinit_max_init_timeo = 1000};
  setsockopt(fd, IPPROTO_SCTP, SCTP_RTOINFO, &times, sizeof times);
  setsockopt(fd, IPPROTO_SCTP, SCTP_INITMSG, &patience, sizeof patience);
  if (timeout > 0)
    hurry(fd, (unsigned)timeout);

  static char line[MAX_MESSAGE];
  ssize_t size = 0; /* of the line that is to be said */
  while (!over || size > 0 || (replies ? answered < sent : sent > 0 && !unread)) {
    if (size > 0 && (state == NEW || (state == UP && (!replies || answered == sent) && sent > 0))) {
      if (sctp_sendmsg(fd, line, (size_t)size, address->ai_addr, address->ai_addrlen, 0, 0, 0, 0, 0) >= 0) {
        sent++;
        if (state == NEW)
          state = CALLED;
        else
          size = 0;
      } else if (errno == EAGAIN && !replies && state == UP) {
        die("there is more input than the server takes", "we read none of its replies");
      } else if (errno != EAGAIN && state == NEW && (address = address->ai_next) == NULL) {
        die("no way to the server", strerror(errno));
      }
    }
    struct pollfd either[] = {{.fd = unread ? -1 : fd, .events = POLLIN},
                              {.fd = over || size > 0 ? -1 : lines[0], .events = POLLIN}};
    poll(either, 2, unread && size > 0 ? 10 : 500);
    while (hear(replies))
      if (state == UP && size > 0 && sent == 1 && answered == 0)
        size = 0; /* the line that has set it up */
    if (either[1].revents != 0) {
      size = recv(lines[0], line, sizeof line, 0);
      over = size <= 0;
    }
  }
  enum { NOTHING, EOF_, ABORT } end = state != UP ? NOTHING : !replies ? NOTHING : *how == 'a' ? ABORT : EOF_;
  long long until = now() + 5000;
  state = LEAVING;
  if (end == EOF_)
    sctp_sendmsg(fd, NULL, 0, address->ai_addr, address->ai_addrlen, 0, SCTP_EOF, 0, 0, 0);
  if (end == ABORT)
    sctp_sendmsg(fd, reason, strlen(reason), address->ai_addr, address->ai_addrlen, 0, SCTP_ABORT, 0, 0, 0);
  while (end != NOTHING && state != OVER) {
    struct pollfd more_to_hear = {.fd = fd, .events = POLLIN};
    if (now() > until)
      die("goodbye", "the server does not agree");
    if (poll(&more_to_hear, 1, 100) > 0)
      hear(1);
  }
  close(fd);
  return 0;
}
