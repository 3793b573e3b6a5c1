/* contender.h - what each C contender of the benchmark does in its own way.
 * SPDX-License-Identifier: MIT
 *
 * bench.c measures with these and with nothing else, so the contenders differ
 * in them alone. A call that fails says why and ends the job.
 */
#ifndef CONTENDER_H
#define CONTENDER_H

#include <stddef.h>

enum { CONTENDER_WINDOW = 64 }; /* messages under way at once */

void contender_start(int *argc, char ***argv);
void contender_end(void);
_Noreturn void contender_abort(void);

int contender_rank(void);
int contender_size(void);

/* Which MPI library runs below, in one line; "" where the contender cannot say. */
const char *contender_mpi(void);

void contender_send(const void *data, size_t bytes, int dest);
void contender_receive(void *data, size_t bytes, int source);

/* CONTENDER_WINDOW messages of BYTES, all started before the first is waited
 * for; those received lie one behind the other at DATA. */
void contender_send_window(const void *data, size_t bytes, int dest);
void contender_receive_window(void *data, size_t bytes, int source);

void contender_barrier(void);
void contender_broadcast(void *data, size_t bytes, int root);

/* Of parts of BYTES each: ALL has one of each rank, or one for each. */
void contender_gather(const void *part, size_t bytes, void *all, int root);
void contender_scatter(const void *all, void *part, size_t bytes, int root);
void contender_allgather(const void *part, size_t bytes, void *all);
void contender_alltoall(const void *out, size_t bytes, void *in);

void contender_reduce(const double *data, double *sum, size_t count, int root);
void contender_allreduce(const double *data, double *sum, size_t count);

#endif
