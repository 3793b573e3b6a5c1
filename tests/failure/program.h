/* program.h - small programs, several in a file, that a test starts by name.
 * SPDX-License-Identifier: MIT
 *
 *     mpirun -np 2 wrong each_receives_first
 */
#ifndef FAILURE_PROGRAM_H
#define FAILURE_PROGRAM_H

#include "par.h"

/* How many ranks a program wants, in the line above it. */
#define RANKS(n)

typedef struct program {
    const char *name;
    void (*run)(par_comm *world);
} program;

#define PROGRAM(function)   \
    {                       \
#function, function \
    }

/* A file's programs; NULL is the name behind the last. */
extern const program programs[];

/* This rank, and how many there are. */
extern int me, size;

/* A send of it waits for its receive. */
extern char large[1 << 20];

/* End the job where a call fails. */
void must(par_error err);

#endif
