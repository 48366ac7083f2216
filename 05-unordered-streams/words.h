// words.h - what the chat server of stage 05 reads and writes: text, and nothing of SCTP but the news of an end
#ifndef WORDS_H
#define WORDS_H

#include "lines.h"
#include "reason.h"
#include "show.h"

#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdio.h>
#include <string.h>

enum { COMMAND_TEXT = 256, DEPARTURE_TEXT = REASON_TEXT + 16 };

/*
 * Splits a command in two, its word and what follows. NUL, CR, LF and blanks at its end do not count; what could steer
 * a terminal becomes \xNN; what is too long for any command is cut.
 *
 * text  gets the word
 *
 * Returns what follows the word, perhaps nothing.
 */
static char *split_command(const char *message, size_t length, char text[COMMAND_TEXT])
{
  while (length > 0 && memchr("\0\r\n \t", message[length - 1], 5) != NULL)
    length--;
  escape(message, length, text, COMMAND_TEXT);
  char *end = text + strcspn(text, " "), *rest = end + strspn(end, " ");
  *end = '\0';
  return rest;
}

/*
 * Makes a line of what somebody has said, with the name before it. It has to be one line: of two, the second could look
 * as if another had said it. Of two slashes at the beginning one goes: they say that it is no command.
 *
 * Returns the line's length in bytes, its newline included.
 */
static size_t spoken_line(const char *nick, const char *message, size_t length, char line[RELAYED_MAX])
{
  // exercise: Write the nick, ": " and the message, as one line: every newline but the last becomes a blank, and of
  // "//" at the beginning one goes. TUTORIAL.md, stage 05: "Whose words are these?".
  size_t end = (size_t)sprintf(line, "%s: ", nick);
  if (length >= 2 && memcmp(message, "//", 2) == 0) {
    message++;
    length--;
  }
  if (message[length - 1] == '\n')
    length--;
  for (size_t i = 0; i < length; i++)
    line[end++] = message[i] == '\n' ? ' ' : message[i];
  line[end++] = '\n';
  return end;
  // until then: (void)nick; (void)message; (void)length; line[0] = '\n'; return 1;
}

/* Writes how an association has ended: what the notification SCTP_ASSOC_CHANGE says, `size` bytes of it. Returns
 * `text`. */
static const char *departure(const struct sctp_assoc_change *change, size_t size, char text[DEPARTURE_TEXT])
{
  // exercise: Write "left", or "is gone: " and why: what state it is (RFC 6458, 6.1.1), and abort_reason(), if there is
  // one. TUTORIAL.md, stage 05: "Who has come, and who has gone?".
  char reason[REASON_TEXT];
  if (change->sac_state == SCTP_SHUTDOWN_COMP)
    return strcpy(text, "left");
  if (change->sac_state == SCTP_RESTART)
    strcpy(reason, "it has crashed, and begun anew");
  else if (*abort_reason(change, size, reason) == '\0' && change->sac_error == 0)
    strcpy(reason, "the association was lost");
  else if (reason[0] == '\0' && size == sizeof *change) /* no error cause has come: it was us */
    strcpy(reason, "the server has disconnected it");
  else if (reason[0] == '\0')
    strcpy(reason, "it has aborted the association");
  snprintf(text, DEPARTURE_TEXT, "is gone: %s", reason);
  return text;
  // until then: (void)change; (void)size; return strcpy(text, "is gone");
}

#endif
