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
        if (!err && rank >= step)
            collective_join(c, left, theirs, left, (size_t)c->wire.count);
    }
    return err;
}

/* LEFT has room for BYTES, twice. */
static par_error scan_in(collective *c, const void *data, unsigned char *left,
                         void *result, size_t bytes)
{
    const par_comm *comm = c->comm;
    int next = comm->rank + 1 < comm->size ? comm->rank + 1 : -1;
    par_error err;

    collective_copy(left, data, bytes);
    err = double_up(c, left, left + bytes, bytes);
    if (!err && c->wire.function == COLLECTIVE_EXSCAN)
        return collective_swap(c, left, bytes, next, result, bytes, comm->rank - 1);
    if (!err)
        collective_copy(result, left, bytes);
    return err;
}

static par_error scan(par_comm *comm, collective_function function, const void *data,
                      void *result, size_t count, par_type type, par_op op)
{
    size_t bytes;
    unsigned char *left;
    collective c;
    par_error err = collective_check_join(comm, data, result, count, type, op, &bytes);

    if (err)
        return err;
    err = collective_enter(comm, function, 0, count, type, op, &c);
    left = malloc(2 * bytes + 1);
    if (!err && !left)
        err = error_memory(2 * bytes, "elements to scan");
    if (!err)
        err = scan_in(&c, data, left, result, bytes);
    free(left);
    return collective_leave(&c, err);
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
