// Prints results before main() runs.
// expect: none
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
  static const char result[] = "ok 1 all is well\nListening on port 1\n";
  (void)!write(1, result, sizeof result - 1);
}
