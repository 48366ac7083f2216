/* guest.c - see guest.h */
#include "guest.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct guest *watched;

void guest_check(const struct job *job)
{
  if (strchr(job->init, '"') != NULL)
    lab_fail("Move the course to a folder without one.", "its path has a double quote in it: %s", job->init);
}

void guest_pipe(int ends[2], const char *what)
{
  if (pipe2(ends, O_CLOEXEC) < 0)
    lab_fail(NULL, "cannot make a pipe for %s: %s", what, strerror(errno));
}

void guest_keep_open(int fd)
{
  fcntl(fd, F_SETFD, 0);
}

bool guest_fork(struct guest *guest, const char *folder)
{
  if (asprintf(&guest->files, "%s/sctp-lab-%d", folder, (int)getpid()) < 0)
    lab_fail(NULL, "out of memory");
  stop_adopt();
  guest->pid = fork();
  if (guest->pid < 0)
    lab_fail(NULL, "cannot start a process: %s", strerror(errno));
  if (guest->pid == 0)
    setsid();
  else
    setpgid(guest->pid, guest->pid); /* for a signal that comes before its setsid() */
  return guest->pid == 0;
}

_Noreturn void guest_become(char *const words[], int log)
{
  int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execvp(words[0], words);
  fprintf(stderr, "cannot start %s: %s\n", words[0], strerror(errno));
  _exit(1);
}

void guest_last_words(const char *log)
{
  fprintf(stderr, "%s%s", log, *log != '\0' && log[strlen(log) - 1] != '\n' ? "\n" : "");
}

static void clean_up(void)
{
  kill(-watched->pid, SIGKILL);
  stop_kill_all();
  /* What UML leaves when it is killed, and frames that have not been read. */
  static const char *const ends[] = {"/pid", "/mconsole", "-a", "-e", "-d", "-i"};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    char path[4200];
    snprintf(path, sizeof path, "%s%s", watched->files, ends[i]);
    unlink(path);
  }
  rmdir(watched->files);
}

/*
 * Starts a process that cleans up when this one is killed: it waits for the end of a pipe of which we hold the other
 * side. The kernel itself cannot be asked to: on SIGTERM it tries an orderly end, which may hang.
 */
void guest_watch(const struct guest *guest)
{
  watched = guest;
  int alive[2];
  guest_pipe(alive, "the end");
  pid_t pid = fork();
  if (pid < 0)
    lab_fail(NULL, "cannot start a process: %s", strerror(errno));
  if (pid > 0) {
    close(alive[0]);
    atexit(clean_up);
    return;
  }
  setsid(); /* out of reach of the terminal's Ctrl-C */
  dup2(alive[0], STDIN_FILENO);
  closefrom(STDIN_FILENO + 1); /* whoever reads our output must see its end */
  char nothing;
  while (read(STDIN_FILENO, &nothing, 1) < 0 && errno == EINTR)
    ;
  clean_up();
  _exit(0);
}
