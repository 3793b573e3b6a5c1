/* pool_break.c - tasks that have begun, and that nobody wants any more.
 * SPDX-License-Identifier: MIT
 *
 * On rank 0 the manager hears of one, elsewhere the listener.
 */
#include <inttypes.h>

#include "asleep.h"
#include "pool.h"

static par_pool_task *find(list_node *head, uint64_t number)
{
    for (list_node *node = head->next; node != head; node = node->next) {
        par_pool_task *task = LIST_OF(node, par_pool_task, node);

        if (task->number == number)
            return task;
    }
    return NULL;
}

void pool_end_task(par_pool *pool, par_pool_task *task)
{
    list_remove(&task->node);
    pool->begun--;
}

/* Interrupt what was submitted on CHANNEL. Who waits there gets the answers. */
static par_error interrupt_inner(par_pool *pool, pool_channel *channel)
{
    par_error err = PAR_OK;
    list_node *node = channel->pending.next;

    for (; !err && node != &channel->pending; node = node->next) {
        const par_pool_result *result = LIST_OF(node, par_pool_result, node);
        pool_record record = {.kind = POOL_BREAK, .task = result->task};

        if (result->is_done)
            continue;
        err = pool->manager ? pool_manager_interrupt(pool, result->task)
                            : pool_post(pool, 0, &record, NULL, 0);
    }
    return err;
}

static par_error interrupt_all_inner(par_pool *pool, uint64_t within)
{
    par_error err = PAR_OK;

    for (int i = 0; !err && i < pool->channel_count; i++)
        if (pool->channels[i] && pool->channels[i]->within == within)
            err = interrupt_inner(pool, pool->channels[i]);
    return err ? err : pool_flush_all(pool);
}

par_error pool_interrupt(par_pool *pool, uint64_t number)
{
    par_pool_task *doing = find(&pool->doing, number);
    par_pool_task *task = doing ? doing : find(&pool->todo, number);

    if (!task) /* it has been answered, or given back */
        return PAR_OK;
    task->is_interrupted = true;
    if (doing && pool->interrupt.call)
        pool->interrupt.call(pool->interrupt.context, doing);
    return interrupt_all_inner(pool, number);
}

bool par_pool_task_is_interrupted(const par_pool_task *task)
{
    return task->is_interrupted;
}

/* What there is wrong with giving up TASK. */
static par_error check_given_up(const par_pool *pool, const par_pool_task *task)
{
    if (!task)
        return error_set(PAR_ERR_ARG, "the task is NULL");
    if (!pool->manager)
        return error_set(PAR_ERR_RANK, "rank %d cannot give up a task: rank 0 can",
                         pool->rank);
    if (!task->is_interrupted)
        return error_set(PAR_ERR_STATE, "task %" PRIu64 " is not interrupted",
                         task->number);
    return PAR_OK;
}

par_error par_pool_give_up(par_pool *pool, par_pool_task **task_p)
{
    par_error err = pool_check_call(pool);

    if (!err)
        err = check_given_up(pool, task_p ? *task_p : NULL);
    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    err = pool_check(pool);
    if (!err) {
        pool_end_task(pool, *task_p);
        pool->takes = pool->takes && pool->begun; /* nobody comes back for the last */
        err = pool_manager_give_up(pool, (*task_p)->number);
        *task_p = NULL;
        if (err)
            pool_fail(pool, err);
    }
    pool_wake(pool);
    pthread_mutex_unlock(&pool->mutex);
    return err;
}

int par_pool_signal(void)
{
    return asleep_task_signal();
}

par_error par_pool_on_interrupt(par_pool *pool, par_pool_interrupt *call, void *context)
{
    par_error err = pool_check_call(pool);

    if (!err && !call)
        err = error_set(PAR_ERR_ARG, "call is NULL: it is what interrupts a task");
    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    if (pool->interrupt.call)
        err = error_set(PAR_ERR_STATE, "what interrupts a task has been given before");
    else
        pool->interrupt = (pool_interrupter){call, context};
    pool_listener_wake(pool);
    pthread_mutex_unlock(&pool->mutex);
    return err;
}
