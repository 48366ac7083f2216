/* show.h - prints what a peer sent */
#ifndef COMMON_SHOW_H
#define COMMON_SHOW_H

#include <stddef.h>

/*
 * Writes what a peer sent to standard output, and flushes it.
 *
 * Where standard output is a terminal, whatever escape() escapes, but for the newline, appears as \xNN. Elsewhere the
 * bytes go out exactly as they are.
 *
 * An error on standard output ends the program.
 */
void show(const void *bytes, size_t length);

/*
 * Makes a text of what a peer sent, for a line of our own: whatever could steer a terminal (C0 and C1 control
 * characters, DEL, bidirectional controls) and what is not valid UTF-8 becomes \xNN, byte by byte.
 *
 * text  gets the text, with a NUL at its end; what does not fit is left out
 * room  the size of `text` in bytes, at least 1
 */
void escape(const void *bytes, size_t length, char *text, size_t room);

#endif
