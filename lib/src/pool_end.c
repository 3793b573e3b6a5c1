/* pool_end.c - tasks that are over, and the pool with the last of them.
 * SPDX-License-Identifier: MIT */
#include "pool_manager.h"

/* Whether all is done and nobody will submit any more: the others may stop. */
static par_error look_for_end(par_pool *pool)
{
    pool_record record = {.kind = POOL_STOP};
    par_error err = PAR_OK;

    if (!pool->manager->stops || pool->manager->left || pool->is_over)
        return PAR_OK;
    pool->is_over = true;
    for (int rank = 1; !err && rank < pool->size; rank++)
        err = pool_post(pool, rank, &record, NULL, 0);
    if (!err)
        err = pool_flush_all(pool);
    pool_wake(pool);
    return err;
}

par_error pool_end_job(par_pool *pool, pool_job *job)
{
    pool_blob *blob = job->blob;
    par_error err = PAR_OK;

    pool_job_free(job);
    pool->manager->left--;
    if (blob) {
        blob->users--;
        err = pool_known_retire(pool, blob);
    }
    return err ? err : look_for_end(pool);
}

/* ---- taking back ---------------------------------------------------------- */

static par_error take_back(par_pool *pool, pool_job *job)
{
    pool_job_dequeue(pool->manager, job);
    pool_map_remove(&pool->results, job->number);
    if (job->result)
        pool_channel_drop(pool, job->result);
    return pool_end_job(pool, job);
}

/* Whoever does JOB, or will, is told to end it. */
static par_error interrupt(par_pool *pool, pool_job *job)
{
    pool_record record = {.kind = POOL_INTERRUPT, .task = job->number};

    job->is_interrupted = true;
    if (job->worker > 0)
        return pool_post(pool, job->worker, &record, NULL, 0);
    return job->worker == 0 ? pool_interrupt(pool, job->number) : PAR_OK;
}

par_error pool_manager_interrupt(par_pool *pool, uint64_t task)
{
    pool_job *job = pool_map_find(&pool->results, task);

    return job ? interrupt(pool, job) : PAR_OK; /* its result is on its way */
}

par_error pool_manager_cancel(par_pool *pool, uint64_t task, bool breaks,
                              bool *cancelled_p)
{
    pool_job *job = task ? pool_map_find(&pool->results, task) : NULL;

    *cancelled_p = job && job->worker == POOL_NOBODY;
    if (*cancelled_p)
        return take_back(pool, job);
    if (!job || !breaks)
        return PAR_OK;
    job->is_unwanted = true;
    return interrupt(pool, job);
}

par_error pool_job_discard(par_pool *pool, pool_job *job)
{
    pool_record record = {.kind = POOL_CANCELLED, .task = job->number, .number = 1};
    par_error err = PAR_OK;

    if (job->origin)
        err = pool_post(pool, job->origin, &record, NULL, 0);
    return err ? err : take_back(pool, job);
}

static par_error discard_all(par_pool *pool)
{
    pool_manager *m = pool->manager;
    par_error err = PAR_OK;

    for (int depth = 0; depth < m->depths; depth++) {
        list_node *queue = &m->queues[depth], *following;

        for (list_node *node = queue->next; !err && node != queue; node = following) {
            following = node->next;
            err = pool_job_discard(pool, LIST_OF(node, pool_job, node));
        }
    }
    return err;
}

par_error pool_manager_stop(par_pool *pool, bool discard)
{
    par_error err = discard ? discard_all(pool) : PAR_OK;

    pool->manager->stops = true;
    if (!err)
        err = look_for_end(pool);
    return err ? err : pool_flush_all(pool);
}

bool pool_manager_stops(const par_pool *pool)
{
    return pool->manager->stops;
}

/* ---- what nobody does ----------------------------------------------------- */

static bool wants_tasks(const par_pool *pool)
{
    for (list_node *node = pool->waits.next; node != &pool->waits; node = node->next)
        if (LIST_OF(node, pool_wait, node)->wants_tasks)
            return true;
    return pool->takes || pool->begun;
}

bool pool_manager_is_stuck(const par_pool *pool)
{
    const pool_manager *m = pool->manager;

    if (!m->stops || !m->left || m->left != m->queued || wants_tasks(pool))
        return false;
    for (int rank = 1; rank < pool->size; rank++)
        if (!m->seats[rank].closes)
            return false;
    return true;
}

par_error pool_manager_tell_stuck(const par_pool *pool)
{
    return error_set(PAR_ERR_STATE,
                     "the pool cannot be closed: of its tasks %zu are not done, and no "
                     "rank takes any: par_pool_take does, and par_pool_stop can discard "
                     "them",
                     pool->manager->left);
}
