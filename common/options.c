/* options.c - see options.h */
#include "options.h"

#include <err.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The next descriptor would take the place of a standard stream that is closed: a socket as standard output, say. */
static void fill_standard_streams(void)
{
  int fd;
  do
    fd = open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0)
    close(fd);
}

int next_option(int argc, char **argv, const char *letters, const char *usage)
{
  char all[64];
  if (optind == 1)
    fill_standard_streams();
  snprintf(all, sizeof all, "+:h%s", letters); /* +: stop at the first operand; the colon: we print the errors */
  int option = getopt(argc, argv, all);
  if (option == 'h') {
    fputs(usage, stdout);
    exit(EXIT_SUCCESS);
  }
  if (option == '?')
    usage_error(usage, "unknown option -%c", optopt);
  if (option == ':')
    usage_error(usage, "option -%c needs a value", optopt);
  return option;
}

void usage_error(const char *usage, const char *format, ...)
{
  va_list values;
  va_start(values, format);
  vwarnx(format, values);
  va_end(values);
  fputs(usage, stderr);
  exit(2);
}

int parse_number(const char *text, int lowest, int highest, const char *what, const char *usage)
{
  size_t digits = strspn(text, "0123456789");
  long number = digits > 0 && digits <= 10 && text[digits] == '\0' ? strtol(text, NULL, 10) : -1;
  if (number < lowest || number > highest)
    usage_error(usage, "%s is a number from %d to %d, not '%s'", what, lowest, highest, text);
  return (int)number;
}

uint16_t parse_port(const char *text, int lowest, const char *usage)
{
  return (uint16_t)parse_number(text, lowest, 65535, "a port", usage);
}
