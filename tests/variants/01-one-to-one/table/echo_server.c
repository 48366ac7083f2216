// echo_server - stage 01 in another manner: one process and no thread; poll(), a table of clients, each with a queue of
// what is still to be sent; self-made signal pipe; two listening sockets where there is no -a, for IPv4 and IPv6
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
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

enum { LARGEST = 65536, CLIENTS = 1000, ENOUGH = 1 << 20 };

static const char usage[] = "usage: echo_server [-t] [-p PORT] [-a ADDRESS]...\n";

struct piece {
  struct piece *next;
  size_t length, sent;
  char bytes[];
};

static struct client {
  enum { FREE, TALKS, ENDS } state;
  char *message; /* what has come of one */
  size_t length, queued;
  struct piece *first, **last;
} clients[CLIENTS];
static struct pollfd fds[2 + 1 + CLIENTS]; /* the listeners, the signals' pipe, and client i at 3 + i */
static int tcp, signals[2];

static void failed(const char *what)
{
  fprintf(stderr, "echo_server: %s: %s\n", what, strerror(errno));
  exit(1);
}

static long long now(void)
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

static void forget(int i)
{
  struct client *client = &clients[i];
  close(fds[3 + i].fd);
  fds[3 + i].fd = -1;
  free(client->message);
  for (struct piece *piece = client->first, *next; piece != NULL; piece = next) {
    next = piece->next;
    free(piece);
  }
  memset(client, 0, sizeof *client);
}

static void answer(struct client *client)
{
  struct piece *piece = malloc(sizeof *piece + client->length);
  if (piece == NULL)
    failed("memory");
  piece->next = NULL;
  piece->sent = 0;
  piece->length = client->length;
  memcpy(piece->bytes, client->message, client->length);
  *client->last = piece;
  client->last = &piece->next;
  client->queued += piece->length;
  client->length = 0;
}

/* Returns false where the client is to be forgotten. */
static int hear(int i)
{
  struct client *client = &clients[i];
  struct iovec space = {client->message + client->length, LARGEST + 1 - client->length};
  char control[CMSG_SPACE(sizeof(struct sctp_sndrcvinfo))];
  struct msghdr header = {.msg_iov = &space, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t n = recvmsg(fds[3 + i].fd, &header, 0);
  if (n < 0)
    return errno == EAGAIN || errno == EINTR;
  if (n == 0)
    return 0;
  client->length += (size_t)n;
  if (client->length > LARGEST && !tcp)
    return 0;
  if (tcp || (header.msg_flags & MSG_EOR))
    answer(client);
  return 1;
}

static int speak(int i)
{
  struct client *client = &clients[i];
  while (client->first != NULL) {
    struct piece *piece = client->first;
    ssize_t n = send(fds[3 + i].fd, piece->bytes + piece->sent, piece->length - piece->sent, MSG_NOSIGNAL);
    if (n < 0)
      return errno == EAGAIN || errno == EINTR;
    piece->sent += (size_t)n;
    client->queued -= (size_t)n;
    if (piece->sent < piece->length)
      continue;
    client->first = piece->next;
    if (client->first == NULL)
      client->last = &client->first;
    free(piece);
  }
  return 1;
}

static void take(int listener)
{
  int fd = accept(listener, NULL, NULL), i = 0;
  if (fd < 0)
    return;
  while (i < CLIENTS && clients[i].state != FREE)
    i++;
  if (i == CLIENTS || (clients[i].message = malloc(LARGEST + 1)) == NULL) {
    close(fd);
    return;
  }
  fcntl(fd, F_SETFL, O_NONBLOCK);
  clients[i].state = TALKS;
  clients[i].last = &clients[i].first;
  fds[3 + i].fd = fd;
}

static int listen_on(struct sockaddr *address, socklen_t size)
{
  int one = 1, fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK, tcp ? IPPROTO_TCP : IPPROTO_SCTP);
  if (fd < 0)
    failed("socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (address->sa_family == AF_INET6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  if (bind(fd, address, size) < 0)
    failed("cannot bind");
  return fd;
}

int main(int argc, char **argv)
{
  int option, names = 0;
  uint16_t port = DEFAULT_PORT;
  struct addrinfo *addresses[20];

  for (int i = 0; i < 3 + CLIENTS; i++)
    fds[i] = (struct pollfd){.fd = -1};
  while ((option = next_option(argc, argv, "tp:a:", usage)) != -1)
    if (option == 't')
      tcp = 1;
    else if (option == 'p')
      port = parse_port(optarg, 0, usage);
    else if (names == 20 || getaddrinfo(optarg, NULL, NULL, &addresses[names++]) != 0)
      usage_error(usage, "no such address: %s", optarg);
  if (optind < argc)
    usage_error(usage, "too many arguments%s", "");

  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}, bound;
  socklen_t size = sizeof bound;
  if (names > 0) {
    ((struct sockaddr_in *)addresses[0]->ai_addr)->sin_port = htons(port); /* at the same place for IPv6 */
    fds[0].fd = listen_on(addresses[0]->ai_addr, addresses[0]->ai_addrlen);
  } else {
    fds[0].fd = listen_on((struct sockaddr *)&any6, sizeof any6);
  }
  getsockname(fds[0].fd, (struct sockaddr *)&bound, &size);
  for (int i = 1; i < names; i++) {
    ((struct sockaddr_in *)addresses[i]->ai_addr)->sin_port = bound.sin6_port;
    if (sctp_bindx(fds[0].fd, addresses[i]->ai_addr, 1, SCTP_BINDX_ADD_ADDR) < 0)
      failed("cannot bind another address");
  }
  if (names == 0) {
    any.sin_port = bound.sin6_port;
    fds[1].fd = listen_on((struct sockaddr *)&any, sizeof any);
  }
  if (listen(fds[0].fd, 100) < 0 || (names == 0 && listen(fds[1].fd, 100) < 0))
    failed("cannot listen");
  if (pipe(signals) < 0)
    failed("pipe");
  fds[2].fd = signals[0];
  signal(SIGTERM, signalled);
  signal(SIGINT, signalled);
  fprintf(stdout, "Listening on port %u\n", ntohs(bound.sin6_port));
  fflush(stdout);

  long long until = 0;
  for (;;) {
    int left = 0;
    for (int i = 0; i < 3; i++)
      fds[i].events = POLLIN;
    for (int i = 0; i < CLIENTS; i++) {
      left += clients[i].state != FREE;
      fds[3 + i].events = (short)((clients[i].queued < ENOUGH ? POLLIN : 0) | (clients[i].first != NULL ? POLLOUT : 0));
    }
    if (until != 0 && (left == 0 || now() >= until))
      break;
    if (poll(fds, 3 + CLIENTS, until != 0 ? 20 : -1) < 0)
      continue;
    for (int i = 0; i < 2; i++)
      if (fds[i].revents != 0)
        take(fds[i].fd);
    for (int i = 0; i < CLIENTS; i++) {
      if (clients[i].state == FREE)
        continue;
      if ((fds[3 + i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !hear(i)) {
        forget(i);
      } else if (!speak(i)) {
        forget(i);
      } else if (until != 0 && clients[i].state == TALKS && !(fds[3 + i].revents & POLLIN) &&
                 clients[i].first == NULL) {
        shutdown(fds[3 + i].fd, SHUT_WR); /* all that was queued has its answer */
        clients[i].state = ENDS;
      } else if (clients[i].state == ENDS) {
        char byte; /* poll() does not tell when the peer has agreed: look */
        ssize_t n = recv(fds[3 + i].fd, &byte, 1, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
          forget(i);
      }
    }
    if (fds[2].revents != 0 && until == 0) {
      for (int i = 0; i < 2; i++)
        while (fds[i].fd >= 0 && poll(&fds[i], 1, 0) > 0)
          take(fds[i].fd);
      for (int i = 0; i < 3; i++) {
        if (fds[i].fd >= 0)
          close(fds[i].fd);
        fds[i].fd = -1;
      }
      until = now() + 5000;
    }
  }
  for (int i = 0; i < CLIENTS; i++)
    if (clients[i].state != FREE) {
      struct linger off = {.l_onoff = 1, .l_linger = 0};
      setsockopt(fds[3 + i].fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
      forget(i);
    }
  for (int i = 0; i < names; i++)
    freeaddrinfo(addresses[i]);
  close(signals[1]);
  return 0;
}
