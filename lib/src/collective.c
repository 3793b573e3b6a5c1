/* collective.c - what all collective calls have in common.
 * SPDX-License-Identifier: MIT */
#include "collective.h"

#include <stdlib.h>
#include <string.h>

#include "lock.h"
#include "type.h"
#include "wait.h"

par_error collective_check_root(const par_comm *comm, int root)
{
    par_error err = collective_check(comm);

    return err ? err : comm_check_rank(comm, root, "root");
}

par_error collective_check_whole(const par_comm *comm, const void *data, size_t count,
                                 par_type type)
{
    size_t all, bytes;

    if (__builtin_mul_overflow(count, (size_t)comm->size, &all))
        all = SIZE_MAX;
    return p2p_check_data(data, all, type, &bytes);
}

par_error collective_check_parts(const par_comm *comm, const void *part, const void *data,
                                 size_t count, par_type type, int root, size_t *bytes_p)
{
    par_error err = collective_check_root(comm, root);

    if (!err)
        err = p2p_check_data(part, count, type, bytes_p);
    if (!err && comm->rank == root)
        err = collective_check_whole(comm, data, count, type);
    return err;
}

par_error collective_check_join(const par_comm *comm, const void *data,
                                const void *result, size_t count, par_type type,
                                par_op op, size_t *bytes_p)
{
    par_error err = collective_check(comm);

    if (!err)
        err = op_check(op, type);
    if (!err)
        err = p2p_check_data(data, count, type, bytes_p);
    if (!err)
        err = p2p_check_data(result, count, type, bytes_p);
    return err;
}

bool collective_is_small(size_t bytes)
{
    return bytes <= slot_size - WIRE_HEADER_BYTES - WIRE_CALL_BYTES;
}

/* ---- messages ----------------------------------------------------------- */

request_outgoing collective_outgoing(const collective *c, const par_content *content,
                                     const par_part *parts, size_t part_count, int dest)
{
    return (request_outgoing){.content = content,
                              .parts = parts,
                              .part_count = part_count,
                              .context = WIRE_COLLECTIVE,
                              .call = &c->wire,
                              .dest = dest,
                              .tag = c->tag};
}

/* A send that looks at what else has come: who is to receive it may be waiting in
 * another call for this rank to receive. */
typedef struct sending {
    collective *c;
    par_request *request;
    par_error failed; /* the call; the send goes on even so */
    bool look;        /* what has come is to be dropped, without the lock */
} sending;

static par_error step_sending(void *what, bool *done_p)
{
    sending *s = what;
    par_error err = request_step(s->request, done_p);
    bool late = false;

    if (err || *done_p || s->c->seen == s->c->comm->inbox.table.ages)
        return err;
    if (s->failed)
        s->c->seen = s->c->comm->inbox.table.ages;
    else
        s->failed = call_look(s->c, &late);
    *done_p = s->look = s->failed || late;
    return PAR_OK;
}

/* Whether something has come that C's next step looks at. */
static bool has_news(const collective *c)
{
    return c->seen != c->comm->inbox.table.ages;
}

static void tell_request(const collective *c, const par_request *request,
                         watch_account *account)
{
    watch_account needs = {
        .edges = account->edges, .count = account->count, .room = account->room};

    call_tell(c, account);
    request_tell(request, &needs);
    account->edges = needs.edges;
    account->count = needs.count;
    account->room = needs.room;
    account->goes_on |= needs.goes_on || has_news(c);
    /* A rank whose call is another one, or fails, tells all. */
    watch_needs_failure(account, c->comm);
}

static void tell_sending(const void *what, watch_account *account)
{
    const sending *s = what;

    tell_request(s->c, s->request, account);
}

/* Wait for REQUEST, a send of C, of which ERR has come so far. Where C has failed or
 * fails meanwhile, that is the error, but the send has ended. */
static par_error finish(collective *c, par_request *request, par_error err)
{
    sending s = {.c = c, .request = request, .failed = err};
    par_error sent;

    if (err) /* the others must know, or each waits for another */
        call_fail(c);
    lock_take();
    sent = wait_until(step_sending, tell_sending, &s, false);
    while (!sent && s.look) {
        if (!s.failed)
            s.failed = call_clear(c);
        if (s.failed)
            call_fail(c);
        s.look = false;
        lock_take();
        sent = wait_until(step_sending, tell_sending, &s, false);
    }
    if (s.failed)
        return s.failed;
    return sent ? sent : request_outcome(request);
}

par_error collective_send_content(collective *c, const par_content *content,
                                  const par_part *parts, size_t part_count, int dest)
{
    request_outgoing out = collective_outgoing(c, content, parts, part_count, dest);
    par_request request;
    par_error err;

    lock_take();
    err = request_send(&request, c->comm, &out);
    lock_give();
    return err ? err : finish(c, &request, PAR_OK);
}

/* The short way for what collective calls send most. */
static par_error send_small(collective *c, const void *data, size_t bytes, int dest)
{
    wire_header header = {.context = WIRE_COLLECTIVE,
                          .kind = PAR_ARRAY,
                          .type = (uint8_t)c->type,
                          .dims = 1,
                          .tag = c->tag,
                          .meta_bytes = WIRE_CALL_BYTES,
                          .bytes = bytes};
    par_request request;
    bool gone = false;
    par_error err;

    lock_take();
    err = request_send_small(&request, c->comm, &header, &c->wire, data, dest, &gone);
    lock_give();
    return err || gone ? err : finish(c, &request, PAR_OK);
}

par_error collective_send(collective *c, const void *data, size_t bytes, int dest)
{
    if (collective_is_small(bytes))
        return send_small(c, data, bytes, dest);

    par_part part = {(void *)(uintptr_t)data, bytes};

    return collective_send_content(c, type_content(c->type), &part, 1, dest);
}

par_error collective_send_all(collective *c, const request_outgoing *outs, size_t count)
{
    par_request *requests = malloc(count * sizeof *requests + 1);
    size_t started = 0;
    par_error err = PAR_OK;

    if (!requests)
        return error_memory(count * sizeof *requests, "requests");
    lock_take();
    for (; !err && started < count; started += !err)
        err = request_send(&requests[started], c->comm, &outs[started]);
    lock_give();
    for (size_t i = 0; i < started; i++)
        err = finish(c, &requests[i], err);
    free(requests);
    return err;
}

/* A receive that looks at what else has come, for it may wait in vain. */
typedef struct waiting {
    collective *c;
    par_request request;
    unsigned steps;
    int64_t since; /* 0: not long yet */
    bool knocked;
    bool knock, late; /* what is to be done, without the lock, before it goes on */
} waiting;

enum { STEPS_A_LOOK_AT_THE_CLOCK = 64, KNOCK_NS = 20 * 1000 * 1000 };

static bool is_time_to_knock(waiting *w)
{
    if (w->knocked || ++w->steps % STEPS_A_LOOK_AT_THE_CLOCK)
        return false;
    if (!w->since)
        w->since = wait_now_ns();
    w->knocked = wait_now_ns() - w->since >= KNOCK_NS;
    return w->knocked;
}

static par_error step_waiting(void *what, bool *done_p)
{
    waiting *w = what;
    par_error err = request_step(&w->request, done_p);

    if (err || *done_p || w->request.state != REQUEST_WAITING)
        return err;
    if (w->c->seen != w->c->comm->inbox.table.ages)
        err = call_look(w->c, &w->late);
    if (err)
        match_unpost(&w->request.receive);
    else
        w->knock = is_time_to_knock(w);
    *done_p = w->knock || w->late;
    return err;
}

static void tell_waiting(const void *what, watch_account *account)
{
    const waiting *w = what;

    tell_request(w->c, &w->request, account);
}

/* Wait for W's message, or until there is something else to do. Enters with the lock,
 * leaves without. */
static par_error wait_a_while(waiting *w)
{
    par_error err;

    w->knock = w->late = false;
    err = wait_until(step_waiting, tell_waiting, w, !w->c->is_committed);
    return err == PAR_ERR_INTERRUPTED ? request_back_out(&w->request, err) : err;
}

/* Wait for W's message from SOURCE. A rank that has waited for long says so: it may be
 * waiting for one that makes another call. */
static par_error wait_for(waiting *w, int source)
{
    par_error err;

    lock_take();
    request_receive_message(&w->request, w->c->comm, WIRE_COLLECTIVE, source, w->c->tag,
                            NULL);
    err = wait_a_while(w);
    while (!err && (w->knock || w->late)) {
        err = w->late ? call_clear(w->c) : call_knock(w->c, source);
        if (err)
            return request_back_out(&w->request, err);
        lock_take();
        err = wait_a_while(w);
    }
    return err ? err : request_outcome(&w->request);
}

par_error collective_receive(collective *c, int source, par_message **message_p)
{
    waiting w; /* not cleared: that takes a tenth of a small message's time */
    bool knock = true;
    par_error err = PAR_OK;

    w.c = c;
    w.steps = 0;
    w.since = 0;
    w.knocked = false;
    while (!err && knock) {
        err = wait_for(&w, source);
        if (!err)
            err = call_compare(c, w.request.message, &knock);
        if (w.request.message && (err || knock))
            par_message_free(&w.request.message);
    }
    if (!err)
        *message_p = w.request.message;
    return err;
}

par_error collective_receive_into(collective *c, void *data, size_t bytes, int source)
{
    par_message *message;
    par_error err = collective_receive(c, source, &message);
    uint64_t theirs;

    if (err)
        return err;
    theirs = message->header.bytes;
    if (theirs == bytes)
        return par_message_take(&message, &(par_part){data, bytes}, 1);
    par_message_free(&message);
    return call_refuse_count(c, source, theirs, bytes);
}

static par_error swap_large(collective *c, const par_part *out, int dest, void *in,
                            size_t in_bytes, int source)
{
    request_outgoing outgoing =
        collective_outgoing(c, type_content(c->type), out, 1, dest);
    par_request send;
    par_error err;

    lock_take();
    err = request_send(&send, c->comm, &outgoing);
    lock_give();
    if (err)
        return err;
    if (source >= 0)
        err = collective_receive_into(c, in, in_bytes, source);
    return finish(c, &send, err);
}

par_error collective_swap(collective *c, const void *out, size_t out_bytes, int dest,
                          void *in, size_t in_bytes, int source)
{
    par_part part = {(void *)(uintptr_t)out, out_bytes};
    par_error err = PAR_OK;

    if (dest >= 0 && !collective_is_small(out_bytes))
        return swap_large(c, &part, dest, in, in_bytes, source);
    if (dest >= 0) /* it waits for nobody */
        err = collective_send(c, out, out_bytes, dest);
    if (!err && source >= 0)
        err = collective_receive_into(c, in, in_bytes, source);
    return err;
}

par_error collective_parts(const collective *c, const void *data, size_t bytes,
                           par_part **parts_p)
{
    size_t ranks = (size_t)c->comm->size;
    par_part *parts = malloc(ranks * sizeof *parts);

    if (!parts)
        return error_memory(ranks * sizeof *parts, "a list of parts");
    for (size_t rank = 0; rank < ranks; rank++)
        parts[rank] =
            (par_part){bytes ? (char *)(uintptr_t)data + rank * bytes : NULL, bytes};
    *parts_p = parts;
    return PAR_OK;
}

void collective_copy(void *to, const void *from, size_t bytes)
{
    if (bytes && to != from)
        memmove(to, from, bytes);
}
