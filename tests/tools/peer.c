// peer - an SCTP client for the tests, which does exactly what it is told and reports what comes
//
// Usage: peer [-t] [-n COUNT] HOST PORT ACTION...
//   -t         TCP instead of SCTP
//   -n COUNT   so many associations at once; each action is done on all before the next
// Actions:
//   text:TEXT  sends the text as one message
//   send:SIZE  sends one message of so many bytes
//   recv       receives one message:             prints "message LENGTH: TEXT" (the text only up to 100 bytes)
//   same       receives one message, which must be the one sent last on this association; prints nothing
//   flood      sends messages of 10,000 bytes, reading nothing, until no more fit; prints "full"
//   end        waits for the end:                prints "shutdown", or "lost cause=N reason=TEXT"
//   abort      aborts the association
//   wait       waits for the end of standard input
//   line       waits for a line of standard input
//   print:TEXT prints the text
// Each wait ends after 10 seconds with exit status 1.
//
// Compile:  cc -I../../common -o peer peer.c ../../common/*.c -lsctp
#include "address.h"
#include "sctp_compat.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { LARGEST = 300000 };

struct peer {
  int fd, number;
  size_t sent; /* length of the last message */
};

static bool tcp;

static void fill(char *bytes, size_t length, int number)
{
  for (size_t i = 0; i < length; i++)
    bytes[i] = (char)(i * 7 + i / 256 + (size_t)number * 13);
}

static void send_message(struct peer *peer, const char *bytes, size_t length)
{
  if (send(peer->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
    err(1, "send");
  peer->sent = length;
}

/* Receives a message, or the notification of the end. Returns its length, 0 at the end. */
static size_t receive(struct peer *peer, char *bytes, bool print_end)
{
  size_t length = 0;
  for (;;) {
    struct iovec space = {bytes + length, LARGEST - length};
    struct msghdr header = {.msg_iov = &space, .msg_iovlen = 1};
    ssize_t n = recvmsg(peer->fd, &header, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      errx(1, "nothing came for 10 seconds");
    if (n <= 0) {
      if (print_end)
        printf(n == 0 ? "shutdown\n" : "lost\n");
      return 0;
    }
    if (header.msg_flags & MSG_NOTIFICATION) {
      struct sctp_assoc_change *change = (void *)space.iov_base;
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

static void act(struct peer *peer, const char *action)
{
  static char bytes[LARGEST], expected[LARGEST];
  if (strncmp(action, "text:", 5) == 0) {
    send_message(peer, action + 5, strlen(action + 5));
  } else if (strncmp(action, "send:", 5) == 0) {
    size_t length = strtoul(action + 5, NULL, 10);
    fill(bytes, length, peer->number);
    send_message(peer, bytes, length);
  } else if (strcmp(action, "recv") == 0) {
    size_t length = receive(peer, bytes, true);
    if (length > 0)
      printf("message %zu: %.*s\n", length, length <= 100 ? (int)length : 0, bytes);
  } else if (strcmp(action, "same") == 0) {
    fill(expected, peer->sent, peer->number);
    size_t length = receive(peer, bytes, true);
    if (length != peer->sent || memcmp(bytes, expected, length) != 0)
      errx(1, "association %d: sent %zu bytes, and another %zu came back", peer->number, peer->sent, length);
  } else if (strcmp(action, "flood") == 0) {
    while (send(peer->fd, bytes, 10000, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
      ;
    printf("full\n");
  } else if (strcmp(action, "end") == 0) {
    while (receive(peer, bytes, true) > 0)
      ;
  } else if (strcmp(action, "abort") == 0) {
    struct linger now = {.l_onoff = 1};
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
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

int main(int argc, char **argv)
{
  int count = 1, option;
  while ((option = getopt(argc, argv, "+tn:")) != -1)
    switch (option) {
    case 't':
      tcp = true;
      break;
    case 'n':
      count = atoi(optarg);
      break;
    default:
      return 2;
    }
  if (argc - optind < 2)
    errx(2, "HOST PORT ACTION...");
  setvbuf(stdout, NULL, _IOLBF, 0);

  struct addrinfo *address = resolve_host(argv[optind], (uint16_t)atoi(argv[optind + 1]));
  struct peer *peers = calloc((size_t)count, sizeof *peers);
  static const struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
  struct timeval limit = {.tv_sec = 10};
  if (peers == NULL)
    err(1, "calloc");
  for (int i = 0; i < count; i++) {
    peers[i].number = i;
    peers[i].fd = socket(address->ai_family, SOCK_STREAM, tcp ? IPPROTO_TCP : IPPROTO_SCTP);
    if (!tcp && setsockopt(peers[i].fd, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event) < 0)
      err(1, "SCTP_EVENT");
    setsockopt(peers[i].fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(peers[i].fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(peers[i].fd, address->ai_addr, address->ai_addrlen) < 0)
      err(1, "connect");
  }
  freeaddrinfo(address);
  for (int i = optind + 2; i < argc; i++)
    for (int p = 0; p < count; p++)
      act(&peers[p], argv[i]);
  free(peers);
  return 0;
}
