/*
 * uml.c - boots User Mode Linux: a Linux kernel that is an ordinary program
 *
 * Its root file system is this machine's own (hostfs), its memory a file in the temporary directory, its
 * serial lines our pipes. It needs no privilege.
 */
#include "cpu.h"
#include "guest.h"
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MEMORY_MB = 512 };

static struct guest guest;

/* Returns NULL when the lab's memory can lie in `folder`, else why not. */
static const char *unfit(const char *folder)
{
  static char reason[128];
  struct statvfs fs;
  if (statvfs(folder, &fs) < 0)
    return strerror(errno);
  if (access(folder, W_OK | X_OK) < 0)
    return errno == EROFS ? "it is read-only" : "it is not writable for you";
  if (fs.f_flag & ST_RDONLY)
    return "it is read-only";
  if (fs.f_flag & ST_NOEXEC)
    return "it is mounted noexec";
  if ((unsigned long long)fs.f_bavail * fs.f_frsize < MEMORY_MB * 1048576ULL || (fs.f_files > 0 && fs.f_favail < 8)) {
    snprintf(reason, sizeof reason, "it has less than %d MB of free space", MEMORY_MB);
    return reason;
  }
  return NULL;
}

static const char *find_folder(void)
{
  static const char *const usual[] = {"/dev/shm", "/tmp", "/var/tmp"};
  static const char remedy[] = "Set TMPDIR to a folder with 512 MB of free space where programs may be executed.";
  const char *named = getenv("TMPDIR");
  if (named != NULL && *named != '\0') {
    if (unfit(named) != NULL)
      lab_fail(remedy, "the lab kernel cannot keep its memory in TMPDIR=%s: %s", named, unfit(named));
    char *whole = realpath(named, NULL); /* the lab's first process looks for frames there, and has another directory */
    return whole != NULL ? whole : named;
  }
  for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
    if (unfit(usual[i]) == NULL)
      return usual[i];
  lab_fail(remedy, "the lab kernel cannot keep its memory in /dev/shm, /tmp or /var/tmp (/tmp: %s)", unfit("/tmp"));
}

/* What every kernel is told. */
static const char *const fixed[] = {
    "root=/dev/root",
    "rootfstype=hostfs",
    "rootflags=/",
    "rw", /* this machine's files */
    "quiet",
    "noreboot",
    "panic=-1",
    "con=null",
    "con0=null,fd:1",
    /* How often an empty loop runs in 10 ms. Measuring it takes half of the boot, and busy waits of drivers alone, of
       which there are none here, depend on it. */
    "lpj=10000000",
    /* From Linux 6.16 on, programs in the lab can call its kernel by a signal: faster than by ptrace, and allowed
       everywhere. */
    "seccomp=auto",
};
enum { FIXED = sizeof fixed / sizeof *fixed };

/* Becomes the kernel. `in` and `out` are its ends of the serial lines, -1 for none. */
static _Noreturn void become_kernel(const char *kernel, const char *folder, const struct job *job, const int in[LINES],
                                    const int out[LINES], int log, pid_t parent)
{
  setenv("TMPDIR", folder, 1);
  cpu_settle();
  /* Else its heap lies up to 1 GB behind its code, and it keeps records of all the pages between. */
  personality(ADDR_NO_RANDOMIZE);

  char init_option[4200], folder_option[4200], umid[64], memory[32], lines[LINES][32];
  snprintf(init_option, sizeof init_option, "init=\"%s\"", job->init);
  snprintf(folder_option, sizeof folder_option, "uml_dir=%s/", folder);
  snprintf(umid, sizeof umid, "umid=sctp-lab-%d", (int)parent);
  snprintf(memory, sizeof memory, "mem=%dM", MEMORY_MB);
  char *arguments[FIXED + 7 + LINES] = {(char *)kernel, memory, folder_option, umid, init_option};
  size_t count = 5;
  for (size_t i = 0; i < FIXED; i++)
    arguments[count++] = (char *)fixed[i];
  for (int i = 0; i < LINES; i++) {
    char from[16] = "null", to[16] = "null";
    if (in[i] >= 0)
      guest_keep_open(in[i]), snprintf(from, sizeof from, "fd:%d", in[i]);
    if (out[i] >= 0)
      guest_keep_open(out[i]), snprintf(to, sizeof to, "fd:%d", out[i]);
    snprintf(lines[i], sizeof lines[i], "ssl%d=%s,%s", i, from, to);
    arguments[count++] = lines[i];
  }
  if (job->skip)
    arguments[count++] = "time-travel"; /* a kernel that does not know it hands it to init, which has no use for it */
  arguments[count] = NULL;

  guest_become(arguments, log);
}

static _Noreturn void explain(const char *log)
{
  static const struct {
    const char *sign, *remedy;
  } known[] = {
      {"ptrace", "This machine does not let a program trace its own children (ptrace), which User Mode Linux needs.\n"
                 "In a container, allow it: docker run --cap-add=SYS_PTRACE --security-opt seccomp=unconfined …"},
      {"No space left", "The disk that holds the lab's memory is full: set TMPDIR to another folder."},
      {"Bus error", "The disk that holds the lab's memory is full: set TMPDIR to another folder."},
      {"Out of memory", "The command used up the memory of the lab."},
  };
  const char *remedy = "If the words above do not tell why, please report them.";
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strstr(log, known[i].sign) != NULL) {
      remedy = known[i].remedy;
      break;
    }
  guest_last_words(log);
  lab_fail(remedy, "the lab kernel stopped before the command ended; above are its last words");
}

int uml_run(const struct job *job)
{
  struct kernel kernel = kernel_find();
  const char *folder = find_folder();
  guest_check(job);

  int in[LINES], out[LINES], log[2];
  for (int i = 0; i < LINES; i++) {
    int ends[2];
    guest_pipe(ends, "the lab's output");
    out[i] = ends[1], guest.from[i] = ends[0];
    in[i] = -1;
  }
  int ends[2];
  guest_pipe(ends, "the lab's input");
  in[LINE_CONTROL] = ends[0], guest.to_control = ends[1];
  guest_pipe(log, "the lab's log");
  guest.log = log[0];
  fcntl(guest.log, F_SETFL, O_NONBLOCK);
  fcntl(guest.from[LINE_CONTROL], F_SETFL, O_NONBLOCK);

  pid_t parent = getpid();
  if (guest_fork(&guest, folder))
    become_kernel(kernel.path, folder, job, in, out, log[1], parent);
  guest_watch(&guest);
  for (int i = 0; i < LINES; i++) {
    if (in[i] >= 0)
      close(in[i]);
    if (out[i] >= 0)
      close(out[i]);
  }
  close(log[1]);
  return relay_run(job, &guest, explain);
}
