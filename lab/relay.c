/*
 * relay.c - connects the command inside the lab with this process's terminal, streams and signals
 *
 * It knows nothing of the kind of the lab kernel: only four serial lines, the other ends of which
 * init.c holds.
 */
#include "control.h"
#include "guest.h"
#include "pump.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { BOOT_LIMIT_MS = 60000, LOG_SIZE = 16384 };

/* The guest's own words, of which the last LOG_SIZE are kept: shown only when it fails. */
struct log {
  char text[2 * LOG_SIZE + 1];
  size_t used;
};

static void log_read(struct log *log, int fd)
{
  if (log->used > LOG_SIZE) {
    memmove(log->text, log->text + log->used - LOG_SIZE, LOG_SIZE);
    log->used = LOG_SIZE;
  }
  ssize_t n;
  while ((n = read(fd, log->text + log->used, sizeof log->text - 1 - log->used)) > 0)
    log->used += (size_t)n;
  log->text[log->used] = '\0';
}

/* ---- frames to the guest -------------------------------------------------------------------- */

static void write_file(const char *path, const char *bytes, size_t length)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  ssize_t n = fd < 0 ? -1 : write(fd, bytes, length);
  if (n != (ssize_t)length)
    lab_fail("Set TMPDIR to a folder with more space.", "cannot hand something on to the lab through %s: %s", path,
             n < 0 ? strerror(errno) : "the disk is full");
  close(fd);
}

/* Sends a frame; a long one by way of a file (control.h). */
static void tell(const struct guest *guest, enum frame_type type, const void *payload, size_t length)
{
  if (length <= FRAME_INLINE) {
    control_send(guest->to_control, type, payload, length);
    return;
  }
  struct frame_file file = {.type = type};
  snprintf(file.path, sizeof file.path, "%s-%c", guest->files, type);
  write_file(file.path, payload, length);
  control_send(guest->to_control, FRAME_FILE, &file, offsetof(struct frame_file, path) + strlen(file.path) + 1);
}

/* ---- the terminal --------------------------------------------------------------------------- */

static struct termios terminal_before;
static bool terminal_changed;

static void terminal_restore(void)
{
  if (terminal_changed)
    tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_before);
  terminal_changed = false;
}

/* Hands line editing, echo and Ctrl-C to the terminal inside the lab. */
static void terminal_raw(void)
{
  if (tcgetattr(STDIN_FILENO, &terminal_before) < 0)
    return;
  struct termios raw = terminal_before;
  cfmakeraw(&raw);
  terminal_changed = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
  atexit(terminal_restore);
}

static struct settings read_settings(void)
{
  struct settings settings = {0};
  mode_t mask = umask(0);
  umask(mask);
  settings.umask = mask;
  for (unsigned i = 0; i < 3; i++)
    if (isatty((int)i))
      settings.terminals |= 1U << i;
  bool foreground = tcgetpgrp(STDIN_FILENO) == getpgrp();
  settings.raw = (settings.terminals & 3) == 3 && foreground;
  return settings;
}

static void send_window(const struct guest *guest, uint32_t terminals)
{
  struct winsize size;
  for (unsigned i = 0; i < 3; i++)
    if (terminals & 1U << i && ioctl((int)i, TIOCGWINSZ, &size) == 0) {
      struct window window = {.rows = size.ws_row, .columns = size.ws_col};
      tell(guest, FRAME_WINDOW, &window, sizeof window);
      return;
    }
}

/* ---- the command ---------------------------------------------------------------------------- */

static void send_strings(const struct guest *guest, enum frame_type type, char *const *strings)
{
  size_t length = 0;
  for (size_t i = 0; strings[i] != NULL; i++)
    length += strlen(strings[i]) + 1;
  char *block = malloc(length + 1), *end = block;
  if (block == NULL)
    lab_fail(NULL, "out of memory");
  for (size_t i = 0; strings[i] != NULL; i++)
    end = stpcpy(end, strings[i]) + 1;
  tell(guest, type, block, length);
  free(block);
}

static void send_command(const struct guest *guest, const struct job *job, const struct settings *settings)
{
  char *directory = getcwd(NULL, 0);
  if (directory == NULL)
    lab_fail("Change to a directory that exists.", "the working directory: %s", strerror(errno));
  setenv("SCTP_LAB", "1", 1);
  send_strings(guest, FRAME_ARGUMENTS, job->command);
  send_strings(guest, FRAME_ENVIRONMENT, environ);
  send_strings(guest, FRAME_DIRECTORY, (char *[]){directory, NULL});
  struct settings sent = *settings;
  struct timespec now;
  if (guest->own_clock && clock_gettime(CLOCK_REALTIME, &now) == 0)
    sent.now = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
  tell(guest, FRAME_SETTINGS, &sent, sizeof sent);
  send_window(guest, settings->terminals);
  tell(guest, FRAME_GO, NULL, 0);
  free(directory);
}

static void start_pumps(const struct guest *guest, const struct settings *settings, struct pump pumps[LINES])
{
  pump_start(&pumps[LINE_STDOUT], guest->from[LINE_STDOUT], STDOUT_FILENO);
  pump_start(&pumps[LINE_STDERR], guest->from[LINE_STDERR], STDERR_FILENO);
  int screen = settings->terminals & 2 ? STDOUT_FILENO : settings->terminals & 4 ? STDERR_FILENO : STDIN_FILENO;
  if (settings->terminals != 0)
    pump_start(&pumps[LINE_TERMINAL], guest->from[LINE_TERMINAL], screen);
}

/* ---- the input ------------------------------------------------------------------------------ */

enum input {
  INPUT_OFF,    /* over, or not wanted */
  INPUT_WANTED, /* the next bytes are to be read */
  INPUT_ON_WAY, /* the guest has some that the command has not taken yet */
};

/* Reads some of the input, which is there, and sends it to the guest. */
static enum input send_input(const struct guest *guest)
{
  static char bytes[PUMP_SIZE];
  ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return INPUT_WANTED;
  if (n <= 0) {
    tell(guest, FRAME_INPUT, NULL, 0);
    return INPUT_OFF;
  }
  tell(guest, FRAME_INPUT, bytes, (size_t)n);
  return INPUT_ON_WAY;
}

/* ---- the run -------------------------------------------------------------------------------- */

struct run {
  const struct job *job;
  const struct guest *guest;
  struct settings settings;
  struct stop stop;
  struct control control;
  struct pump pumps[LINES];
  enum input input;
  struct log log;
  bool ready, killed, gone; /* the guest: has booted, has been killed by us, is gone */
  bool ended;               /* the command has: */
  struct done done;
};

static void kill_guest(struct run *run)
{
  run->killed = true;
  run->input = INPUT_OFF;
  kill(-run->guest->pid, SIGKILL);
}

static void take_frame(struct run *run, const struct frame *frame)
{
  switch (frame->type) {
  case FRAME_READY:
    run->ready = true;
    if (run->settings.raw)
      terminal_raw();
    send_command(run->guest, run->job, &run->settings);
    fcntl(run->guest->to_control, F_SETFL, O_NONBLOCK);
    start_pumps(run->guest, &run->settings, run->pumps);
    /* A background job that touched its terminal would be stopped. */
    run->input = !isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) == getpgrp() ? INPUT_WANTED : INPUT_OFF;
    break;
  case FRAME_TAKEN:
    run->input = INPUT_WANTED;
    break;
  case FRAME_UNREAD:
    run->input = INPUT_OFF;
    if (!(run->settings.terminals & 1))
      close(STDIN_FILENO); /* so that whoever writes to us finds a broken pipe */
    break;
  case FRAME_DONE:
    memcpy(&run->done, frame->payload, sizeof run->done);
    run->ended = true;
    break;
  case FRAME_BROKEN:
    kill_guest(run);
    lab_fail(NULL, "the lab kernel has booted, but %.*s", (int)frame->length, frame->payload);
  default:
    break;
  }
}

/* Returns true when the run is to end at once, without waiting for the rest of the output. */
static bool take_signals(struct run *run)
{
  int number;
  enum stop_action action;
  while ((action = stop_next(&run->stop, &number)) != STOP_NOTHING) {
    int32_t wire = number;
    if (action == STOP_KILL || (action == STOP_FORWARD && !run->ready && run->stop.kill_at >= 0)) {
      kill_guest(run);
      return true;
    }
    if (action == STOP_FORWARD)
      tell(run->guest, FRAME_SIGNAL, &wire, sizeof wire);
    else if (action == STOP_WINDOW && run->ready)
      send_window(run->guest, run->settings.terminals);
    else if (action == STOP_CHILD && waitpid(run->guest->pid, NULL, WNOHANG) == run->guest->pid)
      kill(-run->guest->pid, SIGKILL); /* its helpers, which hold the lines open */
  }
  return false;
}

/* All that the command has said is here, or nobody wants it. */
static bool output_came(const struct run *run)
{
  for (int i = LINE_STDOUT; i <= LINE_TERMINAL; i++)
    if (run->pumps[i].state == PUMP_RUNS && run->pumps[i].taken < run->done.sent[i])
      return false;
  return true;
}

static bool output_ended(const struct run *run)
{
  for (int i = LINE_STDOUT; i <= LINE_TERMINAL; i++)
    if (run->pumps[i].state == PUMP_RUNS)
      return false;
  return true;
}

/* Waits for something to happen and deals with it. Returns true when the run is to end at once. */
static bool step(struct run *run)
{
  enum { SIGNALS = 2 * LINES, CONTROL, LOG, INPUT, COUNT };
  struct pollfd fds[COUNT];
  for (int i = 0; i < LINES; i++)
    pump_wants(&run->pumps[i], &fds[2 * i]);
  fds[SIGNALS] = (struct pollfd){.fd = run->stop.fd, .events = POLLIN};
  fds[CONTROL] = (struct pollfd){.fd = run->gone ? -1 : run->control.fd, .events = POLLIN};
  fds[LOG] = (struct pollfd){.fd = run->gone ? -1 : run->guest->log, .events = POLLIN};
  fds[INPUT] = (struct pollfd){.fd = run->input == INPUT_WANTED ? STDIN_FILENO : -1, .events = POLLIN};
  int wait = stop_wait(&run->stop);
  int came = poll(fds, COUNT, run->ready || (wait >= 0 && wait < BOOT_LIMIT_MS) ? wait : BOOT_LIMIT_MS);
  if (came == 0 && !run->ready && wait < 0)
    lab_fail("Try again when the machine is less busy.", "the lab kernel has not booted within %d s",
             BOOT_LIMIT_MS / 1000);
  if (came < 0)
    return false;

  for (int i = 0; i < LINES; i++)
    if (pump_move(&run->pumps[i], &fds[2 * i]) && run->pumps[i].state == PUMP_REFUSED)
      tell(run->guest, FRAME_CLOSED, &(int32_t){i}, sizeof(int32_t));
  if (fds[INPUT].revents != 0)
    run->input = send_input(run->guest);
  if (fds[LOG].revents != 0)
    log_read(&run->log, run->guest->log);
  if (fds[CONTROL].revents != 0) {
    const struct frame *frame;
    while ((frame = control_receive(&run->control, &run->gone)) != NULL)
      take_frame(run, frame);
  }
  if (run->ended && !run->killed && output_came(run))
    kill_guest(run); /* its files are synced; this is faster than its own way down */
  return take_signals(run);
}

int relay_run(const struct job *job, const struct guest *guest, void (*explain)(const char *log))
{
  static struct run run; /* large */
  run = (struct run){.job = job, .guest = guest, .control = {.fd = guest->from[LINE_CONTROL]}};
  run.settings = read_settings();
  stop_watch(&run.stop, job->timeout);
  signal(SIGPIPE, SIG_IGN);

  bool at_once = false;
  while (!at_once && !(run.gone && output_ended(&run)))
    at_once = step(&run);
  terminal_restore();
  if (!run.ended && !run.killed) {
    log_read(&run.log, guest->log);
    explain(run.log.text);
  }
  return stop_status(&run.stop, run.ended ? run.done.status : -1);
}
