/*
 * confine.c - becomes a program that can do no harm: what a student has handed in, or the compiler that reads it
 *
 * usage: confine JAIL COMMAND [ARGUMENT...]
 *
 * JAIL is a folder that grade/jail has made: the root of all that the program will see. The program runs in the control
 * group of that jail (its limits on processes and memory), as a user who owns nothing elsewhere, with no descriptors
 * but the three standard streams and no environment but what is set below. It keeps this process's id, so that who has
 * started it can signal it and wait for it.
 *
 * Exit status 125: it cannot be confined, 126 or 127: COMMAND cannot be executed, or is not there.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NOBODY = 65534, CONFINE_FAILED = 125 };

/* Writes text to a file of the kernel's. */
static void tell(const char *path, const char *text)
{
  int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, text, strlen(text)) < 0)
    err(CONFINE_FAILED, "%s", path);
  close(fd);
}

static void limit(int resource, rlim_t value)
{
  struct rlimit both = {value, value};
  if (setrlimit(resource, &both) < 0)
    err(CONFINE_FAILED, "setrlimit");
}

int main(int argc, char **argv)
{
  if (argc < 3)
    errx(CONFINE_FAILED, "usage: confine JAIL COMMAND [ARGUMENT...]");

  char group[4096];
  snprintf(group, sizeof group, "%s.cgroup/cgroup.procs", argv[1]);
  tell(group, "0"); /* this process, and all that it will start: processes, memory, share of the processor */
  tell("/proc/self/oom_score_adj", "1000"); /* where memory is short, this goes first, never a test */

  limit(RLIMIT_FSIZE, 64 << 20); /* bytes of a file */
  limit(RLIMIT_CPU, 20);         /* seconds of the processor, for each process */
  limit(RLIMIT_NOFILE, 4096);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_MEMLOCK, 0);
  limit(RLIMIT_MSGQUEUE, 0);

  const char *terminal = getenv("TERM");
  char term[64];
  snprintf(term, sizeof term, "TERM=%s", terminal != NULL ? terminal : "dumb");
  char *environment[] = {"PATH=/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C.UTF-8", term, NULL};

  if (close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
    err(CONFINE_FAILED, "close_range");
  if (chdir(argv[1]) < 0 || chroot(".") < 0)
    err(CONFINE_FAILED, "%s", argv[1]);
  if (chdir("/tmp") < 0)
    err(CONFINE_FAILED, "/tmp");
  if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
    err(CONFINE_FAILED, "cannot become nobody");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    err(CONFINE_FAILED, "PR_SET_NO_NEW_PRIVS");

  execvpe(argv[2], argv + 2, environment);
  int reason = errno;
  warn("%s", argv[2]);
  return reason == ENOENT ? 127 : 126;
}
