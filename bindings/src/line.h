/* line.h - the line of a Python program that waits.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_LINE_H
#define PYPAR_LINE_H

#include "state.h"

/* Where MODULE lies is the package: users don't look for its lines. */
void line_note_package(PyObject *module);

/* "solve.py:88", the innermost line of the program in this thread, into TEXT; and what
 * exception it is handling: in a `finally` that waits for ever nobody hears of it
 * otherwise. False where there is none. Runs no code of the program's. */
bool line_find(void *unused, char *text, size_t size);

#endif
