// hostile - a server of the tests that says anything, and aborts for any reason
//
// When somebody has said something, it gets each line of standard input as a message on stream 0, in which a form
// feed becomes a newline, and at its end an ABORT chunk with REASON.
//
// Usage: hostile REASON     prints "Listening on port N", then what it heard
// Compile:  cc -I../../common -o hostile hostile.c ../../common/*.c -lsctp
#include "address.h"
#include "associations.h"
#include "lines.h"
#include "one_to_many.h"

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
  static struct lines input;
  struct local_addresses local = {0};
  struct reassembly unfinished = {0};
  struct received got = {0};
  if (argc != 2)
    errx(2, "one REASON");
  setvbuf(stdout, NULL, _IOLBF, 0);
  local_resolve(&local, 0);
  int fd = one_to_many_socket(&local);
  printf("Listening on port %u\n", bound_port(fd));
  while (got.message == NULL) {
    struct pollfd more = {.fd = fd, .events = POLLIN};
    if (poll(&more, 1, 20000) <= 0)
      errx(1, "nobody has said anything");
    got = one_to_many_receive(fd, &unfinished);
  }
  fwrite(got.message, 1, got.length, stdout);
  while (!input.ended) {
    const char *line;
    size_t length;
    if (!lines_next(&input, &line, &length)) {
      if (!input.ended)
        lines_read(&input);
      continue;
    }
    struct iovec message = {(char *)line, length};
    for (char *c = message.iov_base; c < line + length; c++)
      *c = *c == '\f' ? '\n' : *c;
    struct sctp_sndinfo info = {.snd_assoc_id = got.info.rcv_assoc_id};
    if (sctp_sendv(fd, &message, 1, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) < 0)
      err(1, "sctp_sendv");
  }
  abort_association(fd, got.info.rcv_assoc_id, argv[1]);
  return EXIT_SUCCESS;
}
