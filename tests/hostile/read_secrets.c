// Looks for the tests, the solutions, what others have handed in, and what other processes are told.
// expect: full
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
  static const char *const secrets[] = {COURSE "/tests/01-one-to-one.bats",
                                        COURSE "/01-one-to-one/echo_server.c",
                                        COURSE "/grade/weights",
                                        COURSE,
                                        SUBMISSIONS,
                                        "/run/grade",
                                        "/etc/shadow",
                                        "/root",
                                        "/home",
                                        "/proc/1/environ",
                                        "/proc/1/root"};
  for (unsigned i = 0; i < sizeof secrets / sizeof *secrets; i++)
    if (access(secrets[i], R_OK) == 0)
      _exit(1);
  DIR *dir = opendir("/proc");
  struct dirent *entry;
  while (dir != NULL && (entry = readdir(dir)) != NULL) {
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/environ", entry->d_name);
    if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != getpid() && open(path, O_RDONLY) >= 0)
      _exit(1);
  }
  if (getenv("BATS_TEST_TMPDIR") != NULL)
    _exit(1);
}
