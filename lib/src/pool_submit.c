/* pool_submit.c - tasks for others, and those taken back.
 * SPDX-License-Identifier: MIT */

#include "pool.h"

typedef struct submission {
    request_outgoing out;
    pool_blob *blob; /* NULL: it names nothing */
    uint64_t task;
    uint32_t tag;      /* its content follows under that; or 0 */
    par_message *copy; /* of its content, for rank 0; or NULL */
    bool borrows;
} submission;

static par_error submit_here(par_pool *pool, pool_channel *channel, submission *s)
{
    pool_order order = {.task = s->task,
                        .blob = s->blob,
                        .depth = channel->depth + 1,
                        .out = &s->out,
                        .message = s->copy};
    par_error err;

    order.result = pool_channel_submit(channel, s->task);
    if (!order.result)
        return error_memory(sizeof *order.result, "a task's result");
    err = pool_manager_add(pool, &order);
    if (err) {
        pool_channel_drop(pool, order.result);
        return err;
    }
    order.result->is_borrowed = s->borrows;
    s->copy = NULL;
    err = pool_manager_hurry(pool, s->blob);
    return err ? pool_fail(pool, err) : PAR_OK;
}

static par_error submit_there(par_pool *pool, pool_channel *channel, submission *s)
{
    pool_record record = {.kind = POOL_SUBMIT,
                          .task = s->task,
                          .shared = s->blob ? s->blob->number : 0,
                          .number = channel->depth + 1};
    par_pool_result *result = pool_channel_submit(channel, s->task);
    par_error err;

    if (!result || !pool_map_add(&pool->results, s->task, result)) {
        if (result)
            pool_channel_drop(pool, result);
        return error_memory(sizeof *result, "a task's result");
    }
    if (pool_fits(pool, pool_content_bytes(&s->out))) {
        err = pool_post_out(pool, 0, &record, &s->out);
    } else {
        record.tag = s->tag = pool_tag(pool);
        err = pool_post(pool, 0, &record, NULL, 0);
    }
    if (!err)
        err = pool_flush(pool, 0);
    return err ? pool_fail(pool, err) : PAR_OK;
}

static par_error check_stopped(const par_pool *pool, const pool_channel *channel)
{
    bool stopped = pool->manager ? pool_manager_stops(pool) : pool->is_over;

    return stopped && channel->depth == POOL_OUTSIDE
               ? error_set(PAR_ERR_STATE,
                           "the pool has been stopped: only tasks may submit others")
               : PAR_OK;
}

/* Needs the mutex. */
static par_error submit(par_pool *pool, int number, uint64_t shared, submission *s)
{
    pool_channel *channel = NULL;
    par_error err = pool_check(pool);

    if (!err)
        err = pool_channel_find(pool, number, &channel);
    if (!err)
        err = check_stopped(pool, channel);
    if (!err && shared)
        err = pool_blob_find_own(pool, shared, &s->blob);
    if (err)
        return err;
    s->task = (uint64_t)pool->rank << 40 | ++pool->tasks;
    return pool->manager ? submit_here(pool, channel, s) : submit_there(pool, channel, s);
}

par_error par_pool_submit(par_pool *pool, int channel, uint64_t shared,
                          const par_content *content, const par_part *parts,
                          size_t part_count, bool *copied_p, uint64_t *task_p)
{
    submission s = {.out = {.content = content,
                            .parts = parts,
                            .part_count = part_count,
                            .context = WIRE_P2P}};
    par_error err = pool_check_call(pool);

    if (!err && !task_p)
        err = error_set(PAR_ERR_ARG, "task_p is NULL: it is where the number goes");
    if (!err)
        err = p2p_check_content(content, parts, part_count);
    if (err)
        return err;
    if (pool->manager && !pool_fits(pool, pool_content_bytes(&s.out))) {
        s.borrows = copied_p != NULL;
        err = s.borrows ? PAR_OK : pool_content_copy(pool, &s.out, &s.copy);
    }
    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    err = submit(pool, channel, shared, &s);
    pthread_mutex_unlock(&pool->mutex);
    par_message_free(&s.copy);
    if (!err && s.tag)
        err =
            par_message_send(pool->comm, content, parts, part_count, 0, (int)s.tag, NULL);
    if (err)
        return err;
    if (copied_p)
        *copied_p = !s.borrows;
    *task_p = s.task;
    return PAR_OK;
}

uint64_t par_pool_released(par_pool *pool)
{
    return pool_queue_next(pool, &pool->released);
}

/* ---- cancel --------------------------------------------------------------- */

static bool is_answered(par_pool *pool, const void *what)
{
    const par_pool_result *result =
        pool_map_find(&pool->results, *(const uint64_t *)what);

    return !result || result->cancel != POOL_ASKED;
}

static par_error cancel_there(par_pool *pool, uint64_t task, bool *cancelled_p)
{
    pool_wait w = {.is_over = is_answered, .what = &task};
    pool_record record = {.kind = POOL_CANCEL, .task = task};
    par_pool_result *result = task ? pool_map_find(&pool->results, task) : NULL;
    bool late;
    par_error err;

    *cancelled_p = false;
    if (!result)
        return PAR_OK; /* its result is here */
    result->cancel = POOL_ASKED;
    err = pool_post(pool, 0, &record, NULL, 0);
    if (!err)
        err = pool_wait_until(pool, &w, -1, &late);
    if (err)
        return err;
    result = pool_map_find(&pool->results, task);
    if (result && result->cancel == POOL_TAKEN_BACK) {
        pool_map_remove(&pool->results, task);
        pool_channel_drop(pool, result);
        *cancelled_p = true;
    }
    return PAR_OK;
}

par_error par_pool_cancel(par_pool *pool, uint64_t task, bool *cancelled_p)
{
    bool cancelled;
    par_error err = pool_check_call(pool);

    if (!err && !cancelled_p)
        err = error_set(PAR_ERR_ARG, "cancelled_p is NULL: it is where the answer goes");
    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    err = pool_check(pool);
    if (!err)
        err = pool->manager ? pool_manager_cancel(pool, task, false, &cancelled)
                            : cancel_there(pool, task, &cancelled);
    pool_wake(pool);
    pthread_mutex_unlock(&pool->mutex);
    if (!err)
        *cancelled_p = cancelled;
    return err;
}
