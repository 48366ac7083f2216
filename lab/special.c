/*
 * special.c - preloaded into QEMU, so that named pipes and sockets can be made on this machine's files
 *
 * QEMU refuses to open what is neither a file nor a folder (CVE-2023-2861), and up to version 9.1 also where it opens
 * nothing, but only needs a name (O_PATH): to set the mode of a pipe that it has just made. It then removes the pipe.
 * Newer ones leave such descriptors out of the check; here they look like a file to it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>

static int correct(int result, int fd, mode_t *mode)
{
  if (result == 0 && (S_ISFIFO(*mode) || S_ISSOCK(*mode)) && (fcntl(fd, F_GETFL) & O_PATH))
    *mode = (*mode & ~(mode_t)S_IFMT) | S_IFREG;
  return result;
}

int fstat(int fd, struct stat *about)
{
  int (*real)(int, struct stat *);
  *(void **)&real = dlsym(RTLD_NEXT, "fstat"); /* as dlsym(3) has it */
  return correct(real(fd, about), fd, &about->st_mode);
}

int fstat64(int fd, struct stat64 *about)
{
  int (*real)(int, struct stat64 *);
  *(void **)&real = dlsym(RTLD_NEXT, "fstat64");
  return correct(real(fd, about), fd, &about->st_mode);
}
