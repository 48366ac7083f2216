/*
 * control.h - what the two halves of lab/run say to each other
 *
 * The half on the host (relay.c) and the half in the lab (init.c) share four lines (line.h). Three
 * carry the output, bytes and nothing else. The fourth carries frames: a type, a length, a payload.
 *
 * To the lab, a frame longer than FRAME_INLINE goes by a file. User Mode Linux reads a serial line byte by
 * byte, at 2 MB/s; and where 4 KB of a line have not been read yet in the lab, it throttles the line, and
 * then never listens to it again (as of Linux 6.1). The input goes by frames of its own, one at a time: the
 * next is sent when the lab has handed the last to the command.
 */
#ifndef LAB_CONTROL_H
#define LAB_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The lines, by their numbers. */
enum line { LINE_STDOUT, LINE_STDERR, LINE_TERMINAL, LINE_CONTROL, LINES };

enum frame_type {
  /* From the host to the lab. Before FRAME_GO they describe the command. */
  FRAME_ARGUMENTS = 'a',   /* strings, each with its NUL */
  FRAME_ENVIRONMENT = 'e', /* strings, each with its NUL */
  FRAME_DIRECTORY = 'd',   /* the working directory */
  FRAME_SETTINGS = 's',    /* struct settings */
  FRAME_GO = 'g',          /* nothing more to say: start the command */
  FRAME_SIGNAL = 'k',      /* int32_t: deliver this signal to the command */
  FRAME_INPUT = 'i',       /* bytes for the command's input; none: its end */
  FRAME_FILE = 'f',        /* struct frame_file: a frame that lies in a file, which the lab removes */
  FRAME_CLOSED = 'c',      /* int32_t: nobody reads this line any more */
  FRAME_WINDOW = 'w',      /* struct window */
  /* From the lab to the host. */
  FRAME_READY = 'r',  /* booted, SCTP works */
  FRAME_TAKEN = 't',  /* the command has taken the last input */
  FRAME_UNREAD = 'u', /* the command wants no more input */
  FRAME_DONE = 'x',   /* struct done: the command has ended */
  FRAME_BROKEN = 'b'  /* text: why the lab cannot be used */
};

/* Which of the three standard streams are terminals (bit N for descriptor N). `raw` when the
 * terminal's own line editing is off on the host, and so belongs to the lab. */
struct settings {
  uint32_t umask;
  uint32_t terminals;
  uint32_t raw;
  int64_t now; /* nanoseconds since 1970, for a lab whose clock is only about right; else 0 */
};

struct window {
  uint16_t rows, columns;
};

/* The lines have no common order: some of the output may come after this. */
struct done {
  int32_t status;              /* the exit status, 128+N for signal N */
  uint64_t sent[LINE_CONTROL]; /* bytes that went out on each line */
};

struct frame {
  uint32_t type;
  uint32_t length;
  char payload[];
};

enum { FRAME_INLINE = 512 };

struct frame_file {
  uint32_t type;
  char path[4200]; /* on the host; holds the payload */
};

enum { FRAME_MAX = 4 << 20 }; /* more than the kernel takes as arguments and environment together */

/* Collects frames from a descriptor that never blocks. Starts as {.fd = FD}. */
struct control {
  int fd;
  char *bytes;
  size_t used;
  bool returned; /* the first frame in `bytes` has been handed out */
};

/*
 * Writes one frame. Returns false when the other side is gone, or takes nothing for a second.
 */
bool control_send(int fd, enum frame_type type, const void *payload, size_t length);

/*
 * Returns the next whole frame, valid until the next call, or NULL when none has come yet.
 * `*ended` becomes true when none will ever come.
 */
const struct frame *control_receive(struct control *control, bool *ended);

#endif
