/* segment.c - a large run of elements in segments, one for each rank.
 * SPDX-License-Identifier: MIT */
#include "segment.h"

#include <stdlib.h>

#include "type.h"

enum { LINE = 64 };

segments segment_divide(collective *c, size_t bytes)
{
    size_t lines = bytes / LINE + 1, ranks = (size_t)c->comm->size;

    return (segments){c, bytes, (lines + ranks - 1) / ranks * LINE};
}

size_t segment_start(const segments *s, int rank)
{
    size_t start = (size_t)rank * s->each;

    return start < s->bytes ? start : s->bytes;
}

size_t segment_bytes(const segments *s, int rank)
{
    return segment_start(s, rank + 1) - segment_start(s, rank);
}

/* ---- join --------------------------------------------------------------- */

/* This rank's segment of each rank's elements: its own in its place, the others' in
 * ROOM. */
typedef struct pieces {
    const void **at;
    unsigned char *room;
} pieces;

static par_error pieces_make(pieces *p, const segments *s, const char *data)
{
    size_t ranks = (size_t)s->c->comm->size;
    int me = s->c->comm->rank;

    p->at = malloc(ranks * sizeof *p->at);
    p->room = malloc((ranks - 1) * segment_bytes(s, me) + 1);
    if (!p->at || !p->room)
        return error_memory(ranks * segment_bytes(s, me), "elements to reduce");
    p->at[me] = data + segment_start(s, me);
    return PAR_OK;
}

static void pieces_free(pieces *p)
{
    free(p->at);
    free(p->room);
}

static par_error exchange(const segments *s, const char *data, pieces *p)
{
    const par_comm *comm = s->c->comm;
    size_t mine = segment_bytes(s, comm->rank);
    par_error err = PAR_OK;

    for (int n = 1; !err && n < comm->size; n++) {
        int dest = (comm->rank + n) % comm->size;
        int source = (comm->rank - n + comm->size) % comm->size;
        unsigned char *to = p->room + (size_t)(n - 1) * mine;

        err = collective_swap(s->c, data + segment_start(s, dest), segment_bytes(s, dest),
                              dest, to, mine, source);
        p->at[source] = to;
    }
    return err;
}

/* Neighbours first, then neighbours of neighbours; the last join goes to RESULT. */
static void join(const segments *s, pieces *p, void *result)
{
    const par_comm *comm = s->c->comm;
    size_t count = segment_bytes(s, comm->rank) >> type_shift(s->c->type);

    for (int step = 1; step < comm->size; step *= 2)
        for (int rank = 0; rank + step < comm->size; rank += 2 * step) {
            const void *left = p->at[rank], *right = p->at[rank + step];
            bool last = rank == 0 && 2 * step >= comm->size;
            const void *room = rank == comm->rank && step == 1 ? right : left;
            void *to = last ? result : (void *)(uintptr_t)room;

            collective_join(s->c, to, left, right, count);
            p->at[rank] = to;
        }
}

par_error segment_join(const segments *s, const void *data, void *result)
{
    pieces p;
    par_error err = pieces_make(&p, s, data);

    if (!err)
        err = exchange(s, data, &p);
    if (!err)
        join(s, &p, result);
    pieces_free(&p);
    return err;
}

/* ---- share -------------------------------------------------------------- */

par_error segment_share(const segments *s, void *data, int root)
{
    const par_comm *comm = s->c->comm;
    char *all = data;
    par_error err = PAR_OK;

    for (int n = 1; !err && n < comm->size; n++) {
        int dest = (comm->rank + n) % comm->size;
        int source = (comm->rank - n + comm->size) % comm->size;

        err = collective_swap(s->c, all + segment_start(s, comm->rank),
                              segment_bytes(s, comm->rank), dest == root ? -1 : dest,
                              all + segment_start(s, source), segment_bytes(s, source),
                              comm->rank == root ? -1 : source);
    }
    return err;
}
