/* pool_worker.c - tasks that come from rank 0, and answers that go there.
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "pool.h"
#include "wait.h"

/* What has been done goes out after so long, if more is to be done. */
static const int64_t keep_ns = 200 * 1000;

/* A task that has taken so much longer than expected keeps others waiting no more. */
static const double surprise = 0.002;

/* ---- what comes --------------------------------------------------------- */

static par_error do_task(par_pool *pool, const pool_record *record, const void *content)
{
    par_pool_task *task = malloc(sizeof *task);
    par_error err = PAR_OK;

    if (!task)
        return error_memory(sizeof *task, "a task");
    *task = (par_pool_task){.pool = pool,
                            .number = record->task,
                            .shared = record->shared,
                            .depth = record->number,
                            .origin = record->worker,
                            .eager = record->eager,
                            .is_interrupted = record->is_interrupted,
                            .tag = record->tag,
                            .expected = record->seconds};
    if (content)
        err = pool_content_get(pool, record->worker, content, record->content_bytes,
                               &task->message);
    if (err)
        free(task);
    else
        list_insert(&pool->todo, &task->node);
    return err;
}

static par_error take_result(par_pool *pool, const pool_record *record,
                             const void *content, par_message *message)
{
    par_pool_result *result;
    par_error err = PAR_OK;

    if (content)
        err = pool_content_get(pool, record->worker, content, record->content_bytes,
                               &message);
    if (err)
        return err;
    result = pool_map_remove(&pool->results, record->task);
    if (result)
        pool_channel_done(pool, result, message, record->worker, record->number);
    else
        err = error_set(PAR_ERR_WIRE, "a result came of task %" PRIu64 ", which is none",
                        record->task);
    return err;
}

static par_error take_blob(par_pool *pool, const pool_record *record, const void *content,
                           par_message *message)
{
    pool_blob *blob = pool_map_find(&pool->blobs, record->shared);
    par_error err = blob ? PAR_OK : pool_blob_new(pool, record->shared, &blob);

    if (!err && content)
        err = pool_content_get(pool, 0, content, record->content_bytes, &message);
    if (!err)
        blob->message = message;
    return err;
}

static void drop_blob(par_pool *pool, uint64_t number)
{
    pool_blob *blob = pool_map_find(&pool->blobs, number);

    if (blob)
        pool_blob_remove(pool, blob);
}

static void end_cancel(par_pool *pool, const pool_record *record)
{
    par_pool_result *result = pool_map_find(&pool->results, record->task);

    if (!result)
        return; /* it has come meanwhile */
    if (result->cancel == POOL_ASKED) {
        result->cancel = record->number ? POOL_TAKEN_BACK : POOL_REFUSED;
    } else if (record->number) {
        pool_map_remove(&pool->results, record->task);
        pool_channel_drop(pool, result);
    }
}

/* TASK came when this rank wanted none any more: now its content has, too. */
static par_error refuse_task(par_pool *pool, uint64_t task, par_message *message)
{
    pool_record record = {.kind = POOL_GIVE_BACK, .task = task};
    par_error err = pool_post(pool, 0, &record, NULL, 0);

    par_message_free(&message);
    return err ? err : pool_flush(pool, 0);
}

static par_error hear_task(par_pool *pool, const pool_record *record, const void *content)
{
    par_error err = do_task(pool, record, content);

    if (!err && pool->state.has_left)
        err = pool_worker_give_back(pool, INT32_MAX);
    return err || !pool->state.has_left ? err : pool_flush(pool, 0);
}

par_error pool_worker_handle(par_pool *pool, int source, const pool_record *record,
                             const void *content, par_message *message, void *what)
{
    (void)what;
    if (record->tag && !message && record->kind != POOL_DO)
        return pool_expect(pool, source, record, NULL);
    switch (record->kind) {
    case POOL_DO:
        return message ? refuse_task(pool, record->task, message)
                       : hear_task(pool, record, content);
    case POOL_LEAVE:
        pool->state.leaves--;
        return PAR_OK;
    case POOL_DONE:
        return take_result(pool, record, content, message);
    case POOL_SHARE:
        return take_blob(pool, record, content, message);
    case POOL_FORGET:
        drop_blob(pool, record->shared);
        return PAR_OK;
    case POOL_CANCELLED:
        end_cancel(pool, record);
        return PAR_OK;
    case POOL_INTERRUPT:
        return pool_interrupt(pool, record->task);
    case POOL_STOP:
        pool->is_over = true;
        return PAR_OK;
    default:
        return error_set(PAR_ERR_WIRE, "the manager sent a record of kind %d",
                         record->kind);
    }
}

/* ---- tasks that are here ------------------------------------------------- */

/* What it shares with others may still be on its way. */
static bool is_ready(const par_pool *pool, const par_pool_task *task)
{
    const pool_blob *blob =
        task->shared ? pool_map_find(&pool->blobs, task->shared) : NULL;

    return !task->shared || (blob && blob->message);
}

static par_pool_task *find(const par_pool *pool, int floor)
{
    for (list_node *node = pool->todo.next; node != &pool->todo; node = node->next) {
        par_pool_task *task = LIST_OF(node, par_pool_task, node);

        if (task->depth > floor && is_ready(pool, task))
            return task;
    }
    return NULL;
}

bool pool_worker_has(const par_pool *pool, int floor)
{
    return find(pool, floor) != NULL;
}

par_pool_task *pool_worker_take(par_pool *pool, int floor)
{
    par_pool_task *task = find(pool, floor);

    if (task)
        list_remove(&task->node);
    return task;
}

static par_error return_task(par_pool *pool, par_pool_task *task)
{
    pool_record record = {.kind = POOL_GIVE_BACK, .task = task->number};
    pool_record expected = {.kind = POOL_DO, .task = task->number, .tag = task->tag};

    list_remove(&task->node);
    par_message_free(&task->message);
    free(task);
    return expected.tag ? pool_expect(pool, 0, &expected, NULL)
                        : pool_post(pool, 0, &record, NULL, 0);
}

par_error pool_worker_give_back(par_pool *pool, int floor)
{
    par_error err = PAR_OK;
    list_node *next;

    for (list_node *node = pool->todo.next; !err && node != &pool->todo; node = next) {
        par_pool_task *task = LIST_OF(node, par_pool_task, node);

        next = node->next;
        if (task->depth > floor || (task->tag && !pool->state.has_left))
            continue; /* its content is on its way to here */
        err = return_task(pool, task);
    }
    return err;
}

/* ---- what the manager is told --------------------------------------------- */

static par_error tell_state(par_pool *pool, int floor, size_t suspended)
{
    pool_record record = {
        .kind = POOL_STATE, .number = floor, .worker = (int32_t)suspended};

    if (pool->state.is_known && pool->state.floor == floor &&
        pool->state.suspended == record.worker)
        return PAR_OK;
    pool->state.is_known = true;
    pool->state.has_left = false;
    pool->state.floor = floor;
    pool->state.suspended = record.worker;
    return pool_post(pool, 0, &record, NULL, 0);
}

/* The least deep that a thread of this rank would do, W among them. */
static int lowest_floor(const par_pool *pool, const pool_wait *w)
{
    int floor = w->floor;

    for (list_node *node = pool->waits.next; node != &pool->waits; node = node->next) {
        const pool_wait *other = LIST_OF(node, pool_wait, node);

        if (other->wants_tasks && other->floor < floor)
            floor = other->floor;
    }
    return floor;
}

par_error pool_worker_offer(par_pool *pool, const pool_wait *w)
{
    int floor;
    par_error err = PAR_OK;

    if (!w->wants_tasks)
        return PAR_OK;
    floor = lowest_floor(pool, w);
    if (pool->begun)
        err = pool_worker_give_back(pool, floor);
    return err ? err : tell_state(pool, floor, pool->begun);
}

par_error pool_worker_leave(par_pool *pool, bool closes)
{
    pool_record record = {.kind = POOL_LEAVE, .number = closes};
    par_error err;

    if (pool->is_over || (!closes && !pool->state.is_known))
        return PAR_OK;
    pool->state.is_known = false;
    pool->state.has_left = true;
    pool->state.leaves += !closes;
    err = pool_post(pool, 0, &record, NULL, 0);
    if (!err)
        err = pool_worker_give_back(pool, INT32_MAX);
    return err ? err : pool_flush(pool, 0);
}

par_error pool_worker_resume(par_pool *pool)
{
    size_t begun = pool->begun;

    if (!pool->state.is_known || !begun || !pool->state.suspended)
        return PAR_OK;
    return tell_state(pool, begun > 1 ? pool->state.floor : POOL_OUTSIDE, begun - 1);
}

par_error pool_worker_answer(par_pool *pool, const par_pool_task *task, int status,
                             double seconds, const request_outgoing *out, uint32_t tag)
{
    pool_record record = {.kind = POOL_DONE,
                          .task = task->number,
                          .number = status,
                          .worker = pool->rank,
                          .tag = tag,
                          .seconds = seconds};
    int64_t now = wait_now_ns();
    par_error err =
        tag ? pool_post(pool, 0, &record, NULL, 0) : pool_post_out(pool, 0, &record, out);

    if (!err && seconds > surprise + 4 * task->expected)
        err = pool_worker_give_back(pool, INT32_MAX);
    if (err || (!tag && now - pool->flushed_ns < keep_ns && !list_is_empty(&pool->todo)))
        return err;
    pool->flushed_ns = now;
    return pool_flush(pool, 0);
}
