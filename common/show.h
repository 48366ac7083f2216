/* show.h - prints what a peer sent */
#ifndef COMMON_SHOW_H
#define COMMON_SHOW_H

#include <stddef.h>

/*
 * Writes what a peer sent to standard output, and flushes it.
 *
 * Where standard output is a terminal, whatever could steer it (C0 and C1 control characters but the newline, DEL,
 * bidirectional controls) and what is not valid UTF-8 appears as \xNN, byte by byte. Elsewhere the bytes go out exactly
 * as they are.
 *
 * An error on standard output ends the program.
 */
void show(const void *bytes, size_t length);

#endif
