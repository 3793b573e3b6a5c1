/* segment.c - a large run of elements in segments, one for each rank.
 * SPDX-License-Identifier: MIT */
#include "segment.h"

#include <stdlib.h>

#include "type.h"

enum { LINE = 64 };

static size_t at_most(size_t x, size_t limit)
{
    return x < limit ? x : limit;
}

par_error segment_divide(const collective *c, const void *data, size_t bytes,
                         par_part **segments_p)
{
    size_t ranks = (size_t)c->comm->size, lines = bytes / LINE + 1;
    size_t each = (lines + ranks - 1) / ranks * LINE;
    par_part *segments = malloc(ranks * sizeof *segments);

    if (!segments)
        return error_memory(ranks * sizeof *segments, "a list of segments");
    for (size_t rank = 0; rank < ranks; rank++) {
        size_t start = at_most(rank * each, bytes);

        segments[rank].data = data ? (char *)(uintptr_t)data + start : NULL;
        segments[rank].bytes = at_most(each, bytes - start);
    }
    *segments_p = segments;
    return PAR_OK;
}

/* ---- join --------------------------------------------------------------- */

/* This rank's segment of each rank's elements: its own in its place, the others' in
 * ROOM. */
typedef struct pieces {
    const void **at;
    unsigned char *room;
} pieces;

static par_error pieces_make(pieces *p, const par_comm *comm, const par_part *mine)
{
    size_t ranks = (size_t)comm->size;

    p->at = malloc(ranks * sizeof *p->at);
    p->room = malloc((ranks - 1) * mine->bytes + 1);
    if (!p->at || !p->room)
        return error_memory(ranks * mine->bytes, "elements to reduce");
    p->at[comm->rank] = mine->data;
    return PAR_OK;
}

static void pieces_free(pieces *p)
{
    free(p->at);
    free(p->room);
}

static par_error exchange(collective *c, const par_part *segments, pieces *p)
{
    const par_comm *comm = c->comm;
    size_t mine = segments[comm->rank].bytes;
    par_error err = PAR_OK;

    for (int n = 1; !err && n < comm->size; n++) {
        int dest = collective_nth_dest(comm, n), source = collective_nth_source(comm, n);
        unsigned char *to = p->room + (size_t)(n - 1) * mine;

        err = collective_swap(c, segments[dest].data, segments[dest].bytes, dest, to,
                              mine, source);
        p->at[source] = to;
    }
    return err;
}

/* Neighbours first, then neighbours of neighbours; the last join goes to RESULT. */
static void join(const collective *c, pieces *p, size_t bytes, void *result)
{
    const par_comm *comm = c->comm;
    size_t count = bytes >> type_shift(c->type);

    for (int step = 1; step < comm->size; step *= 2)
        for (int rank = 0; rank + step < comm->size; rank += 2 * step) {
            const void *left = p->at[rank], *right = p->at[rank + step];
            bool last = rank == 0 && 2 * step >= comm->size;
            const void *room = rank == comm->rank && step == 1 ? right : left;
            void *to = last ? result : (void *)(uintptr_t)room;

            collective_join(c, to, left, right, count);
            p->at[rank] = to;
        }
    if (comm->size == 1)
        collective_copy(result, p->at[0], bytes);
}

par_error segment_join(collective *c, const par_part *segments, void *result)
{
    const par_part *mine = &segments[c->comm->rank];
    pieces p;
    par_error err = pieces_make(&p, c->comm, mine);

    if (!err)
        err = exchange(c, segments, &p);
    if (!err)
        join(c, &p, mine->bytes, result);
    pieces_free(&p);
    return err;
}

/* ---- share -------------------------------------------------------------- */

par_error segment_share(collective *c, const void *mine, const par_part *segments,
                        int root)
{
    const par_comm *comm = c->comm;
    size_t bytes = segments[comm->rank].bytes;
    par_error err = PAR_OK;

    for (int n = 1; !err && n < comm->size; n++) {
        int dest = collective_nth_dest(comm, n), source = collective_nth_source(comm, n);

        err = collective_swap(c, mine, bytes, dest == root ? -1 : dest,
                              segments[source].data, segments[source].bytes,
                              comm->rank == root ? -1 : source);
    }
    return err;
}
