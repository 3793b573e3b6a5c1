/* say.h - a line on stderr, with the ranks that it is about.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_SAY_H
#define PAR_SRC_SAY_H

#include <stddef.h>

/* Room for "[rank 3 of 16 · host · 1234] ". */
enum { SAY_NAME_BYTES = 320 };

/* How many ranks the job has, from now on. A job of one rank has no names. */
void say_configure(int size);

/* What a line of RANK, which is process PID of this host, begins with. */
void say_name(char name[SAY_NAME_BYTES], int rank, int pid);

/* TEXT, of one line or more, after NAME, in one piece. */
void say(const char *name, const char *text);

/* TEXT after the names of the COUNT ranks RANKS of this host, which are put in order. */
void say_of(int *ranks, int count, const char *text);

#endif
