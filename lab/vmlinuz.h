/* vmlinuz.h - which Linux QEMU boots, and whether it can */
#ifndef LAB_VMLINUZ_H
#define LAB_VMLINUZ_H

/*
 * Returns the path of the Linux to boot: the one that LAB_QEMU_KERNEL names, else the newest in /boot that has the
 * modules of SCTP and 9p. NULL where it, or QEMU itself, cannot be had: why, is in `reason`.
 */
const char *vmlinuz_find(char reason[256]);

/* Returns the version in the path of a kernel, whose name is vmlinuz-VERSION; NULL where it is not. */
const char *vmlinuz_version(const char *path);

/* The name of the QEMU for this architecture. */
const char *vmlinuz_emulator(void);

#endif
