/* pool_post.c - records, several in a message, and contents that travel alone.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "slot.h"

enum { TAG_BATCH = 0 }; /* all other tags are of contents */

static size_t padded(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

/* ---- contents ----------------------------------------------------------- */

size_t pool_content_bytes(const request_outgoing *out)
{
    size_t bytes = WIRE_HEADER_BYTES +
                   wire_meta_bytes(out->content, out->part_count, out->call != NULL);

    for (size_t i = 0; i < out->part_count; i++)
        bytes += out->parts[i].bytes;
    return bytes;
}

bool pool_fits(const par_pool *pool, size_t content_bytes)
{
    return content_bytes <= pool->batch_bytes - sizeof(pool_record);
}

void pool_content_put(unsigned char *to, const request_outgoing *out, bool with_body)
{
    size_t meta = wire_meta_bytes(out->content, out->part_count, out->call != NULL);
    wire_header header = request_describe(out, meta);

    header.body_apart = header.bytes && !with_body;
    wire_put(to, &header);
    wire_put_meta(to + WIRE_HEADER_BYTES, out->content, out->parts, out->part_count,
                  out->call);
    if (with_body)
        request_copy_parts(to + WIRE_HEADER_BYTES + meta, out);
}

par_error pool_content_get(par_pool *pool, int source, const void *from, size_t bytes,
                           par_message **message_p)
{
    par_message *message = message_new(bytes);
    wire_meta meta;

    if (!message)
        return error_memory(bytes, "a task or its result");
    if (wire_get(from, bytes, &message->header)) {
        memcpy(message_bytes(message), (const char *)from + WIRE_HEADER_BYTES,
               bytes - WIRE_HEADER_BYTES);
        message_open(message, message_bytes(message));
        message->comm = pool->comm;
        message->source = source;
        if (!message->meta || wire_get_meta(message->meta, &message->header, &meta)) {
            *message_p = message;
            return PAR_OK;
        }
    }
    free(message);
    return error_set(PAR_ERR_WIRE, "%zu bytes from rank %d are no task and no result",
                     bytes, source);
}

/* As a message to oneself is made. A large body has memory of its own, as one that has
 * come has. */
par_error pool_content_copy(par_pool *pool, const request_outgoing *out,
                            par_message **message_p)
{
    size_t bytes = pool_content_bytes(out);
    wire_header header = request_describe(
        out, wire_meta_bytes(out->content, out->part_count, out->call != NULL));
    size_t body = (size_t)header.bytes;
    par_message *message;

    header.body_apart = body && !pool_fits(pool, bytes);
    message = message_new(header.body_apart ? bytes - body : bytes);
    if (!message)
        return error_memory(bytes, "a task or its result");
    message->comm = pool->comm;
    message->source = pool->rank;
    message->header = header;
    message_open(message, message_bytes(message));
    if (header.body_apart && !(message->body = message->fetched = par_alloc(body))) {
        free(message);
        return error_memory(body, "a task or its result");
    }
    if (message->meta)
        wire_put_meta(message->meta, out->content, out->parts, out->part_count, NULL);
    if (message->body)
        request_copy_parts(message->body, out);
    *message_p = message;
    return PAR_OK;
}

/* ---- out ---------------------------------------------------------------- */

uint32_t pool_tag(par_pool *pool)
{
    pool->tags = pool->tags % INT32_MAX + 1;
    return pool->tags;
}

static par_error depart(par_pool *pool, par_request *request, par_message *message,
                        pool_blob *blob)
{
    pool_departure *departure = malloc(sizeof *departure);

    if (!departure)
        return error_memory(sizeof *departure, "a message under way");
    *departure = (pool_departure){pool->departures, request, message, blob};
    pool->departures = departure;
    return PAR_OK;
}

par_error pool_flush(par_pool *pool, int dest)
{
    pool_batch *batch = &pool->batches[dest];
    par_request *request;
    bool done;
    par_error err;

    if (!batch->used)
        return PAR_OK;
    /* It fits a slot, so it has been copied, even if it has not left yet. */
    err = par_send_start(pool->comm, batch->bytes, batch->used, PAR_BYTE, dest, TAG_BATCH,
                         &request);
    batch->used = 0;
    if (!err)
        err = par_test(&request, NULL, &done);
    return err || done ? err : depart(pool, request, NULL, NULL);
}

par_error pool_flush_all(par_pool *pool)
{
    par_error err = PAR_OK;

    for (int dest = 0; !err && dest < (pool->rank ? 1 : pool->size); dest++)
        err = pool_flush(pool, dest);
    return err;
}

/* Room for RECORD and BYTES behind it. */
static par_error make_room(par_pool *pool, int dest, pool_record *record, size_t bytes,
                           unsigned char **to_p)
{
    pool_batch *batch = &pool->batches[dest];
    size_t needed = sizeof *record + padded(bytes);
    par_error err = PAR_OK;

    if (!batch->bytes && !(batch->bytes = malloc(pool->batch_bytes)))
        return error_memory(pool->batch_bytes, "tasks for a rank");
    if (batch->used + needed > pool->batch_bytes)
        err = pool_flush(pool, dest);
    if (err)
        return err;
    record->bytes = (uint32_t)needed;
    record->has_content = bytes > 0;
    record->content_bytes = (uint32_t)bytes;
    memcpy(batch->bytes + batch->used, record, sizeof *record);
    *to_p = batch->bytes + batch->used + sizeof *record;
    memset(batch->bytes + batch->used + sizeof *record + bytes, 0, padded(bytes) - bytes);
    batch->used += needed;
    return PAR_OK;
}

par_error pool_post(par_pool *pool, int dest, pool_record *record, const void *content,
                    size_t bytes)
{
    unsigned char *to = NULL;
    par_error err = make_room(pool, dest, record, bytes, &to);

    if (!err && bytes)
        memcpy(to, content, bytes);
    return err;
}

par_error pool_post_out(par_pool *pool, int dest, pool_record *record,
                        const request_outgoing *out)
{
    unsigned char *to = NULL;
    par_error err = make_room(pool, dest, record, pool_content_bytes(out), &to);

    if (!err)
        pool_content_put(to, out, true);
    return err;
}

par_error pool_post_message(par_pool *pool, int dest, pool_record *record,
                            par_message *message, pool_blob *blob)
{
    const par_message *sent = message ? message : blob->message;
    par_content content;
    size_t count;
    par_part *parts = message_parts(sent, sent->body, &count);
    par_request *request;
    par_error err;

    if (!parts)
        return error_memory(sizeof *parts, "the parts of a message");
    par_message_content(sent, &content, NULL);
    record->tag = pool_tag(pool);
    err = pool_post(pool, dest, record, NULL, 0);
    if (!err)
        err = par_message_send_start(pool->comm, &content, parts, count, dest,
                                     (int)record->tag, &request);
    free(parts);
    return err ? err : depart(pool, request, message, blob);
}

static void gone(pool_departure *departure)
{
    if (departure->message)
        par_message_free(&departure->message);
    if (departure->blob)
        departure->blob->users--;
    free(departure);
}

static par_error move_out(par_pool *pool)
{
    pool_departure **link = &pool->departures;

    while (*link) {
        pool_departure *departure = *link;
        bool done;
        par_error err = par_test(&departure->request, NULL, &done);

        if (err)
            return err;
        if (done) {
            *link = departure->next;
            gone(departure);
        } else {
            link = &departure->next;
        }
    }
    return PAR_OK;
}

/* ---- in ----------------------------------------------------------------- */

par_error pool_expect(par_pool *pool, int source, const pool_record *record, void *what)
{
    pool_arrival *arrival = malloc(sizeof *arrival);
    par_error err;

    if (!arrival)
        return error_memory(sizeof *arrival, "a message that is to come");
    *arrival = (pool_arrival){.record = *record, .source = source, .what = what};
    err = par_message_receive_start(pool->comm, source, (int)record->tag,
                                    &arrival->message, &arrival->request);
    if (err) {
        free(arrival);
        return err;
    }
    arrival->next = pool->arrivals;
    pool->arrivals = arrival;
    return PAR_OK;
}

/* Whether ARRIVAL is there. Its body comes apart, and is fetched while its request goes
 * on; if that was too quick, it goes on once more. */
static par_error step_arrival(par_pool *pool, pool_arrival *arrival, bool *done_p)
{
    par_content content;
    par_error err = par_test(&arrival->request, NULL, done_p);

    if (err || !*done_p)
        return err;
    par_message_content(arrival->message, &content, NULL);
    if (!content.bytes || par_message_body(arrival->message))
        return PAR_OK;
    *done_p = false;
    par_message_return(&arrival->message);
    return par_message_receive_start(pool->comm, arrival->source,
                                     (int)arrival->record.tag, &arrival->message,
                                     &arrival->request);
}

static par_error move_arrivals(par_pool *pool, pool_handler *handle, bool *moved_p)
{
    pool_arrival **link = &pool->arrivals;

    while (*link) {
        pool_arrival *arrival = *link;
        bool done;
        par_error err = step_arrival(pool, arrival, &done);

        if (err)
            return err;
        if (!done) {
            link = &arrival->next;
            continue;
        }
        *link = arrival->next;
        *moved_p = true;
        err = handle(pool, arrival->source, &arrival->record, NULL, arrival->message,
                     arrival->what);
        free(arrival);
        if (err)
            return err;
    }
    return PAR_OK;
}

static par_error refuse_batch(int source)
{
    return error_set(PAR_ERR_WIRE, "what came from rank %d is damaged", source);
}

static par_error open_batch(par_pool *pool, pool_handler *handle,
                            const par_message *message)
{
    const unsigned char *at = par_message_body(message);
    par_content content;
    par_status status;
    pool_record record;

    par_message_content(message, &content, &status);
    for (size_t left = at ? (size_t)content.bytes : 0; left; left -= record.bytes) {
        par_error err;

        if (left < sizeof record)
            return refuse_batch(status.source);
        memcpy(&record, at, sizeof record);
        if (record.bytes > left || record.bytes < sizeof record ||
            record.content_bytes > record.bytes - sizeof record || record.bytes % 8 ||
            record.kind >= POOL_KINDS)
            return refuse_batch(status.source);
        err = handle(pool, status.source, &record,
                     record.has_content ? at + sizeof record : NULL, NULL, NULL);
        if (err)
            return err;
        at += record.bytes;
    }
    return PAR_OK;
}

static par_error listen(par_pool *pool)
{
    return par_message_receive_start(pool->comm, pool->rank ? 0 : PAR_ANY_SOURCE,
                                     TAG_BATCH, &pool->inbound_message, &pool->inbound);
}

static par_error move_batches(par_pool *pool, pool_handler *handle, bool *moved_p)
{
    for (;;) {
        bool done;
        par_error err = pool->inbound ? PAR_OK : listen(pool);

        if (!err)
            err = par_test(&pool->inbound, NULL, &done);
        if (err || !done)
            return err;
        *moved_p = true;
        err = open_batch(pool, handle, pool->inbound_message);
        par_message_free(&pool->inbound_message);
        if (err)
            return err;
    }
}

par_error pool_move(par_pool *pool, pool_handler *handle, bool *moved_p)
{
    par_error err;

    *moved_p = false;
    err = move_batches(pool, handle, moved_p);
    if (!err)
        err = move_arrivals(pool, handle, moved_p);
    if (!err)
        err = move_out(pool);
    return err;
}

void pool_post_end(par_pool *pool)
{
    if (pool->inbound)
        par_receive_leave(&pool->inbound);
    while (pool->departures) {
        pool_departure *departure = pool->departures;

        pool->departures = departure->next;
        par_wait(&departure->request, NULL);
        gone(departure);
    }
    while (pool->arrivals) {
        pool_arrival *arrival = pool->arrivals;

        pool->arrivals = arrival->next;
        par_receive_leave(&arrival->request);
        free(arrival);
    }
    for (int i = 0; pool->batches && i < pool->size; i++)
        free(pool->batches[i].bytes);
    free(pool->batches);
}
