/* allreduce.c - all ranks get what all have, joined.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "collective.h"

/* Whether rank r's partner in each step, r xor 2^k, exists for all. */
static bool is_power_of_two(int size)
{
    return (size & (size - 1)) == 0;
}

/* Join MINE and THEIRS, the lower ranks' on the left, into MINE. */
static void join_in_order(const collective *c, void *mine, void *theirs,
                          bool mine_is_left, size_t bytes)
{
    par_op op = (par_op)c->wire.op;
    size_t count = (size_t)c->wire.count;

    if (mine_is_left) {
        op_join(op, c->type, mine, theirs, count);
    } else {
        op_join(op, c->type, theirs, mine, count);
        collective_copy(mine, theirs, bytes);
    }
}

/* Recursive doubling: each joins what par_reduce joins, in the same shape, so the
 * bits are the same on all ranks and those of par_reduce. */
static par_error double_up(collective *c, void *mine, void *theirs, size_t bytes)
{
    par_error err = PAR_OK;

    for (int step = 1; !err && step < c->comm->size; step *= 2) {
        int partner = c->comm->rank ^ step;

        err = collective_swap(c, mine, bytes, partner, theirs, bytes, partner);
        if (!err && !c->failed)
            join_in_order(c, mine, theirs, c->comm->rank < partner, bytes);
    }
    return err;
}

par_error par_allreduce(par_comm *comm, const void *data, void *result, size_t count,
                        par_type type, par_op op)
{
    size_t bytes;
    void *theirs;
    par_error err = collective_check_join(comm, data, result, count, type, op, &bytes);

    if (err)
        return err;
    theirs = malloc(bytes + 1);
    if (!theirs)
        return error_memory(bytes, "elements to reduce");

    collective c = collective_enter(comm, COLLECTIVE_ALLREDUCE, 0, count, type, op);

    collective_copy(result, data, bytes);
    if (is_power_of_two(comm->size)) {
        err = double_up(&c, result, theirs, bytes);
    } else {
        err = collective_climb(&c, result, bytes);
        if (!err)
            err = collective_descend(&c, result, bytes);
    }
    free(theirs);
    return err ? err : collective_outcome(&c);
}
