// Fills /tmp with bytes and with files.
// expect: full
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
  static char lot[1 << 20];
  char path[64];
  signal(SIGXFSZ, SIG_IGN);
  for (int i = 0; i < 100; i++) {
    snprintf(path, sizeof path, "/tmp/%d-%d", (int)getpid(), i);
    int fd = open(path, O_CREAT | O_WRONLY, 0666);
    if (fd < 0)
      return;
    while (write(fd, lot, sizeof lot) > 0)
      ;
    close(fd);
  }
}
