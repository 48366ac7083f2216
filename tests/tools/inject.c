// inject - sends an ERROR chunk that nobody asked for to one end of an association, as a faulty peer would
//
// Waits until a packet with a DATA chunk goes to PORT, takes the addresses, ports and verification tag of its
// association from it, and sends the end at PORT an ERROR with cause CAUSE (RFC 9260, 3.3.10), as if the other end had.
//
// Usage: inject PORT CAUSE     prints "ready", then "sent"
// Compile:  cc -o inject inject.c
#include "crc32c.h"

#include <arpa/inet.h>
#include <endian.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct packet {
  uint16_t source, destination;
  uint32_t tag, checksum;
  uint8_t type, flags;
  uint16_t length;
  uint16_t cause, cause_length;
};

int main(int argc, char **argv)
{
  enum { DATA = 0, ERROR = 9 };
  if (argc != 3)
    errx(2, "PORT CAUSE");
  int fd = socket(AF_INET, SOCK_RAW, IPPROTO_SCTP);
  if (fd < 0)
    err(1, "socket");
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    char bytes[2048] = {0};
    struct packet seen;
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    const struct iphdr *ip = (const void *)bytes;
    size_t head = (size_t)ip->ihl * 4;
    if (n < (ssize_t)(head + sizeof seen))
      continue;
    memcpy(&seen, bytes + head, sizeof seen);
    if (seen.type != DATA || ntohs(seen.destination) != atoi(argv[1]))
      continue;
    struct packet forged = {.source = seen.source,
                            .destination = seen.destination,
                            .tag = seen.tag,
                            .type = ERROR,
                            .length = htons(8),
                            .cause = htons((uint16_t)atoi(argv[2])),
                            .cause_length = htons(4)};
    forged.checksum = htole32(crc32c(&forged, sizeof forged));
    /* From the sender's address: on the loopback interface both ends are ours. */
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = ip->saddr};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = ip->daddr};
    int out = socket(AF_INET, SOCK_RAW, IPPROTO_SCTP);
    if (out < 0 || bind(out, (struct sockaddr *)&from, sizeof from) < 0 ||
        sendto(out, &forged, sizeof forged, 0, (struct sockaddr *)&to, sizeof to) != sizeof forged)
      err(1, "sendto");
    printf("sent\n");
    return 0;
  }
}
