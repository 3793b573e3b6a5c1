/* pool_manager.c - rank 0: who gets which task.
 * SPDX-License-Identifier: MIT
 *
 * How long the tasks that share a function take is kept as a mean and a mean deviation,
 * as TCP keeps the time that its answers take (Jacobson, 1988). A worker is given what it
 * does in options.ahead by the mean; how many such tasks are out at all grows with how
 * many have come back, so that a wrong guess costs little. A worker that finds tasks to
 * take longer than expected gives the others back.
 */
#include "pool_manager.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "thread.h"
#include "wait.h"

static const double default_ahead = 0.001, default_local = 0.0002;

/* Tasks that surely take less come with a next one; those that may take more come alone
 * out of a worker's batch of answers. */
static const double short_time = 0.005, eager_time = 0.0002;

/* Tasks that take less wait for others to go with. */
static const double worth_a_message = 20e-6;

/* A worker that has been silent for so many times options.ahead has met a long task. */
enum { SILENT = 10 };

/* ---- pace --------------------------------------------------------------- */

static pool_pace *pace_of(pool_manager *m, const pool_blob *blob)
{
    return blob ? blob->pace : &m->pace;
}

/* A task that a rank had to wait for its core in counts for no more than a few. */
static void note_time(pool_pace *pace, double seconds)
{
    bool is_odd = seconds > 4 * pace->mean;
    double error = is_odd ? 3 * pace->mean : seconds - pace->mean;

    if (pace->count++) {
        pace->mean += error / 8;
        pace->deviation += (fabs(error) - pace->deviation) / 4;
    } else {
        pace->mean = seconds;
        pace->deviation = seconds / 2;
    }
}

/* What a task takes at most, nearly always. */
static double at_most(const pool_pace *pace)
{
    return pace->count ? pace->mean + 4 * pace->deviation : HUGE_VAL;
}

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

/* The first of the deepest tasks deeper than FLOOR; NULL. What it shares with others may
 * still be on its way. */
static pool_job *first_job(const pool_manager *m, int floor)
{
    for (int depth = m->queued ? m->depths - 1 : -1; depth > floor; depth--) {
        pool_job *job = LIST_OF(m->queues[depth].next, pool_job, node);

        if (!list_is_empty(&m->queues[depth]) && (!job->blob || job->blob->message))
            return job;
    }
    return NULL;
}

static void enqueue(pool_manager *m, pool_job *job, bool first)
{
    list_node *queue = &m->queues[job->depth];

    list_insert(first ? queue->next : queue, &job->node);
    job->worker = POOL_NOBODY;
    m->queued++;
}

static void dequeue(pool_manager *m, pool_job *job)
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

static void free_job(pool_job *job)
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
        free_job(job);
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
        free_job(job);
        return error_memory(sizeof *job, "a task");
    }
    if (job->blob)
        job->blob->users++;
    m->left++;
    enqueue(m, job, false);
    return PAR_OK;
}

/* ---- blobs -------------------------------------------------------------- */

static bool knows(const pool_blob *blob, int rank)
{
    return blob->known[rank / 8] >> rank % 8 & 1;
}

par_error pool_manager_adopt(par_pool *pool, pool_blob *blob)
{
    if (!blob->pace)
        blob->pace = calloc(1, sizeof *blob->pace);
    if (!blob->known)
        blob->known = calloc((size_t)pool->size / 8 + 1, 1);
    return blob->pace && blob->known ? PAR_OK
                                     : error_memory(sizeof *blob->pace, "a function");
}

static par_error send_blob(par_pool *pool, int worker, pool_blob *blob)
{
    pool_record record = {.kind = POOL_SHARE, .shared = blob->number};
    par_part part;
    request_outgoing out = {.parts = &part, .part_count = 1, .context = WIRE_P2P};
    par_content content;
    par_part *parts;

    if (knows(blob, worker))
        return PAR_OK;
    blob->known[worker / 8] |= (unsigned char)(1 << worker % 8);
    par_message_content(blob->message, &content, NULL);
    parts = message_parts(blob->message, blob->message->body, &out.part_count);
    if (!parts)
        return error_memory(sizeof part, "the parts of a message");
    out.content = &content;
    out.parts = parts;
    if (pool_fits(pool, pool_content_bytes(&out))) {
        par_error err = pool_post_out(pool, worker, &record, &out);

        free(parts);
        return err;
    }
    free(parts);
    blob->users++;
    return pool_post_message(pool, worker, &record, NULL, blob);
}

/* Drop BLOB everywhere if nobody will name it any more. */
static par_error retire(par_pool *pool, pool_blob *blob)
{
    pool_record record = {.kind = POOL_FORGET, .shared = blob->number};
    par_error err = PAR_OK;

    if (!blob->is_forgotten || blob->users || !blob->message)
        return PAR_OK;
    for (int rank = 1; !err && rank < pool->size; rank++)
        if (knows(blob, rank))
            err = pool_post(pool, rank, &record, NULL, 0);
    pool_blob_remove(pool, blob);
    return err;
}

par_error pool_manager_forget(par_pool *pool, pool_blob *blob)
{
    par_error err;

    blob->is_forgotten = true;
    err = retire(pool, blob);
    return err ? err : pool_flush_all(pool);
}

/* ---- dispatch ----------------------------------------------------------- */

static size_t active(const pool_seat *seat)
{
    return seat->tasks > seat->suspended ? seat->tasks - seat->suspended : 0;
}

/* Whether SEAT has room for JOB, beside those GIVEN to it just now. */
static bool has_room(pool_manager *m, const pool_seat *seat, const pool_job *job,
                     size_t given)
{
    const pool_pace *pace = pace_of(m, job->blob);
    double expected = pace->mean + pace->deviation;

    if (!active(seat))
        return true;
    if (!pace->count || pace->out > 2 * pace->count)
        return false;
    if (given < m->share && seat->load + expected <= m->options.ahead)
        return true;
    return active(seat) < 2 && at_most(pace) < short_time;
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
    pool_pace *pace = pace_of(m, job->blob);
    pool_record record = {.kind = POOL_DO,
                          .task = job->number,
                          .shared = job->blob ? job->blob->number : 0,
                          .number = job->depth,
                          .worker = job->origin,
                          .eager = at_most(pace) > eager_time,
                          .seconds = pace->mean};
    par_error err = job->blob ? send_blob(pool, worker, job->blob) : PAR_OK;

    if (err)
        return err;
    dequeue(m, job);
    job->worker = worker;
    job->load = pace->mean;
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
    pool_job *job = seat->is_taken ? first_job(m, seat->floor) : NULL;

    *given_p = job && has_room(m, seat, job, given);
    return *given_p ? give(pool, worker, job) : PAR_OK;
}

static par_error serve_idle(par_pool *pool)
{
    pool_manager *m = pool->manager;
    par_error err = PAR_OK;

    for (int i = 1; !err && m->queued && i < pool->size; i++) {
        int worker = 1 + (m->next + i - 1) % (pool->size - 1);
        bool given = false;

        if (!active(&m->seats[worker]))
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
    m->share = m->queued / (size_t)(pool->size - 1) + 1;
    err = serve_idle(pool);
    return err ? err : fill(pool);
}

static bool has_idle(const par_pool *pool)
{
    const pool_manager *m = pool->manager;

    for (int worker = 1; worker < pool->size; worker++)
        if (m->seats[worker].is_taken && !active(&m->seats[worker]))
            return true;
    return false;
}

par_error pool_manager_hurry(par_pool *pool, const pool_blob *blob)
{
    const pool_pace *pace = pace_of(pool->manager, blob);
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

/* ---- what comes back ------------------------------------------------------ */

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

/* Nobody has anything to do with JOB any more. */
static par_error end_job(par_pool *pool, pool_job *job)
{
    pool_blob *blob = job->blob;
    par_error err = PAR_OK;

    free_job(job);
    pool->manager->left--;
    if (blob) {
        blob->users--;
        err = retire(pool, blob);
    }
    return err ? err : look_for_end(pool);
}

/* JOB is not its worker's any more. */
static void leave_seat(pool_manager *m, pool_job *job)
{
    pool_seat *seat = &m->seats[job->worker];

    if (job->worker > 0) {
        seat->tasks--;
        seat->load = seat->tasks ? seat->load - job->load : 0;
    }
    pace_of(m, job->blob)->out--;
}

/* JOB has been done by WORKER. The request of a large one is over as soon as it is
 * looked at: its worker has had all of it. */
static par_error note_done(par_pool *pool, pool_job *job, double seconds)
{
    pool_manager *m = pool->manager;

    leave_seat(m, job);
    note_time(pace_of(m, job->blob), seconds);
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
    return err ? err : end_job(pool, job);
}

static par_error no_such_task(int source, const pool_record *record)
{
    return error_set(PAR_ERR_WIRE, "rank %d speaks of task %" PRIu64 ", which is none",
                     source, record->task);
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

static par_error hear_return(par_pool *pool, int source, const pool_record *record)
{
    pool_job *job = pool_map_find(&pool->results, record->task);

    if (!job || job->worker != source)
        return no_such_task(source, record);
    leave_seat(pool->manager, job);
    enqueue(pool->manager, job, true);
    return PAR_OK;
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
    return message ? retire(pool, blob) : pool_expect(pool, source, record, NULL);
}

static par_error hear_cancel(par_pool *pool, int source, const pool_record *record)
{
    pool_record answer = {.kind = POOL_CANCELLED, .task = record->task};
    bool cancelled;
    par_error err = pool_manager_cancel(pool, record->task, &cancelled);

    answer.number = cancelled;
    return err ? err : pool_post(pool, source, &answer, NULL, 0);
}

static void hear_state(pool_seat *seat, const pool_record *record)
{
    seat->is_taken = true;
    seat->floor = record->number;
    seat->suspended = (size_t)record->worker;
}

par_error pool_manager_handle(par_pool *pool, int source, const pool_record *record,
                              const void *content, par_message *message, void *what)
{
    pool_blob *blob;

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
    case POOL_CANCEL:
        return hear_cancel(pool, source, record);
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

/* ---- taking back ---------------------------------------------------------- */

static par_error take_back(par_pool *pool, pool_job *job)
{
    dequeue(pool->manager, job);
    pool_map_remove(&pool->results, job->number);
    if (job->result)
        pool_channel_drop(pool, job->result);
    return end_job(pool, job);
}

par_error pool_manager_cancel(par_pool *pool, uint64_t task, bool *cancelled_p)
{
    pool_job *job = task ? pool_map_find(&pool->results, task) : NULL;

    *cancelled_p = job && job->worker == POOL_NOBODY;
    return *cancelled_p ? take_back(pool, job) : PAR_OK;
}

/* The rank that has submitted JOB hears of it. */
static par_error discard(par_pool *pool, pool_job *job)
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
            err = discard(pool, LIST_OF(node, pool_job, node));
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

/* ---- tasks for rank 0 ----------------------------------------------------- */

/* Whether another worker gets to JOB soon. */
static bool others_come(const par_pool *pool, const pool_job *job)
{
    const pool_manager *m = pool->manager;
    int64_t now = wait_now_ns();

    for (int rank = 1; rank < pool->size; rank++) {
        const pool_seat *seat = &m->seats[rank];

        if (!seat->is_taken || seat->floor >= job->depth)
            continue;
        if (!active(seat) ||
            (double)(now - seat->heard_ns) < SILENT * 1e9 * m->options.ahead)
            return true;
    }
    return false;
}

static pool_job *local_job(par_pool *pool, int floor)
{
    pool_manager *m = pool->manager;
    pool_job *job = first_job(m, floor);
    const pool_pace *pace = job ? pace_of(m, job->blob) : NULL;

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
        to = message->fetched = malloc((size_t)message->header.bytes);
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
                            .origin = job->origin};
    err = take_message(pool, job, &task->message);
    if (err) {
        free(task);
        return err;
    }
    dequeue(m, job);
    job->worker = 0;
    pace_of(m, job->blob)->out++;
    *task_p = task;
    return PAR_OK;
}

/* ---- the thread ----------------------------------------------------------- */

static bool is_over(par_pool *pool, const void *what)
{
    (void)what;
    return pool->is_over;
}

static void *manage(void *what)
{
    par_pool *pool = what;
    pool_wait w = {.is_over = is_over, .manages = true};
    bool late;

    wait_beside_work();
    prctl(PR_SET_TIMERSLACK, 1); /* it sleeps as short as it says: others wait for it */
    pthread_mutex_lock(&pool->mutex);
    pool_wait_until(pool, &w, -1, &late); /* its error is all other calls' */
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

par_error pool_manager_start(par_pool *pool, const par_pool_options *options)
{
    pool_manager *m = calloc(1, sizeof *m);
    par_error err;

    if (!m || !(m->seats = calloc((size_t)pool->size, sizeof *m->seats))) {
        free(m);
        return error_memory(sizeof *m, "a pool's manager");
    }
    m->options = options ? *options : (par_pool_options){0, 0};
    if (m->options.ahead == 0)
        m->options.ahead = default_ahead;
    if (m->options.local == 0)
        m->options.local = default_local;
    pool->manager = m;
    err = thread_start(&m->thread, manage, pool, "a pool's manager");
    if (err) {
        free(m->seats);
        free(m);
        pool->manager = NULL;
    }
    return err;
}

void pool_manager_end(par_pool *pool)
{
    pool_manager *m = pool->manager;
    pool_job *job;

    pthread_join(m->thread, NULL);
    while ((job = pool_map_any(&pool->results))) {
        pool_map_remove(&pool->results, job->number);
        free_job(job);
    }
    free(m->queues);
    free(m->seats);
    free(m);
}
