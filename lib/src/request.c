/* request.c - an operation under way: start, test, wait, cancel.
 * SPDX-License-Identifier: MIT */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "lock.h"
#include "outbox.h"
#include "wait.h"

/* Those that have ended, to be used again: many are small sends, which take less
 * time than malloc and free. */
static par_request *free_requests;

par_error request_new(par_comm *comm, par_request **request_p, par_request **new_p)
{
    par_request *request = free_requests;

    if (!request_p)
        return error_set(PAR_ERR_ARG, "request_p is NULL: it is where the request goes");
    if (request)
        free_requests = request->next_free;
    else if (!(request = malloc(sizeof *request)))
        return error_memory(sizeof *request, "a request");
    request->comm = comm;
    request->detail = NULL;
    request->is_listed = request->is_left = false;
    comm->under_way++;
    *new_p = request;
    return PAR_OK;
}

void request_free(par_request *request)
{
    request_fetch_forget(request);
    request->comm->under_way--;
    free(request->detail);
    request->next_free = free_requests;
    free_requests = request;
}

void request_free_all(void)
{
    while (free_requests) {
        par_request *request = free_requests;

        free_requests = request->next_free;
        free(request);
    }
}

/* ---- send --------------------------------------------------------------- */

wire_header request_describe(const request_outgoing *out, size_t meta_bytes)
{
    wire_header header = {
        .context = (uint8_t)out->context,
        .kind = (uint8_t)out->content->kind,
        .type = out->content->type,
        .variant = out->content->variant,
        .dims = out->content->dims,
        .parted = out->part_count > 1,
        .tag = out->tag,
        .meta_bytes = (uint32_t)meta_bytes,
    };

    for (size_t i = 0; i < out->part_count; i++)
        header.bytes += out->parts[i].bytes;
    return header;
}

void request_copy_parts(unsigned char *to, const request_outgoing *out)
{
    for (size_t i = 0; i < out->part_count; i++) {
        if (out->parts[i].bytes)
            memcpy(to, out->parts[i].data, out->parts[i].bytes);
        to += out->parts[i].bytes;
    }
}

/* To oneself: a copy, so that it never waits. */
static par_error send_to_self(par_request *request, const request_outgoing *out,
                              const wire_header *header)
{
    size_t bytes = header->meta_bytes + header->bytes;
    par_message *message = message_new(bytes);

    if (!message)
        return error_memory(bytes, "a message to this rank itself");
    message->source = request->comm->rank;
    message->header = *header;
    message_open(message, message_bytes(message));
    if (message->meta)
        wire_put_meta(message->meta, out->content, out->parts, out->part_count,
                      out->call);
    if (message->body)
        request_copy_parts(message->body, out);
    inbox_put(&request->comm->inbox, message);
    request->slot = NULL;
    request->state = REQUEST_DONE;
    return PAR_OK;
}

/* Decide what travels with the header; give the length of that piece. */
static size_t pack(wire_header *header)
{
    size_t bytes = WIRE_HEADER_BYTES;

    header->meta_apart = bytes + header->meta_bytes > slot_size;
    if (!header->meta_apart)
        bytes += header->meta_bytes;
    header->body_apart =
        header->bytes && (header->meta_apart || bytes + header->bytes > slot_size);
    if (!header->body_apart)
        bytes += header->bytes;
    return bytes;
}

static par_error send_header(par_request *request, const request_outgoing *out,
                             const wire_header *header, size_t bytes)
{
    slot *s = slot_take();
    unsigned char *to;
    int code;

    if (!s)
        return error_memory(slot_size, "a message");
    to = slot_bytes(s);
    wire_put(to, header);
    to += WIRE_HEADER_BYTES;
    if (!header->meta_apart) {
        wire_put_meta(to, out->content, out->parts, out->part_count, out->call);
        to += header->meta_bytes;
    }
    if (!header->body_apart)
        request_copy_parts(to, out);

    code = MPI_Isend(slot_bytes(s), (int)bytes, MPI_BYTE, out->dest, 0,
                     request->comm->inbox.mpi, &s->request);
    if (code != MPI_SUCCESS) {
        slot_give(s);
        return error_mpi(code, "MPI_Isend");
    }
    request->comm->sent++;
    request->slot = s;
    return PAR_OK;
}

/* A meta too large for the header's piece goes ahead of the body. */
static par_error send_meta_apart(par_request *request, const request_outgoing *out,
                                 const wire_header *header)
{
    size_t count = out->part_count + 1;
    par_part *parts = malloc(count * sizeof *parts);
    unsigned char *meta = malloc(header->meta_bytes);
    par_error err;

    if (!parts || !meta) {
        free(parts);
        free(meta);
        return error_memory(header->meta_bytes, "a message's description");
    }
    wire_put_meta(meta, out->content, out->parts, out->part_count, out->call);
    parts[0] = (par_part){meta, header->meta_bytes};
    if (out->part_count)
        memcpy(parts + 1, out->parts, out->part_count * sizeof *parts);
    err = transfer_send(&request->transfer, request->comm->body, parts, count, out->dest,
                        (int)header->body_tag);
    free(parts);
    if (err)
        free(meta);
    else
        request->meta = meta;
    return err;
}

/* Whether S, for DEST, has left: then it is not the caller's any more. IS_ALL: nothing
 * follows it, and nobody need wait for it. */
static int step_slot(par_comm *comm, slot *s, int dest, bool is_all, bool *left_p)
{
    int done, code = MPI_Test(&s->request, &done, MPI_STATUS_IGNORE);

    if (code != MPI_SUCCESS)
        return code;
    if (done)
        slot_give(s);
    *left_p = done || (is_all && outbox_let_go(comm, s, dest));
    return code;
}

par_error request_send_small(par_request *request, par_comm *comm,
                             const wire_header *header, const wire_call *call,
                             const void *body, int dest, bool *gone_p)
{
    size_t bytes = WIRE_HEADER_BYTES + header->meta_bytes + header->bytes;
    slot *s = slot_take();
    unsigned char *to;
    int code;

    if (!s)
        return error_memory(slot_size, "a message");
    to = slot_bytes(s);
    wire_put(to, header);
    if (call)
        wire_put_call(to + WIRE_HEADER_BYTES, call);
    if (header->bytes)
        memcpy(to + bytes - header->bytes, body, header->bytes);
    watch_epoch++;
    code = MPI_Isend(to, (int)bytes, MPI_BYTE, dest, 0, comm->inbox.mpi, &s->request);
    if (code == MPI_SUCCESS)
        code = step_slot(comm, s, dest, true, gone_p);
    if (code != MPI_SUCCESS) {
        slot_give(s);
        return error_mpi(code, "MPI_Isend");
    }
    comm->sent++;
    if (!*gone_p) {
        *request = (par_request){.comm = comm,
                                 .state = REQUEST_MOVING,
                                 .slot = s,
                                 .dest = dest,
                                 .tag = header->tag};
        transfer_none(&request->transfer);
    }
    return PAR_OK;
}

void request_make_done(par_request *request)
{
    request->state = REQUEST_DONE;
    request->error = PAR_OK;
    request->receive.arrive = NULL;
    request->message = NULL;
}

par_error request_send(par_request *request, par_comm *comm, const request_outgoing *out)
{
    size_t meta_bytes = wire_meta_bytes(out->content, out->part_count, out->call);
    wire_header header = request_describe(out, meta_bytes);
    size_t bytes;
    par_error err;

    if (meta_bytes > UINT32_MAX)
        return error_set(PAR_ERR_SIZE,
                         "a description of %zu bytes is too long: it may "
                         "have 4294967295",
                         meta_bytes);
    watch_epoch++;
    request->comm = comm;
    request->error = PAR_OK;
    request->receive.arrive = NULL;
    request->meta = NULL;
    request->detail = NULL;
    request->is_listed = request->is_left = false;
    request->message = NULL;
    request->dest = out->dest;
    request->tag = out->tag;
    if (out->dest == comm->rank)
        return send_to_self(request, out, &header);

    bytes = pack(&header);
    if (header.meta_apart || header.body_apart)
        header.body_tag = (uint32_t)comm_body_tag(comm);
    request->body_tag = header.body_tag;
    request->state = REQUEST_MOVING;
    transfer_none(&request->transfer);
    err = send_header(request, out, &header, bytes);
    if (!err && header.meta_apart)
        err = send_meta_apart(request, out, &header);
    else if (!err && header.body_apart)
        err = transfer_send(&request->transfer, comm->body, out->parts, out->part_count,
                            out->dest, (int)header.body_tag);
    return err;
}

/* ---- receive ------------------------------------------------------------ */

static par_request *request_of(match_receive *receive)
{
    return LIST_OF(receive, par_request, receive);
}

/* The text for it is made by the thread that waits, not by the one that met
 * the message. */
static bool refuse(par_request *request, par_error error, const par_message *message)
{
    request->state = REQUEST_DONE;
    request->error = error;
    request->status = message_status(message);
    request->came_kind = message->header.kind;
    request->came_type = message->header.type;
    request->came_bytes = message->header.bytes;
    return false;
}

static par_error start_body(par_request *request, const par_message *message)
{
    par_part part = {request->data, (size_t)message->header.bytes};

    return transfer_receive(&request->transfer, request->comm->body, &part, 1,
                            message->source, (int)message->header.body_tag);
}

static bool arrive_into(match_receive *receive, par_message *message)
{
    par_request *request = request_of(receive);
    const wire_header *header = &message->header;
    bool body_missing = header->body_apart && !message->body;

    if (header->kind != PAR_ARRAY || header->type != request->type)
        return refuse(request, PAR_ERR_TYPE, message);
    if (header->bytes > request->room)
        return refuse(request, PAR_ERR_SIZE, message);
    if (body_missing) {
        par_error err = start_body(request, message);

        if (err)
            return refuse(request, err, message);
    } else if (header->bytes) {
        memcpy(request->data, message->body, header->bytes);
    }
    request->state = body_missing ? REQUEST_MOVING : REQUEST_DONE;
    request->status = message_status(message);
    message_drop(message);
    return true;
}

/* A description that comes apart is received before anybody asks for it. */
static par_error start_meta(par_request *request, par_message *message)
{
    par_part part = {malloc(message->header.meta_bytes), message->header.meta_bytes};
    par_error err;

    if (!part.data)
        return PAR_ERR_MEMORY;
    err = transfer_receive(&request->transfer, request->comm->body, &part, 1,
                           message->source, (int)message->header.body_tag);
    if (err)
        free(part.data);
    else
        message->meta_apart = part.data;
    return err;
}

static bool arrive_as_message(match_receive *receive, par_message *message)
{
    par_request *request = request_of(receive);
    bool meta_missing = message->header.meta_apart && !message->meta;

    if (meta_missing) {
        par_error err = start_meta(request, message);

        if (err)
            return refuse(request, err, message);
    }
    message->comm = request->comm;
    request->message = message;
    request->status = message_status(message);
    request->state = meta_missing ? REQUEST_MOVING : REQUEST_DONE;
    if (request->message_p && message->header.body_apart && !message->body)
        request_fetch_later(request);
    return true;
}

static void start_receive(par_request *request, par_comm *comm, wire_context context,
                          int source, int tag)
{
    watch_epoch++;
    request->comm = comm;
    request->state = REQUEST_WAITING;
    request->error = PAR_OK;
    request->slot = NULL;
    request->meta = NULL;
    request->detail = NULL;
    request->message = NULL;
    request->receive.context = context;
    request->receive.source = source;
    request->receive.tag = tag;
    match_post(&comm->inbox.table, &request->receive);
}

void request_receive(par_request *request, par_comm *comm, int source, int tag,
                     void *data, size_t room, par_type type)
{
    request->data = data;
    request->room = room;
    request->type = type;
    request->message_p = NULL;
    request->receive.arrive = arrive_into;
    start_receive(request, comm, WIRE_P2P, source, tag);
}

void request_receive_message(par_request *request, par_comm *comm, wire_context context,
                             int source, int tag, par_message **message_p)
{
    request->message_p = message_p;
    request->receive.arrive = arrive_as_message;
    start_receive(request, comm, context, source, tag);
}

void request_return(par_message *message)
{
    match_table *table = &message->comm->inbox.table;

    if (!match_arrive(table, message))
        match_keep(table, message);
}

/* ---- task --------------------------------------------------------------- */

void request_begin_task(par_request *request)
{
    *request = (par_request){.comm = request->comm, .state = REQUEST_RUNNING};
}

void request_end_task(par_request *request, par_error err)
{
    request->state = REQUEST_DONE;
    request->error = err;
    if (err)
        request->detail = strdup(par_error_detail());
    if (request->is_left)
        request_free(request);
}

/* ---- under way ---------------------------------------------------------- */

/* Whether a send's header has left. */
static par_error step_header(par_request *request, bool *left_p)
{
    bool is_all = !request->transfer.count;
    int code = MPI_SUCCESS;

    *left_p = true;
    if (request->slot)
        code = step_slot(request->comm, request->slot, request->dest, is_all, left_p);
    if (code != MPI_SUCCESS)
        return error_mpi(code, "sending a header");
    if (*left_p)
        request->slot = NULL;
    return PAR_OK;
}

/* What has moved is all there: a body that was fetched, or a description that came
 * apart, which is opened. */
static par_error moved(par_request *request)
{
    par_message *message = request->message;
    wire_meta meta;

    request->state = REQUEST_DONE;
    free(request->meta);
    request->meta = NULL;
    if (!message)
        return PAR_OK;
    if (message->fetched) {
        message->body = message->fetched;
        return PAR_OK;
    }
    message->meta = message->meta_apart;
    if (wire_get_meta(message->meta, &message->header, &meta))
        return PAR_OK;
    return error_set(PAR_ERR_WIRE, "the description of a message from rank %d is damaged",
                     message->source);
}

static par_error step_moving(par_request *request)
{
    bool left = false, done = false;
    par_error err = step_header(request, &left);

    if (!err)
        err = transfer_step(&request->transfer, &done);
    if (err)
        return err;
    return left && done ? moved(request) : PAR_OK;
}

par_error request_step(void *what, bool *done_p)
{
    par_request *request = what;
    bool receives = request->state == REQUEST_WAITING && request->receive.arrive;
    par_error err = PAR_OK;

    if (!par_initialized()) {
        *done_p = false;
        return comm_check(request->comm); /* another thread has ended the job */
    }
    while ((request->state == REQUEST_WAITING || request->state == REQUEST_RUNNING) &&
           inbox_step(&request->comm->inbox))
        ;
    if (request->state == REQUEST_MOVING) {
        err = step_moving(request);
    } else if (receives && request->state == REQUEST_WAITING) {
        err = inbox_error(&request->comm->inbox);
        if (err)
            match_unpost(&request->receive);
    }
    if (err) {
        request->state = REQUEST_DONE;
        request->error = err;
    }
    *done_p = request->state == REQUEST_DONE;
    return err;
}

/* ---- what it waits for -------------------------------------------------- */

static void tell_number(watch_account *account, const char *name, int number, int any)
{
    if (number == any)
        watch_say(account, "%s=any", name);
    else
        watch_say(account, "%s=%d", name, number);
}

void request_tell_receive(par_comm *comm, const char *what, int source, int tag,
                          watch_account *account)
{
    tell_number(account, what, source, PAR_ANY_SOURCE);
    tell_number(account, ", tag", tag, PAR_ANY_TAG);
    watch_say(account, ")");
    watch_say_comm(account, comm);
    if (source == PAR_ANY_SOURCE)
        watch_needs_any(account, comm);
    else
        watch_needs(account, comm, source, WATCH_SENDS);
}

/* A header that has not left, or a body that moves, needs nobody but MPI. */
static void tell_moving(const par_request *request, watch_account *account)
{
    if (request->receive.arrive) {
        watch_say(account, "receive(source=%d, tag=%d), which has begun",
                  request->status.source, request->status.tag);
        account->goes_on = true;
        return;
    }
    watch_say(account, "send(dest=%d, tag=%d)", request->dest, request->tag);
    watch_say_comm(account, request->comm);
    if (request->slot)
        account->goes_on = true;
    else
        watch_needs(account, request->comm, request->dest, request->body_tag);
}

bool request_is_event(const par_request *request)
{
    return request->state == REQUEST_WAITING && !request->receive.arrive;
}

void request_tell(const void *what, watch_account *account)
{
    const par_request *request = what;

    if (request->state == REQUEST_DONE) {
        account->goes_on = true;
    } else if (request->state == REQUEST_MOVING) {
        tell_moving(request, account);
    } else if (request->state == REQUEST_RUNNING) {
        watch_say(account, "wait for a started call");
    } else if (request->receive.arrive) {
        request_tell_receive(request->comm, "receive(source", request->receive.source,
                             request->receive.tag, account);
    } else {
        watch_say(account, "wait for another thread");
        account->is_service = true;
    }
}

/* ---- its end ------------------------------------------------------------ */

par_error request_outcome(const par_request *request)
{
    const par_status *came = &request->status;
    char text[64];

    if (request->detail) {
        error_restore(request->detail);
        return request->error;
    }
    switch (request->error) {
    case PAR_ERR_TYPE:
    case PAR_ERR_SIZE:
        message_describe(request->came_kind, request->came_type, request->came_bytes,
                         text, sizeof text);
        return error_set(request->error,
                         "the message from rank %d with tag %d holds %s; the receive is "
                         "for up to %zu %s",
                         came->source, came->tag, text,
                         request->room / par_type_size(request->type),
                         par_type_name(request->type));
    case PAR_ERR_CANCELLED:
        return error_set(request->error, "%s was cancelled",
                         request->receive.arrive ? "a receive" : "an event");
    case PAR_ERR_MEMORY:
        return error_memory(request->came_bytes, "a message");
    case PAR_ERR_MPI:
        return error_set(PAR_ERR_MPI,
                         "the body of a message from rank %d cannot be moved",
                         came->source);
    default:
        return request->error;
    }
}

par_error request_back_out(par_request *request, par_error interrupted)
{
    par_error err;

    lock_take();
    if (request->state == REQUEST_WAITING) {
        match_unpost(&request->receive);
        lock_give();
        return interrupted;
    }
    err = wait_until(request_step, request_tell, request, false);
    if (!err)
        err = request_outcome(request);
    if (err)
        return err;
    if (!request->message)
        return PAR_OK; /* it is in its place: too late to interrupt */
    lock_take();
    request_return(request->message);
    request->message = NULL;
    lock_give();
    return interrupted;
}

par_error request_finish(par_request *request)
{
    bool receives = request->state == REQUEST_WAITING;
    par_error err = wait_until(request_step, request_tell, request, receives);

    if (err == PAR_ERR_INTERRUPTED)
        return request_back_out(request, err);
    return err ? err : request_outcome(request);
}
