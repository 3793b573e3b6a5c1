/* allreduce.c - all ranks get what all have, joined.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "segment.h"

/* What pays to be joined in segments. */
enum { SEGMENTS_BYTES = 64 * 1024 };

/* Whether rank r's partner in each step, r xor 2^k, exists for all. */
static bool is_power_of_two(int size)
{
    return (size & (size - 1)) == 0;
}

static par_error receive_and_join(collective *c, const void *mine, void *result,
                                  int partner)
{
    bool they_lead = partner < c->comm->rank;
    par_message *message;
    par_error err = collective_receive(c, partner, &message);

    if (err)
        return err;
    collective_join(c, result, they_lead ? message->body : mine,
                    they_lead ? mine : message->body, (size_t)c->wire.count);
    return par_message_free(&message);
}

/* Recursive doubling, of what is small and so sent at once: each joins what par_reduce
 * joins, in the same shape, so the bits are the same on all ranks and those of
 * par_reduce. */
static par_error double_up(collective *c, const void *data, void *result, size_t bytes)
{
    const void *mine = data;
    par_error err = PAR_OK;

    for (int step = 1; !err && step < c->comm->size; step *= 2) {
        int partner = c->comm->rank ^ step;

        err = collective_send(c, mine, bytes, partner);
        if (!err)
            err = receive_and_join(c, mine, result, partner);
        mine = result;
    }
    if (mine == data)
        collective_copy(result, data, bytes); /* the only rank */
    return err;
}

/* Each rank joins a segment, which all get then (Rabenseifner 2004, but that the
 * segments go straight to who joins them, so that the shape is that of par_reduce). */
static par_error join_segments(collective *c, const void *data, void *result,
                               size_t bytes)
{
    par_part *segments, *places = NULL;
    par_error err = segment_divide(c, data, bytes, &segments);

    if (err)
        return err;
    err = segment_divide(c, result, bytes, &places);
    if (!err)
        err = segment_join(c, segments, places[c->comm->rank].data);
    if (!err)
        err = segment_share(c, places[c->comm->rank].data, places, -1);
    free(places);
    free(segments);
    return err;
}

static par_error climb_and_descend(collective *c, const void *data, void *result,
                                   size_t bytes)
{
    par_error err = collective_climb(c, data, result, bytes);

    return err ? err : collective_descend(c, result, bytes);
}

static par_error allreduce(collective *c, const void *data, void *result, size_t bytes)
{
    if (bytes >= SEGMENTS_BYTES)
        return join_segments(c, data, result, bytes);
    return is_power_of_two(c->comm->size) && collective_is_small(bytes)
               ? double_up(c, data, result, bytes)
               : climb_and_descend(c, data, result, bytes);
}

par_error par_allreduce(par_comm *comm, const void *data, void *result, size_t count,
                        par_type type, par_op op)
{
    size_t bytes;
    collective c;
    par_error err = collective_check_join(comm, data, result, count, type, op, &bytes);

    if (err)
        return err;
    err = collective_enter(comm, COLLECTIVE_ALLREDUCE, 0, count, type, op, &c);
    if (!err)
        err = allreduce(&c, data, result, bytes);
    return collective_leave(&c, err);
}
