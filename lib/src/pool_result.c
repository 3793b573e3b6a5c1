/* pool_result.c - what a task has come to.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "pool.h"

par_message **par_pool_result_message(par_pool_result *result)
{
    return &result->message;
}

uint64_t par_pool_result_task(const par_pool_result *result)
{
    return result->task;
}

int par_pool_result_worker(const par_pool_result *result)
{
    return result->worker;
}

int par_pool_result_status(const par_pool_result *result)
{
    return result->status;
}

void *par_pool_result_hand_over(par_pool_result *result)
{
    void *memory = result->message ? result->message->fetched : NULL;

    if (memory)
        result->message->fetched = NULL;
    return memory;
}

void par_pool_result_free(par_pool_result **result_p)
{
    if (!result_p || !*result_p)
        return;
    par_message_free(&(*result_p)->message);
    free(*result_p);
    *result_p = NULL;
}
