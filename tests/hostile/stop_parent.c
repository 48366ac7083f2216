// Stops its parent, and every other process that there might be.
// expect: full
#include <signal.h>
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
  if (kill(getppid(), SIGSTOP) == 0)
    _exit(1);
  for (int pid = 1; pid < 5000; pid++)
    if (pid != getpid() && kill(pid, SIGSTOP) == 0)
      _exit(1);
}
