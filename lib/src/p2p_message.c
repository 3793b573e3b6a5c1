/* p2p_message.c - messages whose type and size are not known beforehand.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "lock.h"
#include "p2p.h"
#include "wait.h"

static request_outgoing outgoing(const par_content *content, const par_part *parts,
                                 size_t part_count, int dest, int tag)
{
    return (request_outgoing){.content = content,
                              .parts = parts,
                              .part_count = part_count,
                              .context = WIRE_P2P,
                              .dest = dest,
                              .tag = tag};
}

par_error par_message_send(par_comm *comm, const par_content *content,
                           const par_part *parts, size_t part_count, int dest, int tag,
                           par_request **left_p)
{
    request_outgoing out = outgoing(content, parts, part_count, dest, tag);
    par_error err = p2p_check_dest(comm, dest, tag);

    if (!err)
        err = p2p_check_content(content, parts, part_count);
    if (err)
        return err;
    return left_p ? p2p_send_or_leave(comm, &out, left_p) : p2p_send(comm, &out);
}

par_error par_message_receive(par_comm *comm, int source, int tag,
                              par_message **message_p)
{
    par_error err = p2p_check_source(comm, source, tag);

    if (!err)
        err = p2p_check_place(message_p);
    return err ? err : p2p_receive(comm, WIRE_P2P, source, tag, message_p);
}

par_error par_message_send_start(par_comm *comm, const par_content *content,
                                 const par_part *parts, size_t part_count, int dest,
                                 int tag, par_request **request_p)
{
    request_outgoing out = outgoing(content, parts, part_count, dest, tag);
    par_error err = p2p_check_dest(comm, dest, tag);

    if (!err)
        err = p2p_check_content(content, parts, part_count);
    return err ? err : p2p_send_start(comm, &out, request_p);
}

par_error par_message_receive_start(par_comm *comm, int source, int tag,
                                    par_message **message_p, par_request **request_p)
{
    par_request *request;
    par_error err = p2p_check_source(comm, source, tag);

    if (!err)
        err = p2p_check_place(message_p);
    if (err)
        return err;
    lock_take();
    err = request_new(comm, request_p, &request);
    if (!err) {
        request_receive_message(request, comm, WIRE_P2P, source, tag, message_p);
        *request_p = request;
    }
    lock_give();
    return err;
}

/* Whether PARTS are as many and as long as the body of MESSAGE was when it was sent. */
static bool same_parts(const par_message *message, const par_part *parts,
                       size_t part_count)
{
    par_content content;

    par_message_content(message, &content, NULL);
    if (content.part_count == 1 && !content.bytes && !part_count)
        return true;
    if (part_count != content.part_count)
        return false;
    for (size_t i = 0; i < part_count; i++)
        if (parts[i].bytes !=
            (content.part_bytes ? content.part_bytes[i] : content.bytes))
            return false;
    return true;
}

static void copy_out(const par_message *message, const par_part *parts, size_t part_count)
{
    const unsigned char *from = message->body;

    for (size_t i = 0; from && i < part_count; i++) {
        if (parts[i].bytes)
            memcpy(parts[i].data, from, parts[i].bytes);
        from += parts[i].bytes;
    }
}

static par_error step_transfer(void *what, bool *done_p)
{
    return transfer_step(what, done_p);
}

/* Move a body that comes apart, and hand it on where it is being broadcast. */
static par_error fetch(par_message *message, const par_part *parts, size_t part_count)
{
    transfer body;
    par_error err;

    lock_take();
    watch_epoch++;
    err = transfer_receive(&body, message->comm->body, parts, part_count, message->source,
                           (int)message->header.body_tag);
    if (err) {
        lock_give();
        return err;
    }
    err = wait_until(step_transfer, NULL, &body, false);
    return err || !message->relay ? err : message->relay(message, parts, part_count);
}

static void drop(par_message **message_p)
{
    lock_take();
    message_drop(*message_p);
    lock_give();
    *message_p = NULL;
}

par_error par_message_take(par_message **message_p, const par_part *parts,
                           size_t part_count)
{
    par_message *message = message_p ? *message_p : NULL;
    par_error err = PAR_OK;

    if (!message)
        return error_set(PAR_ERR_ARG, "the message is NULL: it may have ended");
    if (!same_parts(message, parts, part_count))
        return error_set(PAR_ERR_SIZE,
                         "%zu parts are not those of the message from rank %d with tag "
                         "%d: they must be as many and as long as its content says, %llu "
                         "bytes in all",
                         part_count, message->source, message->header.tag,
                         (unsigned long long)message->header.bytes);
    if (message->header.body_apart && !message->body)
        err = fetch(message, parts, part_count);
    else
        copy_out(message, parts, part_count);
    drop(message_p);
    return err;
}

void par_message_return(par_message **message_p)
{
    if (!message_p || !*message_p)
        return;
    lock_take();
    request_return(*message_p);
    lock_give();
    *message_p = NULL;
}

/* Receive the body of MESSAGE, and forget it. */
static par_error swallow(par_message *message)
{
    size_t count, bytes = (size_t)message->header.bytes;
    char *room = malloc(bytes);
    par_part *parts = room ? message_parts(message, room, &count) : NULL;
    par_error err = parts ? fetch(message, parts, count)
                          : error_memory(bytes, "a message that is dropped");

    free(room);
    free(parts);
    return err;
}

par_error par_message_free(par_message **message_p)
{
    par_error err = PAR_OK;

    if (!message_p || !*message_p)
        return PAR_OK;
    if ((*message_p)->header.body_apart && !(*message_p)->body)
        err = swallow(*message_p);
    drop(message_p);
    return err;
}
