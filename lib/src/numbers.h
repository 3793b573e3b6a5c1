/* numbers.h - lists of numbers, and of hosts that are numbered, as text.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_NUMBERS_H
#define PAR_SRC_NUMBERS_H

#include "mask.h"

/* Write COUNT numbers, which grow, to TEXT of SIZE bytes: "0-3,8". What does not fit
 * is left out, and "..." stands for it. SIZE is 16 or more. Gives TEXT. */
char *numbers_text(const int *numbers, int count, char *text, size_t size);

/* The same for those of SET. */
char *numbers_set(const mask *set, char *text, size_t size);

/* The same for COUNT names: those that differ in a number at their end, and are next
 * to each other, become "a1-a7". */
char *numbers_names(const char *const *names, int count, char *text, size_t size);

#endif
