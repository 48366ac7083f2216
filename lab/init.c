/*
 * init.c - the first process of the lab kernel
 *
 * Makes the machine usable (mounts, devices, modules, loopback), runs one command with the standard
 * streams, arguments, environment, directory and umask that the host sends, reports its exit status,
 * and switches the machine off. Linked statically and doing all by system calls of its own: a shell
 * script with mount, ip and modprobe would take a second longer.
 *
 * The other half is relay.c; what the two say to each other is in control.h.
 */
#include "control.h"
#include "line.h"
#include "loopback.h"
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <netinet/in.h>
#include <unistd.h>

static int control_fd = -1; /* the control line, once it is open */

static _Noreturn void power_off(void)
{
  sync(); /* what was written to the host's files is still in this kernel's memory */
  reboot(RB_POWER_OFF);
  _exit(1);
}

/* Ends the lab because it cannot be used. */
static _Noreturn void broken(const char *format, ...)
{
  char reason[512];
  va_list values;
  va_start(values, format);
  int length = vsnprintf(reason, sizeof reason, format, values);
  va_end(values);
  if (control_fd >= 0) {
    control_send(control_fd, FRAME_BROKEN, reason, (size_t)length);
    tcdrain(control_fd);
  }
  fprintf(stderr, "init: %s\n", reason); /* the kernel's console: in the log of the boot */
  power_off();
}

/* ---- the machine ---------------------------------------------------------------------------- */

static void mount_all(void)
{
  static const struct {
    const char *type, *where, *options;
  } mounts[] = {
      {"proc", "/proc", NULL},
      {"sysfs", "/sys", NULL},
      {"devtmpfs", "/dev", NULL},
      {"devpts", "/dev/pts", "mode=620,ptmxmode=666"},
      {"tmpfs", "/dev/shm", "mode=1777"},
      {"tmpfs", "/run", "mode=755"},
  };
  for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
    mkdir(mounts[i].where, 0755); /* new are only those on the fresh /dev */
    if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, mounts[i].options) < 0 && errno != EBUSY)
      broken("cannot mount %s on %s: %s", mounts[i].type, mounts[i].where, strerror(errno));
  }
  symlink("/proc/self/fd", "/dev/fd");
  symlink("/proc/self/fd/0", "/dev/stdin");
  symlink("/proc/self/fd/1", "/dev/stdout");
  symlink("/proc/self/fd/2", "/dev/stderr");
}

static void write_file(const char *path, const char *text)
{
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    ssize_t ignored = write(fd, text, strlen(text)); /* a kernel without this setting works too */
    (void)ignored;
    close(fd);
  }
}

static bool has_sctp(void)
{
  int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
  /* A socket alone does not prove it: without the hmac module it is listen() that fails. */
  bool works = fd >= 0 && listen(fd, 1) == 0;
  if (fd >= 0)
    close(fd);
  return works;
}

/* Loads the module of which `line` of modules.dep tells: "PATH: NEEDED…", what is needed last first. */
static void load_module(const char *folder, char *line)
{
  char *words[64];
  int count = 0;
  for (char *word = strtok(line, ": \n"); word != NULL && count < 64; word = strtok(NULL, ": \n"))
    words[count++] = word;
  while (count-- > 0) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, words[count]);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int packed = strstr(words[count], ".ko.") != NULL ? MODULE_INIT_COMPRESSED_FILE : 0;
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", packed) < 0 && errno != EEXIST))
      broken("cannot load the module %s: %s", path, strerror(errno));
    close(fd);
  }
}

/* A kernel that has everything built in skips this; Debian's have modules, their order in modules.dep(5). */
static void load_modules(void)
{
  static const char *const wanted[] = {"/sctp.ko", "/hmac.ko", "/sctp_diag.ko", "/sch_netem.ko", "/veth.ko"};
  static const char *const places[] = {"/usr/lib/uml/modules", "/lib/modules"};
  struct utsname kernel;
  uname(&kernel);
  char folder[300], path[400];
  FILE *order = NULL;
  for (size_t i = 0; order == NULL && i < sizeof places / sizeof *places; i++) {
    snprintf(folder, sizeof folder, "%s/%s", places[i], kernel.release);
    snprintf(path, sizeof path, "%s/modules.dep", folder);
    order = fopen(path, "re");
  }
  if (order == NULL)
    broken("this kernel has no SCTP built in, and there is no %s: %s", path, strerror(errno));
  char line[4096];
  while (fgets(line, sizeof line, order) != NULL)
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
      const char *found = strstr(line, wanted[i]);
      if (found != NULL && found < strchr(line, ':')) {
        load_module(folder, line);
        break;
      }
    }
  fclose(order);
}

static void set_up_machine(void)
{
  sethostname("lab", 3);
  if (!has_sctp())
    load_modules();
  if (!has_sctp())
    broken("the lab kernel cannot open an SCTP socket: %s", strerror(errno));
  if (loopback_up() < 0)
    broken("cannot bring the loopback interface up: %s", strerror(errno));
  write_file("/proc/sys/net/core/rmem_max", "8388608");
  write_file("/proc/sys/net/core/wmem_max", "8388608");
  struct rlimit files = {.rlim_cur = 1024, .rlim_max = 65536};
  setrlimit(RLIMIT_NOFILE, &files);
}

/* ---- the command ---------------------------------------------------------------------------- */

struct command {
  char **arguments, **environment;
  char *directory;
  struct settings settings;
  struct window window;
  pid_t pid;
  int terminal; /* our side of its terminal, or -1 */
  struct pump in, out, err, screen;
};

/* Cuts a block of strings, each with its NUL, into a vector that ends with NULL. */
static char **strings(const struct frame *frame)
{
  size_t count = 0;
  for (size_t i = 0; i < frame->length; i++)
    count += frame->payload[i] == '\0';
  char **vector = malloc((count + 1) * sizeof *vector + frame->length); /* the strings lie behind it */
  if (vector == NULL)
    broken("out of memory");
  char *string = (char *)(vector + count + 1);
  memcpy(string, frame->payload, frame->length);
  for (size_t i = 0; i < count; i++, string += strlen(string) + 1)
    vector[i] = string;
  vector[count] = NULL;
  return vector;
}

/* Fills the pump to the command's input, which is empty: the host sends no more before. No bytes: the end. */
static void take_input(struct command *command, const char *bytes, size_t length)
{
  struct pump *in = &command->in;
  if (length > PUMP_SIZE)
    broken("%zu bytes of input came at once", length);
  if (in->state != PUMP_RUNS)
    return;
  memcpy(in->bytes, bytes, length);
  in->start = 0;
  in->end = length;
  if (length > 0)
    return;
  in->state = PUMP_ENDED;
  if (in->to != command->terminal) {
    close(in->to);
  } else {
    ssize_t ignored = write(command->terminal, "\4", 1); /* Ctrl-D */
    (void)ignored;
  }
}

/* Returns the frame that lies in a file of the host, whose folder may be hidden behind this machine's mounts: /dev/shm
 * is.
 */
static struct frame *read_frame(const struct frame_file *file)
{
  static const char host[] = "/run/host";
  char path[sizeof host + sizeof file->path];
  if (mkdir(host, 0700) == 0 && mount("/", host, NULL, MS_BIND, NULL) < 0) /* without what is mounted on it */
    broken("cannot mount the host's files on %s: %s", host, strerror(errno));
  snprintf(path, sizeof path, "%s%s", host, file->path);
  struct stat about = {0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &about) < 0)
    broken("cannot read %s: %s", path, strerror(errno));
  struct frame *frame = malloc(sizeof *frame + (size_t)about.st_size);
  if (frame == NULL)
    broken("out of memory");
  frame->type = file->type;
  frame->length = (uint32_t)about.st_size;
  if (read(fd, frame->payload, frame->length) != (ssize_t)frame->length)
    broken("cannot read all of %s", path);
  close(fd);
  unlink(path);
  return frame;
}

static void set_clock(int64_t now)
{
  const struct timespec time = {.tv_sec = now / 1000000000, .tv_nsec = now % 1000000000};
  if (now != 0)
    clock_settime(CLOCK_REALTIME, &time);
}

static void take_frame(struct command *command, const struct frame *frame)
{
  struct frame *whole;
  int32_t number = 0;
  if (frame->length == sizeof number)
    memcpy(&number, frame->payload, sizeof number);

  switch (frame->type) {
  case FRAME_ARGUMENTS:
    command->arguments = strings(frame);
    break;
  case FRAME_ENVIRONMENT:
    command->environment = strings(frame);
    break;
  case FRAME_DIRECTORY:
    command->directory = strdup(frame->payload);
    break;
  case FRAME_SETTINGS:
    memcpy(&command->settings, frame->payload, sizeof command->settings);
    set_clock(command->settings.now);
    break;
  case FRAME_WINDOW:
    memcpy(&command->window, frame->payload, sizeof command->window);
    if (command->terminal >= 0) {
      struct winsize size = {.ws_row = command->window.rows, .ws_col = command->window.columns};
      ioctl(command->terminal, TIOCSWINSZ, &size);
    }
    break;
  case FRAME_SIGNAL:
    if (command->pid > 0)
      kill(-command->pid, number);
    break;
  case FRAME_INPUT:
    take_input(command, frame->payload, frame->length);
    break;
  case FRAME_FILE:
    whole = read_frame((const void *)frame->payload);
    take_frame(command, whole);
    free(whole);
    break;
  case FRAME_CLOSED: /* so that the command finds a broken pipe, as it would on the host */
    if (number == LINE_STDOUT && command->out.state == PUMP_RUNS)
      close(command->out.from), command->out.state = PUMP_OFF;
    if (number == LINE_STDERR && command->err.state == PUMP_RUNS)
      close(command->err.from), command->err.state = PUMP_OFF;
    break;
  default:
    break;
  }
}

/* Makes a terminal for the command and returns the command's side of it. */
static int open_terminal(struct command *command)
{
  int slave = -1;
  char path[32];
  int zero = 0, number;
  command->terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (command->terminal >= 0 && ioctl(command->terminal, TIOCSPTLCK, &zero) == 0 &&
      ioctl(command->terminal, TIOCGPTN, &number) == 0) {
    snprintf(path, sizeof path, "/dev/pts/%d", number);
    slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  }
  if (slave < 0)
    broken("cannot make a terminal: %s", strerror(errno));
  struct termios settings;
  tcgetattr(slave, &settings);
  if (command->settings.raw) {
    settings.c_iflag |= IUTF8;
  } else { /* the host's terminal echoes and translates already */
    settings.c_lflag &= ~(tcflag_t)ECHO;
    settings.c_oflag &= ~(tcflag_t)OPOST;
  }
  tcsetattr(slave, TCSANOW, &settings);
  struct winsize size = {.ws_row = command->window.rows, .ws_col = command->window.columns};
  ioctl(slave, TIOCSWINSZ, &size);
  return slave;
}

static _Noreturn void become(const struct command *command, const int streams[3], int slave)
{
  setsid();
  if (slave >= 0)
    ioctl(slave, TIOCSCTTY, 0);
  for (int i = 0; i < 3; i++)
    dup2(streams[i], i);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  umask((mode_t)command->settings.umask);
  const char *failed = command->directory;
  if (chdir(command->directory) == 0) {
    environ = command->environment;
    failed = command->arguments[0];
    execvp(failed, command->arguments);
  }
  int reason = errno;
  dprintf(STDERR_FILENO, "lab/run: %s: %s\n", failed, strerror(reason));
  _exit(reason == ENOENT ? 127 : 126); /* as env and the shells do */
}

static void start(struct command *command, const int lines[LINES])
{
  int slave = command->settings.terminals != 0 ? open_terminal(command) : -1;
  int ours[3], theirs[3];
  for (int i = 0; i < 3; i++) {
    int ends[2];
    if (command->settings.terminals & 1U << i) {
      ours[i] = -1;
      theirs[i] = slave;
    } else if (pipe2(ends, O_CLOEXEC) < 0) {
      broken("cannot make a pipe: %s", strerror(errno));
    } else {
      ours[i] = ends[i == 0];
      theirs[i] = ends[i != 0];
    }
  }
  command->pid = fork();
  if (command->pid < 0)
    broken("cannot start a process: %s", strerror(errno));
  if (command->pid == 0)
    become(command, theirs, slave);

  for (int i = 0; i < 3; i++)
    if (theirs[i] != slave)
      close(theirs[i]);
  if (slave >= 0)
    close(slave);
  pump_start(&command->in, -1, ours[0] >= 0 ? ours[0] : command->terminal);
  if (ours[1] >= 0)
    pump_start(&command->out, ours[1], lines[LINE_STDOUT]);
  if (ours[2] >= 0)
    pump_start(&command->err, ours[2], lines[LINE_STDERR]);
  if (command->terminal >= 0)
    pump_start(&command->screen, command->terminal, lines[LINE_TERMINAL]);
}

/* Reaps every child there is. Returns true, and the status, when the command was among them. */
static bool command_ended(const struct command *command, int32_t *exit_status)
{
  bool ended = false;
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    if (pid == command->pid) {
      *exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      ended = true;
    }
  return ended;
}

/* Nothing is on its way any more from the command's output to the host. */
static bool drained(const struct pump *pump)
{
  struct pollfd source = {.fd = pump->from, .events = POLLIN};
  return pump->state != PUMP_RUNS ||
         (pump->start == pump->end && (poll(&source, 1, 0) == 0 || !(source.revents & POLLIN)));
}

/* Hands on what there is of the input, and asks the host for more, or for no more. */
static void move_input(struct pump *in, const struct pollfd got[2])
{
  bool filled = in->start < in->end;
  if (pump_move(in, got))
    control_send(control_fd, FRAME_UNREAD, NULL, 0);
  else if (filled && in->start == in->end)
    control_send(control_fd, FRAME_TAKEN, NULL, 0);
}

/* Runs the command to its end and returns its exit status. */
static int32_t run(struct command *command, struct control *control, int signals)
{
  struct pump *output[] = {&command->out, &command->err, &command->screen};
  enum { OUTPUTS = sizeof output / sizeof *output, IN = 2 * OUTPUTS, CONTROL = IN + 2, SIGNALS, COUNT };
  bool ended = false, host_gone = false;
  int32_t status = 0;

  while (!ended || !drained(&command->out) || !drained(&command->err) || !drained(&command->screen)) {
    const struct frame *frame; /* some may have come along with FRAME_GO already */
    while ((frame = control_receive(control, &host_gone)) != NULL)
      take_frame(command, frame);
    if (host_gone)
      power_off();

    struct pollfd fds[COUNT];
    for (int i = 0; i < OUTPUTS; i++)
      pump_wants(output[i], &fds[2 * i]);
    pump_wants(&command->in, &fds[IN]);
    fds[CONTROL] = (struct pollfd){.fd = control->fd, .events = POLLIN};
    fds[SIGNALS] = (struct pollfd){.fd = signals, .events = POLLIN};
    if (poll(fds, COUNT, -1) < 0)
      continue;

    for (int i = 0; i < OUTPUTS; i++)
      pump_move(output[i], &fds[2 * i]);
    move_input(&command->in, &fds[IN]);
    if (fds[SIGNALS].revents != 0) {
      struct signalfd_siginfo ignored;
      while (read(signals, &ignored, sizeof ignored) > 0)
        ;
      ended = command_ended(command, &status) || ended;
    }
  }
  return status;
}

/* Waits until the host has gone. */
static _Noreturn void await_end(struct control *control)
{
  bool host_gone = false;
  while (!host_gone) {
    struct pollfd wait = {.fd = control->fd, .events = POLLIN};
    poll(&wait, 1, -1);
    control_receive(control, &host_gone);
  }
  power_off();
}

int main(void)
{
  static struct command command = {.terminal = -1};
  int lines[LINES];

  signal(SIGPIPE, SIG_IGN);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  int signals = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);

  mount_all();
  for (int i = 0; i < LINES; i++)
    if ((lines[i] = line_open((enum line)i)) < 0)
      broken("cannot open line %d to the host: %s", i, strerror(errno));
  control_fd = lines[LINE_CONTROL];
  set_up_machine();
  control_send(control_fd, FRAME_READY, NULL, 0);

  struct control control = {.fd = control_fd};
  const struct frame *frame = NULL;
  bool host_gone = false;
  while (!host_gone && (frame == NULL || frame->type != FRAME_GO)) {
    struct pollfd wait = {.fd = control_fd, .events = POLLIN};
    poll(&wait, 1, -1);
    while ((frame = control_receive(&control, &host_gone)) != NULL && frame->type != FRAME_GO)
      take_frame(&command, frame);
  }
  if (host_gone)
    power_off();

  start(&command, lines);
  struct done done = {.status = run(&command, &control, signals)};
  done.sent[LINE_STDOUT] = command.out.taken;
  done.sent[LINE_STDERR] = command.err.taken;
  done.sent[LINE_TERMINAL] = command.screen.taken;
  sync();
  control_send(control_fd, FRAME_DONE, &done, sizeof done);
  await_end(&control); /* the host has more to read, and then ends this machine */
}
