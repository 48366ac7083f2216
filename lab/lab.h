/* lab.h - what the parts of lab/run on the host share */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "control.h"

enum { LAB_BROKEN = 125 }; /* the exit status of a failure of lab/run itself */

struct job {
  char **command;    /* ends with NULL */
  double timeout;    /* seconds; 0: none */
  bool skip;         /* the lab's clock skips the time in which nothing happens, where the kernel can */
  const char *built; /* the folder of the lab's programs, lab/build */
  const char *init;  /* path of the lab's first process, which is one of them */
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

/* qemu.c: runs the job on a whole machine that QEMU emulates, with this machine's files. */
int qemu_run(const struct job *job);

/* Prints which machine that would be: the first line and the last ones of what --version tells. Fails where none. */
void qemu_tell(const char *reason);

#endif
