/* ending.c - see ending.h */
#define _GNU_SOURCE /* pipe2 */
#include "ending.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int ends[2]; /* global, because a signal handler has no arguments */

static void ask_to_end(int signal)
{
  (void)signal;
  int interrupted = errno;
  ssize_t full_is_fine = write(ends[1], "", 1);
  (void)full_is_fine;
  errno = interrupted;
}

int ending_watch(void)
{
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
    err(1, "pipe");
  struct sigaction action = {.sa_handler = ask_to_end}; /* no SA_RESTART: see ending.h */
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  return ends[0];
}

void ending_follow_parent(void)
{
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  close(ends[1]);
}
