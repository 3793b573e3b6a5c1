/* pool_dispatch.c - which worker gets which task, and when.
 * SPDX-License-Identifier: MIT
 *
 * A worker is given what it does in options.ahead by the mean; how many such tasks are
 * out at all grows with how many have come back, so that a wrong guess costs little. A
 * worker that finds a task to take longer than expected gives the others back, and gets
 * no more before it has answered.
 */
#include <stdlib.h>

#include "pool_manager.h"
#include "wait.h"

/* Tasks that surely take less come with a next one; those that may take more come alone
 * out of a worker's batch of answers. */
static const double short_time = 0.005, eager_time = 0.0002;

/* Tasks that take less wait for others to go with. */
static const double worth_a_message = 20e-6;

/* A worker that has been silent for so many times options.ahead has met a long task. */
enum { SILENT = 10 };

/* ---- seats -------------------------------------------------------------- */

size_t pool_seat_active(const pool_seat *seat)
{
    return seat->tasks > seat->suspended ? seat->tasks - seat->suspended : 0;
}

bool pool_seat_is_silent(const pool_manager *m, const pool_seat *seat, int64_t now_ns)
{
    return pool_seat_active(seat) &&
           (double)(now_ns - seat->heard_ns) >= SILENT * 1e9 * m->options.ahead;
}

void pool_seat_leave(pool_manager *m, pool_job *job)
{
    pool_seat *seat = &m->seats[job->worker];

    if (job->worker > 0) {
        seat->tasks--;
        seat->load = seat->tasks ? seat->load - job->load : 0;
    }
    pool_pace_of(m, job->blob)->out--;
}

/* ---- giving ------------------------------------------------------------- */

/* Whether SEAT has room for JOB, beside those GIVEN to it just now. */
static bool has_room(pool_manager *m, const pool_seat *seat, const pool_job *job,
                     size_t given)
{
    const pool_pace *pace = pool_pace_of(m, job->blob);
    double expected = pace->mean + pace->deviation;

    if (!pool_seat_active(seat))
        return true;
    if (!pace->count || pace->out > 2 * pace->count ||
        pool_seat_is_silent(m, seat, m->now_ns))
        return false;
    if (given < m->share && seat->load + expected <= m->options.ahead)
        return true;
    return pool_seat_active(seat) < 2 && pool_pace_most(pace) < short_time;
}

static par_error send_large(par_pool *pool, int worker, pool_record *record,
                            pool_job *job)
{
    par_content content;
    size_t count = job->part_count;
    par_part *parts = job->parts;
    par_error err;

    par_message_content(job->message, &content, NULL);
    if (!parts)
        parts = message_parts(job->message, job->message->body, &count);
    if (!parts)
        return error_memory(sizeof *parts, "the parts of a task");
    record->tag = pool_tag(pool);
    err = pool_post(pool, worker, record, NULL, 0);
    if (!err)
        err = pool_flush(pool, worker);
    if (!err)
        err = par_message_send_start(pool->comm, &content, parts, count, worker,
                                     (int)record->tag, &job->request);
    if (parts != job->parts)
        free(parts);
    return err;
}

static par_error give(par_pool *pool, int worker, pool_job *job)
{
    pool_manager *m = pool->manager;
    pool_seat *seat = &m->seats[worker];
    pool_pace *pace = pool_pace_of(m, job->blob);
    pool_record record = {.kind = POOL_DO,
                          .task = job->number,
                          .shared = job->blob ? job->blob->number : 0,
                          .number = job->depth,
                          .worker = job->origin,
                          .eager = pool_pace_most(pace) > eager_time,
                          .is_interrupted = job->is_interrupted,
                          .seconds = pace->mean};
    par_error err = job->blob ? pool_known_send(pool, worker, job->blob) : PAR_OK;

    if (err)
        return err;
    pool_job_dequeue(m, job);
    job->worker = worker;
    job->load = pace->mean;
    if (!pool_seat_active(seat))
        seat->heard_ns = m->now_ns;
    seat->tasks++;
    seat->load += job->load;
    pace->out++;
    return job->bytes ? pool_post(pool, worker, &record, job->content, job->bytes)
                      : send_large(pool, worker, &record, job);
}

/* Give WORKER a task if it has room. */
static par_error offer(par_pool *pool, int worker, size_t given, bool *given_p)
{
    pool_manager *m = pool->manager;
    pool_seat *seat = &m->seats[worker];
    pool_job *job = seat->is_taken ? pool_job_first(m, seat->floor) : NULL;

    *given_p = job && has_room(m, seat, job, given);
    return *given_p ? give(pool, worker, job) : PAR_OK;
}

/* ---- to whom ------------------------------------------------------------ */

static par_error serve_idle(par_pool *pool)
{
    pool_manager *m = pool->manager;
    par_error err = PAR_OK;

    for (int i = 1; !err && m->queued && i < pool->size; i++) {
        int worker = 1 + (m->next + i - 1) % (pool->size - 1);
        bool given = false;

        if (!pool_seat_active(&m->seats[worker]))
            err = offer(pool, worker, 0, &given);
        if (given)
            m->last = worker;
    }
    m->next = m->last;
    return err;
}

static par_error fill(par_pool *pool)
{
    pool_manager *m = pool->manager;
    par_error err = PAR_OK;

    for (int worker = 1; !err && m->queued && worker < pool->size; worker++) {
        bool given = true;

        for (size_t count = 0; !err && given; count++)
            err = offer(pool, worker, count, &given);
    }
    return err;
}

par_error pool_manager_dispatch(par_pool *pool)
{
    pool_manager *m = pool->manager;
    par_error err = PAR_OK;

    if (!m->queued || pool->size == 1)
        return PAR_OK;
    m->now_ns = wait_now_ns();
    m->share = m->queued / (size_t)(pool->size - 1) + 1;
    err = serve_idle(pool);
    return err ? err : fill(pool);
}

static bool has_idle(const par_pool *pool)
{
    const pool_manager *m = pool->manager;

    for (int worker = 1; worker < pool->size; worker++)
        if (m->seats[worker].is_taken && !pool_seat_active(&m->seats[worker]))
            return true;
    return false;
}

par_error pool_manager_hurry(par_pool *pool, const pool_blob *blob)
{
    const pool_pace *pace = pool_pace_of(pool->manager, blob);
    par_error err = PAR_OK;

    if ((!pace->count || pace->mean > worth_a_message) && has_idle(pool)) {
        err = pool_manager_dispatch(pool);
        if (!err)
            err = pool_flush_all(pool);
    } else {
        pool_wake_mover(pool);
    }
    pool_wake(pool);
    return err;
}
