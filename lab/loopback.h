/* loopback.h - brings the loopback interface of this network namespace up */
#ifndef LAB_LOOPBACK_H
#define LAB_LOOPBACK_H

/*
 * Gives `lo` an MTU of 1500 and brings it up. With its default of 65,536 one packet fills a receive
 * window, and SCTP falls into probing a window of zero: 40 times slower than with the MTU of Ethernet.
 *
 * Returns 0, or -1 with errno set.
 */
int loopback_up(void);

#endif
