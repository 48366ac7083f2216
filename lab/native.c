/*
 * native.c - a lab on this machine's own kernel, where that has SCTP
 *
 * As `unshare --map-root-user --net` does it: a user namespace, in which one is root, and a network
 * namespace with nothing but a loopback interface in it. Needs no privilege where users may make
 * namespaces at all.
 */
#include "lab.h"
#include "loopback.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

bool native_has_sctp(void)
{
  int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
  if (fd >= 0)
    close(fd);
  return fd >= 0;
}

static bool write_map(const char *path, const char *map)
{
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  bool written = fd >= 0 && write(fd, map, strlen(map)) == (ssize_t)strlen(map);
  if (fd >= 0)
    close(fd);
  return written;
}

static bool enter_namespaces(void)
{
  char uid_map[64], gid_map[64];
  snprintf(uid_map, sizeof uid_map, "0 %d 1", (int)geteuid());
  snprintf(gid_map, sizeof gid_map, "0 %d 1", (int)getegid());
  bool entered =
      unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0 && write_map("/proc/self/setgroups", "deny") &&
      write_map("/proc/self/uid_map", uid_map) && write_map("/proc/self/gid_map", gid_map) && loopback_up() == 0 &&
      mount("run", "/run", "tmpfs", 0, "mode=755") == 0; /* as in the other labs: ip netns keeps its hosts there */
  if (entered)
    mount("sysfs", "/sys", "sysfs", 0, NULL); /* the new network's interfaces; a container may refuse that */
  return entered;
}

bool native_allows(void)
{
  int status;
  pid_t pid = fork();
  if (pid == 0)
    _exit(enter_namespaces() ? 0 : errno);
  if (pid < 0 || waitpid(pid, &status, 0) < 0)
    return false;
  errno = WEXITSTATUS(status);
  return errno == 0;
}

/* What has to be done otherwise here than as root of a whole machine lies in lab/native, and is found first. */
static void prefer_ours(const struct job *job)
{
  const char *path = getenv("PATH");
  char *longer;
  int lab = (int)(strrchr(job->built, '/') - job->built);
  if (asprintf(&longer, "%.*s/native:%s", lab, job->built, path != NULL ? path : "/usr/bin:/bin") >= 0)
    setenv("PATH", longer, 1);
}

/* Becomes the command. Reports on `ready` whether the namespaces could be had: 0 or an errno. */
static _Noreturn void become_command(const struct job *job, int ready)
{
  int result = enter_namespaces() ? 0 : errno;
  if (write(ready, &result, sizeof result) < 0 || result != 0)
    _exit(LAB_BROKEN);
  stop_forget();
  setenv("SCTP_LAB", "1", 1);
  prefer_ours(job);
  execvp(job->command[0], job->command);
  result = errno;
  fprintf(stderr, "lab/run: %s: %s\n", job->command[0], strerror(result));
  _exit(result == ENOENT ? 127 : 126);
}

/* The terminal has sent its own signals to the command too: only those from elsewhere are handed on. */
int native_run(const struct job *job)
{
  struct stop stop;
  int ready[2], refused = 0, status = -1;
  if (pipe2(ready, O_CLOEXEC) < 0)
    return -1;
  stop_adopt();
  stop_watch(&stop, job->timeout);
  pid_t pid = fork();
  if (pid < 0)
    return -1;
  if (pid == 0)
    become_command(job, ready[1]);
  close(ready[1]);
  if (read(ready[0], &refused, sizeof refused) != (ssize_t)sizeof refused || refused != 0) {
    waitpid(pid, NULL, 0);
    errno = refused;
    return -1;
  }
  close(ready[0]);

  bool over = false;
  while (!over) {
    struct pollfd signals = {.fd = stop.fd, .events = POLLIN};
    poll(&signals, 1, stop_wait(&stop));
    int number;
    enum stop_action action;
    while (!over && (action = stop_next(&stop, &number)) != STOP_NOTHING) {
      int ended;
      if (action == STOP_KILL)
        over = true;
      else if (action == STOP_FORWARD)
        kill(pid, number);
      else if (action == STOP_CHILD && waitpid(pid, &ended, WNOHANG) == pid) {
        status = WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : WEXITSTATUS(ended);
        over = true;
      }
    }
  }
  stop_kill_all();
  return stop_status(&stop, status);
}
