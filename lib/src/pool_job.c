/* pool_job.c - tasks that have no result yet, and the queues of those that nobody has.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "pool_manager.h"

/* ---- queues ------------------------------------------------------------- */

static par_error reach_depth(pool_manager *m, int depth)
{
    list_node *more;

    if (depth < m->depths)
        return PAR_OK;
    more = calloc((size_t)depth + 1, sizeof *more);
    if (!more)
        return error_memory((size_t)(depth + 1) * sizeof *more, "queues of tasks");
    for (int i = 0; i <= depth; i++) {
        list_init(&more[i]);
        if (i < m->depths && !list_is_empty(&m->queues[i])) { /* its ends move */
            more[i] = m->queues[i];
            more[i].next->prev = more[i].prev->next = &more[i];
        }
    }
    free(m->queues);
    m->queues = more;
    m->depths = depth + 1;
    return PAR_OK;
}

pool_job *pool_job_first(const pool_manager *m, int floor)
{
    for (int depth = m->queued ? m->depths - 1 : -1; depth > floor; depth--) {
        pool_job *job = LIST_OF(m->queues[depth].next, pool_job, node);

        if (!list_is_empty(&m->queues[depth]) && (!job->blob || job->blob->message))
            return job;
    }
    return NULL;
}

void pool_job_enqueue(pool_manager *m, pool_job *job, bool first)
{
    list_node *queue = &m->queues[job->depth];

    list_insert(first ? queue->next : queue, &job->node);
    job->worker = POOL_NOBODY;
    m->queued++;
}

void pool_job_dequeue(pool_manager *m, pool_job *job)
{
    list_remove(&job->node);
    m->queued--;
}

bool pool_manager_has_queued(const par_pool *pool)
{
    return pool->manager->queued > 0;
}

/* ---- jobs --------------------------------------------------------------- */

static bool needs_memory(const pool_order *order)
{
    return order->out && !order->message;
}

/* A job with room for a content of BYTES. */
static pool_job *new_job(const pool_order *order, size_t bytes)
{
    pool_job *job = malloc(sizeof *job + bytes);

    if (job)
        *job = (pool_job){.number = order->task,
                          .blob = order->blob,
                          .origin = order->origin,
                          .depth = order->depth,
                          .worker = POOL_NOBODY,
                          .result = order->result,
                          .message = order->message,
                          .bytes = bytes};
    return job;
}

/* Only a description: PARTS stay where they are. */
static par_error describe(par_pool *pool, pool_job *job, const request_outgoing *out)
{
    size_t bytes =
        WIRE_HEADER_BYTES + wire_meta_bytes(out->content, out->part_count, false);
    unsigned char *room = malloc(bytes);
    par_error err = PAR_OK;

    job->parts = malloc(out->part_count * sizeof *job->parts);
    if (!room || !job->parts) {
        err = error_memory(bytes, "a task's description");
    } else {
        memcpy(job->parts, out->parts, out->part_count * sizeof *job->parts);
        job->part_count = out->part_count;
        pool_content_put(room, out, false);
        err = pool_content_get(pool, job->origin, room, bytes, &job->message);
    }
    free(room);
    return err;
}

void pool_job_free(pool_job *job)
{
    if (job->parts && job->message)
        message_drop(job->message); /* no body of it is on its way */
    else
        par_message_free(&job->message);
    free(job->parts);
    free(job);
}

static par_error make_job(par_pool *pool, const pool_order *order, pool_job **job_p)
{
    size_t bytes = order->content ? order->bytes : 0;
    bool fits = false;
    pool_job *job;
    par_error err = PAR_OK;

    if (needs_memory(order)) {
        bytes = pool_content_bytes(order->out);
        fits = pool_fits(pool, bytes);
        bytes = fits ? bytes : 0;
    }
    job = new_job(order, bytes);
    if (!job)
        return error_memory(sizeof *job + bytes, "a task");
    if (order->content)
        memcpy(job->content, order->content, bytes);
    else if (fits)
        pool_content_put(job->content, order->out, true);
    else if (needs_memory(order))
        err = describe(pool, job, order->out);
    if (err)
        pool_job_free(job);
    else
        *job_p = job;
    return err;
}

par_error pool_manager_add(par_pool *pool, const pool_order *order)
{
    pool_manager *m = pool->manager;
    pool_job *job = NULL;
    par_error err = reach_depth(m, order->depth);

    if (!err)
        err = make_job(pool, order, &job);
    if (err)
        return err;
    if (!pool_map_add(&pool->results, job->number, job)) {
        job->message = order->message ? NULL : job->message;
        pool_job_free(job);
        return error_memory(sizeof *job, "a task");
    }
    if (job->blob)
        job->blob->users++;
    m->left++;
    pool_job_enqueue(m, job, false);
    return PAR_OK;
}
