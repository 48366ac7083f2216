/*
 * stop.h - how a run of the lab ends before its time
 *
 * The first signal is handed to the command, which has GRACE_MS to end by itself; after that, or at the
 * second signal, all is killed. A timeout does the same with SIGTERM.
 */
#ifndef LAB_STOP_H
#define LAB_STOP_H

#include <stdbool.h>

enum { GRACE_MS = 1000 };

struct stop {
  int fd;            /* signalfd(2) for the signals that are ours to handle */
  int signal;        /* the first signal that asked for the end, or 0 */
  bool timed_out;    /* it was the timeout that asked */
  long long timeout; /* monotonic milliseconds; -1: none */
  long long kill_at; /* likewise, for the end of the grace */
};

/* What the caller has to do now. */
enum stop_action {
  STOP_NOTHING,
  STOP_FORWARD, /* deliver *signal to the command */
  STOP_KILL,    /* the grace is over: kill everything */
  STOP_CHILD,   /* SIGCHLD came */
  STOP_WINDOW,  /* SIGWINCH came */
};

/* Starts to watch for signals and, where `seconds` is above 0, the time. */
void stop_watch(struct stop *stop, double seconds);

/* Monotonic milliseconds until stop_next() has something to say by itself, or -1: for poll(). */
int stop_wait(const struct stop *stop);

/* Call when `fd` is readable or the wait is over, again and again until it says STOP_NOTHING. */
enum stop_action stop_next(struct stop *stop, int *signal);

/* In a child: gives back the signals that stop_watch() took. */
void stop_forget(void);

/* Makes this process the parent of every orphan among its descendants, so that stop_kill_all() finds them. */
void stop_adopt(void);

/* Kills every descendant and waits until all are gone. */
void stop_kill_all(void);

/* The exit status of a run in which the command ended with `status`, or -1 where it had to be killed. */
int stop_status(const struct stop *stop, int status);

#endif
