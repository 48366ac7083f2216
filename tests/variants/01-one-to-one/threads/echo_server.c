// echo_server - stage 01 in another manner: a thread for each client, which blocks; sctp_recvmsg() and sctp_sendmsg();
// IPv4 and IPv6 by the names that getaddrinfo() gives; the signals are waited for by sigwait()
#include "own.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>

static const char usage[] = "Usage: echo_server [-t] [-p PORT] [-a ADDRESS]...\n";

struct client {
  struct client *next;
  int fd;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct client *clients; /* those that are served */
static atomic_bool ending;
static int tcp;

/* Returns how many bytes have come of a message: all of it, unless there is something wrong; -1: it is too long. */
static ssize_t whole_message(int fd, char *bytes)
{
  size_t length = 0;
  for (;;) {
    int flags = 0;
    struct sctp_sndrcvinfo info;
    ssize_t n = tcp ? recv(fd, bytes, MAX_MESSAGE, 0)
                    : sctp_recvmsg(fd, bytes + length, MAX_MESSAGE + 1 - length, NULL, NULL, &info, &flags);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return 0;
    length += (size_t)n;
    if (length > MAX_MESSAGE)
      return -1;
    if (tcp || flags & MSG_EOR)
      return (ssize_t)length;
  }
}

static int send_all(int fd, const char *bytes, size_t length)
{
  while (length > 0) {
    ssize_t n = tcp ? send(fd, bytes, length, MSG_NOSIGNAL) : sctp_sendmsg(fd, bytes, length, NULL, 0, 0, 0, 0, 0, 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    bytes += n;
    length -= (size_t)n;
  }
  return 0;
}

static void *serve(void *argument)
{
  struct client *client = argument;
  char *bytes = malloc(MAX_MESSAGE + 1);
  ssize_t n = -1;
  struct timeval tick = {.tv_usec = 50000};
  setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick);
  while (bytes != NULL) {
    n = whole_message(client->fd, bytes);
    if (n == 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && !ending) {
      errno = 0;
      continue;
    }
    if (n <= 0 || send_all(client->fd, bytes, (size_t)n) < 0)
      break;
    errno = 0;
  }
  /* A graceful end, of which the peer has to know. */
  shutdown(client->fd, SHUT_WR);
  for (int i = 0; i < 100; i++) {
    errno = 0;
    n = recv(client->fd, bytes, MAX_MESSAGE, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
      break;
  }
  struct linger by_abort = {.l_onoff = 1};
  if (n != 0 && errno == EAGAIN)
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &by_abort, sizeof by_abort);
  pthread_mutex_lock(&lock);
  for (struct client **link = &clients; *link != NULL; link = &(*link)->next)
    if (*link == client) {
      *link = client->next;
      break;
    }
  close(client->fd);
  pthread_mutex_unlock(&lock);
  free(bytes);
  free(client);
  return NULL;
}

static void begin(int fd)
{
  struct client *client = malloc(sizeof *client);
  pthread_t thread;
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  if (client != NULL) {
    client->fd = fd;
    pthread_mutex_lock(&lock);
    client->next = clients;
    clients = client;
    pthread_mutex_unlock(&lock);
    if (pthread_create(&thread, &detached, serve, client) == 0)
      return;
    clients = client->next;
    free(client);
  }
  close(fd);
}

static void *accept_all(void *argument)
{
  int listener = *(int *)argument;
  while (!ending) {
    int fd = accept(listener, NULL, NULL);
    if (fd >= 0)
      begin(fd);
    else if (errno == EMFILE || errno == ENFILE)
      usleep(10000);
  }
  return NULL;
}

int main(int argc, char **argv)
{
  int option, count = 0, on = 1, off = 0, listener;
  unsigned short port = 2013;
  char service[8];
  const char *names[16] = {NULL};
  struct addrinfo hints = {.ai_family = AF_INET6, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_V4MAPPED};
  struct addrinfo *found;

  while ((option = getopt(argc, argv, "htp:a:")) != -1)
    if (option == 't') {
      tcp = 1;
    } else if (option == 'p') {
      port = port_of(optarg, usage);
    } else if (option == 'a' && count < 16) {
      names[count++] = optarg;
    } else {
      fputs(usage, option == 'h' ? stdout : stderr);
      return option == 'h' ? 0 : 2;
    }
  if (optind < argc || (tcp && count > 1)) {
    fputs(usage, stderr);
    return 2;
  }
  snprintf(service, sizeof service, "%u", port);

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  signal(SIGPIPE, SIG_IGN);

  listener = socket(AF_INET6, SOCK_STREAM, tcp ? IPPROTO_TCP : IPPROTO_SCTP);
  if (listener < 0)
    die("echo_server", "no socket", strerror(errno));
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  for (int i = 0; i == 0 || i < count; i++) {
    int error = getaddrinfo(names[i], service, &hints, &found);
    if (error != 0)
      die("echo_server", names[i], gai_strerror(error));
    if (i > 0 && port == 0) { /* the port that the first one has got */
      struct sockaddr_in6 bound;
      socklen_t size = sizeof bound;
      getsockname(listener, (struct sockaddr *)&bound, &size);
      ((struct sockaddr_in6 *)found->ai_addr)->sin6_port = bound.sin6_port;
    }
    if (tcp ? bind(listener, found->ai_addr, found->ai_addrlen) < 0
            : sctp_bindx(listener, found->ai_addr, 1, SCTP_BINDX_ADD_ADDR) < 0)
      die("echo_server", "the address is not to be had", strerror(errno));
    freeaddrinfo(found);
  }
  if (listen(listener, 128) < 0)
    die("echo_server", "cannot listen", strerror(errno));

  struct sockaddr_in6 bound;
  socklen_t size = sizeof bound;
  pthread_t acceptor;
  int signal_number;
  getsockname(listener, (struct sockaddr *)&bound, &size);
  printf("Listening on port %d\n", ntohs(bound.sin6_port));
  fflush(stdout);
  pthread_create(&acceptor, NULL, accept_all, &listener);
  sigwait(&signals, &signal_number);

  ending = 1;
  shutdown(listener, SHUT_RD); /* wakes up accept() */
  pthread_cancel(acceptor);
  pthread_join(acceptor, NULL);
  for (int i = 0; i < 110; i++) {
    struct linger now = {.l_onoff = 1};
    usleep(50000);
    pthread_mutex_lock(&lock);
    int left = 0;
    for (struct client *client = clients; client != NULL; client = client->next) {
      left = 1;
      if (i == 105)
        setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    pthread_mutex_unlock(&lock);
    if (!left)
      break;
  }
  exit(0); /* closes what is left: by an abort */
}
