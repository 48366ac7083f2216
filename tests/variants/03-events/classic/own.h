// own.h - what the programs need: nothing of the course's common/ is used here, and no call that RFC 6458 does not
// deprecate
#ifndef OWN_H
#define OWN_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stddef.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_MESSAGE 65536

static const char *me; /* the program's name */
static int signals[2];

static inline void die(const char *what, const char *reason)
{
  fflush(stdout);
  fprintf(stderr, "%s: %s: %s\n", me, what, reason);
  exit(1);
}

static inline void misuse(const char *usage)
{
  fprintf(stderr, "Usage: %s %s\n", me, usage);
  exit(2);
}

/* Returns the option's letter, or -1; -h and what is wrong end the program. */
static inline int option_of(int argc, char **argv, const char *letters, const char *usage)
{
  opterr = 0;
  int option = getopt(argc, argv, letters);
  if (option == 'h') {
    printf("Usage: %s %s\n", me, usage);
    exit(0);
  }
  if (option == '?')
    misuse(usage);
  return option;
}

static inline long number_of(const char *text, long least, long most, const char *usage)
{
  char *rest;
  errno = 0;
  long number = strtol(text, &rest, 10);
  if (*text < '0' || *text > '9' || *rest != '\0' || number < least || number > most)
    misuse(usage);
  return number;
}

static inline long long now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void signalled(int number)
{
  (void)number;
  if (write(signals[1], "x", 1) < 0)
    return;
}

static inline void watch_signals(void)
{
  if (pipe(signals) < 0)
    die("pipe", strerror(errno));
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, signalled);
  signal(SIGINT, signalled);
}

/* Returns a one-to-many socket that is told of messages' streams and of the associations' ends. */
static inline int open_one_to_many(void)
{
  int fd = socket(AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP), on = 1, off = 0, large = 4 << 20;
  struct sctp_event_subscribe events;
  if (fd < 0)
    die("socket", strerror(errno));
  memset(&events, 0, sizeof events);
  events.sctp_data_io_event = events.sctp_association_event = events.sctp_partial_delivery_event = 1;
  if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENTS, &events, sizeof events) < 0)
    die("SCTP_EVENTS", strerror(errno));
  setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
  setsockopt(fd, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

/* Binds it to the names, or to everything, and tells the port. */
static inline void serve_at(int fd, char **names, int count, unsigned short port)
{
  struct sctp_initmsg streams = {.sinit_num_ostreams = 1000};
  struct sockaddr_in6 bound;
  socklen_t size = sizeof bound;
  struct addrinfo hints = {.ai_family = AF_INET6, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_V4MAPPED};
  setsockopt(fd, IPPROTO_SCTP, SCTP_INITMSG, &streams, sizeof streams);
  for (int i = 0; i == 0 || i < count; i++) {
    struct addrinfo *found;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    int error = getaddrinfo(count > 0 ? names[i] : NULL, service, &hints, &found);
    if (error != 0)
      die(names[i], gai_strerror(error));
    if (sctp_bindx(fd, found->ai_addr, 1, SCTP_BINDX_ADD_ADDR) < 0)
      die("this address is not to be had", strerror(errno));
    freeaddrinfo(found);
    if (getsockname(fd, (struct sockaddr *)&bound, &size) == 0)
      port = ntohs(bound.sin6_port);
  }
  if (listen(fd, 100) < 0)
    die("listen", strerror(errno));
  printf("Listening on port %u\n", port);
  fflush(stdout);
}

static inline void report(const struct sctp_sndrcvinfo *info, size_t length, const struct sockaddr_storage *from)
{
  char host[INET6_ADDRSTRLEN] = "";
  const struct sockaddr_in6 *in6 = (const void *)from;
  const struct sockaddr_in *in = (const void *)from;
  if (from->ss_family == AF_INET)
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
  else if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
    inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], host, sizeof host);
  else
    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
  printf("assoc %d stream %d ppid %u: %zu bytes from %s port %d\n", info->sinfo_assoc_id, info->sinfo_stream,
         ntohl(info->sinfo_ppid), length, host, ntohs(in6->sin6_port));
  fflush(stdout);
}

/* Sends with the old structure; the association in it says where to. */
static inline ssize_t send_to(int fd, sctp_assoc_t association, const struct sctp_sndrcvinfo *as, int flags,
                              const void *bytes, size_t length)
{
  struct sctp_sndrcvinfo info;
  memset(&info, 0, sizeof info);
  if (as != NULL) {
    info.sinfo_stream = as->sinfo_stream;
    info.sinfo_ppid = as->sinfo_ppid;
    flags |= as->sinfo_flags & SCTP_UNORDERED;
  }
  info.sinfo_flags = (unsigned short)flags;
  info.sinfo_assoc_id = association;
  return sctp_send(fd, bytes, length, &info, 0);
}

#endif
