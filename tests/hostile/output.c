// Prints 10 GB instead of serving.
// expect: none
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
  static char lot[1 << 20];
  memset(lot, 'x', sizeof lot);
  for (int i = 0; i < 10000; i++)
    for (int fd = 1; fd <= 2; fd++)
      if (write(fd, lot, sizeof lot) < 0)
        _exit(1);
  _exit(0);
}
