/* pool_blob.c - what many tasks share.
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "pool.h"

par_error pool_blob_new(par_pool *pool, uint64_t number, pool_blob **blob_p)
{
    pool_blob *blob = calloc(1, sizeof *blob);

    if (!blob || !pool_map_add(&pool->blobs, number, blob)) {
        free(blob);
        return error_memory(sizeof *blob, "what tasks share");
    }
    blob->number = number;
    *blob_p = blob;
    return PAR_OK;
}

void pool_blob_free(pool_blob *blob)
{
    par_message_free(&blob->message);
    free(blob->pace);
    free(blob->known);
    free(blob);
}

void pool_blob_remove(par_pool *pool, pool_blob *blob)
{
    pool_map_remove(&pool->blobs, blob->number);
    pool_queue_add(&pool->dropped, blob->number);
    pool_blob_free(blob);
}

par_error pool_blob_find_own(const par_pool *pool, uint64_t number, pool_blob **blob_p)
{
    pool_blob *blob = number ? pool_map_find(&pool->blobs, number) : NULL;

    if (!blob || !blob->is_own)
        return error_set(PAR_ERR_ARG,
                         "this rank has not shared anything as %" PRIu64
                         ", or has forgotten it",
                         number);
    *blob_p = blob;
    return PAR_OK;
}

const par_message *par_pool_shared(par_pool *pool, uint64_t shared)
{
    const pool_blob *blob;
    const par_message *message;

    pthread_mutex_lock(&pool->mutex);
    blob = shared ? pool_map_find(&pool->blobs, shared) : NULL;
    message = blob ? blob->message : NULL;
    pthread_mutex_unlock(&pool->mutex);
    return message;
}

uint64_t par_pool_dropped(par_pool *pool)
{
    return pool_queue_next(pool, &pool->dropped);
}

/* ---- share -------------------------------------------------------------- */

static par_error share_here(par_pool *pool, uint64_t number, par_message *message)
{
    pool_blob *blob = NULL;
    par_error err = pool_blob_new(pool, number, &blob);

    if (err)
        return err;
    blob->is_own = true;
    if (pool->manager)
        err = pool_manager_adopt(pool, blob);
    if (!err)
        blob->message = message;
    return err;
}

/* *TAG_P: the content is too large to go with its record, and follows under that. */
static par_error share_there(par_pool *pool, uint64_t number, const request_outgoing *out,
                             uint32_t *tag_p)
{
    pool_record record = {.kind = POOL_SHARE, .shared = number};
    par_error err = share_here(pool, number, NULL);

    if (err)
        return err;
    if (pool_fits(pool, pool_content_bytes(out))) {
        err = pool_post_out(pool, 0, &record, out);
    } else {
        record.tag = *tag_p = pool_tag(pool);
        err = pool_post(pool, 0, &record, NULL, 0);
    }
    return err ? err : pool_flush(pool, 0);
}

static uint64_t new_number(par_pool *pool)
{
    return (uint64_t)pool->rank << 40 | ++pool->shares;
}

par_error par_pool_share(par_pool *pool, const par_content *content,
                         const par_part *parts, size_t part_count, uint64_t *shared_p)
{
    request_outgoing out = {.content = content,
                            .parts = parts,
                            .part_count = part_count,
                            .context = WIRE_P2P};
    par_message *message = NULL;
    uint32_t tag = 0;
    uint64_t number = 0;
    par_error err = pool_check_call(pool);

    if (!err && !shared_p)
        err = error_set(PAR_ERR_ARG, "shared_p is NULL: it is where the number goes");
    if (!err)
        err = p2p_check_content(content, parts, part_count);
    if (!err && pool->manager)
        err = pool_content_copy(pool, &out, &message);
    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    err = pool_check(pool);
    if (!err) {
        number = new_number(pool);
        err = pool->manager ? share_here(pool, number, message)
                            : share_there(pool, number, &out, &tag);
    }
    pthread_mutex_unlock(&pool->mutex);
    if (!err && tag)
        err = par_message_send(pool->comm, content, parts, part_count, 0, (int)tag, NULL);
    if (!err)
        *shared_p = number;
    else
        par_message_free(&message);
    return err;
}

static par_error forget(par_pool *pool, pool_blob *blob)
{
    pool_record record = {.kind = POOL_FORGET, .shared = blob->number};
    par_error err;

    blob->is_own = false;
    if (pool->manager)
        return pool_manager_forget(pool, blob);
    if (!blob->message)
        pool_blob_remove(pool, blob);
    err = pool_post(pool, 0, &record, NULL, 0);
    return err ? err : pool_flush(pool, 0);
}

par_error par_pool_forget(par_pool *pool, uint64_t shared)
{
    pool_blob *blob = NULL;
    par_error err = pool_check_call(pool);

    if (err)
        return err;
    pthread_mutex_lock(&pool->mutex);
    err = pool_check(pool);
    if (!err)
        err = pool_blob_find_own(pool, shared, &blob);
    if (!err && (err = forget(pool, blob)))
        pool_fail(pool, err);
    pthread_mutex_unlock(&pool->mutex);
    return err;
}
