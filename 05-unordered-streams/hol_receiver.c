// hol_receiver - stage 05: prints how long the messages of hol_sender were under way
//
// It checks that each comes once and whole, and ends when the sender has ended; the exit status is 1 where one is
// missing. The time of a message counts from when it was due, and its sender might have been late.
//
// Compile:  cc -I../common -o hol_receiver hol_receiver.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './hol_receiver & sleep 1; ./hol_sender -n 1000 localhost; wait'
#include "address.h"
#include "buffers.h"
#include "hol_message.h"
#include "listen.h"
#include "options.h"

#include <err.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static const char usage[] =
    "usage: hol_receiver [-t | -d MS] [-f PACKETS] [-o FILE] [-a ADDRESS] [-p PORT]\n"
    "Prints, in milliseconds, how long the messages of hol_sender were under way, from when they were due.\n"
    "  -t          use TCP instead of SCTP\n"
    "  -d MS       SCTP_DELAYED_SACK: a SACK waits so long at the most (default 200)\n"
    "  -f PACKETS  SCTP_DELAYED_SACK: or until so many packets have come (default 2)\n"
    "  -o FILE     writes a line for each message: its number, its delay, and how late it was sent, in microseconds\n"
    "  -a ADDRESS  the only address of this host to use (default: all that it has)\n"
    "  -p PORT     listen on this port (default 2013)\n";

struct settings {
  int protocol;
  uint16_t port;
  const char *address, *file;
  int sack_delay, sack_packets;
};

struct result {
  uint32_t count, heard, interval, late, unordered;
  uint16_t streams; /* the highest stream seen, and one */
  size_t bytes;
  int64_t first, last; /* when the first was due, and the last came */
  double *delay;       /* of each message, in milliseconds; below 0: has not come */
  double *lateness;    /* how long after it was due it was sent */
};

/* Takes the message that `bytes` begins with, `length` being all that has come. Returns its length; 0: it is not whole.
 */
static size_t take(struct result *all, const char *bytes, size_t length, int64_t time)
{
  struct head head;
  if (length < sizeof head)
    return 0;
  memcpy(&head, bytes, sizeof head);
  if (all->delay == NULL && head.count <= COUNT_MAX) {
    *all = (struct result){.count = head.count, .interval = head.interval, .first = INT64_MAX};
    all->delay = malloc(2 * (head.count + 1) * sizeof *all->delay);
    if (all->delay == NULL)
      err(1, "malloc");
    all->lateness = all->delay + head.count + 1;
    for (uint32_t i = 0; i < head.count; i++)
      all->delay[i] = -1;
  }
  if (head.length <= sizeof head || head.length > BYTES_MAX || head.count != all->count || head.number >= head.count)
    errx(1, "after %u messages comes what is none", all->heard);
  if (length < head.length)
    return 0;
  if (memcmp(bytes + sizeof head, filling(head.number), head.length - sizeof head) != 0)
    errx(1, "message %u is damaged", head.number);
  if (all->delay[head.number] >= 0)
    errx(1, "message %u comes twice", head.number);
  all->delay[head.number] = (double)(time - head.due) / 1e6;
  all->lateness[head.number] = (double)(head.sent - head.due) / 1e6;
  all->late += head.interval > 0 && head.sent - head.due > head.interval * INT64_C(1000);
  all->first = head.due < all->first ? head.due : all->first;
  all->last = time;
  all->bytes += head.length;
  all->heard++;
  return head.length;
}

/* Receives until the sender has shut down. */
static void receive_all(int fd, bool message_is_record, struct result *all)
{
  static char bytes[2 * BYTES_MAX];
  size_t length = 0;
  for (;;) {
    struct iovec space = {bytes + length, sizeof bytes - length};
    struct sctp_rcvinfo info = {0};
    socklen_t no_address = 0, size = sizeof info;
    unsigned type = 0;
    int flags = 0;
    ssize_t n = message_is_record ? sctp_recvv(fd, &space, 1, NULL, &no_address, &info, &size, &type, &flags)
                                  : recv(fd, space.iov_base, space.iov_len, 0);
    int64_t time = nanoseconds();
    if (n < 0)
      err(1, "after %u messages", all->heard);
    if (n == 0)
      break;
    length += (size_t)n;
    size_t taken = 0, one;
    while ((one = take(all, bytes + taken, length - taken, time)) > 0)
      taken += one;
    if (flags & MSG_EOR && taken != length)
      errx(1, "after %u messages comes a part of one", all->heard);
    if (type == SCTP_RECVV_RCVINFO && flags & MSG_EOR) {
      all->unordered += (info.rcv_flags & SCTP_UNORDERED) != 0;
      all->streams = info.rcv_sid >= all->streams ? (uint16_t)(info.rcv_sid + 1) : all->streams;
    }
    length -= taken;
    memmove(bytes, bytes + taken, length);
  }
  if (all->delay == NULL || length > 0 || all->heard != all->count)
    errx(1, "%u of %u messages came", all->heard, all->count);
}

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void report(struct result *all, const char *file)
{
  if (file != NULL) {
    FILE *out = fopen(file, "w");
    if (out == NULL)
      err(1, "%s", file);
    for (uint32_t i = 0; i < all->count; i++)
      fprintf(out, "%u,%.0f,%.0f\n", i, all->delay[i] * 1e3, all->lateness[i] * 1e3);
    if (fclose(out) != 0)
      err(1, "%s", file);
  }
  double sum = 0, seconds = (double)(all->last - all->first) / 1e9;
  for (uint32_t i = 0; i < all->count; i++)
    sum += all->delay[i];
  qsort(all->delay, all->count, sizeof *all->delay, by_size);
  printf("{\"messages\":%u,\"streams\":%u,\"unordered\":%u,\"late\":%u", all->count, all->streams, all->unordered,
         all->late);
  static const int percent[] = {50, 90, 99, 100};
  for (size_t i = 0; i < sizeof percent / sizeof *percent; i++) /* the least that so many do not exceed */
    printf(",\"p%d\":%.3f", percent[i], all->delay[(all->count * (uint64_t)percent[i] + 99) / 100 - 1]);
  printf(",\"mean\":%.3f,\"seconds\":%.6f,\"rate\":%.0f,\"receiver_cpu\":%.6f}\n", sum / all->count, seconds,
         (double)all->bytes / seconds, processor_seconds());
  free(all->delay);
}

static void receive(const struct settings *how)
{
  static struct local_addresses local;
  if (how->address != NULL)
    local_name(&local, how->address, usage);
  local_resolve(&local, how->port);
  int listener = socket(local.family, SOCK_STREAM, how->protocol);
  if (listener < 0)
    err(1, "socket");
  ask_for_buffers(listener, BUFFER); /* before the association, which inherits them */
  int on = 1;
  if (how->protocol == IPPROTO_SCTP) {
    struct sctp_sack_info sack = {.sack_delay = (uint32_t)how->sack_delay, .sack_freq = (uint32_t)how->sack_packets};
    if (sack.sack_delay > 0 || sack.sack_freq > 0)
      set_option(listener, IPPROTO_SCTP, SCTP_DELAYED_SACK, &sack, sizeof sack, "SCTP_DELAYED_SACK");
    set_option(listener, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on, "SCTP_RECVRCVINFO");
  }
  local_listen(listener, &local);
  printf("Listening on port %u\n", bound_port(listener));
  int fd = accept(listener, NULL, NULL);
  if (fd < 0)
    err(1, "accept");
  struct timeval limit = {.tv_sec = SILENCE_S};
  set_option(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit, "SO_RCVTIMEO");
  struct result all = {0};
  receive_all(fd, how->protocol == IPPROTO_SCTP, &all);
  close(fd);
  close(listener);
  report(&all, how->file);
}

int main(int argc, char **argv)
{
  struct settings how = {.protocol = IPPROTO_SCTP, .port = DEFAULT_PORT};
  int option;

  while ((option = next_option(argc, argv, "td:f:o:a:p:", usage)) != -1)
    switch (option) {
    case 't':
      how.protocol = IPPROTO_TCP;
      break;
    case 'd':
      how.sack_delay = parse_number(optarg, 1, 500, "a delay in milliseconds", usage);
      break;
    case 'f':
      how.sack_packets = parse_number(optarg, 1, 1000, "a number of packets", usage);
      break;
    case 'o':
      how.file = optarg;
      break;
    case 'a':
      how.address = optarg;
      break;
    case 'p':
      how.port = parse_port(optarg, 0, usage);
    }
  if (optind < argc)
    usage_error(usage, "unexpected argument '%s'", argv[optind]);
  if (how.protocol == IPPROTO_TCP && (how.sack_delay > 0 || how.sack_packets > 0))
    usage_error(usage, "-d and -f are for SCTP: not with -t");

  setvbuf(stdout, NULL, _IOLBF, 0);
  receive(&how);
  return EXIT_SUCCESS;
}
