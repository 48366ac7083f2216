/* stop.c - see stop.h */
#include "stop.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int ENDING[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int OTHER[] = {SIGUSR1, SIGUSR2, SIGCHLD, SIGWINCH};

static long long now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool asks_for_the_end(int signal)
{
  for (size_t i = 0; i < sizeof ENDING / sizeof *ENDING; i++)
    if (ENDING[i] == signal)
      return true;
  return false;
}

void stop_watch(struct stop *stop, double seconds)
{
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < sizeof ENDING / sizeof *ENDING; i++) {
    struct sigaction inherited; /* nohup, or a script's background job: what is ignored stays ignored */
    if (sigaction(ENDING[i], NULL, &inherited) == 0 && inherited.sa_handler != SIG_IGN)
      sigaddset(&set, ENDING[i]);
  }
  signal(SIGCHLD, SIG_DFL);
  for (size_t i = 0; i < sizeof OTHER / sizeof *OTHER; i++)
    sigaddset(&set, OTHER[i]);
  sigprocmask(SIG_BLOCK, &set, NULL);
  *stop = (struct stop){
      .fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
      .timeout = seconds > 0 ? now_ms() + (long long)(seconds * 1000) : -1,
      .kill_at = -1,
  };
}

void stop_forget(void)
{
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

int stop_wait(const struct stop *stop)
{
  long long next = stop->kill_at >= 0 ? stop->kill_at : stop->timeout;
  if (next < 0)
    return -1;
  long long left = next - now_ms();
  return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

static enum stop_action begin_end(struct stop *stop, int *signal)
{
  bool second = stop->kill_at >= 0;
  stop->timeout = -1;
  stop->kill_at = second ? now_ms() : now_ms() + GRACE_MS;
  if (stop->signal == 0)
    stop->signal = *signal;
  return second ? STOP_KILL : STOP_FORWARD;
}

enum stop_action stop_next(struct stop *stop, int *signal)
{
  struct signalfd_siginfo info;
  if (read(stop->fd, &info, sizeof info) == (ssize_t)sizeof info) {
    *signal = (int)info.ssi_signo;
    if (*signal == SIGCHLD)
      return STOP_CHILD;
    if (*signal == SIGWINCH)
      return STOP_WINDOW;
    return asks_for_the_end(*signal) ? begin_end(stop, signal) : STOP_FORWARD;
  }
  if (stop->kill_at >= 0 && now_ms() >= stop->kill_at)
    return STOP_KILL;
  if (stop->timeout >= 0 && now_ms() >= stop->timeout) {
    stop->timed_out = true;
    *signal = SIGTERM;
    return begin_end(stop, signal);
  }
  return STOP_NOTHING;
}

int stop_status(const struct stop *stop, int status)
{
  if (stop->timed_out)
    return 124;
  return status >= 0 ? status : 128 + stop->signal;
}

void stop_adopt(void)
{
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void stop_kill_all(void)
{
  FILE *children;
  while ((children = fopen("/proc/thread-self/children", "re")) != NULL) {
    int pid;
    while (fscanf(children, "%d", &pid) == 1)
      kill(pid, SIGKILL);
    fclose(children);
    if (wait(NULL) < 0)
      return;
  }
}
