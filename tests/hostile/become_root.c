// Tries to be root, to leave its root folder, and to trace who has started it.
// expect: full
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <unistd.h>

int chroot(const char *path);

__attribute__((constructor)) static void attack(void)
{
  if (setuid(0) == 0 || setgid(0) == 0 || seteuid(0) == 0 || chroot("/tmp") == 0 || nice(-5) != -1 ||
      ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0 || mknod("/tmp/disk", S_IFBLK | 0666, 0x6200) == 0)
    _exit(1);
  for (int i = 0; i < 100; i++)
    (void)!chdir("..");
  if (access("sys", F_OK) == 0 || access("root", F_OK) == 0)
    _exit(1);
}
