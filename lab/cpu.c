/* cpu.c - see cpu.h */
#include "cpu.h"

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LABS_EACH = 16 }; /* as many labs share a processor before further ones go where the scheduler puts them */

/* A name in the abstract namespace (unix(7)) belongs to one socket at a time, and leaves no file. */
static bool claim(int fd, int cpu, int turn)
{
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  int length = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "sctp-lab-cpu-%d-%d", cpu, turn);
  return bind(fd, (struct sockaddr *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) ==
         0;
}

void cpu_settle(void)
{
  cpu_set_t allowed, one;
  int here = sched_getcpu(); /* the scheduler has had a reason to put us here */
  if (here < 0 || sched_getaffinity(0, sizeof allowed, &allowed) < 0)
    return;
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  for (int turn = 0; turn < LABS_EACH; turn++)
    for (int i = 0; i < CPU_SETSIZE; i++) {
      int cpu = (here + i) % CPU_SETSIZE;
      if (CPU_ISSET(cpu, &allowed) && claim(fd, cpu, turn)) {
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
        return; /* fd stays open: it is the claim */
      }
    }
  close(fd);
}
