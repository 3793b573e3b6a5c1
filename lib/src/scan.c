/* scan.c - each rank gets what the ranks up to it have, joined.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "collective.h"

/* By doubling (Hillis and Steele 1986): after step k LEFT joins the 2^k ranks up to
 * this one, and goes to the rank 2^k behind. */
static par_error double_up(collective *c, void *left, void *theirs, size_t bytes)
{
    int rank = c->comm->rank, size = c->comm->size;
    par_error err = PAR_OK;

    for (int step = 1; !err && step < size; step *= 2) {
        err = collective_swap(c, left, bytes, rank + step < size ? rank + step : -1,
                              theirs, bytes, rank - step);
        if (!err && !c->failed && rank >= step) {
            op_join((par_op)c->wire.op, c->type, theirs, left, (size_t)c->wire.count);
            collective_copy(left, theirs, bytes);
        }
    }
    return err;
}

static par_error scan(par_comm *comm, collective_function function, const void *data,
                      void *result, size_t count, par_type type, par_op op)
{
    size_t bytes;
    unsigned char *left, *theirs;
    par_error err = collective_check_join(comm, data, result, count, type, op, &bytes);

    if (err)
        return err;
    left = malloc(2 * bytes + 1);
    if (!left)
        return error_memory(2 * bytes, "elements to scan");
    theirs = left + bytes;

    collective c = collective_enter(comm, function, 0, count, type, op);

    collective_copy(left, data, bytes);
    err = double_up(&c, left, theirs, bytes);
    if (!err && function == COLLECTIVE_EXSCAN) {
        int next = comm->rank + 1 < comm->size ? comm->rank + 1 : -1;

        err = collective_swap(&c, left, bytes, next, result, bytes, comm->rank - 1);
    } else if (!err && !c.failed) {
        collective_copy(result, left, bytes);
    }
    free(left);
    return err ? err : collective_outcome(&c);
}

par_error par_scan(par_comm *comm, const void *data, void *result, size_t count,
                   par_type type, par_op op)
{
    return scan(comm, COLLECTIVE_SCAN, data, result, count, type, op);
}

par_error par_exscan(par_comm *comm, const void *data, void *result, size_t count,
                     par_type type, par_op op)
{
    return scan(comm, COLLECTIVE_EXSCAN, data, result, count, type, op);
}
