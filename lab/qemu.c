/*
 * qemu.c - boots a whole machine that QEMU emulates, with a Linux of this machine
 *
 * For where User Mode Linux cannot be had: other architectures than x86, other distributions than Debian. Its root file
 * system is this machine's own (9p), its lines are ports of virtio-serial, each of them a pair of sockets. It needs no
 * privilege; where /dev/kvm may be used it is fast, else QEMU translates every instruction.
 */
#include "guest.h"
#include "vmlinuz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct guest guest;

static const char remedy[] = "Install it:  lab/setup qemu   (then QEMU and a Linux with all its modules are here)";

static const char *kernel_or_fail(void)
{
  char reason[256];
  const char *kernel = vmlinuz_find(reason);
  if (kernel == NULL)
    lab_fail(remedy, "a machine of QEMU's cannot be had: %s", reason);
  return kernel;
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
 * Returns true where KVM is to be used, and why it is or is not in `why`. Within a virtual machine it works on some
 * hosts, and on others hangs, of which nothing tells beforehand: there LAB_QEMU_ACCEL has to ask for it.
 */
static bool use_kvm(const char **why)
{
  const char *named = getenv("LAB_QEMU_ACCEL");
  if (named != NULL && *named != '\0') {
    *why = "LAB_QEMU_ACCEL says so";
    if (strcmp(named, "kvm") != 0 && strcmp(named, "tcg") != 0)
      lab_fail("Correct LAB_QEMU_ACCEL, or unset it.", "LAB_QEMU_ACCEL is kvm or tcg, not %s", named);
    return strcmp(named, "kvm") == 0;
  }
  FILE *cpu = fopen("/proc/cpuinfo", "re");
  char line[4096];
  bool virtual = false;
  while (cpu != NULL && fgets(line, sizeof line, cpu) != NULL)
    virtual = virtual || strstr(line, " hypervisor") != NULL;
  if (cpu != NULL)
    fclose(cpu);
  bool allowed = access("/dev/kvm", R_OK | W_OK) == 0;
  *why = !allowed  ? "/dev/kvm is not here, or not for you"
         : virtual ? "this is a virtual machine, in which KVM may hang; if it works, LAB_QEMU_ACCEL=kvm is faster"
                   : "/dev/kvm is here";
  return allowed && !virtual;
}

/* What QEMU boots. */
struct boot {
  char kernel[4400], disk[4400];
};

/* Has them made where they are missing, or older than what is in them. */
static struct boot prepare(const struct job *job, const char *kernel)
{
  struct boot boot;
  char program[4300], script[4300];
  struct stat made, from;
  snprintf(program, sizeof program, "%s/boot", job->built);
  snprintf(script, sizeof script, "%s/../prepare-qemu", job->built);
  snprintf(boot.kernel, sizeof boot.kernel, "%s/vmlinux-%s", job->built, vmlinuz_version(kernel));
  snprintf(boot.disk, sizeof boot.disk, "%s/initramfs-%s", job->built, vmlinuz_version(kernel)); /* comes last */
  if (stat(boot.disk, &made) == 0 && stat(program, &from) == 0 && made.st_mtime >= from.st_mtime &&
      stat(kernel, &from) == 0 && made.st_mtime >= from.st_mtime)
    return boot;
  int status;
  pid_t pid = fork();
  if (pid == 0) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execl(script, script, kernel, job->built, (char *)NULL);
    _exit(127);
  }
  if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
    lab_fail("The words above tell why. What it needs is installed by:  lab/setup qemu", "cannot make %s", boot.disk);
  return boot;
}

/* Becomes QEMU. `ends` are its ends of the lines. */
static _Noreturn void become_machine(const struct job *job, const struct arguments *arguments, const int ends[LINES],
                                     int log)
{
  char preload[4300];
  snprintf(preload, sizeof preload, "%s/special.so", job->built);
  snprintf(preload, sizeof preload, "/proc/self/fd/%d", open(preload, O_RDONLY)); /* no blank may be in it */
  setenv("LD_PRELOAD", preload, 1);
  for (int i = 0; i < LINES; i++)
    guest_keep_open(ends[i]);
  guest_become(arguments->words, log);
}

static _Noreturn void explain(const char *log)
{
  guest_last_words(log);
  lab_fail(strstr(log, "cannot start") != NULL ? remedy : "If the words above do not tell why, please report them.",
           "QEMU's machine stopped before the command ended; above are its last words");
}

void qemu_tell(const char *reason)
{
  const char *kernel = kernel_or_fail(), *why, *named = getenv("LAB_QEMU_KERNEL");
  bool fast = use_kvm(&why);
  printf("Linux %s, a machine of QEMU: %s\n%s\n", vmlinuz_version(kernel), kernel, reason);
  printf("%s\n",
         named != NULL && *named != '\0' ? "LAB_QEMU_KERNEL names it" : "it is the newest in /boot with SCTP and 9p");
  printf("%s: %s\n", fast ? "with KVM" : "every instruction is translated, not run by KVM", why);
}

int qemu_run(const struct job *job)
{
  guest_check(job);
  struct boot boot = prepare(job, kernel_or_fail());
  bool arm = strstr(vmlinuz_emulator(), "aarch64") != NULL;
  const char *why;
  bool fast = use_kvm(&why);

  /* Where instructions are translated, a second processor doubles the work of the first (they wait for each other), and
     what a processor of today has more than one of 2008 has to be translated too. */
  struct arguments arguments = {0};
  add(&arguments, "%s", vmlinuz_emulator());
  add_all(&arguments,
          (const char *const[]){"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-m", "1024",
                                "-smp", fast ? "2" : "1", "-machine", arm ? "virt,gic-version=max" : "q35", "-accel",
                                fast ? "kvm" : "tcg", "-cpu",
                                fast  ? "host"
                                : arm ? "max"
                                      : "Nehalem",
                                NULL});
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
  guest.own_clock = true;
  fcntl(guest.log, F_SETFL, O_NONBLOCK);
  fcntl(guest.from[LINE_CONTROL], F_SETFL, O_NONBLOCK);

  const char *folder = getenv("TMPDIR");
  if (guest_fork(&guest, folder != NULL && *folder == '/' ? folder : "/tmp"))
    become_machine(job, &arguments, ends, log[1]);
  guest_watch(&guest);
  for (int i = 0; i < LINES; i++)
    close(ends[i]);
  close(log[1]);
  return relay_run(job, &guest, explain);
}
