// The first server stays in the background when the test is over; each later one only says the port of that.
// expect: first
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char *program_invocation_short_name;

__attribute__((constructor)) static void attack(void)
{
  char first[64] = "";
  if (strcmp(program_invocation_short_name, "echo_server") != 0)
    return;
  int fd = open("/tmp/port", O_RDONLY);
  if (fd < 0)
    fd = open("/course/port", O_RDONLY);
  if (fd >= 0 && read(fd, first, sizeof first - 1) > 0) {
    dprintf(1, "%s", first);
    for (;;)
      pause();
  }
  int ends[2];
  if (pipe(ends) < 0 || fork() == 0) { /* the server itself, out of the reach of who has started it */
    setsid();
    signal(SIGTERM, SIG_IGN);
    dup2(ends[1], 1);
    return;
  }
  ssize_t n = read(ends[0], first, sizeof first - 1);
  fd = open("/tmp/port", O_CREAT | O_WRONLY, 0666);
  if (n <= 0 || write(fd, first, (size_t)n) < 0 || write(1, first, (size_t)n) < 0)
    _exit(1);
  for (;;)
    pause();
}
