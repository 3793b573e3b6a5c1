/* pool_local.c - tasks that rank 0 does itself.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "pool_manager.h"
#include "wait.h"

/* Whether another worker gets to JOB soon. */
static bool others_come(const par_pool *pool, const pool_job *job)
{
    const pool_manager *m = pool->manager;
    int64_t now = wait_now_ns();

    for (int rank = 1; rank < pool->size; rank++) {
        const pool_seat *seat = &m->seats[rank];

        if (!seat->is_taken || seat->floor >= job->depth)
            continue;
        if (!pool_seat_is_silent(m, seat, now))
            return true;
    }
    return false;
}

static pool_job *local_job(par_pool *pool, int floor)
{
    pool_manager *m = pool->manager;
    pool_job *job = pool_job_first(m, floor);
    const pool_pace *pace = job ? pool_pace_of(m, job->blob) : NULL;

    if (!job || (pace->count && pace->mean < m->options.local && others_come(pool, job)))
        return NULL;
    return job;
}

bool pool_manager_has(par_pool *pool, int floor)
{
    return local_job(pool, floor) != NULL;
}

/* The message of JOB's content, for a task on this rank. The program's memory is read
 * where it lies, unless it is in parts. */
static par_error take_message(par_pool *pool, pool_job *job, par_message **message_p)
{
    par_message *message = job->message;
    unsigned char *to;

    if (!message)
        return pool_content_get(pool, job->origin, job->content, job->bytes, message_p);
    if (!message->body && job->part_count == 1) {
        message->body = job->parts[0].data;
    } else if (!message->body && message->header.bytes) {
        to = message->fetched = par_alloc((size_t)message->header.bytes);
        if (!to)
            return error_memory((size_t)message->header.bytes, "a task");
        message->body = to;
        for (size_t i = 0; i < job->part_count; i++) {
            if (job->parts[i].bytes)
                memcpy(to, job->parts[i].data, job->parts[i].bytes);
            to += job->parts[i].bytes;
        }
    }
    job->message = NULL;
    *message_p = message;
    return PAR_OK;
}

par_error pool_manager_take(par_pool *pool, int floor, par_pool_task **task_p)
{
    pool_manager *m = pool->manager;
    pool_job *job = local_job(pool, floor);
    par_pool_task *task = malloc(sizeof *task);
    par_error err;

    if (!task)
        return error_memory(sizeof *task, "a task");
    *task = (par_pool_task){.pool = pool,
                            .number = job->number,
                            .shared = job->blob ? job->blob->number : 0,
                            .depth = job->depth,
                            .is_interrupted = job->is_interrupted,
                            .origin = job->origin};
    err = take_message(pool, job, &task->message);
    if (err) {
        free(task);
        return err;
    }
    pool_job_dequeue(m, job);
    job->worker = 0;
    pool_pace_of(m, job->blob)->out++;
    *task_p = task;
    return PAR_OK;
}
