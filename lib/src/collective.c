/* collective.c - what all collective calls have in common.
 * SPDX-License-Identifier: MIT */
#include "collective.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lock.h"
#include "type.h"

/* With this bit a function's number says that its call has failed. */
enum { FAILED = 0x80 };

static const char *const names[COLLECTIVE_FUNCTIONS] = {
    [COLLECTIVE_BARRIER] = "barrier",
    [COLLECTIVE_BROADCAST] = "broadcast",
    [COLLECTIVE_SCATTER] = "scatter",
    [COLLECTIVE_GATHER] = "gather",
    [COLLECTIVE_REDUCE] = "reduce",
    [COLLECTIVE_ALLREDUCE] = "allreduce",
    [COLLECTIVE_SCAN] = "scan",
    [COLLECTIVE_EXSCAN] = "exscan",
    [COLLECTIVE_ALLGATHER] = "allgather",
    [COLLECTIVE_ALLTOALL] = "alltoall",
    [COLLECTIVE_MESSAGE_BROADCAST] = "broadcast of an object",
    [COLLECTIVE_MESSAGE_SCATTER] = "scatter of objects",
    [COLLECTIVE_MESSAGE_GATHER] = "gather of objects",
    [COLLECTIVE_MESSAGE_ALLGATHER] = "allgather of objects",
    [COLLECTIVE_MESSAGE_ALLTOALL] = "alltoall of objects",
    [COLLECTIVE_SPLIT] = "split",
    [COLLECTIVE_FREE] = "comm_free",
    [COLLECTIVE_SPLIT_NODE] = "split_node",
    [COLLECTIVE_TO_MPI] = "to_mpi",
};

static bool is_typed(const wire_call *wire)
{
    return wire->function > COLLECTIVE_BARRIER &&
           wire->function < COLLECTIVE_MESSAGE_BROADCAST;
}

static bool has_op(const wire_call *wire)
{
    return wire->function >= COLLECTIVE_REDUCE && wire->function <= COLLECTIVE_EXSCAN;
}

static bool has_root(const wire_call *wire)
{
    return (wire->function > COLLECTIVE_BARRIER && wire->function <= COLLECTIVE_REDUCE) ||
           (wire->function >= COLLECTIVE_MESSAGE_BROADCAST &&
            wire->function <= COLLECTIVE_MESSAGE_GATHER);
}

par_error collective_check_root(const par_comm *comm, int root)
{
    par_error err = comm_check(comm);

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
    par_error err = comm_check(comm);

    if (!err)
        err = op_check(op, type);
    if (!err)
        err = p2p_check_data(data, count, type, bytes_p);
    if (!err)
        err = p2p_check_data(result, count, type, bytes_p);
    return err;
}

collective collective_enter(par_comm *comm, collective_function function, int root,
                            uint64_t count, par_type type, par_op op)
{
    collective c = {.comm = comm,
                    .type = type,
                    .wire = {.function = (uint8_t)function,
                             .op = (uint8_t)op,
                             .root = root,
                             .count = count}};

    lock_take();
    c.tag = (int)(comm->collectives++ & INT32_MAX);
    lock_give();
    return c;
}

/* ---- this call, and others' ---------------------------------------------- */

static void describe(const wire_call *wire, par_type type, char *text, size_t size)
{
    const char *name = wire->function < COLLECTIVE_FUNCTIONS ? names[wire->function]
                                                             : "something unknown";
    const char *op = op_name((par_op)wire->op), *comma = "";
    int used = snprintf(text, size, "%s(", name);

    if (is_typed(wire)) {
        used += snprintf(text + used, size - (size_t)used, "%" PRIu64 " %s", wire->count,
                         par_type_name(type));
        comma = ", ";
    }
    if (has_op(wire))
        used += snprintf(text + used, size - (size_t)used, "%s%s", comma, op ? op : "?");
    if (has_root(wire))
        used +=
            snprintf(text + used, size - (size_t)used, "%sroot %d", comma, wire->root);
    snprintf(text + used, size - (size_t)used, ")");
}

void collective_fail(collective *c)
{
    c->wire.function |= FAILED;
    c->failed = true;
}

static void differ(collective *c, const wire_call *theirs, par_type type, int source)
{
    char text[2][96];

    describe(&c->wire, c->type, text[0], sizeof text[0]);
    describe(theirs, type, text[1], sizeof text[1]);
    if (theirs->function & FAILED)
        error_set(
            PAR_ERR_MISMATCH,
            "collective call %d is %s here, but it has failed on rank %d, whose detail "
            "says why: all ranks must make the same call",
            c->tag, text[0], source);
    else
        error_set(PAR_ERR_MISMATCH,
                  "collective call %d is %s here, but %s on rank %d: all ranks must make "
                  "the same call",
                  c->tag, text[0], text[1], source);
    collective_fail(c);
}

static void compare(collective *c, const par_message *message)
{
    wire_call theirs;
    par_type type = (par_type)message->header.type;

    wire_get_call(message->meta, &theirs);
    if (theirs.function != c->wire.function || theirs.op != c->wire.op ||
        theirs.root != c->wire.root || theirs.count != c->wire.count ||
        (is_typed(&theirs) && type != c->type))
        differ(c, &theirs, type, message->source);
}

par_error collective_outcome(const collective *c)
{
    return c->failed ? PAR_ERR_MISMATCH : PAR_OK;
}

/* ---- messages ----------------------------------------------------------- */

request_outgoing collective_outgoing(const collective *c, const par_content *content,
                                     const par_part *parts, size_t part_count, int dest)
{
    const par_content *nothing = type_content(PAR_BYTE);

    return (request_outgoing){.content = c->failed ? nothing : content,
                              .parts = c->failed ? NULL : parts,
                              .part_count = c->failed ? 0 : part_count,
                              .context = WIRE_COLLECTIVE,
                              .call = &c->wire,
                              .dest = dest,
                              .tag = c->tag};
}

par_error collective_send(const collective *c, const void *data, size_t bytes, int dest)
{
    const par_content *content = type_content(c->type);
    par_part part = {(void *)(uintptr_t)data, bytes};
    request_outgoing out = collective_outgoing(c, content, &part, 1, dest);

    return p2p_send(c->comm, &out);
}

par_error collective_send_all(const collective *c, const request_outgoing *outs,
                              size_t count)
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
    for (size_t i = 0; i < started; i++) {
        par_error ended;

        lock_take();
        ended = request_finish(&requests[i]);
        err = err ? err : ended;
    }
    free(requests);
    return err;
}

par_error collective_receive(collective *c, int source, par_message **message_p)
{
    par_error err = p2p_receive(c->comm, WIRE_COLLECTIVE, source, c->tag, message_p);

    if (!err && !c->failed)
        compare(c, *message_p);
    if (!err && c->failed)
        err = par_message_free(message_p);
    return err;
}

par_error collective_receive_into(collective *c, void *data, size_t bytes, int source)
{
    par_message *message;
    par_error err = collective_receive(c, source, &message);

    if (err || !message)
        return err;
    return par_message_take(&message, &(par_part){data, bytes}, 1);
}

par_error collective_swap(collective *c, const void *out, size_t out_bytes, int dest,
                          void *in, size_t in_bytes, int source)
{
    const par_content *content = type_content(c->type);
    par_part part = {(void *)(uintptr_t)out, out_bytes};
    request_outgoing outgoing = collective_outgoing(c, content, &part, 1, dest);
    par_request *send = NULL;
    par_error err = PAR_OK, sent;

    if (dest >= 0)
        err = p2p_send_start(c->comm, &outgoing, &send);
    if (!err && source >= 0)
        err = collective_receive_into(c, in, in_bytes, source);
    sent = par_wait(&send, NULL);
    return err ? err : sent;
}

void collective_copy(void *to, const void *from, size_t bytes)
{
    if (bytes && to != from)
        memmove(to, from, bytes);
}
