/*
 * boot.c - the very first process on QEMU's machine, in its initial RAM disk
 *
 * Loads the modules that lie beside it (prepare-qemu), without which the kernel sees neither the host's files nor
 * the lines to it, makes those files its root, and becomes init.c. In User Mode Linux the kernel does all that by
 * itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Noreturn void broken(const char *what)
{
  printf("boot: %s: %s\n", what, strerror(errno)); /* the console: in the log of the boot */
  fflush(stdout);
  reboot(RB_POWER_OFF);
  _exit(1);
}

/* `order` names the modules, one a line, each after those that it needs. */
static void load_modules(void)
{
  FILE *order = fopen("/order", "re");
  char name[256];
  if (order == NULL)
    broken("/order");
  while (fscanf(order, "%255s", name) == 1) {
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
      broken(name);
    close(fd);
  }
  fclose(order);
}

int main(void)
{
  const char *init = getenv("LAB_INIT"); /* the kernel hands on what it does not know of its command line */
  load_modules();
  mkdir("/root", 0755);
  if (mount("root", "/root", "9p", 0, "trans=virtio,version=9p2000.L,msize=524288,access=any,cache=mmap") < 0)
    broken("cannot mount the host's files");
  if (chdir("/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
    broken("cannot go to the host's files");
  execl(init, init, (char *)NULL);
  broken(init);
}
