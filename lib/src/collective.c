/* collective.c - barrier, broadcast, scatter, gather, reduce.
 * SPDX-License-Identifier: MIT
 *
 * Each is a few of our own messages along a tree, with the call in front of the
 * payload: so a rank that made another call is found where the two meet.
 * Trees: binomial for broadcast and reduce, dissemination for the barrier
 * (Hensgen, Finkel, Manber 1988); scatter and gather go straight to the root.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lock.h"
#include "p2p.h"
#include "reduce.h"

typedef enum function {
    BARRIER,
    BROADCAST,
    SCATTER,
    GATHER,
    REDUCE,
    MESSAGE_BROADCAST,
    MESSAGE_SCATTER,
    MESSAGE_GATHER,
    FUNCTION_COUNT,
} function;

static const char *const function_names[FUNCTION_COUNT] = {
    [BARRIER] = "barrier",
    [BROADCAST] = "broadcast",
    [SCATTER] = "scatter",
    [GATHER] = "gather",
    [REDUCE] = "reduce",
    [MESSAGE_BROADCAST] = "broadcast of an object",
    [MESSAGE_SCATTER] = "scatter of objects",
    [MESSAGE_GATHER] = "gather of objects",
};

/* One collective call of this rank. */
typedef struct call {
    par_comm *comm;
    int tag; /* its number in the communicator */
    par_type type;
    wire_call wire;
} call;

static bool is_typed(const wire_call *wire)
{
    return wire->function != BARRIER && wire->function < MESSAGE_BROADCAST;
}

/* ---- the call, and others' ----------------------------------------------- */

static call enter(par_comm *comm, function f, int root, uint64_t count, par_type type,
                  par_op op)
{
    call c = {
        .comm = comm,
        .type = type,
        .wire = {
            .function = (uint8_t)f, .op = (uint8_t)op, .root = root, .count = count}};

    lock_take();
    c.tag = (int)(comm->collectives++ & INT32_MAX);
    lock_give();
    return c;
}

static void describe(const wire_call *wire, par_type type, char *text, size_t size)
{
    const char *name = wire->function < FUNCTION_COUNT ? function_names[wire->function]
                                                       : "something unknown";
    int used = snprintf(text, size, "%s(", name);

    if (is_typed(wire))
        used += snprintf(text + used, size - (size_t)used, "%" PRIu64 " %s, ",
                         wire->count, par_type_name(type));
    if (wire->function == REDUCE)
        used +=
            snprintf(text + used, size - (size_t)used, "%s, ",
                     reduce_name((par_op)wire->op) ? reduce_name((par_op)wire->op) : "?");
    if (wire->function != BARRIER)
        used += snprintf(text + used, size - (size_t)used, "root %d", wire->root);
    snprintf(text + used, size - (size_t)used, ")");
}

static par_error compare(const call *mine, const par_message *message)
{
    wire_call theirs;
    par_type type = (par_type)message->header.type;
    char text[2][96];

    wire_get_call(message->meta, &theirs);
    if (theirs.function == mine->wire.function && theirs.op == mine->wire.op &&
        theirs.root == mine->wire.root && theirs.count == mine->wire.count &&
        (!is_typed(&theirs) || type == mine->type))
        return PAR_OK;
    describe(&mine->wire, mine->type, text[0], sizeof text[0]);
    describe(&theirs, type, text[1], sizeof text[1]);
    return error_set(PAR_ERR_MISMATCH,
                     "collective call %d is %s here, but %s on rank %d: all ranks must "
                     "make the same call",
                     mine->tag, text[0], text[1], message->source);
}

static request_outgoing outgoing(const call *c, const par_content *content,
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

static par_error send_to(const call *c, const void *data, size_t bytes, int dest)
{
    par_content content = {.kind = PAR_ARRAY, .type = (uint8_t)c->type, .dims = 1};
    par_part part = {(void *)(uintptr_t)data, bytes};
    request_outgoing out = outgoing(c, &content, &part, 1, dest);

    return p2p_send(c->comm, &out);
}

/* Start all sends, then wait for all: a large one waits for its receiver, and
 * must not keep the others waiting. */
static par_error send_all(par_comm *comm, const request_outgoing *outs, size_t count)
{
    par_request *requests = malloc(count * sizeof *requests + 1);
    size_t started = 0;
    par_error err = PAR_OK;

    if (!requests)
        return error_memory(count * sizeof *requests, "requests");
    lock_take();
    for (; !err && started < count; started += !err)
        err = request_send(&requests[started], comm, &outs[started]);
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

static par_error receive_message(const call *c, int source, par_message **message_p)
{
    par_error err = p2p_receive(c->comm, WIRE_COLLECTIVE, source, c->tag, message_p);

    if (err)
        return err;
    err = compare(c, *message_p);
    if (err)
        par_message_free(message_p);
    return err;
}

/* The call has said that BYTES come. */
static par_error receive_into(const call *c, void *data, size_t bytes, int source)
{
    par_message *message;
    par_error err = receive_message(c, source, &message);

    return err ? err : par_message_take(&message, &(par_part){data, bytes}, 1);
}

static par_error check_root(const par_comm *comm, int root)
{
    par_error err = comm_check(comm);

    return err ? err : comm_check_rank(comm, root, "root");
}

/* ---- barrier ------------------------------------------------------------ */

par_error par_barrier(par_comm *comm)
{
    par_error err = comm_check(comm);

    if (err)
        return err;

    call c = enter(comm, BARRIER, 0, 0, PAR_BYTE, PAR_SUM);

    for (int step = 1; !err && step < comm->size; step *= 2) {
        err = send_to(&c, NULL, 0, (comm->rank + step) % comm->size);
        if (!err)
            err =
                receive_into(&c, NULL, 0, (comm->rank - step + comm->size) % comm->size);
    }
    return err;
}

/* ---- broadcast ---------------------------------------------------------- */

/* In a binomial tree over the ranks counted from the root, one's parent lacks
 * the lowest bit, and one's children have one more bit, below the lowest. */
static int tree_parent(const call *c)
{
    int size = c->comm->size, v = (c->comm->rank - c->wire.root + size) % size;

    return ((v & (v - 1)) + c->wire.root) % size;
}

/* Those with the largest subtrees first; gives how many. */
static size_t tree_children(const call *c, int children[32])
{
    int size = c->comm->size, v = (c->comm->rank - c->wire.root + size) % size;
    int low = v ? v & -v : 1 << 30;
    size_t count = 0;

    for (int bit = low / 2; bit; bit /= 2)
        if (v + bit < size)
            children[count++] = (v + bit + c->wire.root) % size;
    return count;
}

static par_error send_to_children(const call *c, const par_content *content,
                                  const par_part *parts, size_t part_count)
{
    request_outgoing outs[32];
    int children[32];
    size_t count = tree_children(c, children);

    for (size_t i = 0; i < count; i++)
        outs[i] = outgoing(c, content, parts, part_count, children[i]);
    return count ? send_all(c->comm, outs, count) : PAR_OK;
}

par_error par_broadcast(par_comm *comm, void *data, size_t count, par_type type, int root)
{
    size_t bytes;
    par_error err = check_root(comm, root);

    if (!err)
        err = p2p_check_data(data, count, type, &bytes);
    if (err)
        return err;

    call c = enter(comm, BROADCAST, root, count, type, PAR_SUM);
    par_content content = {.kind = PAR_ARRAY, .type = (uint8_t)type, .dims = 1};
    par_part part = {data, bytes};

    if (comm->rank != root)
        err = receive_into(&c, data, bytes, tree_parent(&c));
    return err ? err : send_to_children(&c, &content, &part, 1);
}

/* The call of a message that has come down the tree. */
static call call_of(const par_message *message)
{
    call c = {.comm = message->comm, .tag = message->header.tag};

    wire_get_call(message->meta, &c.wire);
    return c;
}

static par_error relay(par_message *message, const par_part *parts, size_t part_count)
{
    call c = call_of(message);
    par_content content;

    par_message_content(message, &content, NULL);
    return send_to_children(&c, &content, parts, part_count);
}

/* A body in one piece with its header, as the parts it was sent in. */
static par_error relay_inline(par_message *message)
{
    par_content content;
    par_part *parts;
    unsigned char *at = message->body;
    par_error err;

    par_message_content(message, &content, NULL);
    parts = malloc(content.part_count * sizeof *parts);
    if (!parts)
        return error_memory(content.part_count * sizeof *parts, "a list of parts");
    for (size_t i = 0; i < content.part_count; i++) {
        parts[i].data = at;
        parts[i].bytes = content.part_bytes ? content.part_bytes[i] : content.bytes;
        at = at ? at + parts[i].bytes : NULL;
    }
    err = relay(message, parts, content.part_count);
    free(parts);
    return err;
}

par_error par_message_broadcast(par_comm *comm, const par_content *content,
                                const par_part *parts, size_t part_count, int root,
                                par_message **message_p)
{
    par_error err = check_root(comm, root);

    if (!err && !message_p)
        err = error_set(PAR_ERR_ARG, "message_p is NULL: it is where the message goes");
    if (!err && comm->rank == root)
        err = p2p_check_content(content, parts, part_count);
    if (err)
        return err;

    call c = enter(comm, MESSAGE_BROADCAST, root, 0, PAR_BYTE, PAR_SUM);
    par_message *message = NULL;

    if (comm->rank == root) {
        err = send_to_children(&c, content, parts, part_count);
    } else {
        err = receive_message(&c, tree_parent(&c), &message);
        if (!err && message->header.body_apart)
            message->relay = relay; /* when the body has found its place */
        else if (!err && (err = relay_inline(message)))
            par_message_free(&message);
    }
    if (!err)
        *message_p = message;
    return err;
}

/* ---- scatter and gather ------------------------------------------------- */

static void copy_unless_there(void *to, const void *from, size_t bytes)
{
    if (bytes && to != from)
        memmove(to, from, bytes);
}

/* One send for each other rank; what goes into them is the caller's. */
static request_outgoing *new_outs(const par_comm *comm)
{
    request_outgoing *outs = malloc((size_t)comm->size * sizeof *outs);

    if (!outs)
        error_memory((size_t)comm->size * sizeof *outs, "a list of sends");
    return outs;
}

static par_error scatter_parts(const call *c, const void *data, size_t bytes)
{
    size_t size = (size_t)c->comm->size, others = 0;
    par_content content = {.kind = PAR_ARRAY, .type = (uint8_t)c->type, .dims = 1};
    request_outgoing *outs = new_outs(c->comm);
    par_part *parts = malloc(size * sizeof *parts);
    par_error err = PAR_ERR_MEMORY;

    if (!parts)
        error_memory(size * sizeof *parts, "a list of parts");
    if (outs && parts) {
        for (int rank = 0; rank < c->comm->size; rank++) {
            if (rank == c->comm->rank)
                continue;
            parts[others] = (par_part){NULL, bytes};
            if (bytes)
                parts[others].data = (char *)(uintptr_t)data + (size_t)rank * bytes;
            outs[others] = outgoing(c, &content, &parts[others], 1, rank);
            others++;
        }
        err = send_all(c->comm, outs, others);
    }
    free(parts);
    free(outs);
    return err;
}

/* Whether all ranks' elements together can be. */
static par_error check_whole(const par_comm *comm, const void *data, size_t count,
                             par_type type)
{
    size_t all, bytes;

    if (__builtin_mul_overflow(count, (size_t)comm->size, &all))
        all = SIZE_MAX;
    return p2p_check_data(data, all, type, &bytes);
}

par_error par_scatter(par_comm *comm, const void *data, void *part, size_t count,
                      par_type type, int root)
{
    size_t bytes;
    par_error err = check_root(comm, root);

    if (!err)
        err = p2p_check_data(part, count, type, &bytes);
    if (!err && comm->rank == root)
        err = check_whole(comm, data, count, type);
    if (err)
        return err;

    call c = enter(comm, SCATTER, root, count, type, PAR_SUM);

    if (comm->rank != root)
        return receive_into(&c, part, bytes, root);
    err = scatter_parts(&c, data, bytes);
    if (!err && bytes)
        copy_unless_there(part, (const char *)data + (size_t)root * bytes, bytes);
    return err;
}

par_error par_gather(par_comm *comm, const void *part, size_t count, par_type type,
                     void *data, int root)
{
    size_t bytes;
    par_error err = check_root(comm, root);

    if (!err)
        err = p2p_check_data(part, count, type, &bytes);
    if (!err && comm->rank == root)
        err = check_whole(comm, data, count, type);
    if (err)
        return err;

    call c = enter(comm, GATHER, root, count, type, PAR_SUM);

    if (comm->rank != root)
        return send_to(&c, part, bytes, root);
    for (int rank = 0; !err && rank < comm->size; rank++) {
        void *to = bytes ? (char *)data + (size_t)rank * bytes : NULL;

        if (rank == root)
            copy_unless_there(to, part, bytes);
        else
            err = receive_into(&c, to, bytes, rank);
    }
    return err;
}

static par_error scatter_messages(const call *c, const par_content *contents,
                                  const par_part *const *parts, const size_t *part_counts)
{
    size_t others = 0;
    request_outgoing *outs = new_outs(c->comm);
    par_error err;

    if (!outs)
        return PAR_ERR_MEMORY;
    for (int rank = 0; rank < c->comm->size; rank++)
        if (rank != c->comm->rank)
            outs[others++] =
                outgoing(c, &contents[rank], parts[rank], part_counts[rank], rank);
    err = send_all(c->comm, outs, others);
    free(outs);
    return err;
}

static par_error check_contents(const par_comm *comm, const par_content *contents,
                                const par_part *const *parts, const size_t *part_counts)
{
    par_error err = PAR_OK;

    if (!contents || !parts || !part_counts)
        return error_set(PAR_ERR_ARG,
                         "the root's contents, parts or part_counts are NULL");
    for (int rank = 0; !err && rank < comm->size; rank++)
        if (rank != comm->rank)
            err = p2p_check_content(&contents[rank], parts[rank], part_counts[rank]);
    return err;
}

par_error par_message_scatter(par_comm *comm, const par_content *contents,
                              const par_part *const *parts, const size_t *part_counts,
                              int root, par_message **message_p)
{
    par_error err = check_root(comm, root);

    if (!err && !message_p)
        err = error_set(PAR_ERR_ARG, "message_p is NULL: it is where the message goes");
    if (!err && comm->rank == root)
        err = check_contents(comm, contents, parts, part_counts);
    if (err)
        return err;

    call c = enter(comm, MESSAGE_SCATTER, root, 0, PAR_BYTE, PAR_SUM);
    par_message *message = NULL;

    err = comm->rank == root ? scatter_messages(&c, contents, parts, part_counts)
                             : receive_message(&c, root, &message);
    if (!err)
        *message_p = message;
    return err;
}

static void free_messages(par_message **messages, int count)
{
    for (int rank = 0; rank < count; rank++)
        par_message_free(&messages[rank]);
}

par_error par_message_gather(par_comm *comm, const par_content *content,
                             const par_part *parts, size_t part_count, int root,
                             par_message **messages)
{
    par_error err = check_root(comm, root);

    if (!err && comm->rank == root && !messages)
        err = error_set(PAR_ERR_ARG, "messages is NULL: it is where they go");
    if (!err && comm->rank != root)
        err = p2p_check_content(content, parts, part_count);
    if (err)
        return err;

    call c = enter(comm, MESSAGE_GATHER, root, 0, PAR_BYTE, PAR_SUM);

    if (comm->rank != root) {
        request_outgoing out = outgoing(&c, content, parts, part_count, root);

        return p2p_send(comm, &out);
    }
    for (int rank = 0; rank < comm->size; rank++) {
        messages[rank] = NULL;
        if (rank != root && (err = receive_message(&c, rank, &messages[rank]))) {
            free_messages(messages, rank);
            return err;
        }
    }
    return PAR_OK;
}

/* ---- reduce ------------------------------------------------------------- */

/* Receive SOURCE's elements and join them to the right of those in LEFT. */
static par_error receive_and_join(const call *c, void *left, size_t bytes, int source)
{
    par_message *message;
    void *room;
    par_error err = receive_message(c, source, &message);

    if (err)
        return err;
    if (message->body || !bytes) {
        reduce_join((par_op)c->wire.op, c->type, left, message->body, c->wire.count);
        return par_message_free(&message);
    }
    room = malloc(bytes);
    if (!room) {
        par_message_free(&message);
        return error_memory(bytes, "elements to reduce");
    }
    err = par_message_take(&message, &(par_part){room, bytes}, 1);
    if (!err)
        reduce_join((par_op)c->wire.op, c->type, left, room, c->wire.count);
    free(room);
    return err;
}

/* Neighbours join theirs, then neighbours of neighbours: the lower rank keeps
 * the result, which rank 0 has in the end. */
static par_error climb(const call *c, void *left, size_t bytes)
{
    int rank = c->comm->rank;
    par_error err = PAR_OK;

    for (int step = 1; !err && step < c->comm->size; step *= 2) {
        if (rank & step)
            return send_to(c, left, bytes, rank - step);
        if (rank + step < c->comm->size)
            err = receive_and_join(c, left, bytes, rank + step);
    }
    return err;
}

static par_error hand_to_root(const call *c, void *left, void *result, size_t bytes)
{
    int rank = c->comm->rank, root = c->wire.root;

    if (rank == 0 && root != 0)
        return send_to(c, left, bytes, root);
    if (rank != root)
        return PAR_OK;
    if (root != 0)
        return receive_into(c, result, bytes, 0);
    copy_unless_there(result, left, bytes);
    return PAR_OK;
}

par_error par_reduce(par_comm *comm, const void *data, void *result, size_t count,
                     par_type type, par_op op, int root)
{
    size_t bytes;
    void *left;
    par_error err = check_root(comm, root);

    if (!err)
        err = reduce_check(op, type);
    if (!err)
        err = p2p_check_data(data, count, type, &bytes);
    if (!err && comm->rank == root)
        err = p2p_check_data(result, count, type, &bytes);
    if (err)
        return err;
    left = malloc(bytes + 1);
    if (!left)
        return error_memory(bytes, "elements to reduce");

    call c = enter(comm, REDUCE, root, count, type, op);

    copy_unless_there(left, data, bytes);
    err = climb(&c, left, bytes);
    if (!err)
        err = hand_to_root(&c, left, result, bytes);
    free(left);
    return err;
}
