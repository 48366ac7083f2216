/* kernel.h - which User Mode Linux a lab boots */
#ifndef LAB_KERNEL_H
#define LAB_KERNEL_H

#include <stdbool.h>

struct kernel {
  char *path;
  const char *why; /* why it is this one: half a sentence */
};

/*
 * Returns the kernel to boot: the one that LAB_UML names, else the newest that lab/build-kernel has built from this
 * tree's kernel.config, else that of Debian's package. Ends lab/run where there is none.
 */
struct kernel kernel_find(void);

/* True where kernel_find() has one to return, or a wrong LAB_UML to complain of. */
bool kernel_there(void);

/*
 * Asks a kernel for its version ("6.12.117") and writes it to `version`, "?" when it does not tell.
 */
void kernel_version(const struct kernel *kernel, char version[64]);

#endif
