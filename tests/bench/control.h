/* control.h - a rank of the benchmark hears what to measure, and answers.
 * SPDX-License-Identifier: MIT
 *
 * Over a socket of the driver's, not through MPI: a rank that waits for its
 * turn sleeps in the kernel and takes nothing from the contender whose turn it
 * is.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>

/* One order of the driver's. */
typedef struct control_order {
    char what[32]; /* "pingpong", "ring", ... */
    size_t bytes;
    size_t count; /* how often, in the timed part */
} control_order;

/* Connect to the socket at PATH and introduce this rank. Returns false, with
 * errno set, where there is no driver. */
bool control_open(const char *path, const char *job, int rank, const char *mpi);

/* Wait for the next order; false where there is none any more. */
bool control_read(control_order *order);

/* The order has taken SECONDS. */
void control_answer(double seconds);

/* The order could not be carried out, for a reason printf would make. */
void control_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
