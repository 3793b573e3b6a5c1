/* reduce.c - one rank gets what all have, joined.
 * SPDX-License-Identifier: MIT */
#include "collective.h"

#include <stdlib.h>
#include <string.h>

/* Receive SOURCE's elements and join them to the right of those in LEFT. */
static par_error receive_and_join(collective *c, void *left, size_t bytes, int source)
{
    par_message *message;
    void *room;
    par_error err = collective_receive(c, source, &message);

    if (err || !message)
        return err;
    if (message->body || !bytes) {
        op_join((par_op)c->wire.op, c->type, left, message->body, c->wire.count);
        return par_message_free(&message);
    }
    room = malloc(bytes);
    if (!room) {
        par_message_free(&message);
        return error_memory(bytes, "elements to reduce");
    }
    err = par_message_take(&message, &(par_part){room, bytes}, 1);
    if (!err)
        op_join((par_op)c->wire.op, c->type, left, room, c->wire.count);
    free(room);
    return err;
}

/* Neighbours join theirs, then neighbours of neighbours: the lower rank keeps
 * the result, which rank 0 has in the end. */
par_error collective_climb(collective *c, void *left, size_t bytes)
{
    int rank = c->comm->rank;
    par_error err = PAR_OK;

    for (int step = 1; !err && step < c->comm->size; step *= 2) {
        if (rank & step)
            return collective_send(c, left, bytes, rank - step);
        if (rank + step < c->comm->size)
            err = receive_and_join(c, left, bytes, rank + step);
    }
    return err;
}

static par_error hand_to_root(collective *c, void *left, void *result, size_t bytes)
{
    int rank = c->comm->rank, root = c->wire.root;

    if (rank == 0 && root != 0)
        return collective_send(c, left, bytes, root);
    if (rank != root)
        return PAR_OK;
    if (root != 0)
        return collective_receive_into(c, result, bytes, 0);
    collective_copy(result, left, bytes);
    return PAR_OK;
}

par_error par_reduce(par_comm *comm, const void *data, void *result, size_t count,
                     par_type type, par_op op, int root)
{
    size_t bytes;
    void *left;
    par_error err = collective_check_root(comm, root);

    if (!err)
        err = op_check(op, type);
    if (!err)
        err = p2p_check_data(data, count, type, &bytes);
    if (!err && comm->rank == root)
        err = p2p_check_data(result, count, type, &bytes);
    if (err)
        return err;
    left = malloc(bytes + 1);
    if (!left)
        return error_memory(bytes, "elements to reduce");

    collective c = collective_enter(comm, COLLECTIVE_REDUCE, root, count, type, op);

    collective_copy(left, data, bytes);
    err = collective_climb(&c, left, bytes);
    if (!err)
        err = hand_to_root(&c, left, result, bytes);
    free(left);
    return err ? err : collective_outcome(&c);
}
