/* pool_manager.c - the thread of rank 0 that hands out tasks and takes in what they come
 * to, whatever the program does meanwhile.
 * SPDX-License-Identifier: MIT */
#include "pool_manager.h"

#include <stdlib.h>
#include <sys/prctl.h>

#include "thread.h"
#include "wait.h"

static const double default_ahead = 0.001, default_local = 0.0002;

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
        pool_job_free(job);
    }
    free(m->queues);
    free(m->seats);
    free(m);
}
