// mixed_receiver - appendix: takes a file and a chat from one association, and times the chat
//
// Serves one association of mixed_sender. Where its messages are interleaved, pieces of both streams come in turn: each
// stream needs a place of its own for what is unfinished.
//
// Compile:  cc -I../common -o mixed_receiver mixed_receiver.c ../common/*.c -lsctp
// Run:      ../lab/run sh -c './mixed_receiver & sleep 1; ./mixed_sender -s prio -n 2 -c 20 localhost; wait'
#include "address.h"
#include "listen.h"
#include "mixed.h"
#include "options.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char usage[] = "usage: mixed_receiver [-i] [-b BYTES] [-p PORT]\n"
                            "Prints how many milliseconds each message of mixed_sender's chat was under way\n"
                            "(chat MS), and how long each of its file's is (file BYTES, in PIECES).\n"
                            "  -i        agree to interleaving, if the sender asks for it\n"
                            "  -b BYTES  receive buffer (default 32768): the sender has no more than that under way\n"
                            "  -p PORT   listen on this port (default 2013; 0: the kernel chooses)\n";

/* What has come of a stream's message. Within a stream, messages in order are never interleaved. */
struct unfinished {
  int64_t sent; /* its first bytes */
  size_t length, pieces;
};

/* Takes a message, or a piece of one. */
static void take(struct unfinished *message, uint16_t stream, const char *piece, size_t length, bool end)
{
  size_t missing = message->length < sizeof message->sent ? sizeof message->sent - message->length : 0;
  memcpy((char *)&message->sent + sizeof message->sent - missing, piece, length < missing ? length : missing);
  message->length += length;
  message->pieces++;
  if (!end)
    return;
  if (stream == FILE_STREAM)
    printf("file %zu, in %zu\n", message->length, message->pieces);
  else if (message->length == CHAT_BYTES)
    printf("chat %.3f\n", (double)(nanoseconds() - message->sent) / 1e6);
  else
    errx(1, "a message of %zu bytes came on stream %u", message->length, stream);
  *message = (struct unfinished){0};
}

static void receive_all(int fd)
{
  static char piece[65536];
  struct unfinished messages[STREAMS] = {{0}}; /* one association; else they would be keyed by rcv_assoc_id as well */
  for (;;) {
    struct iovec space = {piece, sizeof piece};
    struct sctp_rcvinfo info = {0};
    socklen_t no_address = 0, size = sizeof info;
    unsigned type = 0;
    int flags = 0;
    ssize_t n = sctp_recvv(fd, &space, 1, NULL, &no_address, &info, &size, &type, &flags);
    if (n < 0)
      err(1, "receiving");
    if (n == 0)
      return;
    if (type != SCTP_RECVV_RCVINFO || info.rcv_sid >= STREAMS)
      errx(1, "a message came on stream %u", info.rcv_sid);
    take(&messages[info.rcv_sid], info.rcv_sid, piece, (size_t)n, flags & MSG_EOR);
  }
}

int main(int argc, char **argv)
{
  static struct local_addresses local;
  bool interleave = false;
  int buffer = 32768, option, on = 1, piece = 4096;
  uint16_t port = DEFAULT_PORT;

  while ((option = next_option(argc, argv, "ib:p:", usage)) != -1)
    switch (option) {
    case 'i':
      interleave = true;
      break;
    case 'b':
      buffer = parse_number(optarg, 4096, 1 << 26, "a number of bytes", usage);
      break;
    case 'p':
      port = parse_port(optarg, 0, usage);
    }
  if (optind < argc)
    usage_error(usage, "unexpected argument '%s'", argv[optind]);

  setvbuf(stdout, NULL, _IOLBF, 0);
  local_resolve(&local, port);
  int listener = socket(local.family, SOCK_STREAM, IPPROTO_SCTP);
  if (listener < 0)
    err(1, "socket");
  if (setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) < 0)
    err(1, "SO_RCVBUF");
  if (setsockopt(listener, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on) < 0)
    err(1, "SCTP_RECVRCVINFO");
  if (setsockopt(listener, IPPROTO_SCTP, SCTP_PARTIAL_DELIVERY_POINT, &piece, sizeof piece) < 0)
    err(1, "SCTP_PARTIAL_DELIVERY_POINT");
  if (interleave)
    ask_for_interleaving(listener);
  local_listen(listener, &local);
  printf("Listening on port %u\n", bound_port(listener));
  int fd = accept(listener, NULL, NULL);
  if (fd < 0)
    err(1, "accept");
  struct timeval limit = {.tv_sec = SILENCE_S};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  receive_all(fd);
  close(fd);
  return EXIT_SUCCESS;
}
