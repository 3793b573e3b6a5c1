/* pool_task.c - tasks that this rank does.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "pool.h"
#include "wait.h"

/* ---- take ----------------------------------------------------------------- */

bool pool_task_is_here(par_pool *pool, int floor)
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
    if (!err) {
        task->message->behalf = 1 + task->origin;
        return PAR_OK;
    }
    list_remove(&task->node);
    list_insert(pool->todo.next, &task->node);
    return err;
}

par_error pool_task_begin(par_pool *pool, int floor, par_pool_task **task_p)
{
    par_pool_task *task;
    par_error err = PAR_OK;

    if (pool->manager)
        err = pool_manager_take(pool, floor, &task);
    else
        task = pool_worker_take(pool, floor);
    if (err)
        return err;
    list_insert(&pool->doing, &task->node);
    if (task->tag)
        err = receive_content(pool, task);
    if (!err && task->eager)
        err = pool_flush(pool, 0);
    if (err)
        return err;
    pool->begun++;
    pool->turns++;
    pool_listener_wake(pool);
    task->begun_ns = wait_now_ns();
    *task_p = task;
    return PAR_OK;
}

static bool has_any_task(par_pool *pool, const void *what)
{
    (void)what;
    return pool->is_over || pool_task_is_here(pool, POOL_OUTSIDE);
}

/* Needs the mutex. */
static par_error take(par_pool *pool, par_pool_task **task_p)
{
    pool_wait w = {.is_over = has_any_task, .wants_tasks = true, .floor = POOL_OUTSIDE};
    bool late;
    par_error err;

    pool->takes = true;
    pool->taker = pthread_self();
    err = pool_wait_until(pool, &w, -1, &late);
    if (err)
        return err;
    if (pool_task_is_here(pool, POOL_OUTSIDE))
        return pool_task_begin(pool, POOL_OUTSIDE, task_p);
    pool->takes = false;
    pool_wake(pool);
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

static par_error answer_here(par_pool *pool, par_pool_task *task, int status,
                             const request_outgoing *out)
{
    double seconds = seconds_of(task);
    par_message *message;
    par_error err = pool_content_copy(pool, out, &message);

    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    pool_end_task(pool, task);
    err = pool_check(pool);
    if (err)
        par_message_free(&message);
    else if ((err = pool_manager_answer(pool, task, status, seconds, message)))
        pool_fail(pool, err);
    pool_wake(pool);
    pthread_mutex_unlock(&pool->mutex);
    return err;
}

static par_error answer_there(par_pool *pool, par_pool_task *task, int status,
                              const request_outgoing *out)
{
    bool fits = pool_fits(pool, pool_content_bytes(out));
    uint32_t tag = 0;
    par_error err;

    pthread_mutex_lock(&pool->mutex);
    pool_end_task(pool, task);
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
