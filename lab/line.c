/* line.c - see line.h */
#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { BOOT_MS = 20000 };

static int open_serial(enum line line)
{
  char path[32];
  snprintf(path, sizeof path, "/dev/ttyS%d", (int)line);
  int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  struct termios settings;
  if (fd < 0 || tcgetattr(fd, &settings) < 0)
    return -1;
  cfmakeraw(&settings);
  tcsetattr(fd, TCSANOW, &settings);
  return fd;
}

/* Opens a file of /dev that may not be there yet: the host tells the kernel of its ports one by one. */
static int open_when_there(const char *path)
{
  int news = inotify_init1(IN_CLOEXEC), fd;
  inotify_add_watch(news, "/dev", IN_CREATE);
  while ((fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0 && errno == ENOENT) {
    struct pollfd wait = {.fd = news, .events = POLLIN};
    char skipped[4096];
    if (poll(&wait, 1, BOOT_MS) <= 0 || read(news, skipped, sizeof skipped) < 0)
      break;
  }
  close(news);
  return fd;
}

/* Opens a port, which hangs up until the kernel has heard that the host holds the other end: that comes by a signal. */
static int open_port(enum line line)
{
  char path[32];
  snprintf(path, sizeof path, "/dev/vport0p%d", (int)line + 1);
  int fd = open_when_there(path);
  if (fd < 0)
    return -1;
  sigset_t change, before;
  sigemptyset(&change);
  sigaddset(&change, SIGIO);
  sigprocmask(SIG_BLOCK, &change, &before);
  fcntl(fd, F_SETOWN, getpid());
  fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC);
  struct pollfd state = {.fd = fd, .events = POLLOUT};
  const struct timespec limit = {.tv_sec = BOOT_MS / 1000};
  while (poll(&state, 1, 0) >= 0 && state.revents & POLLHUP && sigtimedwait(&change, NULL, &limit) > 0)
    ;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  signal(SIGIO, SIG_IGN); /* drops what is pending */
  sigprocmask(SIG_SETMASK, &before, NULL);
  signal(SIGIO, SIG_DFL);
  return fd;
}

int line_open(enum line line)
{
  /* User Mode Linux has serial lines and nothing else; what QEMU emulates has one for the kernel's own words. */
  return access("/dev/ttyS3", F_OK) == 0 && access("/sys/bus/virtio/drivers/virtio_console", F_OK) < 0
             ? open_serial(line)
             : open_port(line);
}
