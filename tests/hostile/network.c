// Changes the network, routes and settings of the kernel, or makes a network of its own.
// expect: full
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

int unshare(int flags);

__attribute__((constructor)) static void attack(void)
{
  struct ifreq lo = {.ifr_flags = 0};
  strcpy(lo.ifr_name, "lo");
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (ioctl(fd, SIOCSIFFLAGS, &lo) == 0 || socket(AF_INET, SOCK_RAW, IPPROTO_SCTP) >= 0 ||
      socket(AF_PACKET, SOCK_RAW, 0) >= 0)
    _exit(1);
  close(fd);
  static const char *const settings[] = {"/proc/sys/net/core/rmem_max", "/proc/sys/net/sctp/rto_min",
                                         "/proc/sys/kernel/core_pattern", "/sys/kernel/uevent_helper"};
  for (unsigned i = 0; i < sizeof settings / sizeof *settings; i++)
    if (open(settings[i], O_WRONLY) >= 0)
      _exit(1);
  if (unshare(0x10000000 | 0x40000000) == 0 ||
      mount("none", "/tmp", "tmpfs", 0, NULL) == 0) /* a user's own namespaces */
    _exit(1);
}
