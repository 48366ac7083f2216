/* vmlinuz.c - see vmlinuz.h */
#include "vmlinuz.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char usual[] = "/boot";
static const char prefix[] = "vmlinuz-";

const char *vmlinuz_version(const char *path)
{
  const char *name = strrchr(path, '/');
  name = name != NULL ? name + 1 : path;
  return strncmp(name, prefix, sizeof prefix - 1) == 0 ? name + sizeof prefix - 1 : NULL;
}

/* True where the modules of this version are here, with those of SCTP and 9p among them: a cloud kernel lacks one or
 * the other. */
static bool has_modules(const char *version)
{
  char path[512], line[4096];
  snprintf(path, sizeof path, "/lib/modules/%s/modules.dep", version);
  FILE *list = fopen(path, "re");
  bool sctp = false, files = false;
  while (list != NULL && fgets(line, sizeof line, list) != NULL) {
    line[strcspn(line, ":")] = '\0';
    sctp = sctp || strstr(line, "/sctp.ko") != NULL;
    files = files || strstr(line, "/9pnet_virtio.ko") != NULL;
  }
  if (list != NULL)
    fclose(list);
  return sctp && files;
}

static int is_kernel(const struct dirent *entry)
{
  const char *version = vmlinuz_version(entry->d_name);
  return version != NULL && has_modules(version);
}

const char *vmlinuz_emulator(void)
{
  static char name[sizeof((struct utsname *)0)->machine + 16];
  struct utsname here;
  uname(&here);
  snprintf(name, sizeof name, "qemu-system-%s", here.machine);
  return name;
}

static bool in_path(const char *name)
{
  const char *path = getenv("PATH");
  char *folders = strdup(path != NULL ? path : "/usr/bin:/bin"), *rest = folders, file[4400];
  bool found = false;
  for (const char *folder; !found && (folder = strsep(&rest, ":")) != NULL;) {
    snprintf(file, sizeof file, "%s/%s", folder, name);
    found = access(file, X_OK) == 0;
  }
  free(folders);
  return found;
}

const char *vmlinuz_find(char reason[256])
{
  static char path[512];
  const char *named = getenv("LAB_QEMU_KERNEL");
  *path = '\0';
  if (!in_path(vmlinuz_emulator())) {
    snprintf(reason, 256, "there is no %.100s", vmlinuz_emulator());
    return NULL;
  }
  if (named != NULL && *named != '\0') {
    const char *version = vmlinuz_version(named);
    if (version == NULL || !has_modules(version)) {
      snprintf(reason, 256,
               "LAB_QEMU_KERNEL=%.100s: it must be called vmlinuz-VERSION, with sctp and 9pnet_virtio in "
               "/lib/modules/VERSION",
               named);
      return NULL;
    }
    snprintf(path, sizeof path, "%s", named);
  } else {
    struct dirent **kernels;
    int count = scandir(usual, &kernels, is_kernel, versionsort);
    if (count > 0)
      snprintf(path, sizeof path, "%s/%s", usual, kernels[count - 1]->d_name);
    for (int i = 0; i < count; i++)
      free(kernels[i]);
    if (count >= 0)
      free(kernels);
  }
  if (*path == '\0')
    snprintf(reason, 256, "there is no %s/%sVERSION with modules of SCTP and 9p", usual, prefix);
  else if (access(path, R_OK) < 0)
    snprintf(reason, 256, "%.100s: %s; let yourself read it:  sudo chmod +r %.100s", path, strerror(errno), path);
  else
    return path;
  return NULL;
}
