// guests.h - who is in the chat, and under which name; for the chat server of stage 05
#ifndef GUESTS_H
#define GUESTS_H

#include "chat.h"
#include "deadline.h"

#include <err.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct guest {
  sctp_assoc_t association;
  uint16_t streams;        /* that we can send on to it */
  deadline due;            /* when it is announced at the latest; NEVER where it has been announced */
  char nick[NICK_MAX + 1]; /* guestN until it has chosen one */
};

/* All of them, in the order in which they came. Starts as {0}. */
struct guests {
  struct guest *all;
  size_t count, room;
  uint32_t numbers; /* how many have ever come */
};

/* Returns the guest behind an association, or NULL. */
static struct guest *guest_of(const struct guests *guests, sctp_assoc_t association)
{
  for (size_t i = 0; i < guests->count; i++)
    if (guests->all[i].association == association)
      return &guests->all[i];
  return NULL;
}

static void guest_comes(struct guests *guests, sctp_assoc_t association, uint16_t streams, deadline due)
{
  if (guests->count == guests->room) {
    guests->room = 2 * guests->room + 16;
    guests->all = realloc(guests->all, guests->room * sizeof *guests->all);
    if (guests->all == NULL)
      err(1, "realloc");
  }
  struct guest *guest = &guests->all[guests->count++];
  *guest = (struct guest){.association = association, .streams = streams, .due = due};
  snprintf(guest->nick, sizeof guest->nick, "guest%u", ++guests->numbers);
}

static void guest_goes(struct guests *guests, struct guest *guest)
{
  struct guest *end = guests->all + guests->count--;
  memmove(guest, guest + 1, (size_t)(end - (guest + 1)) * sizeof *guest);
}

/* Returns why the guest cannot have this nick, or NULL where it can. Case makes no difference. */
static const char *nick_objection(const struct guests *guests, const struct guest *guest, const char *nick)
{
  // exercise: The reasons why not: no nick_length(), it is the guest's own, it is guestN, somebody else has it.
  // TUTORIAL.md, stage 05: "Whose words are these?".
  size_t length = nick_length(nick);
  if (length == 0 || nick[length] != '\0')
    return "a nick is 1 to 16 letters, digits, - or _";
  if (strcmp(nick, guest->nick) == 0)
    return "it is yours already";
  if (strncasecmp(nick, "guest", 5) == 0 && length > 5 && strspn(nick + 5, "0123456789") == length - 5)
    return "guest and a number is for who has not chosen one";
  for (size_t i = 0; i < guests->count; i++)
    if (&guests->all[i] != guest && strcasecmp(guests->all[i].nick, nick) == 0)
      return "somebody else has it";
  return NULL;
  // until then: (void)guests; (void)guest; (void)nick; return NULL;
}

/* Writes the nicks of all that have been announced, as far as they fit. Returns `text`. */
static const char *list_nicks(const struct guests *guests, char *text, size_t room)
{
  // exercise: Write them, with ", " between them.
  size_t length = 0;
  text[0] = '\0';
  for (size_t i = 0; i < guests->count && length + NICK_MAX + 3 < room; i++)
    if (guests->all[i].due == NEVER)
      length += (size_t)sprintf(text + length, "%s%s", length > 0 ? ", " : "", guests->all[i].nick);
  return text;
  // until then: (void)guests; (void)room; text[0] = '\0'; return text;
}

#endif
