// Writes results of its own to every descriptor but the standard ones, and where results might lie.
// expect: full
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
  static const char tap[] = "ok 1 everything\nok 2 everything\n1..2\n";
  for (int fd = 3; fd < 1024; fd++)
    if (write(fd, tap, sizeof tap - 1) > 0)
      _exit(1);
  static const char *const results[] = {"/run/grade/out/tap/01-one-to-one", "/tmp/../run/grade/out/grade.json",
                                        "/autograder/results/results.json", "/proc/self/cwd/../run/grade/out/kernel"};
  for (unsigned i = 0; i < sizeof results / sizeof *results; i++)
    if (open(results[i], O_WRONLY | O_CREAT, 0666) >= 0)
      _exit(1);
}
