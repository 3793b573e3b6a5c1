/* p2p.c - elements of a type from one rank to another.
 * SPDX-License-Identifier: MIT */
#include "p2p.h"

#include <stdlib.h>

#include "lock.h"

par_error p2p_send(par_comm *comm, const request_outgoing *out)
{
    par_request request;
    par_error err;

    lock_take();
    err = request_send(&request, comm, out);
    if (err) {
        lock_give();
        return err;
    }
    return request_finish(&request);
}

par_error p2p_receive(par_comm *comm, wire_context context, int source, int tag,
                      par_message **message_p)
{
    par_request request;
    par_error err;

    lock_take();
    request_receive_message(&request, comm, context, source, tag);
    err = request_finish(&request);
    if (!err)
        *message_p = request.message;
    return err;
}

par_error par_send(par_comm *comm, const void *data, size_t count, par_type type,
                   int dest, int tag)
{
    size_t bytes;
    par_error err = p2p_check_dest(comm, dest, tag);

    if (!err)
        err = p2p_check_data(data, count, type, &bytes);
    if (err)
        return err;

    par_content content = {.kind = PAR_ARRAY, .type = (uint8_t)type, .dims = 1};
    par_part part = {(void *)(uintptr_t)data, bytes};

    return p2p_send(comm, &(request_outgoing){.content = &content,
                                              .parts = &part,
                                              .part_count = 1,
                                              .context = WIRE_P2P,
                                              .dest = dest,
                                              .tag = tag});
}

par_error par_receive(par_comm *comm, void *data, size_t count, par_type type, int source,
                      int tag, par_status *status)
{
    par_request request;
    size_t room;
    par_error err = p2p_check_source(comm, source, tag);

    if (!err)
        err = p2p_check_data(data, count, type, &room);
    if (err)
        return err;

    lock_take();
    request_receive(&request, comm, source, tag, data, room, type);
    err = request_finish(&request);
    if (!err && status)
        *status = request.status;
    return err;
}

/* Give the started, or failed, REQUEST to the caller. Needs the lock. */
static par_error hand_out(par_request *request, par_error err, par_request **request_p)
{
    if (err)
        free(request);
    else
        *request_p = request;
    return err;
}

static par_error new_request(par_request **request_p, par_request **new_p)
{
    if (!request_p)
        return error_set(PAR_ERR_ARG, "request_p is NULL: it is where the request goes");
    *new_p = malloc(sizeof **new_p);
    return *new_p ? PAR_OK : error_memory(sizeof **new_p, "a request");
}

par_error par_send_start(par_comm *comm, const void *data, size_t count, par_type type,
                         int dest, int tag, par_request **request_p)
{
    par_request *request;
    size_t bytes;
    par_error err = p2p_check_dest(comm, dest, tag);

    if (!err)
        err = p2p_check_data(data, count, type, &bytes);
    if (!err)
        err = new_request(request_p, &request);
    if (err)
        return err;

    par_content content = {.kind = PAR_ARRAY, .type = (uint8_t)type, .dims = 1};
    par_part part = {(void *)(uintptr_t)data, bytes};

    lock_take();
    err = request_send(request, comm,
                       &(request_outgoing){.content = &content,
                                           .parts = &part,
                                           .part_count = 1,
                                           .context = WIRE_P2P,
                                           .dest = dest,
                                           .tag = tag});
    lock_give();
    return hand_out(request, err, request_p);
}

par_error par_receive_start(par_comm *comm, void *data, size_t count, par_type type,
                            int source, int tag, par_request **request_p)
{
    par_request *request;
    size_t room;
    par_error err = p2p_check_source(comm, source, tag);

    if (!err)
        err = p2p_check_data(data, count, type, &room);
    if (!err)
        err = new_request(request_p, &request);
    if (err)
        return err;

    lock_take();
    request_receive(request, comm, source, tag, data, room, type);
    lock_give();
    return hand_out(request, PAR_OK, request_p);
}
