// Takes all the memory that it gets, in several processes.
// expect: none
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
  fork();
  fork();
  for (;;) {
    char *more = malloc(1 << 20);
    if (more != NULL)
      memset(more, 1, 1 << 20);
  }
}
