// Writes wherever it can; where that is not /tmp or its own, it has succeeded.
// expect: full
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_below(const char *folder, int depth)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/intruder", folder);
  int fd = open(path, O_CREAT | O_WRONLY, 0666);
  if (fd >= 0)
    _exit(1);
  DIR *dir = depth > 0 ? opendir(folder) : NULL;
  struct dirent *entry;
  while (dir != NULL && (entry = readdir(dir)) != NULL) {
    if (entry->d_name[0] == '.' || strcmp(entry->d_name, "proc") == 0 || strcmp(entry->d_name, "tmp") == 0)
      continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (entry->d_type == DT_DIR)
      write_below(path, depth - 1);
    else if (entry->d_type == DT_REG && (access(path, W_OK) == 0 || chmod(path, 0777) == 0 || unlink(path) == 0))
      _exit(1);
  }
  if (dir != NULL)
    closedir(dir);
}

__attribute__((constructor)) static void attack(void)
{
  write_below("", 2);
  write_below(COURSE, 2);
  write_below("/course", 2);
  write_below("/run", 3);
  if (access("/proc/1/environ", R_OK) == 0 || access("/dev/sda", F_OK) == 0 || access("/proc/sysrq-trigger", W_OK) == 0)
    _exit(1);
}
