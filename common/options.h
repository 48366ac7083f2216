/* options.h - command lines: options first, then operands */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <stdint.h>

enum { DEFAULT_PORT = 2013 };

/*
 * getopt(3) for all programs of the course: -h prints the usage on standard output and ends with 0; an
 * unknown option or a missing value prints the error and the usage on standard error and ends with 2. A standard stream
 * that is closed becomes /dev/null, before a socket takes its place.
 *
 * letters  the program's own options, as for getopt, without h
 * usage    the help text, the line "usage: PROGRAM ..." first
 *
 * Returns the next option's letter, with its value in `optarg`, or -1 when the operands begin at `optind`.
 */
int next_option(int argc, char **argv, const char *letters, const char *usage);

/* Ends the program with exit status 2: the error, then the usage, on standard error. */
_Noreturn void usage_error(const char *usage, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Reads a number in decimal, from `lowest`, which is not negative, to `highest`. Anything else ends the program as
 * usage_error() does, with `what` for the subject of the error: "a port", "a time in seconds".
 */
int parse_number(const char *text, int lowest, int highest, const char *what, const char *usage);

/*
 * The same for a port, in host byte order: `lowest` is 0 for a server, which lets the kernel choose, and 1 for a
 * client.
 */
uint16_t parse_port(const char *text, int lowest, const char *usage);

#endif
