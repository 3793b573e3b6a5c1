/* pool.c - tasks for whichever rank is free.
 * SPDX-License-Identifier: MIT */
#include "pool.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collective.h"
#include "slot.h"
#include "wait.h"

/* ---- open and close ------------------------------------------------------- */

static par_error check_options(const par_pool_options *o)
{
    if (!(o->ahead >= 0) || isinf(o->ahead) || !(o->local >= 0) || isinf(o->local))
        return error_set(PAR_ERR_ARG,
                         "ahead and local are %g and %g: they must be seconds, or 0 for "
                         "what is usual",
                         o->ahead, o->local);
    return PAR_OK;
}

static par_error make_pool(par_comm *comm, par_pool **pool_p)
{
    par_pool *pool = calloc(1, sizeof *pool);
    pool_batch *batches = calloc((size_t)comm->size, sizeof *batches);

    if (!pool || !batches) {
        free(pool);
        free(batches);
        return error_memory(sizeof *pool, "a pool");
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pool->comm = comm;
    pool->rank = comm->rank;
    pool->size = comm->size;
    pool->batches = batches;
    pool->batch_bytes = (slot_size - WIRE_HEADER_BYTES) & ~(size_t)7;
    list_init(&pool->waits);
    list_init(&pool->todo);
    *pool_p = pool;
    return PAR_OK;
}

static void free_results(list_node *results)
{
    while (!list_is_empty(results)) {
        par_pool_result *result = LIST_OF(results->next, par_pool_result, node);

        list_remove(&result->node);
        par_pool_result_free(&result);
    }
}

static void free_pool(par_pool *pool)
{
    pool_blob *blob;

    pool_post_end(pool);
    for (int i = 0; i < pool->channel_count; i++)
        if (pool->channels[i]) {
            free_results(&pool->channels[i]->pending);
            free_results(&pool->channels[i]->done);
            free(pool->channels[i]);
        }
    while ((blob = pool_map_any(&pool->blobs)))
        pool_blob_remove(pool, blob);
    pool_map_free(&pool->blobs);
    pool_map_free(&pool->results);
    free(pool->channels);
    free(pool->released.numbers);
    free(pool->dropped.numbers);
    free(pool->detail);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

par_error par_pool_open(par_comm *comm, const par_pool_options *options,
                        par_pool **pool_p)
{
    par_pool *pool = NULL;
    par_comm *own;
    par_error err = comm_check(comm);

    if (!err && !pool_p)
        err = error_set(PAR_ERR_ARG, "pool_p is NULL: it is where the pool goes");
    if (!err && options && par_rank(comm) == 0)
        err = check_options(options);
    if (!err)
        err = par_duplicate(comm, &own);
    if (err)
        return err;
    err = make_pool(own, &pool);
    if (!err && pool->rank == 0)
        err = pool_manager_start(pool, options);
    if (err)
        par_collective_fail(own, par_error_detail());
    else
        err = par_barrier(own);
    if (!err)
        *pool_p = pool;
    else if (pool)
        free_pool(pool);
    return err;
}

static bool is_over(par_pool *pool, const void *what)
{
    (void)what;
    return pool->is_over;
}

/* Whether POOL can be closed, after a wait. */
static par_error end_pool(par_pool *pool)
{
    pool_wait w = {.is_over = is_over};
    bool late;
    par_error err = PAR_OK;

    if (!pool->is_over && (pool->begun || (pool->takes && pool->rank)))
        return error_set(PAR_ERR_STATE,
                         "the pool cannot be closed yet: %zu tasks have been taken here "
                         "and not been answered, or par_pool_take has not given NULL yet",
                         pool->begun);
    if (pool->manager && !pool_manager_stops(pool))
        err = pool_manager_stop(pool, false);
    return err ? err : pool_wait_until(pool, &w, -1, &late);
}

par_error par_pool_close(par_pool **pool_p)
{
    par_pool *pool = pool_p ? *pool_p : NULL;
    par_comm *comm;
    par_error err = comm_check_job();

    if (err || !pool)
        return err;
    pthread_mutex_lock(&pool->mutex);
    err = end_pool(pool);
    pthread_mutex_unlock(&pool->mutex);
    if (err)
        return err;
    comm = pool->comm;
    if (pool->manager)
        pool_manager_end(pool);
    free_pool(pool);
    *pool_p = NULL;
    return par_comm_free(&comm);
}

par_error par_pool_stop(par_pool *pool, bool discard)
{
    par_error err = pool_check_call(pool);

    if (!err && !pool->manager)
        err = error_set(PAR_ERR_RANK, "rank %d cannot stop the pool: rank 0 can",
                        pool->rank);
    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    err = pool_check(pool);
    if (!err && (err = pool_manager_stop(pool, discard)))
        pool_fail(pool, err);
    pool_wake(pool);
    pthread_mutex_unlock(&pool->mutex);
    return err;
}

/* ---- submit --------------------------------------------------------------- */

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
        err = pool->manager ? pool_manager_cancel(pool, task, &cancelled)
                            : cancel_there(pool, task, &cancelled);
    pool_wake(pool);
    pthread_mutex_unlock(&pool->mutex);
    if (!err)
        *cancelled_p = cancelled;
    return err;
}

/* ---- take ----------------------------------------------------------------- */

static bool has_task(par_pool *pool, int floor)
{
    return pool->manager ? pool_manager_has(pool, floor) : pool_worker_has(pool, floor);
}

/* The content of TASK comes alone. If the wait for it is interrupted, the task is as it
 * was. Leaves the mutex for that. */
static par_error receive_content(par_pool *pool, par_pool_task *task)
{
    par_error err;

    pthread_mutex_unlock(&pool->mutex);
    err = par_message_receive(pool->comm, 0, (int)task->tag, &task->message);
    pthread_mutex_lock(&pool->mutex);
    if (err)
        list_insert(pool->todo.next, &task->node);
    else
        task->message->source = task->origin;
    return err;
}

/* Begin a task deeper than FLOOR, which is there. */
static par_error begin(par_pool *pool, int floor, par_pool_task **task_p)
{
    par_pool_task *task;
    par_error err = PAR_OK;

    if (pool->manager)
        err = pool_manager_take(pool, floor, &task);
    else
        task = pool_worker_take(pool, floor);
    if (!err && task->tag)
        err = receive_content(pool, task);
    if (!err && task->eager)
        err = pool_flush(pool, 0);
    if (err)
        return err;
    pool->begun++;
    task->begun_ns = wait_now_ns();
    *task_p = task;
    return PAR_OK;
}

static bool has_any_task(par_pool *pool, const void *what)
{
    (void)what;
    return pool->is_over || has_task(pool, POOL_OUTSIDE);
}

/* Needs the mutex. */
static par_error take(par_pool *pool, par_pool_task **task_p)
{
    pool_wait w = {.is_over = has_any_task, .wants_tasks = true, .floor = POOL_OUTSIDE};
    bool late;
    par_error err;

    pool->takes = true;
    err = pool_wait_until(pool, &w, -1, &late);
    if (err)
        return err;
    if (has_task(pool, POOL_OUTSIDE))
        return begin(pool, POOL_OUTSIDE, task_p);
    pool->takes = false;
    *task_p = NULL;
    return PAR_OK;
}

par_error par_pool_take(par_pool *pool, par_pool_task **task_p)
{
    par_error err = pool_check_call(pool);

    if (!err && !task_p)
        err = error_set(PAR_ERR_ARG, "task_p is NULL: it is where the task goes");
    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    err = take(pool, task_p);
    pthread_mutex_unlock(&pool->mutex);
    return err;
}

par_message **par_pool_task_message(par_pool_task *task)
{
    return &task->message;
}

uint64_t par_pool_task_number(const par_pool_task *task)
{
    return task->number;
}

uint64_t par_pool_task_shared(const par_pool_task *task)
{
    return task->shared;
}

/* ---- answer --------------------------------------------------------------- */

static double seconds_of(const par_pool_task *task)
{
    return 1e-9 * (double)(wait_now_ns() - task->begun_ns);
}

static par_error answer_here(par_pool *pool, const par_pool_task *task, int status,
                             const request_outgoing *out)
{
    double seconds = seconds_of(task);
    par_message *message;
    par_error err = pool_content_copy(pool, out, &message);

    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    pool->begun--;
    err = pool_check(pool);
    if (err)
        par_message_free(&message);
    else if ((err = pool_manager_answer(pool, task, status, seconds, message)))
        pool_fail(pool, err);
    pool_wake(pool);
    pthread_mutex_unlock(&pool->mutex);
    return err;
}

static par_error answer_there(par_pool *pool, const par_pool_task *task, int status,
                              const request_outgoing *out)
{
    bool fits = pool_fits(pool, pool_content_bytes(out));
    uint32_t tag = 0;
    par_error err;

    pthread_mutex_lock(&pool->mutex);
    pool->begun--;
    if (!fits)
        tag = pool_tag(pool);
    err = pool_check(pool);
    if (!err &&
        (err = pool_worker_answer(pool, task, status, seconds_of(task), out, tag)))
        pool_fail(pool, err);
    pthread_mutex_unlock(&pool->mutex);
    if (err || fits)
        return err;
    return par_message_send(pool->comm, out->content, out->parts, out->part_count, 0,
                            (int)tag, NULL);
}

/* The manager takes the answer to a task for a sign that all of it has been received. */
static void receive_all(par_pool_task *task)
{
    const par_message *message = task->message;

    if (message && message->header.body_apart && !message->body)
        par_message_free(&task->message);
}

par_error par_pool_answer(par_pool *pool, par_pool_task **task_p, int status,
                          const par_content *content, const par_part *parts,
                          size_t part_count)
{
    request_outgoing out = {.content = content,
                            .parts = parts,
                            .part_count = part_count,
                            .context = WIRE_P2P};
    par_error err = pool_check_call(pool);

    if (!err && (!task_p || !*task_p))
        err = error_set(PAR_ERR_ARG, "the task is NULL");
    if (!err)
        err = p2p_check_content(content, parts, part_count);
    if (err)
        return err;
    receive_all(*task_p);
    err = pool->manager ? answer_here(pool, *task_p, status, &out)
                        : answer_there(pool, *task_p, status, &out);
    par_message_free(&(*task_p)->message);
    free(*task_p);
    *task_p = NULL;
    return err;
}

/* ---- wait ----------------------------------------------------------------- */

typedef struct turn_wait {
    const pool_channel *channel;
    bool helps;
} turn_wait;

static bool is_turn(par_pool *pool, const void *what)
{
    const turn_wait *t = what;

    return t->channel->is_closed || pool_channel_next(t->channel) ||
           pool_channel_is_empty(t->channel) ||
           (t->helps && has_task(pool, t->channel->depth));
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
    } else if (t->helps && has_task(pool, t->channel->depth)) {
        *turn_p = PAR_POOL_TASK;
        return begin(pool, t->channel->depth, task_p);
    } else {
        *turn_p = PAR_POOL_LATE;
    }
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
