/* check_pool.h - pools whose tasks are a number each, and so are their results.
 * SPDX-License-Identifier: MIT */
#ifndef CHECK_POOL_H
#define CHECK_POOL_H

#include "check_par.h"

typedef struct check_result {
    uint64_t task, number;
    int worker;
} check_result;

/* What a task with NUMBER comes to. */
typedef uint64_t check_work(uint64_t number);

/* Submit a task with NUMBER on CHANNEL: which one it is. */
uint64_t check_submit(par_pool *pool, int channel, uint64_t number);

/* Wait for the next result of CHANNEL, which is *RESULT_P; false when none is to come.
 * Tasks that come instead are done with WORK, unless that is NULL. */
bool check_collect(par_pool *pool, int channel, check_work *work, check_result *result_p);

/* Do *TASK_P with WORK, which answers it. */
void check_do(par_pool *pool, par_pool_task **task_p, check_work *work);

/* Do tasks until there are none any more: how many. */
uint64_t check_serve(par_pool *pool, check_work *work);

/* Where tasks wait, as in a long computation, until rank 0 opens it. At the end, when
 * none waits there, each rank closes it. */
void check_gate_pass(void);
void check_gate_open(void);
void check_gate_close(void);

#endif
