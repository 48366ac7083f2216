/* loopback.c - see loopback.h */
#include "loopback.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int loopback_up(void)
{
  int any_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (any_socket < 0)
    return -1;
  struct ifreq mtu = {.ifr_name = "lo", .ifr_mtu = 1500};
  struct ifreq flags = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  int result = 0;
  if (ioctl(any_socket, SIOCSIFMTU, &mtu) < 0 || ioctl(any_socket, SIOCSIFFLAGS, &flags) < 0)
    result = -1;
  close(any_socket);
  return result;
}
