/* fresh_pair.h - after all that a tool has done to a chat server: does the room still work? */
#ifndef TOOLS_FRESH_PAIR_H
#define TOOLS_FRESH_PAIR_H

#include "chance.h"
#include "reason.h"
#include "sctp_compat.h"
#include "spoken.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { FRESH_PATIENCE_S = 60, FRESH_OTHERS_S = 2, FRESH_LARGEST = 65536, FRESH_NAMED = 65600 };

static inline double clock_s(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline struct sockaddr_in loopback(const char *address, uint16_t port)
{
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, address, &name.sin_addr);
  return name;
}

/* The associations with the port on this machine, in whatever state, at the server's side. */
static inline unsigned associations_with(uint16_t port)
{
  static char line[4096];
  unsigned count = 0, local = 0;
  FILE *file = fopen("/proc/net/sctp/assocs", "r");
  if (file == NULL)
    err(1, "/proc/net/sctp/assocs");
  while (fgets(line, sizeof line, file) != NULL)
    count += sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %u", &local) == 1 && local == port;
  fclose(file);
  return count;
}

/* Receives into one of the two buffers. Returns true where it is the message; `names`: of a server that puts names
   before messages. Ends the program where the server does not behave. */
static inline bool fresh_heard(int fd, int number, char *bytes, size_t *length, const char *message, size_t expected,
                               bool names)
{
  static char piece[FRESH_NAMED + 1];
  const size_t largest = names ? FRESH_NAMED : FRESH_LARGEST;
  struct iovec space = {piece, sizeof piece};
  struct msghdr header = {.msg_iov = &space, .msg_iovlen = 1};
  ssize_t n = recvmsg(fd, &header, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return false;
  if (n <= 0)
    errx(1, "fresh client %d: %s", number, n < 0 ? strerror(errno) : "the server has ended the association");
  if (header.msg_flags & MSG_NOTIFICATION) {
    const struct sctp_assoc_change *change = (void *)piece;
    char reason[REASON_TEXT] = "";
    if (change->sac_type == SCTP_ASSOC_CHANGE && change->sac_state == SCTP_COMM_LOST)
      errx(1, "fresh client %d: aborted by the server: %s", number, abort_reason(change, (size_t)n, reason));
    return false;
  }
  if (*length + (size_t)n > largest)
    errx(1, "fresh client %d: a message of more than %zu bytes", number, largest);
  memcpy(bytes + *length, piece, (size_t)n);
  *length += (size_t)n;
  if (!(header.msg_flags & MSG_EOR))
    return false;
  size_t whole = *length;
  *length = 0;
  if (!names)
    return whole == expected && memcmp(bytes, message, expected) == 0;
  const char *said = bytes;
  return spoken_strip(&said, &whole) > 0 && spoken_same(said, whole, message, expected);
}

/*
 * Two new clients join, each says a message, and both hear both, exactly and once; what else is still said does not
 * count. `names`: the server puts names before messages. Ends the program with an error where it is not so. Those who
 * have gone are given some time before: the kernel of a client that has closed its socket may take longer (it reads no
 * more, and has not aborted).
 *
 * Returns how many of their associations were left.
 */
static inline unsigned fresh_pair_talks(uint16_t port, struct chance *chance, bool names)
{
  static char message[FRESH_LARGEST], heard[2][FRESH_NAMED];
  static const size_t sizes[2] = {211, FRESH_LARGEST};
  static const struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1};
  static const struct timeval limit = {.tv_sec = FRESH_PATIENCE_S};
  struct pollfd pair[2];
  size_t lengths[2] = {0, 0};
  double end = clock_s() + FRESH_OTHERS_S;
  unsigned others;
  while ((others = associations_with(port)) > 0 && clock_s() < end)
    usleep(20000);
  for (int i = 0; i < 2; i++) {
    struct sockaddr_in server = loopback("127.0.0.1", port);
    pair[i] = (struct pollfd){.fd = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP), .events = POLLIN};
    if (pair[i].fd < 0 || setsockopt(pair[i].fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
        setsockopt(pair[i].fd, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event) < 0 ||
        connect(pair[i].fd, (struct sockaddr *)&server, sizeof server) < 0)
      err(1, "fresh client %d cannot join", i);
  }
  for (int speaker = 0; speaker < 2; speaker++) {
    unsigned times[2] = {0, 0};
    chance_fill(chance, message, sizes[speaker]);
    if (names && message[0] == '/')
      message[0] = '!'; /* no command */
    if (send(pair[speaker].fd, message, sizes[speaker], MSG_NOSIGNAL) != (ssize_t)sizes[speaker])
      err(1, "fresh client %d cannot speak", speaker);
    end = clock_s() + FRESH_PATIENCE_S;
    /* When both have heard it, a moment longer: nothing may come twice. */
    for (int wait_ms = FRESH_PATIENCE_S * 1000; poll(pair, 2, wait_ms) > 0;) {
      for (int i = 0; i < 2; i++)
        if (pair[i].revents != 0)
          times[i] += fresh_heard(pair[i].fd, i, heard[i], &lengths[i], message, sizes[speaker], names);
      if (times[0] > 0 && times[1] > 0)
        wait_ms = 100;
      if (times[0] > 1 || times[1] > 1 || clock_s() > end)
        break;
    }
    if (times[0] != 1 || times[1] != 1)
      errx(1, "a message of %zu bytes from a fresh client %d: client 0 heard it %u times, client 1 %u times",
           sizes[speaker], speaker, times[0], times[1]);
  }
  for (int i = 0; i < 2; i++)
    close(pair[i].fd);
  return others;
}

#endif
