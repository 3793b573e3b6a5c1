/* pool_wait.c - threads that wait for something of a pool.
 * SPDX-License-Identifier: MIT
 *
 * One of them moves messages, on rank 0 a thread of the pool's own; the others wait for
 * an event, until it finds that what they wait for has happened. All of it is waiting
 * for a request of par's, so signals and interpreters get their turn (wait.h).
 */
#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "wait.h"

/* An idle pool waits for as long as it takes: with a time limit it is none that a
 * deadlock could be made of, and with an event none that is told of as a hang. */
static const double long_time = 3600;

/* How often the manager looks, in seconds, whether those that have tasks get on. */
static const double patience = 0.01;

par_error pool_fail(par_pool *pool, par_error err)
{
    if (!pool->error) {
        pool->error = err;
        pool->detail = strdup(par_error_detail());
    }
    return err;
}

par_error pool_check_call(const par_pool *pool)
{
    par_error err = comm_check_job();

    return err || pool ? err : error_set(PAR_ERR_ARG, "the pool is NULL");
}

par_error pool_check(const par_pool *pool)
{
    if (pool->error)
        error_restore(pool->detail ? pool->detail : "");
    return pool->error;
}

void pool_wake(par_pool *pool)
{
    for (list_node *node = pool->waits.next; node != &pool->waits; node = node->next) {
        pool_wait *w = LIST_OF(node, pool_wait, node);

        if (!w->is_woken && (pool->error || w->is_over(pool, w->what))) {
            w->is_woken = true;
            par_event_set(w->event);
        }
    }
}

void pool_wake_mover(par_pool *pool)
{
    if (pool->mover && !pool->mover->is_woken) {
        pool->mover->is_woken = true;
        par_event_set(pool->mover->event);
    }
}

static par_error step(par_pool *pool, bool *moved_p)
{
    par_error err = pool_move(
        pool, pool->manager ? pool_manager_handle : pool_worker_handle, moved_p);

    if (!err && pool->manager)
        err = pool_manager_dispatch(pool);
    if (!err && pool->manager)
        err = pool_flush_all(pool);
    if (err)
        pool_fail(pool, err);
    pool_wake(pool);
    return err;
}

/* What the thread that moves messages waits for. */
static size_t count_arrivals(const par_pool *pool)
{
    size_t count = 0;

    for (const pool_arrival *a = pool->arrivals; a; a = a->next)
        count++;
    return count;
}

static par_error sleep_on(par_pool *pool, pool_wait *w, bool moves, double seconds)
{
    size_t count = 0, done, room = moves ? count_arrivals(pool) + 2 : 1;
    par_request *few[4], **requests = few;
    size_t few_indices[4], *indices = few_indices;
    par_error err;

    if (room > sizeof few / sizeof *few) {
        requests = malloc(room * (sizeof *requests + sizeof *indices));
        if (!requests)
            return error_memory(room * sizeof *requests, "requests to wait for");
        indices = (size_t *)(requests + room);
    }
    requests[count++] = w->event;
    if (moves)
        requests[count++] = pool->inbound;
    for (const pool_arrival *a = moves ? pool->arrivals : NULL; a; a = a->next)
        requests[count++] = a->request;
    pthread_mutex_unlock(&pool->mutex);
    wait_asleep(true); /* others may have the more to do here */
    err = par_wait_some(requests, count, seconds, indices, &done);
    wait_asleep(false);
    pthread_mutex_lock(&pool->mutex);
    if (requests != few)
        free(requests);
    return err;
}

/* Whether W is to move messages while it waits: on rank 0 the pool's own thread does. */
static bool may_move(const par_pool *pool, const pool_wait *w)
{
    return !pool->mover && (!pool->manager || w->manages);
}

/* Sleep until something happens that may be W's end. */
static par_error block(par_pool *pool, pool_wait *w, double seconds)
{
    bool moves = may_move(pool, w);
    par_error err = par_event_start(pool->comm, &w->event), end_err;

    if (err)
        return err;
    w->is_woken = false;
    list_insert(&pool->waits, &w->node);
    if (moves)
        pool->mover = w;
    err = sleep_on(pool, w, moves, seconds);
    list_remove(&w->node);
    if (moves)
        pool->mover = NULL;
    end_err = par_event_set(w->event);
    if (!end_err)
        end_err = par_wait(&w->event, NULL);
    return err ? err : end_err;
}

static double time_left(const par_pool *pool, const pool_wait *w, double until)
{
    double left = until < 0 ? long_time : until - par_time();

    if (w->manages && pool_manager_has_queued(pool) && left > patience)
        return patience;
    return left < 0 ? 0 : left;
}

/* A thread has left: who closes the pool waits for that, and if it has moved messages,
 * another one has to. */
static void hand_over(par_pool *pool)
{
    pool_wait *first = LIST_OF(pool->waits.next, pool_wait, node);

    if (pool->is_over)
        pool_wake(pool);
    if (pool->manager || pool->mover || list_is_empty(&pool->waits) || first->is_woken)
        return;
    first->is_woken = true;
    par_event_set(first->event);
}

static par_error wait_once(par_pool *pool, pool_wait *w, double until, bool *late_p)
{
    bool moved = false;
    par_error err = may_move(pool, w) ? step(pool, &moved) : PAR_OK;

    if (err || moved || w->is_over(pool, w->what))
        return err;
    if (until >= 0 && par_time() >= until) {
        *late_p = true;
        return PAR_OK;
    }
    err = pool->manager ? pool_manager_dispatch(pool) : pool_worker_offer(pool, w);
    if (!err)
        err = pool_flush_all(pool);
    if (err)
        return pool_fail(pool, err);
    return block(pool, w, time_left(pool, w, until));
}

par_error pool_wait_until(par_pool *pool, pool_wait *w, double until, bool *late_p)
{
    par_error err = pool_check(pool);

    *late_p = false;
    while (!err && !*late_p && !w->is_over(pool, w->what)) {
        err = wait_once(pool, w, until, late_p);
        if (!err)
            err = pool_check(pool);
    }
    hand_over(pool);
    return err;
}
