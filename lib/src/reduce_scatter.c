/* reduce_scatter.c - each rank gets its part of what all have, joined.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "segment.h"
#include "vector.h"

/* How many elements all parts have together. */
static par_error add_up(const par_comm *comm, const size_t *counts, size_t *total_p)
{
    *total_p = 0;
    if (!counts)
        return error_set(PAR_ERR_ARG, "counts is NULL: it has a number for each rank");
    for (int rank = 0; rank < comm->size; rank++)
        if (__builtin_add_overflow(*total_p, counts[rank], total_p))
            *total_p = SIZE_MAX; /* and too many they stay */
    return PAR_OK;
}

/* Rank 0 hands out the parts of JOINED, as its own COUNTS say. */
static par_error hand_out(collective *c, const void *joined, const size_t *counts,
                          const par_part *result)
{
    par_part *parts;
    par_error err = vector_parts(c->comm, joined, counts, NULL, c->type, &parts);

    if (err)
        return err;
    err = vector_keep(c, &parts[0], result);
    if (!err)
        err = collective_hand_out(c, parts);
    free(parts);
    return err;
}

/* What is small is joined on rank 0. */
static par_error join_small(collective *c, const void *data, size_t bytes,
                            const size_t *counts, const par_part *result)
{
    bool is_first = c->comm->rank == 0;
    void *joined = is_first ? malloc(bytes + 1) : NULL;
    par_error err = PAR_OK;

    if (is_first && !joined)
        err = error_memory(bytes, "elements to reduce");
    if (!err)
        err = collective_climb(c, data, joined, bytes);
    if (!err && is_first)
        err = hand_out(c, joined, counts, result);
    else if (!err)
        err = collective_receive_into(c, result->data, result->bytes, 0);
    free(joined);
    return err;
}

/* Of what is large each rank joins its own part. */
static par_error join_large(collective *c, const void *data, const size_t *counts,
                            const par_part *result)
{
    par_part *parts;
    par_error err = vector_parts(c->comm, data, counts, NULL, c->type, &parts);

    if (err)
        return err;
    err = segment_join(c, parts, result->data);
    free(parts);
    return err;
}

par_error par_reduce_scatter(par_comm *comm, const void *data, void *result,
                             const size_t *counts, par_type type, par_op op)
{
    size_t total, bytes;
    par_part part = {result, 0};
    collective c;
    par_error err = collective_check(comm);

    if (!err)
        err = op_check(op, type);
    if (!err)
        err = add_up(comm, counts, &total);
    if (!err)
        err = p2p_check_data(data, total, type, &bytes);
    if (!err)
        err = p2p_check_data(result, counts[comm->rank], type, &part.bytes);
    if (err)
        return err;
    err = collective_enter(comm, COLLECTIVE_REDUCE_SCATTER, 0, total, type, op, &c);
    if (!err)
        err = collective_is_small(bytes) ? join_small(&c, data, bytes, counts, &part)
                                         : join_large(&c, data, counts, &part);
    return collective_leave(&c, err);
}
