/* kernel.c - see kernel.h */
#include "kernel.h"
#include "lab.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEBIANS "/usr/bin/linux.uml"

/* KERNEL_CONFIG is the checksum of kernel.config and kernel.patch: what lab/build-kernel ends a kernel's name with. */
static int is_ours(const struct dirent *entry)
{
  static const char start[] = "linux-", end[] = "-" KERNEL_CONFIG;
  size_t length = strlen(entry->d_name);
  return length > sizeof start - 1 + sizeof end - 1 && strncmp(entry->d_name, start, sizeof start - 1) == 0 &&
         strcmp(entry->d_name + length - (sizeof end - 1), end) == 0;
}

/* Returns the path of the newest kernel in the cache (XDG Base Directory Specification), or NULL. */
static char *built(void)
{
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  char *folder, *path = NULL;
  int length = cache != NULL && *cache == '/'  ? asprintf(&folder, "%s/sctp-course", cache)
               : home != NULL && *home != '\0' ? asprintf(&folder, "%s/.cache/sctp-course", home)
                                               : -1;
  if (length < 0)
    return NULL;
  struct dirent **kernels;
  int count = scandir(folder, &kernels, is_ours, versionsort);
  if (count > 0 && asprintf(&path, "%s/%s", folder, kernels[count - 1]->d_name) < 0)
    path = NULL;
  for (int i = 0; i < count; i++)
    free(kernels[i]);
  if (count >= 0)
    free(kernels);
  free(folder);
  return path;
}

struct kernel kernel_find(void)
{
  char *named = getenv("LAB_UML");
  if (named != NULL && *named != '\0') {
    if (access(named, X_OK) < 0)
      lab_fail("Correct LAB_UML, or unset it to leave the choice to lab/run.", "LAB_UML=%s: %s", named,
               strerror(errno));
    return (struct kernel){.path = named, .why = "LAB_UML names it"};
  }
  char *ours = built();
  if (ours != NULL)
    return (struct kernel){.path = ours, .why = "make lab-kernel has built it"};
  if (access(DEBIANS, X_OK) < 0)
    lab_fail(
        "Install it:  lab/setup lab   (or by hand: apt-get install user-mode-linux), or build one:  make lab-kernel",
        "User Mode Linux is missing (%s: %s)", DEBIANS, strerror(errno));
  return (struct kernel){.path = DEBIANS,
                         .why = "it is Debian's: make lab-kernel, which builds a far faster one, has not been run"};
}

bool kernel_there(void)
{
  const char *named = getenv("LAB_UML");
  char *path = built();
  bool ours = path != NULL;
  free(path);
  return ours || (named != NULL && *named != '\0') || access(DEBIANS, X_OK) == 0;
}

void kernel_version(const struct kernel *kernel, char version[64])
{
  int ends[2];
  strcpy(version, "?");
  if (pipe(ends) < 0)
    return;
  pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execl(kernel->path, kernel->path, "--version", (char *)NULL);
    _exit(1);
  }
  close(ends[1]);
  ssize_t length = read(ends[0], version, 63); /* a line this short comes in one piece */
  if (length > 0) {
    version[length] = '\0';
    version[strcspn(version, "\n")] = '\0';
  }
  close(ends[0]);
  waitpid(pid, NULL, 0);
}
