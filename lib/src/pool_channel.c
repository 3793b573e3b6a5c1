/* pool_channel.c - results of what was submitted here.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "pool.h"

/* ---- results ------------------------------------------------------------ */

par_pool_result *pool_channel_submit(pool_channel *channel, uint64_t task)
{
    par_pool_result *result = malloc(sizeof *result);

    if (!result)
        return NULL;
    *result = (par_pool_result){.channel = channel, .task = task};
    list_insert(&channel->pending, &result->node);
    return result;
}

static void tell_released(par_pool *pool, const par_pool_result *result)
{
    if (result->is_borrowed)
        pool_queue_add(&pool->released, result->task);
}

void pool_channel_done(par_pool *pool, par_pool_result *result, par_message *message,
                       int worker, int status)
{
    tell_released(pool, result);
    result->message = message;
    result->worker = worker;
    result->status = status;
    result->is_done = true;
    if (!result->channel) {
        par_pool_result_free(&result);
    } else if (!result->channel->ordered) {
        list_remove(&result->node);
        list_insert(&result->channel->done, &result->node);
    }
}

void pool_channel_drop(par_pool *pool, par_pool_result *result)
{
    tell_released(pool, result);
    if (result->channel)
        list_remove(&result->node);
    par_pool_result_free(&result);
}

/* ---- channels ----------------------------------------------------------- */

par_error pool_channel_find(const par_pool *pool, int number, pool_channel **channel_p)
{
    if (number < 0 || number >= pool->channel_count || !pool->channels[number] ||
        pool->channels[number]->is_closed)
        return error_set(PAR_ERR_ARG, "channel %d is not open on this rank", number);
    *channel_p = pool->channels[number];
    return PAR_OK;
}

static par_error new_number(par_pool *pool, int *number_p)
{
    int count = pool->channel_count;
    pool_channel **more;

    for (int i = 0; i < count; i++)
        if (!pool->channels[i]) {
            *number_p = i;
            return PAR_OK;
        }
    more = realloc(pool->channels, (size_t)(count + 1) * sizeof *more);
    if (!more)
        return error_memory((size_t)(count + 1) * sizeof *more, "channels");
    more[count] = NULL;
    pool->channels = more;
    pool->channel_count++;
    *number_p = count;
    return PAR_OK;
}

static par_error open_channel(par_pool *pool, bool ordered, const par_pool_task *within,
                              int *number_p)
{
    pool_channel *channel;
    int number = 0;
    par_error err = new_number(pool, &number);

    if (err)
        return err;
    channel = malloc(sizeof *channel);
    if (!channel)
        return error_memory(sizeof *channel, "a channel");
    *channel = (pool_channel){.number = number,
                              .depth = within ? within->depth : POOL_OUTSIDE,
                              .within = within ? within->number : 0,
                              .ordered = ordered};
    list_init(&channel->pending);
    list_init(&channel->done);
    pool->channels[number] = channel;
    *number_p = number;
    return PAR_OK;
}

par_error par_pool_channel_open(par_pool *pool, bool ordered, const par_pool_task *within,
                                int *channel_p)
{
    par_error err = pool_check_call(pool);

    if (!err && !channel_p)
        err = error_set(PAR_ERR_ARG, "channel_p is NULL: it is where the number goes");
    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    err = pool_check(pool);
    if (!err)
        err = open_channel(pool, ordered, within, channel_p);
    pthread_mutex_unlock(&pool->mutex);
    return err;
}

par_pool_result *pool_channel_next(const pool_channel *channel)
{
    const list_node *head = channel->ordered ? &channel->pending : &channel->done;
    par_pool_result *first = LIST_OF(head->next, par_pool_result, node);

    return list_is_empty(head) || !first->is_done ? NULL : first;
}

bool pool_channel_is_empty(const pool_channel *channel)
{
    return list_is_empty(&channel->pending) && list_is_empty(&channel->done);
}

void pool_channel_free(par_pool *pool, pool_channel *channel)
{
    pool->channels[channel->number] = NULL;
    free(channel);
}

/* Not begun tasks are taken back, others interrupted if it BREAKS; where another rank
 * knows, it is asked. */
static par_error abandon(par_pool *pool, par_pool_result *result, bool breaks)
{
    pool_record record = {.kind = POOL_CANCEL, .task = result->task, .number = breaks};
    bool cancelled;

    result->channel = NULL;
    if (result->is_done) {
        par_pool_result_free(&result);
        return PAR_OK;
    }
    if (!pool->manager)
        return pool_post(pool, 0, &record, NULL, 0);
    return pool_manager_cancel(pool, result->task, breaks, &cancelled);
}

static par_error abandon_all(par_pool *pool, list_node *results, bool breaks)
{
    par_error err = PAR_OK;

    while (!err && !list_is_empty(results)) {
        par_pool_result *result = LIST_OF(results->next, par_pool_result, node);

        list_remove(&result->node);
        err = abandon(pool, result, breaks);
    }
    return err;
}

static par_error close_channel(par_pool *pool, int number, bool breaks)
{
    pool_channel *channel = NULL;
    par_error err = pool_check_call(pool);

    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    err = pool_channel_find(pool, number, &channel);
    if (!err) {
        err = abandon_all(pool, &channel->pending, breaks);
        if (!err)
            err = abandon_all(pool, &channel->done, breaks);
        if (!err)
            err = pool_flush_all(pool);
        if (err)
            pool_fail(pool, err);
        channel->is_closed = true;
        pool_wake(pool);
        pool_wake_mover(pool);
        if (!channel->waiting)
            pool_channel_free(pool, channel);
    }
    pthread_mutex_unlock(&pool->mutex);
    return err;
}

par_error par_pool_channel_close(par_pool *pool, int channel)
{
    return close_channel(pool, channel, false);
}

par_error par_pool_channel_break(par_pool *pool, int channel)
{
    return close_channel(pool, channel, true);
}

/* ---- numbers to be told -------------------------------------------------- */

static bool grow(pool_queue *queue)
{
    size_t room = queue->room ? 2 * queue->room : 16;
    uint64_t *more = realloc(queue->numbers, room * sizeof *more);

    if (more) {
        queue->numbers = more;
        queue->room = room;
    }
    return more != NULL;
}

/* Without memory the number is not told: a cache keeps what it could drop. */
void pool_queue_add(pool_queue *queue, uint64_t number)
{
    if (queue->first == queue->count)
        queue->first = queue->count = 0;
    if (queue->count == queue->room && !grow(queue))
        return;
    queue->numbers[queue->count++] = number;
    queue->has_any = true;
}

uint64_t pool_queue_next(par_pool *pool, pool_queue *queue)
{
    uint64_t number = 0;

    if (!queue->has_any)
        return 0;
    pthread_mutex_lock(&pool->mutex);
    if (queue->first < queue->count)
        number = queue->numbers[queue->first++];
    queue->has_any = queue->first < queue->count;
    pthread_mutex_unlock(&pool->mutex);
    return number;
}
