/* pool_listener.c - what a worker hears of rank 0 while its threads do tasks.
 * SPDX-License-Identifier: MIT
 *
 * A worker's threads do tasks, and see what has come when they are done with one; or they
 * did tasks while they waited, and do something else now. So a thread of the library
 * looks now and then whether one has come back since. If not, tasks that wait here go
 * back to rank 0, and one that nobody wants any more is interrupted. It sleeps until a
 * task is begun; and, where tasks cannot be interrupted, once one has taken so long that
 * rank 0 gives this rank no others any more (pool_dispatch.c), or rank 0 has heard that
 * it has left.
 *
 * A thread may wait for tasks and do none, one that a task has started, say. It sees what
 * comes then, and the listener that this rank leaves: a task that waits for that thread
 * would wait for ever if those that came here waited for the task.
 */
#include <stdlib.h>
#include <time.h>

#include "asleep.h"
#include "lock.h"
#include "pool.h"
#include "thread.h"
#include "wait.h"

enum {
    LOOKS = 10, /* at one task, before it is a long one */
    SHORT_NS = 10 * 1000 * 1000,
    LONG_NS = 50 * 1000 * 1000,
};

typedef struct pool_listener {
    pthread_t thread;
    pthread_cond_t changed;
    bool sleeps, is_wanted, is_over;
} pool_listener;

static void look(par_pool *pool)
{
    bool moved;
    par_error err = pool->mover ? PAR_OK : pool_move(pool, pool_worker_handle, &moved);

    if (!err)
        err = pool->begun && !pool->mover ? pool_worker_give_back(pool, INT32_MAX)
                                          : pool_worker_leave(pool, false);
    if (!err)
        err = pool_flush(pool, 0);
    if (err)
        pool_fail(pool, err);
    pool_wake(pool);
    pool_wake_mover(pool); /* there may be contents to wait for, to give them back */
}

static void pause_for(par_pool *pool, int64_t ns)
{
    int64_t until_ns = wait_now_ns() + ns;
    struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};

    pthread_cond_timedwait(&pool->listener->changed, &pool->mutex, &until);
}

/* Whether tasks may come that this rank doesn't want any more. */
static bool must_refuse(const par_pool *pool)
{
    return pool->state.has_left && (pool->state.leaves || pool->arrivals);
}

static bool may_interrupt(const par_pool *pool)
{
    return pool->begun && pool->interrupt.call;
}

/* Whether a thread waits that sees to what comes: it does tasks, or closes the pool. */
static bool is_attended(const par_pool *pool)
{
    for (list_node *node = pool->waits.next; node != &pool->waits; node = node->next) {
        const pool_wait *w = LIST_OF(node, pool_wait, node);

        if (w->wants_tasks || w->closes)
            return true;
    }
    return false;
}

/* Until such a thread waits, or there is no more to be seen. */
static void patrol(par_pool *pool)
{
    int looks = 0;

    while (looks < LOOKS || must_refuse(pool) || may_interrupt(pool)) {
        uint64_t turns = pool->turns;

        pause_for(pool, looks < LOOKS ? SHORT_NS : LONG_NS);
        if (pool->listener->is_over || pool->error || is_attended(pool))
            return;
        looks = pool->turns == turns ? looks + 1 : 0;
        if (looks)
            look(pool);
    }
}

static void *run(void *what)
{
    par_pool *pool = what;
    pool_listener *l = pool->listener;

    wait_beside_work();
    lock_take();
    asleep_listen();
    lock_give();
    pthread_mutex_lock(&pool->mutex);
    while (!l->is_over) {
        l->sleeps = true;
        while (!l->is_wanted && !l->is_over)
            pthread_cond_wait(&l->changed, &pool->mutex);
        l->sleeps = l->is_wanted = false;
        patrol(pool);
    }
    pthread_mutex_unlock(&pool->mutex);
    lock_take();
    asleep_listen_no_more();
    lock_give();
    return NULL;
}

void pool_listener_wake(par_pool *pool)
{
    pool_listener *l = pool->listener;

    if (!l || l->is_wanted)
        return;
    l->is_wanted = true;
    if (l->sleeps)
        pthread_cond_signal(&l->changed);
}

static pool_listener *make_listener(void)
{
    pool_listener *l = calloc(1, sizeof *l);
    pthread_condattr_t by_monotonic_time;

    if (!l)
        return NULL;
    pthread_condattr_init(&by_monotonic_time);
    pthread_condattr_setclock(&by_monotonic_time, CLOCK_MONOTONIC);
    pthread_cond_init(&l->changed, &by_monotonic_time);
    pthread_condattr_destroy(&by_monotonic_time);
    return l;
}

static void free_listener(par_pool *pool)
{
    pthread_cond_destroy(&pool->listener->changed);
    free(pool->listener);
    pool->listener = NULL;
}

par_error pool_listener_start(par_pool *pool)
{
    par_error err;

    pool->listener = make_listener();
    if (!pool->listener)
        return error_memory(sizeof *pool->listener, "a pool's listener");
    err = thread_start(&pool->listener->thread, run, pool, "a pool's listener");
    if (err)
        free_listener(pool);
    return err;
}

void pool_listener_end(par_pool *pool)
{
    if (!pool->listener)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->listener->is_over = true;
    pthread_cond_signal(&pool->listener->changed);
    pthread_mutex_unlock(&pool->mutex);
    pthread_join(pool->listener->thread, NULL);
    free_listener(pool);
}
