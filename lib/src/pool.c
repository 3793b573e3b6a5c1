/* pool.c - tasks for whichever rank is free.
 * SPDX-License-Identifier: MIT */
#include "pool.h"

#include <math.h>
#include <stdlib.h>

#include "collective.h"
#include "lock.h"
#include "slot.h"

/* Those of this rank, in the order in which they were opened. Under the lock. */
static list_node open_pools = {&open_pools, &open_pools};

/* ---- open ----------------------------------------------------------------- */

static par_error check_options(const par_pool_options *o)
{
    if (!(o->ahead >= 0) || isinf(o->ahead) || !(o->local >= 0) || isinf(o->local))
        return error_set(PAR_ERR_ARG,
                         "ahead and local are %g and %g: they must be seconds, or 0 for "
                         "what is usual",
                         o->ahead, o->local);
    return PAR_OK;
}

static par_error make_pool(par_comm *comm, par_pool **pool_p)
{
    par_pool *pool = calloc(1, sizeof *pool);
    pool_batch *batches = calloc((size_t)comm->size, sizeof *batches);

    if (!pool || !batches) {
        free(pool);
        free(batches);
        return error_memory(sizeof *pool, "a pool");
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pool->comm = comm;
    pool->rank = comm->rank;
    pool->size = comm->size;
    pool->batches = batches;
    pool->batch_bytes = (slot_size - WIRE_HEADER_BYTES) & ~(size_t)7;
    list_init(&pool->waits);
    list_init(&pool->todo);
    list_init(&pool->doing);
    *pool_p = pool;
    return PAR_OK;
}

static void free_results(list_node *results)
{
    while (!list_is_empty(results)) {
        par_pool_result *result = LIST_OF(results->next, par_pool_result, node);

        list_remove(&result->node);
        par_pool_result_free(&result);
    }
}

static void free_pool(par_pool *pool)
{
    pool_blob *blob;

    pool_listener_end(pool);
    pool_post_end(pool);
    for (int i = 0; i < pool->channel_count; i++)
        if (pool->channels[i]) {
            free_results(&pool->channels[i]->pending);
            free_results(&pool->channels[i]->done);
            free(pool->channels[i]);
        }
    while ((blob = pool_map_any(&pool->blobs)))
        pool_blob_remove(pool, blob);
    pool_map_free(&pool->blobs);
    pool_map_free(&pool->results);
    free(pool->channels);
    free(pool->released.numbers);
    free(pool->dropped.numbers);
    free(pool->detail);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

static par_pool *note_open(par_pool *pool)
{
    lock_take();
    list_insert(&open_pools, &pool->node);
    lock_give();
    return pool;
}

par_error par_pool_open(par_comm *comm, const par_pool_options *options,
                        par_pool **pool_p)
{
    par_pool *pool = NULL;
    par_comm *own;
    par_error err = comm_check(comm);

    if (!err && !pool_p)
        err = error_set(PAR_ERR_ARG, "pool_p is NULL: it is where the pool goes");
    if (!err && options && par_rank(comm) == 0)
        err = check_options(options);
    if (!err)
        err = par_duplicate(comm, &own);
    if (err)
        return err;
    err = make_pool(own, &pool);
    if (!err)
        err = pool->rank ? pool_listener_start(pool) : pool_manager_start(pool, options);
    if (err)
        par_collective_fail(own, par_error_detail());
    else
        err = par_barrier(own);
    if (!err)
        *pool_p = note_open(pool);
    else if (pool)
        free_pool(pool);
    return err;
}

/* ---- stop ----------------------------------------------------------------- */

par_error par_pool_stop(par_pool *pool, bool discard)
{
    par_error err = pool_check_call(pool);

    if (!err && !pool->manager)
        err = error_set(PAR_ERR_RANK, "rank %d cannot stop the pool: rank 0 can",
                        pool->rank);
    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    err = pool_check(pool);
    if (!err && (err = pool_manager_stop(pool, discard)))
        pool_fail(pool, err);
    pool_wake(pool);
    pthread_mutex_unlock(&pool->mutex);
    return err;
}

/* ---- close ---------------------------------------------------------------- */

/* So long threads of this rank that are told of the end may take to leave, in seconds. */
static const double leave_time = 5;

/* All is done, or what is left is done by nobody. */
static bool is_at_end(par_pool *pool, const void *what)
{
    (void)what;
    return pool->is_over || (pool->manager && pool_manager_is_stuck(pool));
}

static bool is_unused(const par_pool *pool)
{
    for (list_node *node = pool->waits.next; node != &pool->waits; node = node->next) {
        const pool_wait *w = LIST_OF(node, pool_wait, node);

        if (!w->manages && !w->closes)
            return false;
    }
    return true;
}

/* No thread is in the pool, or comes back to it to be given NULL, but CLOSER. */
static bool is_left(par_pool *pool, const void *closer)
{
    bool comes_back =
        pool->takes && !pthread_equal(pool->taker, *(const pthread_t *)closer);

    return is_unused(pool) && !comes_back;
}

static par_error check_begun(const par_pool *pool)
{
    if (pool->is_over)
        return PAR_OK;
    if (pool->begun)
        return error_set(PAR_ERR_STATE,
                         "the pool cannot be closed: tasks that have been taken here and "
                         "not been answered: %zu",
                         pool->begun);
    if (pool->takes && !pool->manager)
        return error_set(PAR_ERR_STATE, "the pool cannot be closed: par_pool_take has "
                                        "been called here, and has not given NULL yet");
    return PAR_OK;
}

/* Bring POOL to its end. Needs the mutex. */
static par_error end_pool(par_pool *pool)
{
    pool_wait end = {.is_over = is_at_end, .closes = true};
    pthread_t closer = pthread_self();
    pool_wait left = {.is_over = is_left, .what = &closer, .closes = true};
    bool late;
    par_error err = check_begun(pool);

    if (!err)
        err = pool->manager ? pool_manager_stop(pool, false)
                            : pool_worker_leave(pool, true);
    if (!err)
        err = pool_wait_until(pool, &end, -1, &late);
    if (!err && !pool->is_over)
        return pool_manager_tell_stuck(pool);
    if (!err)
        err = pool_wait_until(pool, &left, par_time() + leave_time, &late);
    if (!err && !is_unused(pool))
        return error_set(PAR_ERR_STATE,
                         "the pool cannot be closed: a thread is in "
                         "par_pool_take or par_pool_wait, and stays there");
    return err;
}

static par_error close_pool(par_pool *pool)
{
    par_comm *comm = pool->comm;
    par_error err;

    pthread_mutex_lock(&pool->mutex);
    err = end_pool(pool);
    pthread_mutex_unlock(&pool->mutex);
    if (err)
        return err;
    lock_take();
    list_remove(&pool->node);
    lock_give();
    if (pool->manager)
        pool_manager_end(pool);
    free_pool(pool);
    return par_comm_free(&comm);
}

par_error par_pool_close(par_pool **pool_p)
{
    par_pool *pool = pool_p ? *pool_p : NULL;
    par_error err = comm_check_job();

    if (err || !pool)
        return err;
    err = close_pool(pool);
    if (!err)
        *pool_p = NULL;
    return err;
}

par_error pool_close_all(void)
{
    par_error err = PAR_OK;

    while (!err && !list_is_empty(&open_pools))
        err = close_pool(LIST_OF(open_pools.next, par_pool, node));
    return err;
}
