/* p2p.c - elements of a type from one rank to another.
 * SPDX-License-Identifier: MIT */
#include "p2p.h"

#include "lock.h"
#include "type.h"
#include "wait.h"

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
    request_receive_message(&request, comm, context, source, tag, NULL);
    err = request_finish(&request);
    if (!err)
        *message_p = request.message;
    return err;
}

static wire_header small_header(par_type type, size_t bytes, int tag)
{
    return (wire_header){.context = WIRE_P2P,
                         .kind = PAR_ARRAY,
                         .type = (uint8_t)type,
                         .dims = 1,
                         .tag = tag,
                         .bytes = bytes};
}

static bool is_small(const par_comm *comm, size_t bytes, int dest)
{
    return bytes <= slot_size - WIRE_HEADER_BYTES && dest != comm->rank;
}

static par_error send_small(par_comm *comm, const void *data, size_t bytes, par_type type,
                            int dest, int tag)
{
    wire_header header = small_header(type, bytes, tag);
    par_request request;
    bool gone;
    par_error err;

    lock_take();
    err = request_send_small(&request, comm, &header, NULL, data, dest, &gone);
    if (!err && !gone)
        return request_finish(&request);
    lock_give();
    return err;
}

static request_outgoing array_outgoing(par_type type, const par_part *part, int dest,
                                       int tag)
{
    return (request_outgoing){.content = type_content(type),
                              .parts = part,
                              .part_count = 1,
                              .context = WIRE_P2P,
                              .dest = dest,
                              .tag = tag};
}

static par_error send_large(par_comm *comm, const void *data, size_t bytes, par_type type,
                            int dest, int tag)
{
    par_part part = {(void *)(uintptr_t)data, bytes};
    request_outgoing out = array_outgoing(type, &part, dest, tag);

    return p2p_send(comm, &out);
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
    if (is_small(comm, bytes, dest))
        return send_small(comm, data, bytes, type, dest, tag);
    return send_large(comm, data, bytes, type, dest, tag);
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

/* The request lives in this function's frame, and moves only if it must outlive it. */
par_error p2p_send_or_leave(par_comm *comm, const request_outgoing *out,
                            par_request **request_p)
{
    par_request request, *left;
    par_error err = PAR_OK;

    lock_take();
    err = request_send(&request, comm, out);
    if (err) {
        lock_give();
        return err;
    }
    err = wait_until(request_step, request_tell, &request, true);
    if (err != PAR_ERR_INTERRUPTED)
        return err ? err : request_outcome(&request);
    lock_take();
    if (request_new(comm, request_p, &left)) { /* then it has to be waited for */
        wait_until(request_step, request_tell, &request, false);
        return err;
    }
    *left = request;
    transfer_move(&left->transfer, &request.transfer);
    *request_p = left;
    lock_give();
    return err;
}

par_error p2p_send_start(par_comm *comm, const request_outgoing *out,
                         par_request **request_p)
{
    par_request *request;
    bool done;
    par_error err;

    lock_take();
    err = request_new(comm, request_p, &request);
    if (!err) {
        err = request_send(request, comm, out);
        if (!err) /* a small one is gone: its slot is free */
            err = request_step(request, &done);
        if (err)
            request_free(request);
        else
            *request_p = request;
    }
    lock_give();
    return err;
}

static par_error start_small(par_comm *comm, const void *data, size_t bytes,
                             par_type type, int dest, int tag, par_request **request_p)
{
    wire_header header = small_header(type, bytes, tag);
    par_request *request;
    bool gone;
    par_error err;

    lock_take();
    err = request_new(comm, request_p, &request);
    if (!err) {
        err = request_send_small(request, comm, &header, NULL, data, dest, &gone);
        if (err)
            request_free(request);
        else if (gone)
            request_make_done(request);
        if (!err)
            *request_p = request;
    }
    lock_give();
    return err;
}

par_error par_send_start(par_comm *comm, const void *data, size_t count, par_type type,
                         int dest, int tag, par_request **request_p)
{
    size_t bytes;
    par_error err = p2p_check_dest(comm, dest, tag);

    if (!err)
        err = p2p_check_data(data, count, type, &bytes);
    if (err)
        return err;
    if (is_small(comm, bytes, dest))
        return start_small(comm, data, bytes, type, dest, tag, request_p);

    par_part part = {(void *)(uintptr_t)data, bytes};
    request_outgoing out = array_outgoing(type, &part, dest, tag);

    return p2p_send_start(comm, &out, request_p);
}

par_error par_receive_start(par_comm *comm, void *data, size_t count, par_type type,
                            int source, int tag, par_request **request_p)
{
    par_request *request;
    size_t room;
    par_error err = p2p_check_source(comm, source, tag);

    if (!err)
        err = p2p_check_data(data, count, type, &room);
    if (err)
        return err;
    lock_take();
    err = request_new(comm, request_p, &request);
    if (!err) {
        request_receive(request, comm, source, tag, data, room, type);
        *request_p = request;
    }
    lock_give();
    return err;
}

/* ---- probe -------------------------------------------------------------- */

/* A look at what is there. */
typedef struct look {
    par_comm *comm;
    int source, tag;
    par_status *status;
    bool found;
} look;

static par_error step_look(void *what, bool *done_p)
{
    look *l = what;
    const par_message *message;

    while (inbox_step(&l->comm->inbox))
        ;
    message = match_find(&l->comm->inbox.table, WIRE_P2P, l->source, l->tag);
    if (message && l->status)
        *l->status = message_status(message);
    *done_p = l->found = message != NULL;
    return message ? PAR_OK : inbox_error(&l->comm->inbox);
}

static void tell_look(const void *what, watch_account *account)
{
    const look *l = what;

    account->goes_on |=
        match_find(&l->comm->inbox.table, WIRE_P2P, l->source, l->tag) != NULL;
    request_tell_receive(l->comm, "probe(source", l->source, l->tag, account);
}

par_error par_probe(par_comm *comm, int source, int tag, par_status *status)
{
    look l = {.comm = comm, .source = source, .tag = tag, .status = status};
    par_error err = p2p_check_source(comm, source, tag);

    if (err)
        return err;
    lock_take();
    return wait_until(step_look, tell_look, &l, true);
}

par_error par_probe_now(par_comm *comm, int source, int tag, par_status *status,
                        bool *found_p)
{
    look l = {.comm = comm, .source = source, .tag = tag, .status = status};
    bool done;
    par_error err = p2p_check_source(comm, source, tag);

    if (err)
        return err;
    if (!found_p)
        return error_set(PAR_ERR_ARG, "found_p is NULL: it is where the answer goes");
    lock_take();
    inbox_step_all(); /* as par_test */
    err = step_look(&l, &done);
    lock_give();
    if (!err)
        *found_p = l.found;
    return err;
}
