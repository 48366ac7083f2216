// Starts processes, as many as it can, and all of them work.
// expect: none
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
  for (;;)
    fork();
}
