/* pool_manager.h - what the manager of a pool knows.
 * SPDX-License-Identifier: MIT */
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
    int floor;     /* deeper ones */
    size_t tasks, suspended;
    double load; /* seconds that they are expected to take */
    int64_t heard_ns;
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
    bool stops;
} pool_manager;

#endif
