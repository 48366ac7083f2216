// nicks.h - whom chat_tui has heard of, and what Tab makes of a word
#ifndef NICKS_H
#define NICKS_H

#include "chat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { NICKS = 256 /* that are remembered at the most */ };

/* The one heard last stands last. Starts as {0}. */
struct nicks {
  char names[NICKS][NICK_MAX + 1];
  size_t count;
};

static void forget_nick(struct nicks *nicks, const char *nick, size_t length)
{
  for (size_t i = 0; i < nicks->count; i++)
    if (strncmp(nicks->names[i], nick, length) == 0 && nicks->names[i][length] == '\0') {
      nicks->count--;
      memmove(nicks->names[i], nicks->names[i + 1], (nicks->count - i) * sizeof *nicks->names);
      return;
    }
}

static void remember_nick(struct nicks *nicks, const char *nick, size_t length)
{
  if (length == 0)
    return;
  forget_nick(nicks, nick, length);
  if (nicks->count == NICKS)
    forget_nick(nicks, nicks->names[0], strlen(nicks->names[0]));
  snprintf(nicks->names[nicks->count++], NICK_MAX + 1, "%.*s", (int)length, nick);
}

/* Learns from a notice of the server, without its "* ", who comes and goes. */
static void learn_nicks(struct nicks *nicks, const char *notice)
{
  static const char here[] = "here: ", joined[] = " joined", left[] = " left",
                    gone[] = " is gone: ", renamed[] = " is now ";
  if (strncmp(notice, here, strlen(here)) == 0) {
    const char *nick = notice + strlen(here);
    for (size_t length; (length = nick_length(nick)) > 0; nick += strspn(nick, ", ")) {
      remember_nick(nicks, nick, length);
      nick += length;
    }
    return;
  }
  size_t length = nick_length(notice);
  const char *what = notice + length;
  if (strcmp(what, joined) == 0) {
    remember_nick(nicks, notice, length);
  } else if (strcmp(what, left) == 0 || strncmp(what, gone, strlen(gone)) == 0) {
    forget_nick(nicks, notice, length);
  } else if (strncmp(what, renamed, strlen(renamed)) == 0) {
    forget_nick(nicks, notice, length);
    remember_nick(nicks, what + strlen(renamed), nick_length(what + strlen(renamed)));
  }
}

struct completion {
  size_t found;                            /* so many commands or nicks begin with the word */
  char insert[NICK_MAX + 3];               /* what they go on with, all of them */
  char list[NICKS * (NICK_MAX + 1) + 128]; /* all of them, each behind a blank */
};

/* What the word before the cursor can become: a command at the beginning of the line, or a nick. */
static void find_completion(const struct nicks *nicks, const char *line, const char *cursor, struct completion *result)
{
  static const char *const commands[] = {"/help", "/join", "/nick", "/part", "/quit", "/room", "/u", "/who"};
  const char *word = cursor;
  while (word > line && word[-1] != ' ')
    word--;
  size_t length = (size_t)(cursor - word), common = 0, end = 0;
  bool command = word == line && length > 0 && *word == '/';
  size_t count = command ? sizeof commands / sizeof *commands : nicks->count;
  const char *match = "";

  result->found = 0;
  result->list[0] = '\0';
  for (size_t i = 0; i < count; i++) {
    const char *name = command ? commands[i] : nicks->names[i];
    if (strncmp(name, word, length) != 0)
      continue;
    if (result->found++ == 0)
      common = strlen(match = name);
    while (strncmp(name, match, common) != 0)
      common--;
    end += (size_t)snprintf(result->list + end, sizeof result->list - end, " %s", name);
  }
  const char *after = result->found != 1 ? "" : command || word > line ? " " : ": ";
  snprintf(result->insert, sizeof result->insert, "%.*s%s", (int)(common - (common > 0 ? length : 0)),
           match + (common > 0 ? length : 0), after);
}

#endif
