/* pool.h - tasks for whichever rank is free: what a rank has of it.
 * SPDX-License-Identifier: MIT
 *
 *     pool          its begin and end; what the program calls otherwise is in
 *                   pool_submit: tasks that it has done, pool_task: that it does,
 *                   pool_turn: waiting for the one and doing the other meanwhile
 *     pool_manager  rank 0: who gets which task       pool_worker  the others: what comes
 *     pool_break    tasks that have begun, and that nobody wants any more
 *     pool_listener the others: a thread that hears rank 0 beside a long task
 *     pool_wait     threads that wait; one of them moves messages
 *     pool_channel  results of what was submitted here; pool_result: one
 *     pool_blob     what many tasks share
 *     pool_post     records, several in a message, and contents that travel alone
 *
 * Ranks other than 0 talk to rank 0 alone. All state of a rank is under its pool's mutex,
 * which is never held across a wait.
 */
#ifndef PAR_SRC_POOL_H
#define PAR_SRC_POOL_H

#include <pthread.h>

#include "list.h"
#include "p2p.h"
#include "pool_map.h"

enum { POOL_OUTSIDE = -1 /* the depth of what is no part of a task */ };

/* ---- records ------------------------------------------------------------ */

typedef enum pool_kind {
    POOL_SUBMIT = 1, /* to the manager: number is the depth */
    POOL_STATE,      /* number: deeper tasks are wanted; worker: so many wait */
    POOL_LEAVE,      /* no tasks are wanted; number: nor ever will; both ways */
    POOL_GIVE_BACK,  /* a task that has not been begun */
    POOL_CANCEL,     /* number: whether it is interrupted if it has been begun */
    POOL_BREAK,      /* to interrupt, though its result is waited for */
    POOL_DO,        /* to a worker: number is the depth, worker the rank that submitted */
    POOL_CANCELLED, /* number: whether */
    POOL_INTERRUPT,
    POOL_STOP,
    POOL_DONE, /* both ways: number is the status, worker who has done it */
    POOL_SHARE,
    POOL_FORGET,
    POOL_KINDS,
} pool_kind;

/* What ranks tell each other, before the content, if it has one. */
typedef struct pool_record {
    uint32_t bytes; /* with the content; a multiple of eight */
    uint8_t kind;
    bool has_content; /* behind it */
    bool eager;       /* what has been done goes out before this is begun */
    bool is_interrupted;
    uint32_t content_bytes;
    uint32_t tag; /* of the message with the content, if that travels alone; or 0 */
    uint64_t task, shared;
    int32_t number, worker;
    double seconds; /* taken, or expected */
} pool_record;

/* ---- what a rank has ---------------------------------------------------- */

/* What many tasks share. */
typedef struct pool_blob {
    uint64_t number;
    par_message *message; /* NULL until it has come */
    bool is_own;          /* shared by this rank, which has not forgotten it */
    bool is_forgotten;    /* by the rank that shared it; the manager's */
    struct pool_pace *pace;
    size_t users;         /* tasks that name it, and sends of it; the manager's */
    unsigned char *known; /* a bit for each rank that has it; the manager's */
} pool_blob;

struct par_pool_task {
    list_node node; /* among those to do, and then among those that are done */
    par_pool *pool;
    uint64_t number, shared;
    int depth, origin;
    bool eager;
    _Atomic bool is_interrupted;
    uint32_t tag; /* of its message, if that has not been received; or 0 */
    double expected;
    int64_t begun_ns;
    par_message *message;
};

/* A result, from the moment its task is submitted. */
struct par_pool_result {
    list_node node;               /* among the channel's */
    struct pool_channel *channel; /* NULL: nobody wants it any more */
    uint64_t task;
    int worker, status;
    bool is_done;
    bool is_borrowed; /* the task's memory is the program's */
    enum { POOL_NOT_ASKED, POOL_ASKED, POOL_REFUSED, POOL_TAKEN_BACK } cancel;
    par_message *message;
};

typedef struct pool_channel {
    int number, depth;
    uint64_t within; /* the task in which it was opened; or 0 */
    bool ordered;
    list_node pending; /* results that are not done; if ordered, those that are, too */
    list_node done;    /* of a channel that is not */
    size_t waiting;    /* threads that wait here */
    bool is_closed;    /* and freed by the last of them */
} pool_channel;

/* Numbers that are to be told, in order. */
typedef struct pool_queue {
    uint64_t *numbers;
    size_t first, count, room;
    _Atomic bool has_any;
} pool_queue;

/* A thread that waits. */
typedef struct pool_wait {
    list_node node;
    bool (*is_over)(par_pool *pool, const void *what);
    const void *what;
    bool manages; /* the manager's thread */
    bool closes;  /* the pool */
    bool wants_tasks;
    int floor; /* that are deeper than this */
    par_request *event;
    bool is_woken;
} pool_wait;

/* A message that is to come, with the content of RECORD. */
typedef struct pool_arrival {
    struct pool_arrival *next;
    pool_record record;
    int source;
    void *what; /* the task that it answers; the manager's */
    par_message *message;
    par_request *request;
} pool_arrival;

/* A message that is under way; what it is sent from is freed behind it. */
typedef struct pool_departure {
    struct pool_departure *next;
    par_request *request;
    par_message *message;
    pool_blob *blob;
} pool_departure;

/* Records that go out together. */
typedef struct pool_batch {
    unsigned char *bytes;
    size_t used;
} pool_batch;

typedef struct pool_interrupter {
    par_pool_interrupt *call; /* NULL: nobody is told */
    void *context;
} pool_interrupter;

struct par_pool {
    list_node node; /* among those of this rank */
    pthread_mutex_t mutex;
    par_comm *comm;
    int rank, size;
    par_error error; /* the first that has stopped it, and its detail */
    char *detail;
    bool is_over; /* stopped, and all is done */

    pool_channel **channels;
    int channel_count;
    uint64_t tasks, shares; /* submitted and shared here so far */
    pool_map results;       /* of what was submitted here; on rank 0 jobs instead */
    pool_map blobs;
    pool_queue released, dropped;

    list_node waits;
    pool_wait *mover; /* of those, the one that moves messages */
    par_request *inbound;
    par_message *inbound_message;
    pool_arrival *arrivals;
    pool_departure *departures;
    pool_batch *batches; /* by rank; others than 0 have one, to 0 */
    size_t batch_bytes;
    uint32_t tags;

    /* what is to be done here; on rank 0 the manager's instead */
    list_node todo;
    list_node doing; /* tasks that have been taken here and not been answered */
    size_t begun;    /* how many; not those whose content is on its way */
    uint64_t turns;  /* of them so far */
    bool takes;      /* par_pool_take has been called, and has not given NULL */
    pthread_t taker; /* by whom */
    struct {
        int floor, suspended;
        bool is_known; /* to the manager */
        bool has_left; /* what comes goes back */
        int leaves;    /* that the manager has not heard yet, as far as is known */
    } state;
    int64_t flushed_ns;
    pool_interrupter interrupt;
    struct pool_listener *listener;

    struct pool_manager *manager; /* on rank 0 */
};

/* ---- pool ----------------------------------------------------------------- */

/* Close all pools of this rank, as par_pool_close does. */
par_error pool_close_all(void);

/* ---- pool_post ---------------------------------------------------------- */

/* Bytes of OUT as a content behind a record; whether those fit a batch. */
size_t pool_content_bytes(const request_outgoing *out);
bool pool_fits(const par_pool *pool, size_t content_bytes);

/* Write OUT to TO, without its body if that is to stay where it is. */
void pool_content_put(unsigned char *to, const request_outgoing *out, bool with_body);

/* The message from SOURCE that such BYTES at FROM are. */
par_error pool_content_get(par_pool *pool, int source, const void *from, size_t bytes,
                           par_message **message_p);

/* OUT as a message of this rank's own, with its body. */
par_error pool_content_copy(par_pool *pool, const request_outgoing *out,
                            par_message **message_p);

/* Add *RECORD with BYTES of a CONTENT, none if NULL, to what goes to DEST. */
par_error pool_post(par_pool *pool, int dest, pool_record *record, const void *content,
                    size_t bytes);
par_error pool_post_out(par_pool *pool, int dest, pool_record *record,
                        const request_outgoing *out);

/* Add *RECORD, and start to send MESSAGE, which is freed when it has gone, or that of
 * BLOB. */
par_error pool_post_message(par_pool *pool, int dest, pool_record *record,
                            par_message *message, pool_blob *blob);

/* Send what has been added. */
par_error pool_flush(par_pool *pool, int dest);
par_error pool_flush_all(par_pool *pool);

/* A tag for a message that travels alone. */
uint32_t pool_tag(par_pool *pool);

/* Move messages, and handle what has come: WHAT is what pool_expect was given, CONTENT of
 * BYTES or MESSAGE the content. *MOVED_P: something has come. */
typedef par_error pool_handler(par_pool *pool, int source, const pool_record *record,
                               const void *content, par_message *message, void *what);
par_error pool_move(par_pool *pool, pool_handler *handle, bool *moved_p);

/* Expect the content of RECORD, which travels alone; it is handled when it has come. */
par_error pool_expect(par_pool *pool, int source, const pool_record *record, void *what);

/* Bring everything that is under way to its end. */
void pool_post_end(par_pool *pool);

/* ---- pool_wait ---------------------------------------------------------- */

/* Wait until W is over or UNTIL, in par_time, has come, which *LATE_P says; for ever if
 * negative. Needs the mutex, which is free meanwhile. */
par_error pool_wait_until(par_pool *pool, pool_wait *w, double until, bool *late_p);

/* Something has changed: wake who waits for that. And so that messages are moved. */
void pool_wake(par_pool *pool);
void pool_wake_mover(par_pool *pool);

/* Nothing goes on after ERR, which is given back: all calls fail with it. */
par_error pool_fail(par_pool *pool, par_error err);

/* What every call looks at first: the job goes on, and POOL is none that has been closed,
 * which is NULL. */
par_error pool_check_call(const par_pool *pool);

/* The error that pool_fail was given, if any. */
par_error pool_check(const par_pool *pool);

/* ---- pool_task ---------------------------------------------------------- */

/* A task deeper than FLOOR is here; begin one that is. */
bool pool_task_is_here(par_pool *pool, int floor);
par_error pool_task_begin(par_pool *pool, int floor, par_pool_task **task_p);

/* ---- pool_channel ------------------------------------------------------- */

par_error pool_channel_find(const par_pool *pool, int number, pool_channel **channel_p);

/* A new result of CHANNEL; TASK has it. NULL where there is no memory. */
par_pool_result *pool_channel_submit(pool_channel *channel, uint64_t task);

/* Its task is done; MESSAGE goes over. */
void pool_channel_done(par_pool *pool, par_pool_result *result, par_message *message,
                       int worker, int status);

/* Its task is not going to be done: the result is freed. */
void pool_channel_drop(par_pool *pool, par_pool_result *result);

/* The next result of CHANNEL; NULL. Whether there is none, and none is to come. */
par_pool_result *pool_channel_next(const pool_channel *channel);
bool pool_channel_is_empty(const pool_channel *channel);

void pool_channel_free(par_pool *pool, pool_channel *channel);

void pool_queue_add(pool_queue *queue, uint64_t number);
uint64_t pool_queue_next(par_pool *pool, pool_queue *queue);

/* ---- pool_blob ---------------------------------------------------------- */

par_error pool_blob_new(par_pool *pool, uint64_t number, pool_blob **blob_p);
void pool_blob_remove(par_pool *pool, pool_blob *blob);
void pool_blob_free(pool_blob *blob);

/* One that this rank has shared, and not forgotten. */
par_error pool_blob_find_own(const par_pool *pool, uint64_t number, pool_blob **blob_p);

/* ---- pool_worker: what ranks other than 0 do ------------------------------ */

pool_handler pool_worker_handle;

/* A thread is about to sleep in W: the manager is told what it may send. */
par_error pool_worker_offer(par_pool *pool, const pool_wait *w);

/* W is over; this rank goes on with a task. */
par_error pool_worker_resume(par_pool *pool);

/* This rank does no tasks, nor ever will if it CLOSES the pool. */
par_error pool_worker_leave(par_pool *pool, bool closes);

/* Tasks that are here and not deeper than FLOOR go to those who have time. */
par_error pool_worker_give_back(par_pool *pool, int floor);

/* A task deeper than FLOOR is here; take it, or NULL. */
bool pool_worker_has(const par_pool *pool, int floor);
par_pool_task *pool_worker_take(par_pool *pool, int floor);

/* Post the answer to TASK, which took SECONDS; with a TAG its content follows alone. */
par_error pool_worker_answer(par_pool *pool, const par_pool_task *task, int status,
                             double seconds, const request_outgoing *out, uint32_t tag);

/* ---- pool_break --------------------------------------------------------- */

/* TASK, taken here, is over. */
void pool_end_task(par_pool *pool, par_pool_task *task);

/* Interrupt TASK, which is to do here or is done, and what was submitted within it. */
par_error pool_interrupt(par_pool *pool, uint64_t task);

/* ---- pool_listener: what they hear beside a long task ----------------------- */

par_error pool_listener_start(par_pool *pool);
void pool_listener_end(par_pool *pool);

/* A thread of this rank has got something to do, and may not come back for long. */
void pool_listener_wake(par_pool *pool);

/* ---- pool_manager: what rank 0 does --------------------------------------- */

par_error pool_manager_start(par_pool *pool, const par_pool_options *options);
void pool_manager_end(par_pool *pool);

pool_handler pool_manager_handle;

/* Give tasks to workers that have room. */
par_error pool_manager_dispatch(par_pool *pool);

/* A task that names BLOB, or nothing, has been added: do at once what cannot wait. */
par_error pool_manager_hurry(par_pool *pool, const pool_blob *blob);

/* Tasks that nobody has yet. */
bool pool_manager_has_queued(const par_pool *pool);

/* A task of this rank, or of ORIGIN, is to be done. RESULT is rank 0's own, or NULL. The
 * content is OUT's, or CONTENT of BYTES, or MESSAGE, which goes over. */
typedef struct pool_order {
    uint64_t task;
    pool_blob *blob;
    int origin, depth;
    par_pool_result *result;
    const request_outgoing *out;
    const void *content;
    size_t bytes;
    par_message *message;
} pool_order;
par_error pool_manager_add(par_pool *pool, const pool_order *order);

/* Take TASK back if nobody has begun it; else have it interrupted if BREAKS. */
par_error pool_manager_cancel(par_pool *pool, uint64_t task, bool breaks,
                              bool *cancelled_p);

bool pool_manager_has(par_pool *pool, int floor);
par_error pool_manager_take(par_pool *pool, int floor, par_pool_task **task_p);

/* Whoever does TASK is told to end it. */
par_error pool_manager_interrupt(par_pool *pool, uint64_t task);

/* TASK of this rank, which is interrupted, is never answered. */
par_error pool_manager_give_up(par_pool *pool, uint64_t task);

/* TASK of this rank has been done; MESSAGE goes over. */
par_error pool_manager_answer(par_pool *pool, const par_pool_task *task, int status,
                              double seconds, par_message *message);

/* BLOB is new; is forgotten by the rank that shared it. */
par_error pool_manager_adopt(par_pool *pool, pool_blob *blob);
par_error pool_manager_forget(par_pool *pool, pool_blob *blob);

/* Let workers stop once all is done; take back what is not begun if DISCARD. */
par_error pool_manager_stop(par_pool *pool, bool discard);
bool pool_manager_stops(const par_pool *pool);

/* Whether tasks are left that nobody does: all others have left. That as an error. */
bool pool_manager_is_stuck(const par_pool *pool);
par_error pool_manager_tell_stuck(const par_pool *pool);

#endif
