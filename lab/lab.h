/* lab.h - what the parts of lab/run on the host share */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "control.h"

enum { LAB_BROKEN = 125 }; /* the exit status of a failure of lab/run itself */

struct job {
  char **command;   /* ends with NULL */
  double timeout;   /* seconds; 0: none */
  bool skip;        /* the lab's clock skips the time in which nothing happens, where the kernel can */
  const char *init; /* path of the lab's first process */
};

/*
 * Ends lab/run with LAB_BROKEN: "lab/run: WHAT" and, unless it is NULL, a line with the remedy, on standard
 * error.
 */
_Noreturn void lab_fail(const char *remedy, const char *what, ...) __attribute__((format(printf, 2, 3)));

/* native.c: runs the job in namespaces of its own on this machine's kernel. Returns its exit status, or -1
 * with errno set when the namespaces are refused, and the job has not been started. */
int native_run(const struct job *job);

/* True when this machine's kernel can open an SCTP socket. */
bool native_has_sctp(void);

/* True when this machine allows the namespaces that a lab needs; else errno says why not. */
bool native_allows(void);

/* uml.c: runs the job under User Mode Linux. */
int uml_run(const struct job *job);

/* A lab kernel that has been started: a process group, and the host's ends of its serial lines. */
struct guest {
  pid_t pid; /* also its process group */
  int from[LINES];
  int to_control;
  int log;     /* what the kernel says for itself */
  char *files; /* where the paths of the lab's own files begin: what UML keeps, and frames (control.h) */
};

/*
 * relay.c: runs the job in the guest, which has just been started, and kills the guest at the end.
 *
 * explain  called with the guest's log when it ended without having run the job; does not return
 */
int relay_run(const struct job *job, const struct guest *guest, void (*explain)(const char *log));

#endif
