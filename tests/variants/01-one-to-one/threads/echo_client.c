// echo_client - stage 01 in another manner: a thread that reads the input and sends, while main() receives
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

static const char usage[] = "Usage: echo_client [-t] [-p PORT] HOST\n";
static int connection;
static atomic_ullong sent;
static atomic_bool all_sent;
static int wake[2]; /* a byte for each message that has been sent, and one at the end of input */

static void *send_lines(void *unused)
{
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  (void)unused;
  while ((length = getline(&line, &room, stdin)) > 0) {
    if (length > MAX_MESSAGE) {
      fprintf(stderr, "echo_client: line not sent: more than 65536 bytes\n");
      continue;
    }
    sent += (unsigned long long)length;
    for (ssize_t done = 0, n; done < length; done += n)
      if ((n = send(connection, line + done, (size_t)(length - done), MSG_NOSIGNAL)) < 0)
        return NULL; /* main() hears it too */
  }
  free(line);
  all_sent = 1;
  if (write(wake[1], "", 1) != 1)
    die("echo_client", "pipe", strerror(errno));
  return NULL;
}

/* What a peer has sent, on a terminal: what is no text is shown as a number. */
static void print_safely(const unsigned char *bytes, size_t length)
{
  for (size_t i = 0; i < length;) {
    static const unsigned first[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = bytes[i];
    size_t size = c < 0x80 ? 1 : c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
    unsigned point = size == 1 ? c : size == 0 || c >= 0xf5 ? 0 : c & (0x7fU >> size);
    int ok = size > 0 && c < 0xf5 && i + size <= length;
    for (size_t k = 1; ok && k < size; k++) {
      ok = (bytes[i + k] & 0xc0) == 0x80;
      point = point << 6 | (bytes[i + k] & 0x3fU);
    }
    ok = ok && (size == 1 || point >= first[size]) && point < 0x110000 && (point < 0xd800 || point > 0xdfff);
    int steers = (point < 0x20 && point != '\n') || (point >= 0x7f && point < 0xa0) || point == 0x61c ||
                 point == 0x200e || point == 0x200f || (point >= 0x202a && point <= 0x202e) ||
                 (point >= 0x2066 && point <= 0x2069);
    if (!ok)
      size = 1;
    for (size_t k = 0; k < size; k++)
      printf(!ok || steers ? "\\x%02x" : "%c", bytes[i + k]);
    i += size;
  }
}

int main(int argc, char **argv)
{
  int option, tcp = 0, error = ECONNREFUSED;
  unsigned short port = 2013;
  char service[8];
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all;

  while ((option = getopt(argc, argv, "htp:")) != -1)
    if (option == 't') {
      tcp = 1;
    } else if (option == 'p') {
      port = port_of(optarg, usage);
    } else {
      fputs(usage, option == 'h' ? stdout : stderr);
      return option == 'h' ? 0 : 2;
    }
  if (argc - optind != 1) {
    fputs(usage, stderr);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  snprintf(service, sizeof service, "%u", port);
  int failed = getaddrinfo(strcmp(argv[optind], "localhost") == 0 ? NULL : argv[optind], service, &hints, &all);
  if (failed != 0)
    die("echo_client", argv[optind], gai_strerror(failed));

  connection = -1;
  for (struct addrinfo *one = all; one != NULL && connection < 0; one = one->ai_next) {
    connection = socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK, tcp ? IPPROTO_TCP : IPPROTO_SCTP);
    struct pollfd up = {.fd = connection, .events = POLLOUT};
    socklen_t size = sizeof error;
    error = 0;
    if (connect(connection, one->ai_addr, one->ai_addrlen) < 0)
      error = errno;
    if (error == EINPROGRESS && poll(&up, 1, one->ai_next != NULL ? 4000 : 5000) > 0)
      getsockopt(connection, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      close(connection);
      connection = -1;
    }
  }
  freeaddrinfo(all);
  if (connection < 0)
    die("echo_client", "no way to the server", error == EINPROGRESS ? "it does not answer" : strerror(error));
  fcntl(connection, F_SETFL, 0);

  static unsigned char reply[100000];
  unsigned long long received = 0;
  pthread_t sender;
  if (pipe(wake) < 0)
    die("echo_client", "pipe", strerror(errno));
  pthread_create(&sender, NULL, send_lines, NULL);
  while (!all_sent || received < sent) {
    struct pollfd either[] = {{.fd = connection, .events = POLLIN}, {.fd = all_sent ? -1 : wake[0], .events = POLLIN}};
    poll(either, 2, -1);
    if (either[0].revents == 0)
      continue;
    ssize_t n = recv(connection, reply, sizeof reply, 0);
    if (n <= 0)
      die("echo_client", "the server has gone", n < 0 ? strerror(errno) : "it has said goodbye");
    received += (unsigned long long)n;
    if (isatty(1))
      print_safely(reply, (size_t)n);
    else
      fwrite(reply, 1, (size_t)n, stdout);
    fflush(stdout);
  }
  pthread_join(sender, NULL);

  struct timeval limit = {.tv_sec = 5};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  shutdown(connection, SHUT_WR);
  while (recv(connection, reply, sizeof reply, 0) > 0)
    ;
  return 0;
}
