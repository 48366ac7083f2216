/* line.h - the lab's ends of the lines to the host */
#ifndef LAB_LINE_H
#define LAB_LINE_H

#include "control.h"

/*
 * Opens a line for exact bytes: in User Mode Linux a serial line (/dev/ttyS0 is LINE_STDOUT), in QEMU's machine a port
 * of virtio-serial (/dev/vport0p1). Returns a descriptor that does not block, or -1 with errno set.
 */
int line_open(enum line line);

#endif
