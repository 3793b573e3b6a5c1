/* pool_hear.c - what rank 0 hears of the others.
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "pool_manager.h"
#include "wait.h"

static par_error no_such_task(int source, const pool_record *record)
{
    return error_set(PAR_ERR_WIRE, "rank %d speaks of task %" PRIu64 ", which is none",
                     source, record->task);
}

/* ---- results ------------------------------------------------------------ */

/* JOB has been done by WORKER. The request of a large one is over as soon as it is
 * looked at: its worker has had all of it. */
static par_error note_done(par_pool *pool, pool_job *job, double seconds)
{
    pool_manager *m = pool->manager;

    pool_seat_leave(m, job);
    pool_pace_note(pool_pace_of(m, job->blob), seconds);
    pool_map_remove(&pool->results, job->number);
    return par_wait(&job->request, NULL);
}

/* The result of JOB goes to the rank that submitted it; RECORD says the rest. */
static par_error send_result(par_pool *pool, pool_job *job, const pool_record *record,
                             const void *content, par_message *message)
{
    pool_record on = {.kind = POOL_DONE,
                      .task = job->number,
                      .number = record->number,
                      .worker = record->worker};
    request_outgoing out = {.context = WIRE_P2P};
    par_content described;
    par_part *parts;
    par_error err;

    if (content)
        return pool_post(pool, job->origin, &on, content, record->content_bytes);
    par_message_content(message, &described, NULL);
    parts = message_parts(message, message->body, &out.part_count);
    if (!parts)
        return error_memory(sizeof *parts, "the parts of a result");
    out.content = &described;
    out.parts = parts;
    if (pool_fits(pool, pool_content_bytes(&out))) {
        err = pool_post_out(pool, job->origin, &on, &out);
        par_message_free(&message);
    } else {
        err = pool_post_message(pool, job->origin, &on, message, NULL);
    }
    free(parts);
    return err;
}

static par_error deliver(par_pool *pool, pool_job *job, const pool_record *record,
                         const void *content, par_message *message)
{
    par_error err = PAR_OK;

    if (job->origin) {
        err = send_result(pool, job, record, content, message);
    } else {
        if (content)
            err = pool_content_get(pool, record->worker, content, record->content_bytes,
                                   &message);
        if (!err)
            pool_channel_done(pool, job->result, message, record->worker, record->number);
    }
    return err ? err : pool_end_job(pool, job);
}

static par_error hear_done(par_pool *pool, int source, const pool_record *record,
                           const void *content, par_message *message, pool_job *job)
{
    if (!job) {
        par_error err;

        job = pool_map_find(&pool->results, record->task);
        if (!job || job->worker != source)
            return no_such_task(source, record);
        err = note_done(pool, job, record->seconds);
        if (err)
            return err;
    }
    if (record->tag && !message)
        return pool_expect(pool, source, record, job);
    return deliver(pool, job, record, content, message);
}

par_error pool_manager_answer(par_pool *pool, const par_pool_task *task, int status,
                              double seconds, par_message *message)
{
    pool_record record = {.number = status, .task = task->number};
    pool_job *job = pool_map_find(&pool->results, task->number);
    par_error err = job ? note_done(pool, job, seconds) : no_such_task(0, &record);

    if (!err)
        err = deliver(pool, job, &record, NULL, message);
    return err ? err : pool_flush_all(pool);
}

/* ---- the rest ----------------------------------------------------------- */

/* JOB's worker does not do it: another one has to, if anybody wants it. */
static par_error hand_back(par_pool *pool, pool_job *job)
{
    pool_seat_leave(pool->manager, job);
    pool_job_enqueue(pool->manager, job, true);
    return job->is_unwanted ? pool_job_discard(pool, job) : PAR_OK;
}

static par_error hear_return(par_pool *pool, int source, const pool_record *record)
{
    pool_job *job = pool_map_find(&pool->results, record->task);

    par_error err;

    if (!job || job->worker != source)
        return no_such_task(source, record);
    err = par_wait(&job->request, NULL); /* as above */
    return err ? err : hand_back(pool, job);
}

par_error pool_manager_give_up(par_pool *pool, uint64_t task)
{
    pool_record record = {.task = task};
    pool_job *job = pool_map_find(&pool->results, task);
    par_error err = job ? hand_back(pool, job) : no_such_task(0, &record);

    return err ? err : pool_flush_all(pool);
}

static par_error hear_submit(par_pool *pool, int source, const pool_record *record,
                             const void *content, par_message *message)
{
    pool_order order = {.task = record->task,
                        .origin = source,
                        .depth = record->number,
                        .content = content,
                        .bytes = record->content_bytes,
                        .message = message};

    if (record->tag && !message) {
        pool->manager->left++; /* it counts before it is here */
        return pool_expect(pool, source, record, NULL);
    }
    if (record->tag)
        pool->manager->left--;
    if (record->shared) {
        order.blob = pool_map_find(&pool->blobs, record->shared);
        if (!order.blob)
            return no_such_task(source, record);
    }
    return pool_manager_add(pool, &order);
}

static par_error hear_share(par_pool *pool, int source, const pool_record *record,
                            const void *content, par_message *message)
{
    pool_blob *blob = pool_map_find(&pool->blobs, record->shared);
    par_error err = PAR_OK;

    if (!blob)
        err = pool_blob_new(pool, record->shared, &blob);
    if (!err && !blob->pace)
        err = pool_manager_adopt(pool, blob);
    if (!err && content)
        err = pool_content_get(pool, source, content, record->content_bytes, &message);
    if (err)
        return err;
    blob->message = message;
    return message ? pool_known_retire(pool, blob)
                   : pool_expect(pool, source, record, NULL);
}

static par_error hear_cancel(par_pool *pool, int source, const pool_record *record)
{
    pool_record answer = {.kind = POOL_CANCELLED, .task = record->task};
    bool cancelled;
    par_error err =
        pool_manager_cancel(pool, record->task, record->number != 0, &cancelled);

    answer.number = cancelled;
    return err ? err : pool_post(pool, source, &answer, NULL, 0);
}

static void hear_state(pool_seat *seat, const pool_record *record)
{
    seat->is_taken = true;
    seat->floor = record->number;
    seat->suspended = (size_t)record->worker;
}

static par_error hear_leave(par_pool *pool, int source, const pool_record *record)
{
    pool_seat *seat = &pool->manager->seats[source];
    pool_record answer = {.kind = POOL_LEAVE};

    seat->is_taken = false;
    seat->closes = record->number;
    return seat->closes ? PAR_OK : pool_post(pool, source, &answer, NULL, 0);
}

par_error pool_manager_handle(par_pool *pool, int source, const pool_record *record,
                              const void *content, par_message *message, void *what)
{
    pool_blob *blob;

    if (record->kind != POOL_GIVE_BACK) /* which it does beside a long task, too */
        pool->manager->seats[source].heard_ns = wait_now_ns();
    switch (record->kind) {
    case POOL_SUBMIT:
        return hear_submit(pool, source, record, content, message);
    case POOL_DONE:
        return hear_done(pool, source, record, content, message, what);
    case POOL_GIVE_BACK:
        return hear_return(pool, source, record);
    case POOL_STATE:
        hear_state(&pool->manager->seats[source], record);
        return PAR_OK;
    case POOL_LEAVE:
        return hear_leave(pool, source, record);
    case POOL_CANCEL:
        return hear_cancel(pool, source, record);
    case POOL_BREAK:
        return pool_manager_interrupt(pool, record->task);
    case POOL_SHARE:
        return hear_share(pool, source, record, content, message);
    case POOL_FORGET:
        blob = pool_map_find(&pool->blobs, record->shared);
        return blob ? pool_manager_forget(pool, blob) : no_such_task(source, record);
    default:
        return error_set(PAR_ERR_WIRE, "rank %d sent a record of kind %d", source,
                         record->kind);
    }
}
