/* fib_pool.c - Fibonacci numbers, shared out by a pool.
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "fib.h"
#include "must.h"

static const par_content bytes = {.kind = PAR_ARRAY, .type = PAR_BYTE, .dims = 1};

/* A task is the index of a number, and its result index and answer. */
typedef struct result {
    int64_t index;
    fib_answer answer;
} result;

static void do_number(par_pool *pool, par_pool_task *task)
{
    result r = {0};

    must(par_message_take(par_pool_task_message(task),
                          &(par_part){&r.index, sizeof r.index}, 1));
    r.answer = fib_compute(fib_numbers[r.index]);
    must(par_pool_answer(pool, &task, 0, &bytes, &(par_part){&r, sizeof r}, 1));
}

static void work(par_pool *pool)
{
    par_pool_task *task;

    for (must(par_pool_take(pool, &task)); task; must(par_pool_take(pool, &task)))
        do_number(pool, task);
}

/* The costliest first: what is left at the end is evened out best if it is small. */
static void submit_all(par_pool *pool, int channel)
{
    int64_t *order = fib_costliest_first();
    uint64_t number;

    for (size_t i = 0; i < fib_count; i++)
        must(par_pool_submit(pool, channel, 0, &bytes,
                             &(par_part){&order[i], sizeof *order}, 1, NULL, &number));
    free(order);
}

static void keep(par_pool_result *from, fib_answer *answers)
{
    result r;

    memcpy(&r, par_message_body(*par_pool_result_message(from)), sizeof r);
    answers[r.index] = r.answer;
    answers[r.index].rank = par_pool_result_worker(from);
    par_pool_result_free(&from);
}

/* Rank 0 computes, too, while it waits for the others. */
static void collect(par_pool *pool, int channel, fib_answer *answers)
{
    par_pool_result *from;
    par_pool_task *task;
    par_pool_turn turn;

    for (;;) {
        must(par_pool_wait(pool, channel, -1, &from, &task, &turn));
        if (turn == PAR_POOL_NOTHING)
            return;
        if (turn == PAR_POOL_TASK)
            do_number(pool, task);
        else
            keep(from, answers);
    }
}

void fib_run_by_pool(par_comm *world, fib_answer *answers)
{
    par_pool *pool;
    int channel;

    must(par_pool_open(world, NULL, &pool));
    if (par_rank(world) == 0) {
        must(par_pool_channel_open(pool, false, NULL, &channel));
        submit_all(pool, channel);
        collect(pool, channel, answers);
        must(par_pool_stop(pool, false));
    } else {
        work(pool);
    }
    must(par_pool_close(&pool));
}
