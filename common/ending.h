/* ending.h - SIGINT and SIGTERM as something that poll() can wait for */
#ifndef COMMON_ENDING_H
#define COMMON_ENDING_H

/*
 * From here on SIGINT and SIGTERM do not kill the program, but ask it to end.
 *
 * Returns a descriptor that is readable for ever once one of them has come: a pipe from which nobody reads. A blocking
 * call is interrupted too (EINTR), so that its caller can look.
 */
int ending_watch(void);

/*
 * For a child made by fork(): leaves the two signals to the parent. The descriptor then becomes readable when the
 * parent is asked to end, and (POLLHUP) when the parent is gone.
 */
void ending_follow_parent(void);

#endif
