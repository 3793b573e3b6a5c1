/* pool_turn.c - waiting for a result, and doing tasks meanwhile.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "pool.h"

typedef struct turn_wait {
    const pool_channel *channel;
    bool helps;
} turn_wait;

static bool is_turn(par_pool *pool, const void *what)
{
    const turn_wait *t = what;

    return t->channel->is_closed || pool_channel_next(t->channel) ||
           pool_channel_is_empty(t->channel) ||
           (t->helps && pool_task_is_here(pool, t->channel->depth));
}

/* The wait for CHANNEL is over: what has it come to? */
static par_error end_wait(par_pool *pool, const turn_wait *t, par_pool_result **result_p,
                          par_pool_task **task_p, par_pool_turn *turn_p)
{
    par_pool_result *next = t->channel->is_closed ? NULL : pool_channel_next(t->channel);

    if (next) {
        list_remove(&next->node);
        *result_p = next;
        *turn_p = PAR_POOL_RESULT;
    } else if (t->channel->is_closed || pool_channel_is_empty(t->channel)) {
        *turn_p = PAR_POOL_NOTHING;
    } else if (t->helps && pool_task_is_here(pool, t->channel->depth)) {
        *turn_p = PAR_POOL_TASK;
        return pool_task_begin(pool, t->channel->depth, task_p);
    } else {
        *turn_p = PAR_POOL_LATE;
    }
    pool_listener_wake(pool);
    return t->helps && !pool->manager ? pool_worker_resume(pool) : PAR_OK;
}

/* Needs the mutex. */
static par_error wait_for_turn(par_pool *pool, pool_channel *channel, double seconds,
                               par_pool_result **result_p, par_pool_task **task_p,
                               par_pool_turn *turn_p)
{
    turn_wait t = {.channel = channel, .helps = task_p != NULL};
    pool_wait w = {
        .is_over = is_turn, .what = &t, .wants_tasks = t.helps, .floor = channel->depth};
    bool late;
    par_error err;

    channel->waiting++;
    err = pool_wait_until(pool, &w, seconds < 0 ? -1 : par_time() + seconds, &late);
    if (!err)
        err = end_wait(pool, &t, result_p, task_p, turn_p);
    if (!--channel->waiting && channel->is_closed)
        pool_channel_free(pool, channel);
    return err;
}

par_error par_pool_wait(par_pool *pool, int number, double seconds,
                        par_pool_result **result_p, par_pool_task **task_p,
                        par_pool_turn *turn_p)
{
    par_pool_result *result = NULL;
    par_pool_task *task = NULL;
    par_pool_turn turn;
    pool_channel *channel = NULL;
    par_error err = pool_check_call(pool);

    if (!err && (!result_p || !turn_p))
        err = error_set(PAR_ERR_ARG, "%s is NULL: it is where the answer goes",
                        result_p ? "turn_p" : "result_p");
    if (!err && isnan(seconds))
        err = error_set(PAR_ERR_ARG, "seconds is not a number");
    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    err = pool_channel_find(pool, number, &channel);
    if (!err)
        err =
            wait_for_turn(pool, channel, seconds, &result, task_p ? &task : NULL, &turn);
    pthread_mutex_unlock(&pool->mutex);
    if (err)
        return err;
    *result_p = result;
    if (task_p)
        *task_p = task;
    *turn_p = turn;
    return PAR_OK;
}
