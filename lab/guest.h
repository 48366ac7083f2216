/* guest.h - what all lab kernels have in common that run as a process of this machine */
#ifndef LAB_GUEST_H
#define LAB_GUEST_H

#include "lab.h"

#include <sys/types.h>

/* A lab kernel that has been started: a process group, and the host's ends of its lines. */
struct guest {
  pid_t pid; /* also its process group */
  int from[LINES];
  int to_control;
  int log;        /* what the kernel says for itself */
  bool own_clock; /* it starts with the time of a clock that knows whole seconds alone */
  char *files;    /* where the paths of the lab's own files begin: what UML keeps, and frames (control.h) */
};

/* Fails where the kernel's command line could not tell it where the lab's first process is. */
void guest_check(const struct job *job);

/* Makes a pipe that no other program inherits. `what` it is for, where it cannot be had. */
void guest_pipe(int ends[2], const char *what);

/* Leaves a descriptor open for the program that this process becomes. */
void guest_keep_open(int fd);

/*
 * Forks the process that is to become the kernel.
 *
 * folder  where the lab's own files are to lie
 *
 * Returns true in the new process, which leads a session of its own, out of reach of the terminal's Ctrl-C.
 */
bool guest_fork(struct guest *guest, const char *folder);

/* In that process: becomes the kernel. What it says for itself goes to `log`. */
_Noreturn void guest_become(char *const words[], int log);

/* Prints what a kernel has said before its end. */
void guest_last_words(const char *log);

/* Sees to it that nothing is left of the guest, whatever becomes of this process: for after guest_fork(). */
void guest_watch(const struct guest *guest);

/*
 * relay.c: runs the job in the guest, which has just been started, and kills the guest at the end.
 *
 * explain  called with the guest's log when it ended without having run the job; does not return
 */
int relay_run(const struct job *job, const struct guest *guest, void (*explain)(const char *log));

#endif
