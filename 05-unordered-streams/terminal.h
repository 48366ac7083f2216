// terminal.h - an input line at the bottom of the terminal, below what is shown; for chat_tui
//
// The library libedit edits the line: history, the keys of Emacs, UTF-8. It knows nothing of other lines. So whoever
// shows one takes the input line away before, and lets libedit draw it again after. For that, this asks of the terminal
// that it obeys the three most common control sequences (cursor up, erase what follows, colours).
#ifndef TERMINAL_H
#define TERMINAL_H

#include "nicks.h"

#include <err.h>
#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY_LINES = 1000, DIM = 2, RED = 31, BRIGHT_RED = 91 };

struct terminal {
  EditLine *edit;
  History *history;
  int signals;  /* a descriptor: a signal has come */
  int killed;   /* by this one; else 0 */
  bool dumb;    /* it knows no control sequences */
  bool colours; /* it may have them */
  bool hidden;  /* the input line is not on the screen */
  char prompt[64];
  int prompt_width;
  int columns;         /* of the screen when the line was drawn */
  mbstate_t character; /* what has been typed of one, */
  char typed[4096];    /* and what libedit has not taken yet: from `taken` to `typed_end` */
  size_t taken, typed_end;
  struct nicks nicks;
};

static struct terminal *terminal_in_use; /* global, because a function for atexit() has no arguments */

static struct winsize screen_size(void)
{
  struct winsize size = {0};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
    size = (struct winsize){.ws_row = 24, .ws_col = 80};
  return size;
}

/* Takes the input line from the screen: the cursor goes to where it began. */
static void hide_line(struct terminal *terminal)
{
  if (terminal->hidden)
    return;
  terminal->hidden = true;
  /* libedit does not tell in which row of it the cursor is: count, as it does. What does not fit begins a new row. */
  struct winsize size = screen_size(); /* as it is now: a terminal that is resized breaks its rows anew */
  int columns = size.ws_col, at = terminal->prompt_width;
  const LineInfoW *line = el_wline(terminal->edit);
  for (const wchar_t *c = line->buffer; c < line->cursor; c++) {
    int width = wcwidth(*c) > 0 ? wcwidth(*c) : 0;
    at += at % columns + width > columns ? columns - at % columns + width : width;
  }
  int up = at / columns;
  if (columns != terminal->columns && up > 0 && at % columns == 0)
    up--; /* resized: a row that has just become full, and the cursor still at its end. libedit begins another then */
  if (up >= size.ws_row)
    up = size.ws_row - 1;
  if (terminal->dumb) {
    putchar('\n');
    return;
  }
  if (up > 0)
    printf("\033[%dA", up);
  printf("\r\033[K\033[C\033[J\r"); /* in two steps: what is erased from the upper left corner on, tmux keeps */
}

/* Puts it there again, if it is not. */
static void unhide_line(struct terminal *terminal)
{
  if (!terminal->hidden)
    return;
  terminal->hidden = false;
  terminal->columns = screen_size().ws_col;
  el_resize(terminal->edit);
  el_set(terminal->edit, EL_REFRESH);
  fflush(stdout);
}

/*
 * Shows a line above the input line, its first `painted` bytes in a colour. Nothing in it may steer the terminal: what
 * a peer sent has gone through escape(). The input line is hidden from then on.
 */
static void show_above(struct terminal *terminal, int colour, size_t painted, const char *text)
{
  hide_line(terminal);
  if (terminal->colours && painted > 0)
    printf("\033[%dm%.*s\033[m%s\n", colour, (int)painted, text, text + painted);
  else
    printf("%s\n", text);
}

/* Shows lines of our own, if there are any; the last may lack its newline. */
static void show_note(struct terminal *terminal, const char *lines)
{
  size_t length = strlen(lines);
  if (length == 0)
    return;
  hide_line(terminal);
  printf(terminal->colours ? "\033[2m%s\033[m%s" : "%s%s", lines, lines[length - 1] == '\n' ? "" : "\n");
}

/* Returns the colour of a nick: always the same for the same one. */
static int nick_colour(const char *nick, size_t length)
{
  unsigned hash = 0;
  for (size_t i = 0; i < length; i++)
    hash = hash * 33 + (unsigned char)nick[i];
  return hash % 12 < 6 ? RED + (int)(hash % 6) : BRIGHT_RED + (int)(hash % 6);
}

static void set_prompt(struct terminal *terminal, const char *text)
{
  const char *format = terminal->colours ? "\1\033[1m\1%s>\1\033[m\1 " : "%s> "; /* \1: libedit is not to count that */
  snprintf(terminal->prompt, sizeof terminal->prompt, format, text);
  terminal->prompt_width = (int)strlen(text) + 2;
}

static struct terminal *terminal_of(EditLine *edit)
{
  struct terminal *terminal;
  el_get(edit, EL_CLIENTDATA, &terminal);
  return terminal;
}

static char *give_prompt(EditLine *edit)
{
  return terminal_of(edit)->prompt;
}

/* Adds a line to the history. */
static void remember_line(struct terminal *terminal, const char *line, size_t length)
{
  char *copy = strndup(line, length);
  HistEvent event;
  if (copy != NULL && length > 0)
    history(terminal->history, &event, H_ENTER, copy);
  free(copy);
}

/* For a function that a key calls: the line has been dealt with, and libedit begins anew, with an empty one. */
static unsigned char end_line(struct terminal *terminal)
{
  hide_line(terminal);
  terminal->hidden = false;
  return CC_FATAL;
}

/* Ctrl-C: drops the line, or ends the program where there is none. */
static unsigned char drop_line(EditLine *edit, int key)
{
  (void)key;
  const LineInfo *line = el_line(edit);
  return line->lastchar == line->buffer ? CC_EOF : end_line(terminal_of(edit));
}

/* Tab: completes the word before the cursor, or lists what it can become. */
static unsigned char complete_word(EditLine *edit, int key)
{
  (void)key;
  struct terminal *terminal = terminal_of(edit);
  struct completion completion;
  const LineInfo *line = el_line(edit);
  find_completion(&terminal->nicks, line->buffer, line->cursor, &completion);
  if (completion.found == 0)
    return CC_ERROR;
  if (completion.insert[0] != '\0')
    return el_insertstr(edit, completion.insert) == 0 ? CC_REFRESH : CC_ERROR;
  show_note(terminal, completion.list + 1);
  return CC_NORM;
}

/* Reads what has been typed. Returns false where nobody can type any more. */
static bool read_typed(struct terminal *terminal)
{
  ssize_t n = read(STDIN_FILENO, terminal->typed, sizeof terminal->typed);
  terminal->taken = 0;
  terminal->typed_end = n > 0 ? (size_t)n : 0;
  return n > 0;
}

/* Takes the next character of it. Returns false where there is none left, or no whole one. */
static bool take_character(struct terminal *terminal, wchar_t *character)
{
  while (terminal->taken < terminal->typed_end) {
    bool alone = mbsinit(&terminal->character);
    size_t n = mbrtowc(character, terminal->typed + terminal->taken, 1, &terminal->character);
    if (n != (size_t)-1 || alone)
      terminal->taken++; /* else the one before was cut short, and this byte begins another */
    if (n == (size_t)-1)
      terminal->character = (mbstate_t){0}; /* no UTF-8 */
    else if (n != (size_t)-2 && (*character < 0x80 || wcwidth(*character) >= 0))
      return true;
  }
  return false;
}

/* Does with a signal what happens without us: stops the program, or ends it. */
static void by_default(int signal)
{
  sigset_t one;
  raise(signal);
  sigemptyset(&one);
  sigaddset(&one, signal);
  sigprocmask(SIG_UNBLOCK, &one, NULL);
  sigprocmask(SIG_BLOCK, &one, NULL);
}

/* A signal has come. Returns the key that does what it asks for, or 0; terminal->killed tells if the program is to end.
 */
static wchar_t take_signal(struct terminal *terminal)
{
  struct signalfd_siginfo info;
  if (read(terminal->signals, &info, sizeof info) != sizeof info)
    return 0;
  switch (info.ssi_signo) {
  case SIGINT:
    return L'\3'; /* the key Ctrl-C itself does not come: the terminal makes a signal of it */
  case SIGTSTP:   /* Ctrl-Z */
    hide_line(terminal);
    fflush(stdout);
    el_set(terminal->edit, EL_PREP_TERM, 0);
    by_default(SIGTSTP);
    el_set(terminal->edit, EL_PREP_TERM, 1);
    return 0;
  case SIGCONT: /* after a SIGSTOP: a shell has had the terminal meanwhile */
    el_set(terminal->edit, EL_PREP_TERM, 1);
    hide_line(terminal);
    return 0;
  case SIGWINCH:
    hide_line(terminal); /* libedit is told when it draws */
    return 0;
  default:
    terminal->killed = (int)info.ssi_signo;
    return 0;
  }
}

/* Gives the terminal back as it was, with the cursor at the beginning of a line. */
static void leave_terminal(void)
{
  if (terminal_in_use == NULL)
    return;
  hide_line(terminal_in_use);
  fflush(stdout);
  el_end(terminal_in_use->edit);
  history_end(terminal_in_use->history);
  terminal_in_use = NULL;
}

/* In wide characters, since libedit makes copies of others, which it never frees. */
static void set_key(EditLine *edit, const wchar_t *key, const wchar_t *name, unsigned char (*function)(EditLine *, int))
{
  el_wset(edit, EL_ADDFN, name, name, function);
  el_wset(edit, EL_BIND, key, name, NULL);
}

/*
 * Begins to use the terminal, until leave_terminal() or exit().
 *
 * get    is called when libedit wants a character, and waits for it: the descriptors to wait for are standard input
 *        (then call read_typed(), take_character()) and terminal->signals (then call take_signal()), and it draws the
 *        input line with unhide_line() before. Returns 1, or 0 at the end.
 * enter  is called for the key Enter; what it returns is for libedit
 */
static void enter_terminal(struct terminal *terminal, int (*get)(EditLine *, wchar_t *),
                           unsigned char (*enter)(EditLine *, int))
{
  static const int wanted[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
  /* Ctrl-V: a line holds no control characters. Alt-x: it asks for a command of libedit's. Insert, PageUp, PageDown,
   * Shift-Tab, Ctrl-Up, Ctrl-Down, F5 to F12: the end of their codes would become text. */
  static const wchar_t *const useless[] = {L"^V",      L"\\ex",     L"\\eX",     L"\\e[2~",  L"\\e[5~",  L"\\e[6~",
                                           L"\\e[Z",   L"\\e[1;5A", L"\\e[1;5B", L"\\e[15~", L"\\e[17~", L"\\e[18~",
                                           L"\\e[19~", L"\\e[20~",  L"\\e[21~",  L"\\e[23~", L"\\e[24~"};
  static char screen[1 << 16];
  const char *type = getenv("TERM"), *no_colour = getenv("NO_COLOR");
  HistEvent event;
  sigset_t signals;

  setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX == 1)
    setlocale(LC_CTYPE, "C.UTF-8");               /* what others say is UTF-8 */
  setvbuf(stdout, screen, _IOFBF, sizeof screen); /* so that the screen changes at once */
  terminal->dumb = type == NULL || strcmp(type, "dumb") == 0;
  terminal->colours = !terminal->dumb && (no_colour == NULL || *no_colour == '\0');
  sigemptyset(&signals);
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    sigaddset(&signals, wanted[i]);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  terminal->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  terminal->history = history_init();
  EditLine *edit = terminal->edit = el_init("chat_tui", stdin, stdout, stderr);
  if (terminal->signals < 0 || terminal->history == NULL || edit == NULL)
    err(1, "cannot set up the terminal");
  history(terminal->history, &event, H_SETSIZE, HISTORY_LINES);
  history(terminal->history, &event, H_SETUNIQUE, 1);
  el_set(edit, EL_CLIENTDATA, terminal);
  el_set(edit, EL_EDITOR, "emacs");
  el_set(edit, EL_HIST, history, terminal->history);
  el_set(edit, EL_PROMPT_ESC, give_prompt, '\1');
  el_set(edit, EL_GETCFN, get);
  set_key(edit, L"^M", L"enter", enter);
  set_key(edit, L"^J", L"enter", enter);
  set_key(edit, L"^C", L"drop-line", drop_line);
  set_key(edit, L"^I", L"complete-word", complete_word);
  el_set(edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
  el_wset(edit, EL_BIND, L"\\e[1;5D", L"ed-prev-word", NULL); /* Ctrl and an arrow key */
  el_wset(edit, EL_BIND, L"\\e[1;5C", L"em-next-word", NULL);
  for (size_t i = 0; i < sizeof useless / sizeof *useless; i++)
    el_wset(edit, EL_BIND, useless[i], L"ed-unassigned", NULL);
  terminal_in_use = terminal;
  atexit(leave_terminal);
}

#endif
