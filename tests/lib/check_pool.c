/* check_pool.c - pools whose tasks are a number each, and so are their results.
 * SPDX-License-Identifier: MIT */
#include "check_pool.h"

#include <string.h>
#include <unistd.h>

enum { A_MINUTE = 60, GATE = 4711 /* a tag */ };

static const par_content bytes = {.kind = PAR_ARRAY, .type = PAR_BYTE, .dims = 1};

uint64_t check_submit(par_pool *pool, int channel, uint64_t number)
{
    par_part part = {&number, sizeof number};
    uint64_t task = 0;

    ck_ok(par_pool_submit(pool, channel, 0, &bytes, &part, 1, NULL, &task));
    return task;
}

static check_result read_result(par_pool_result *result)
{
    check_result r = {.task = par_pool_result_task(result),
                      .worker = par_pool_result_worker(result)};

    memcpy(&r.number, par_message_body(*par_pool_result_message(result)),
           sizeof r.number);
    par_pool_result_free(&result);
    return r;
}

bool check_collect(par_pool *pool, int channel, check_work *work, check_result *result_p)
{
    par_pool_result *result;
    par_pool_task *task = NULL;
    par_pool_turn turn;

    for (;;) {
        ck_ok(
            par_pool_wait(pool, channel, A_MINUTE, &result, work ? &task : NULL, &turn));
        ck_assert_int_ne(turn, PAR_POOL_LATE);
        if (turn == PAR_POOL_NOTHING)
            return false;
        if (turn == PAR_POOL_RESULT)
            break;
        check_do(pool, &task, work);
    }
    *result_p = read_result(result);
    return true;
}

void check_do(par_pool *pool, par_pool_task **task_p, check_work *work)
{
    uint64_t number;
    par_part part = {&number, sizeof number};

    ck_ok(par_message_take(par_pool_task_message(*task_p), &part, 1));
    number = work(number);
    ck_ok(par_pool_answer(pool, task_p, 0, &bytes, &part, 1));
    ck_assert_ptr_null(*task_p);
}

uint64_t check_serve(par_pool *pool, check_work *work)
{
    par_pool_task *task;
    uint64_t count = 0;

    for (;; count++) {
        ck_ok(par_pool_take(pool, &task));
        if (!task)
            return count;
        check_do(pool, &task, work);
    }
}

/* The library is told of no wait: it would be one that a deadlock could be made of. */
void check_gate_pass(void)
{
    for (bool open = false; !open; usleep(1000))
        ck_ok(par_probe_now(world, 0, GATE, NULL, &open));
}

void check_gate_open(void)
{
    for (int rank = 0; rank < ranks; rank++)
        ck_ok(par_send(world, NULL, 0, PAR_BYTE, rank, GATE));
}

void check_gate_close(void)
{
    ck_ok(par_receive(world, NULL, 0, PAR_BYTE, 0, GATE, NULL));
}
