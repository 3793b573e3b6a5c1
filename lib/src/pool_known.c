/* pool_known.c - which ranks know what many tasks share.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "pool_manager.h"

static bool knows(const pool_blob *blob, int rank)
{
    return blob->known[rank / 8] >> rank % 8 & 1;
}

par_error pool_manager_adopt(par_pool *pool, pool_blob *blob)
{
    if (!blob->pace)
        blob->pace = calloc(1, sizeof *blob->pace);
    if (!blob->known)
        blob->known = calloc((size_t)pool->size / 8 + 1, 1);
    return blob->pace && blob->known ? PAR_OK
                                     : error_memory(sizeof *blob->pace, "a function");
}

par_error pool_known_send(par_pool *pool, int worker, pool_blob *blob)
{
    pool_record record = {.kind = POOL_SHARE, .shared = blob->number};
    par_part part;
    request_outgoing out = {.parts = &part, .part_count = 1, .context = WIRE_P2P};
    par_content content;
    par_part *parts;

    if (knows(blob, worker))
        return PAR_OK;
    blob->known[worker / 8] |= (unsigned char)(1 << worker % 8);
    par_message_content(blob->message, &content, NULL);
    parts = message_parts(blob->message, blob->message->body, &out.part_count);
    if (!parts)
        return error_memory(sizeof part, "the parts of a message");
    out.content = &content;
    out.parts = parts;
    if (pool_fits(pool, pool_content_bytes(&out))) {
        par_error err = pool_post_out(pool, worker, &record, &out);

        free(parts);
        return err;
    }
    free(parts);
    blob->users++;
    return pool_post_message(pool, worker, &record, NULL, blob);
}

par_error pool_known_retire(par_pool *pool, pool_blob *blob)
{
    pool_record record = {.kind = POOL_FORGET, .shared = blob->number};
    par_error err = PAR_OK;

    if (!blob->is_forgotten || blob->users || !blob->message)
        return PAR_OK;
    for (int rank = 1; !err && rank < pool->size; rank++)
        if (knows(blob, rank))
            err = pool_post(pool, rank, &record, NULL, 0);
    pool_blob_remove(pool, blob);
    return err;
}

par_error pool_manager_forget(par_pool *pool, pool_blob *blob)
{
    par_error err;

    blob->is_forgotten = true;
    err = pool_known_retire(pool, blob);
    return err ? err : pool_flush_all(pool);
}
