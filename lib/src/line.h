/* line.h - the line of a C program that has called this library.
 * SPDX-License-Identifier: MIT
 *
 * While a program runs a line is no more than an address, "@program 0x1234 main+0x12":
 * only who prints it looks up what it is.
 */
#ifndef PAR_SRC_LINE_H
#define PAR_SRC_LINE_H

#include <stddef.h>

/* Write to TEXT where this thread has come into the library from. */
void line_of_caller(char *text, size_t size);

/* Make TEXT of SIZE bytes, which line_of_caller has written on some rank, one for people:
 * "solve.c:88", where the program knows its lines; any other text stays. */
void line_resolve(char *text, size_t size);

#endif
