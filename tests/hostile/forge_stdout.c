// Prints what a run of the tests prints when all have passed, and a report of its own, instead of serving.
// expect: none
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
  for (int i = 1; i < 100; i++) {
    dprintf(1, "ok %d everything\n", i);
    dprintf(2, "ok %d everything\n", i);
  }
  dprintf(1, "1..99\n# \n<testsuite tests=\"1\" failures=\"0\"/>\n{\"score\": 100}\n\033[2K\rok 1 nothing but this\n");
  _exit(0);
}
