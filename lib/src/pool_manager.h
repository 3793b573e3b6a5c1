/* pool_manager.h - what the manager of a pool knows.
 * SPDX-License-Identifier: MIT
 *
 *     pool_manager   its thread
 *     pool_dispatch  which worker gets which task    pool_local  those that rank 0 does
 *     pool_hear      what comes from the others
 *     pool_job       tasks that have no result yet   pool_end    those that are over
 *     pool_known     what many tasks share           pool_pace   how long they take
 */
#ifndef PAR_SRC_POOL_MANAGER_H
#define PAR_SRC_POOL_MANAGER_H

#include "pool.h"

enum { POOL_NOBODY = -1 };

/* How long tasks take, in seconds. */
typedef struct pool_pace {
    double mean, deviation;
    uint64_t count; /* those that have come back */
    uint64_t out;   /* that have been given out, and are not back */
} pool_pace;

/* A task that has no result yet. */
typedef struct pool_job {
    list_node node; /* in its queue, while nobody has it */
    uint64_t number;
    pool_blob *blob; /* NULL: it names nothing */
    int origin, depth;
    int worker; /* or POOL_NOBODY */
    bool is_interrupted, is_unwanted;
    double load;
    par_pool_result *result; /* of rank 0's own; NULL */
    /* a large one */
    par_message *message; /* with its body, unless that lies in PARTS, the program's */
    par_part *parts;
    size_t part_count;
    par_request *request; /* its send */
    /* a small one, as it goes behind a record */
    size_t bytes;
    _Alignas(8) unsigned char content[];
} pool_job;

/* What is known of a worker. */
typedef struct pool_seat {
    bool is_taken; /* it has asked for tasks */
    bool closes;   /* and never will */
    int floor;     /* deeper ones */
    size_t tasks, suspended;
    double load;      /* seconds that they are expected to take */
    int64_t heard_ns; /* when it answered last, or was given a task and had none */
} pool_seat;

typedef struct pool_manager {
    pthread_t thread;
    par_pool_options options;
    pool_pace pace; /* of tasks that name nothing */
    pool_seat *seats;
    list_node *queues; /* by depth */
    int depths;
    size_t queued, left; /* tasks that nobody has; that have no result yet */
    size_t share;        /* of the queue, for each worker */
    int next, last;      /* whose turn it is */
    int64_t now_ns;      /* when tasks are given out */
    bool stops;
} pool_manager;

/* ---- pool_pace ---------------------------------------------------------- */

/* That of tasks that name BLOB, or nothing. */
pool_pace *pool_pace_of(pool_manager *m, const pool_blob *blob);

/* A task has taken so long. */
void pool_pace_note(pool_pace *pace, double seconds);

/* What a task takes at most, nearly always. */
double pool_pace_most(const pool_pace *pace);

/* ---- pool_job ----------------------------------------------------------- */

/* The first of the deepest tasks deeper than FLOOR; NULL. What it shares with others may
 * still be on its way. */
pool_job *pool_job_first(const pool_manager *m, int floor);

/* JOB is nobody's, the next one of its depth if FIRST; is somebody's from now on. */
void pool_job_enqueue(pool_manager *m, pool_job *job, bool first);
void pool_job_dequeue(pool_manager *m, pool_job *job);

void pool_job_free(pool_job *job);

/* ---- pool_known --------------------------------------------------------- */

/* BLOB goes to WORKER, ahead of what names it, if it has not been there. */
par_error pool_known_send(par_pool *pool, int worker, pool_blob *blob);

/* Drop BLOB everywhere if nobody will name it any more. */
par_error pool_known_retire(par_pool *pool, pool_blob *blob);

/* ---- pool_dispatch ------------------------------------------------------ */

/* Tasks that a worker has and that don't wait for others. */
size_t pool_seat_active(const pool_seat *seat);

/* It has tasks, and has said nothing for so long that it must have met a long one. */
bool pool_seat_is_silent(const pool_manager *m, const pool_seat *seat, int64_t now_ns);

/* JOB is not its worker's any more. */
void pool_seat_leave(pool_manager *m, pool_job *job);

/* ---- pool_end ----------------------------------------------------------- */

/* Nobody has anything to do with JOB any more. */
par_error pool_end_job(par_pool *pool, pool_job *job);

/* JOB, which nobody has, is not going to be done: who has submitted it hears of that. */
par_error pool_job_discard(par_pool *pool, pool_job *job);

#endif
