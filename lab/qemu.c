/*
 * qemu.c - boots a whole machine that QEMU emulates, with a Linux of this machine
 *
 * For where User Mode Linux cannot be had: other architectures than x86, other distributions than Debian. Its root file
 * system is this machine's own (9p), its lines are ports of virtio-serial, each of them a pair of sockets. It needs no
 * privilege; where /dev/kvm may be used it is fast, else QEMU translates every instruction.
 */
#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usual[] = "/boot";
static const char prefix[] = "vmlinuz-";

static struct guest guest;

/* ---- the kernel ----------------------------------------------------------------------------- */

/* Returns the version in a kernel's name: vmlinuz-VERSION. */
static const char *version_of(const char *path)
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
  const char *version = version_of(entry->d_name);
  return version != NULL && has_modules(version);
}

const char *qemu_kernel(char reason[256])
{
  static char path[512];
  const char *named = getenv("LAB_QEMU_KERNEL");
  *path = '\0';
  if (named != NULL && *named != '\0') {
    const char *version = version_of(named);
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
    snprintf(reason, 256, "%.150s: %s", path, strerror(errno));
  else
    return path;
  return NULL;
}

/* ---- the machine ---------------------------------------------------------------------------- */

/* Its command line. */
struct arguments {
  char *words[96];
  size_t count;
};

static void add(struct arguments *arguments, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct arguments *arguments, const char *format, ...)
{
  va_list values;
  va_start(values, format);
  if (vasprintf(&arguments->words[arguments->count++], format, values) < 0)
    lab_fail(NULL, "out of memory");
  va_end(values);
}

static void add_all(struct arguments *arguments, const char *const words[])
{
  for (size_t i = 0; words[i] != NULL; i++)
    add(arguments, "%s", words[i]);
}

/*
 * KVM within a virtual machine works on some hosts, and on others hangs, of which nothing tells beforehand: there it is
 * used only where LAB_QEMU_ACCEL asks for it.
 */
static bool use_kvm(void)
{
  const char *named = getenv("LAB_QEMU_ACCEL");
  if (named != NULL && *named != '\0')
    return strcmp(named, "kvm") == 0;
  FILE *cpu = fopen("/proc/cpuinfo", "re");
  char line[4096];
  bool virtual = false;
  while (cpu != NULL && fgets(line, sizeof line, cpu) != NULL)
    virtual = virtual || strstr(line, " hypervisor") != NULL;
  if (cpu != NULL)
    fclose(cpu);
  return !virtual && access("/dev/kvm", R_OK | W_OK) == 0;
}

/* What QEMU boots. */
struct boot {
  char kernel[4400], disk[4400];
};

/* Has them made where they are missing, or older than what is in them. */
static struct boot prepare(const struct job *job, const char *kernel)
{
  struct boot boot;
  char folder[4200], program[4300], script[4300];
  struct stat made, from;
  snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(job->init, '/') - job->init), job->init); /* lab/build */
  snprintf(program, sizeof program, "%s/boot", folder);
  snprintf(script, sizeof script, "%s/../prepare-qemu", folder);
  snprintf(boot.kernel, sizeof boot.kernel, "%s/vmlinux-%s", folder, version_of(kernel));
  snprintf(boot.disk, sizeof boot.disk, "%s/initramfs-%s", folder, version_of(kernel)); /* comes last */
  if (stat(boot.disk, &made) == 0 && stat(program, &from) == 0 && made.st_mtime >= from.st_mtime &&
      stat(kernel, &from) == 0 && made.st_mtime >= from.st_mtime)
    return boot;
  int status;
  pid_t pid = fork();
  if (pid == 0) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execl(script, script, kernel, folder, (char *)NULL);
    _exit(127);
  }
  if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
    lab_fail("The words above tell why. What it needs is installed by:  lab/setup qemu", "cannot make %s", boot.disk);
  return boot;
}

/* Becomes QEMU. `ends` are its ends of the lines. */
static _Noreturn void become_machine(const struct arguments *arguments, const int ends[LINES], int log)
{
  for (int i = 0; i < LINES; i++)
    guest_keep_open(ends[i]);
  int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execvp(arguments->words[0], arguments->words);
  fprintf(stderr, "cannot start %s: %s\n", arguments->words[0], strerror(errno));
  _exit(1);
}

static const char remedy[] = "Install it:  lab/setup qemu";

static _Noreturn void explain(const char *log)
{
  fprintf(stderr, "%s%s", log, *log != '\0' && log[strlen(log) - 1] != '\n' ? "\n" : "");
  lab_fail(strstr(log, "cannot start") != NULL ? remedy : "If the words above do not tell why, please report them.",
           "QEMU's machine stopped before the command ended; above are its last words");
}

int qemu_run(const struct job *job)
{
  char reason[256];
  const char *kernel = qemu_kernel(reason);
  if (kernel == NULL)
    lab_fail(remedy, "there is no Linux for QEMU: %s", reason);
  struct boot boot = prepare(job, kernel);
  struct utsname here;
  uname(&here);
  bool arm = strcmp(here.machine, "aarch64") == 0;
  bool fast = use_kvm();

  struct arguments arguments = {0};
  add(&arguments, "qemu-system-%s", here.machine);
  add_all(&arguments, (const char *const[]){"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-m",
                                            "1024", "-smp", "2", "-machine", arm ? "virt,gic-version=max" : "pc",
                                            "-cpu", fast ? "host" : "max", "-accel", fast ? "kvm" : "tcg", NULL});
  add_all(&arguments, (const char *const[]){"-kernel", boot.kernel, "-initrd", boot.disk, "-append", NULL});
  add(&arguments,
      "console=%s quiet panic=-1 mitigations=off cryptomgr.notests no_timer_check tsc=reliable LAB_INIT=\"%s\"",
      arm ? "ttyAMA0" : "ttyS0", job->init);
  add_all(&arguments, (const char *const[]){"-chardev", "stdio,id=log,signal=off", "-serial", "chardev:log",
                                            /* the first virtio device: its ports are vport0p1 and so on */ "-device",
                                            "virtio-serial-pci", "-fsdev",
                                            "local,id=root,path=/,security_model=none,multidevs=remap", "-device",
                                            "virtio-9p-pci,fsdev=root,mount_tag=root", NULL});
  int ends[LINES], log[2];
  for (int i = 0; i < LINES; i++) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
      lab_fail(NULL, "cannot make a socket pair for the lab: %s", strerror(errno));
    guest.from[i] = pair[0], ends[i] = pair[1];
    add(&arguments, "-chardev");
    add(&arguments, "socket,id=line%d,fd=%d", i, ends[i]);
    add(&arguments, "-device");
    add(&arguments, "virtserialport,chardev=line%d,nr=%d", i, i + 1);
  }
  guest.to_control = guest.from[LINE_CONTROL];
  guest_pipe(log, "the lab's log");
  guest.log = log[0];
  fcntl(guest.log, F_SETFL, O_NONBLOCK);
  fcntl(guest.from[LINE_CONTROL], F_SETFL, O_NONBLOCK);

  const char *folder = getenv("TMPDIR");
  if (guest_fork(&guest, folder != NULL && *folder == '/' ? folder : "/tmp"))
    become_machine(&arguments, ends, log[1]);
  guest_watch(&guest);
  for (int i = 0; i < LINES; i++)
    close(ends[i]);
  close(log[1]);
  return relay_run(job, &guest, explain);
}
