// Ends at once, with 0, whatever it is asked.
// expect: none
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
  _exit(0);
}
