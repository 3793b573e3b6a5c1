/* fib.h - Fibonacci numbers, and how they are shared out.
 * SPDX-License-Identifier: MIT
 */
#ifndef FIB_H
#define FIB_H

#include "par.h"

/* What is to be computed: all ranks know all of it. */
extern uint64_t *fib_numbers;
extern size_t fib_count;

/* What becomes of a number. */
typedef struct fib_answer {
    uint64_t value;
    double seconds;
    int rank; /* that has computed it */
} fib_answer;

/* Compute the number N of Fibonacci's. RANK is the caller's to set. */
fib_answer fib_compute(uint64_t n);

/* The indices of the numbers, the costliest first: the caller's, to be freed. */
int64_t *fib_costliest_first(void);

/* Have all numbers computed, by all ranks together; ANSWERS are complete on rank 0.
 * fib_plan.c: each rank knows beforehand what is its. fib_pool.c: it asks. */
void fib_run_by_cost(par_comm *world, fib_answer *answers);
void fib_run_by_block(par_comm *world, fib_answer *answers);
void fib_run_by_pool(par_comm *world, fib_answer *answers);

/* N zeroed things of SIZE, to be freed, or the end of the job. */
void *fib_allocate(size_t n, size_t size);

#endif
