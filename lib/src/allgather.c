/* allgather.c - all ranks get what each has.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "segment.h"
#include "vector.h"

/* By doubling (Bruck and others 1997): after step k each rank has the parts of 2^k
 * ranks, its own first and then those of the ranks behind it, and swaps all of
 * them with the ranks 2^k away. Sends and receives go at the same time. */
static par_error swap(collective *c, unsigned char *parts, size_t bytes)
{
    int rank = c->comm->rank, size = c->comm->size;
    par_error err = PAR_OK;

    for (int step = 1; !err && step < size; step *= 2) {
        size_t count = (size_t)(2 * step <= size ? step : size - step);

        err = collective_swap(c, parts, count * bytes, (rank - step + size) % size,
                              parts + (size_t)step * bytes, count * bytes,
                              (rank + step) % size);
    }
    return err;
}

/* In the doubled parts rank 0's is not the first, but behind this rank's. */
static par_error allgather_small(collective *c, const void *part, size_t bytes,
                                 char *data)
{
    const par_comm *comm = c->comm;
    size_t ranks = (size_t)comm->size, behind = (size_t)(comm->size - comm->rank);
    unsigned char *parts = malloc(ranks * bytes + 1);
    par_error err;

    if (!parts)
        return error_memory(ranks * bytes, "the parts of all ranks");
    collective_copy(parts, part, bytes);
    err = swap(c, parts, bytes);
    if (!err) {
        collective_copy(data + (size_t)comm->rank * bytes, parts, behind * bytes);
        collective_copy(data, parts + behind * bytes, (size_t)comm->rank * bytes);
    }
    free(parts);
    return err;
}

/* What is large goes straight to its place. */
static par_error allgather_large(collective *c, const void *part, size_t bytes,
                                 char *data)
{
    par_part *places;
    par_error err = collective_parts(c, data, bytes, &places);

    if (err)
        return err;
    /* The others read PART rather than its copy, which is new in this core's cache. */
    err = segment_share(c, part, places, -1);
    if (!err)
        collective_copy(places[c->comm->rank].data, part, bytes);
    free(places);
    return err;
}

par_error par_allgather(par_comm *comm, const void *part, size_t count, par_type type,
                        void *data)
{
    size_t bytes;
    collective c;
    par_error err = collective_check(comm);

    if (!err)
        err = p2p_check_data(part, count, type, &bytes);
    if (!err)
        err = collective_check_whole(comm, data, count, type);
    if (err)
        return err;
    err = collective_enter(comm, COLLECTIVE_ALLGATHER, 0, count, type, PAR_SUM, &c);
    if (!err)
        err = collective_is_small((size_t)comm->size * bytes)
                  ? allgather_small(&c, part, bytes, data)
                  : allgather_large(&c, part, bytes, data);
    return collective_leave(&c, err);
}

par_error par_allgatherv(par_comm *comm, const void *part, size_t count, par_type type,
                         void *data, const size_t *counts, const size_t *displs)
{
    par_part mine = {(void *)(uintptr_t)part, 0}, *parts;
    collective c;
    par_error err = collective_check(comm);

    if (!err)
        err = p2p_check_data(part, count, type, &mine.bytes);
    if (!err)
        err = vector_room(comm, data, counts, displs, type, &parts);
    if (err)
        return err;

    err = collective_enter(comm, COLLECTIVE_ALLGATHERV, 0, 0, type, PAR_SUM, &c);
    if (!err)
        err = vector_keep(&c, &mine, &parts[comm->rank]);
    if (!err) /* to each from each: so every count is compared with its sender's */
        err = segment_share(&c, part, parts, -1);
    free(parts);
    return collective_leave(&c, err);
}
