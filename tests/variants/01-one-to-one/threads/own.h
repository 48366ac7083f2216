// own.h - what both programs need: nothing of the course's common/ is used here
#ifndef OWN_H
#define OWN_H

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_MESSAGE 65536

static void die(const char *program, const char *what, const char *reason)
{
  fflush(stdout);
  fprintf(stderr, "%s: %s: %s\n", program, what, reason);
  exit(1);
}

static unsigned short port_of(const char *text, const char *usage)
{
  char *rest;
  long port = strtol(text, &rest, 10);
  if (*text < '0' || *text > '9' || *rest != '\0' || port > 65535) {
    fputs(usage, stderr);
    exit(2);
  }
  return (unsigned short)port;
}

#endif
