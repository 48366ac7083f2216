/*
 * lab.c - lab/run: runs a command where SCTP works
 *
 * lab/run itself is a script that builds this program when it has to and then becomes it.
 */
#include "kernel.h"
#include "lab.h"
#include "vmlinuz.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char synopsis[] =
    "usage: lab/run [--kernel auto|native|uml|qemu] [--clock real|skip] [--timeout SECONDS] [--] COMMAND "
    "[ARGUMENT...]\n"
    "       lab/run [--kernel auto|native|uml|qemu] --version\n";

static const char description[] =
    "\n"
    "Runs COMMAND where SCTP works, with this directory, environment and standard streams, and ends\n"
    "with its exit status. Inside, one is root of a machine with a network of its own.\n"
    "\n"
    "  --kernel native    this machine's kernel, in a user and network namespace\n"
    "  --kernel uml       User Mode Linux, booted for this command\n"
    "  --kernel qemu      a machine that QEMU emulates, with a Linux of this machine's /boot; slow without KVM\n"
    "  --kernel auto      native where the kernel has SCTP, else uml where it can be had, else qemu (default;\n"
    "                     LAB_KERNEL overrides)\n"
    "  --clock skip       the lab's clock skips the time in which nothing happens: sleep 100 takes no time. The "
    "kernel\n"
    "                     of make lab-kernel can do that; with others it has no effect\n"
    "  --timeout SECONDS  end COMMAND after that time, with exit status 124\n"
    "  --version          tell which kernel COMMAND would run on, and why\n"
    "\n"
    "Exit status: that of COMMAND, 128+N when signal N ended it, 124 after the timeout, 125 when the lab\n"
    "itself failed, 126 or 127 when COMMAND cannot be executed or is not found, 2 for bad usage.\n"
    "Environment: LAB_KERNEL as --kernel; LAB_UML, the UML kernel to boot, else the one that make lab-kernel has\n"
    "built, else Debian's; TMPDIR, where its memory lies; LAB_QEMU_KERNEL, a file vmlinuz-VERSION for qemu; "
    "LAB_QEMU_ACCEL,\n"
    "kvm or tcg.\n";

void lab_fail(const char *remedy, const char *what, ...)
{
  va_list values;
  va_start(values, what);
  fputs("lab/run: ", stderr);
  vfprintf(stderr, what, values);
  va_end(values);
  fputc('\n', stderr);
  if (remedy != NULL)
    fprintf(stderr, "%s\n", remedy);
  exit(LAB_BROKEN);
}

static _Noreturn void bad_usage(const char *what, const char *value)
{
  fprintf(stderr, "lab/run: %s%s\n%slab/run --help tells more.\n", what, value, synopsis);
  exit(2);
}

static const char no_native[] =
    "Try:  sudo modprobe sctp   where it is SCTP that is missing, or leave the choice to lab/run (--kernel auto).";

static bool parse_clock(const char *text)
{
  if (strcmp(text, "skip") != 0 && strcmp(text, "real") != 0)
    bad_usage("--clock takes real or skip, not ", text);
  return strcmp(text, "skip") == 0;
}

static double parse_seconds(const char *text)
{
  char *end;
  double seconds = strtod(text, &end);
  if (end == text || *end != '\0' || !(seconds > 0 && seconds < 1e9))
    bad_usage("--timeout takes a number of seconds above 0, not ", text);
  return seconds;
}

/* One is in a lab already: the command takes its place. */
static _Noreturn void run_here(const struct job *job)
{
  char seconds[64];
  snprintf(seconds, sizeof seconds, "%f", job->timeout);
  size_t count = 0;
  while (job->command[count] != NULL)
    count++;
  char **command = calloc(count + 5, sizeof *command), **end = command;
  if (command == NULL)
    lab_fail(NULL, "out of memory");
  if (job->timeout > 0) {
    static const char *const timeout[] = {"timeout", "--foreground", "--kill-after=1"};
    for (int i = 0; i < 3; i++)
      *end++ = (char *)timeout[i];
    *end++ = seconds;
  }
  memcpy(end, job->command, count * sizeof *command);
  execvp(command[0], command);
  int reason = errno;
  fprintf(stderr, "lab/run: %s: %s\n", command[0], strerror(reason));
  exit(reason == ENOENT ? 127 : 126);
}

/*
 * Why this machine's own kernel will not do, as the middle of a sentence; NULL where it will. `refusal` is room for the
 * text.
 */
static const char *why_not_native(char refusal[192])
{
  if (!native_has_sctp())
    snprintf(refusal, 128, "this machine's kernel has no SCTP (%s)", strerror(errno));
  else if (!native_allows())
    snprintf(refusal, 128, "this machine refuses a namespace to you (%s)", strerror(errno));
  else
    return NULL;
  return refusal;
}

/* True where, if not natively, `auto` runs on QEMU: there is nothing else, or nothing else for this processor. */
static bool rather_qemu(void)
{
  struct utsname here;
  char reason[256];
  uname(&here);
  return !kernel_there() && (strcmp(here.machine, "x86_64") != 0 || vmlinuz_find(reason) != NULL);
}

/* Prints the kernel, and why it is this one, a line for each reason. */
static void tell_version(const char *kernel, bool in_lab)
{
  struct utsname here;
  uname(&here);
  if (in_lab) {
    printf("Linux %s, the lab that this runs in\na lab in a lab is the same lab\n", here.release);
    return;
  }
  char refusal[192];
  const char *reason = strcmp(kernel, "uml") == 0    ? "--kernel or LAB_KERNEL asks for User Mode Linux"
                       : strcmp(kernel, "qemu") == 0 ? "--kernel or LAB_KERNEL asks for QEMU"
                                                     : why_not_native(refusal);
  if (reason == NULL) {
    printf("Linux %s, this machine's own, in namespaces\nit has SCTP\n", here.release);
    return;
  }
  if (strcmp(kernel, "native") == 0)
    lab_fail(no_native, "%s", reason);
  if (strcmp(kernel, "qemu") == 0 || (strcmp(kernel, "auto") == 0 && rather_qemu())) {
    if (strcmp(kernel, "auto") == 0)
      strcat(refusal, ", and there is no User Mode Linux");
    qemu_tell(reason);
    return;
  }
  struct kernel uml = kernel_find();
  char version[64];
  kernel_version(&uml, version);
  printf("Linux %s, User Mode Linux: %s\n%s\n%s\n", version, uml.path, reason, uml.why);
}

int main(int argc, char **argv)
{
  struct job job = {0};
  bool version = false;
  const char *kernel = getenv("LAB_KERNEL");
  bool inside = getenv("SCTP_LAB") != NULL;

  int i = 1;
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (strcmp(argv[i], "--") == 0) {
      i++;
      break;
    }
    if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
      fputs(synopsis, stdout);
      fputs(description, stdout);
      return 0;
    }
    if (strcmp(argv[i], "--version") == 0) {
      version = true;
      continue;
    }
    const char *name = argv[i];
    if (strcmp(name, "--kernel") != 0 && strcmp(name, "--clock") != 0 && strcmp(name, "--timeout") != 0)
      bad_usage("unknown option ", name);
    if (++i == argc)
      bad_usage("missing value after ", name);
    if (strcmp(name, "--kernel") == 0)
      kernel = argv[i];
    else if (strcmp(name, "--clock") == 0)
      job.skip = parse_clock(argv[i]);
    else
      job.timeout = parse_seconds(argv[i]);
  }
  if (i == argc && !version)
    bad_usage("missing COMMAND", "");
  job.command = argv + i;
  if (kernel == NULL || *kernel == '\0')
    kernel = "auto";
  bool automatic = strcmp(kernel, "auto") == 0;
  if (!automatic && strcmp(kernel, "native") != 0 && strcmp(kernel, "uml") != 0 && strcmp(kernel, "qemu") != 0)
    bad_usage("unknown kernel ", kernel);
  inside = inside && automatic;
  if (version) {
    tell_version(kernel, inside);
    return 0;
  }

  char self[PATH_MAX - 8];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length < 0)
    lab_fail("Mount /proc.", "cannot find myself: /proc/self/exe: %s", strerror(errno));
  self[length] = '\0';
  *strrchr(self, '/') = '\0';
  char init[PATH_MAX];
  snprintf(init, sizeof init, "%s/init", self);
  job.built = self, job.init = init;

  if (inside)
    run_here(&job);
  if (strcmp(kernel, "qemu") == 0)
    return qemu_run(&job);
  if (strcmp(kernel, "uml") != 0) {
    int status = native_has_sctp() ? native_run(&job) : -1;
    if (status >= 0)
      return status;
    char refusal[192];
    const char *reason = automatic ? NULL : why_not_native(refusal);
    if (reason != NULL)
      lab_fail(no_native, "%s", reason);
    if (!automatic)
      lab_fail(no_native, "cannot start a process in namespaces: %s", strerror(errno));
  }
  return automatic && rather_qemu() ? qemu_run(&job) : uml_run(&job);
}
