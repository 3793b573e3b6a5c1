/* reduce.c - one rank gets what all have, joined.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "segment.h"

/* What pays to be joined in segments; fewer ranks send no more along the tree. */
enum { SEGMENTS_RANKS = 4, SEGMENTS_BYTES = 64 * 1024 };

/* The blocks of ranks whose elements are joined are those of a binomial tree, in the
 * order of the ranks. Of each block one rank has the result: the root where it is one
 * of them, otherwise the first. */
static int holder(const collective *c, int block, int step)
{
    int root = c->wire.root;

    return root >= block && root < block + step ? root : block;
}

/* What this rank has joined so far. ROOM is its own memory for that, NULL as long as
 * it is not needed. */
typedef struct joined {
    const void *elements;
    void *result, *room;
    size_t bytes;
} joined;

static par_error make_room(void **room_p, size_t bytes)
{
    if (!*room_p)
        *room_p = malloc(bytes + 1);
    return *room_p ? PAR_OK : error_memory(bytes, "elements to reduce");
}

/* Join THEIRS and what J has, on the side of the lower ranks, where J wants it. */
static par_error join(const collective *c, joined *j, const void *theirs, bool they_lead)
{
    void *to = j->result;
    par_error err = PAR_OK;

    if (!to) {
        err = make_room(&j->room, j->bytes);
        to = j->room;
    }
    if (err)
        return err;
    collective_join(c, to, they_lead ? theirs : j->elements,
                    they_lead ? j->elements : theirs, (size_t)c->wire.count);
    j->elements = to;
    return PAR_OK;
}

static par_error receive_and_join(collective *c, joined *j, void **large_p, int source)
{
    bool they_lead = source < c->comm->rank;
    par_message *message;
    par_error err = collective_receive(c, source, &message), freed;

    if (err)
        return err;
    if (message->body || !j->bytes) {
        err = join(c, j, message->body, they_lead);
        freed = par_message_free(&message);
        return err ? err : freed;
    }
    err = make_room(large_p, j->bytes);
    if (!err)
        err = par_message_take(&message, &(par_part){*large_p, j->bytes}, 1);
    else
        par_message_free(&message);
    return err ? err : join(c, j, *large_p, they_lead);
}

/* Block by block; give what this rank has to the holder of the larger block, or keep
 * it. *LARGE_P is room for what the others send. */
static par_error climb(collective *c, joined *j, void **large_p)
{
    int rank = c->comm->rank, size = c->comm->size;
    par_error err = PAR_OK;

    for (int step = 1; !err && step < size; step *= 2) {
        int block = rank / step * step, other = block ^ step;
        int both = block < other ? block : other;

        if (other >= size)
            continue;
        if (holder(c, both, 2 * step) != rank)
            return collective_send(c, j->elements, j->bytes, holder(c, both, 2 * step));
        err = receive_and_join(c, j, large_p, holder(c, other, step));
    }
    return err;
}

par_error collective_climb(collective *c, const void *data, void *result, size_t bytes)
{
    bool is_root = c->comm->rank == c->wire.root;
    joined j = {.elements = data, .result = is_root ? result : NULL, .bytes = bytes};
    void *large = NULL;
    par_error err = climb(c, &j, &large);

    if (!err && is_root)
        collective_copy(result, j.elements, bytes); /* the only rank */
    free(large);
    free(j.room);
    return err;
}

/* This rank joins its segment of DATA, and sends it to the root. */
static par_error join_and_send(collective *c, const par_part *segments)
{
    const par_part *mine = &segments[c->comm->rank];
    void *part = malloc(mine->bytes + 1);
    par_error err = part ? segment_join(c, segments, part)
                         : error_memory(mine->bytes, "elements to reduce");

    if (!err)
        err = collective_send(c, part, mine->bytes, c->wire.root);
    free(part);
    return err;
}

/* The root joins its own, too, and receives the others' in RESULT. */
static par_error join_and_receive(collective *c, const par_part *segments, void *result,
                                  size_t bytes)
{
    par_part *places;
    par_error err = segment_divide(c, result, bytes, &places);

    if (err)
        return err;
    err = segment_join(c, segments, places[c->comm->rank].data);
    if (!err)
        err = collective_collect(c, places);
    free(places);
    return err;
}

static par_error join_segments(collective *c, const void *data, void *result,
                               size_t bytes)
{
    par_part *segments;
    par_error err = segment_divide(c, data, bytes, &segments);

    if (err)
        return err;
    err = c->comm->rank == c->wire.root ? join_and_receive(c, segments, result, bytes)
                                        : join_and_send(c, segments);
    free(segments);
    return err;
}

static par_error reduce(collective *c, const void *data, void *result, size_t bytes)
{
    return bytes >= SEGMENTS_BYTES && c->comm->size >= SEGMENTS_RANKS
               ? join_segments(c, data, result, bytes)
               : collective_climb(c, data, result, bytes);
}

par_error par_reduce(par_comm *comm, const void *data, void *result, size_t count,
                     par_type type, par_op op, int root)
{
    size_t bytes;
    collective c;
    par_error err = collective_check_root(comm, root);

    if (!err)
        err = op_check(op, type);
    if (!err)
        err = p2p_check_data(data, count, type, &bytes);
    if (!err && comm->rank == root)
        err = p2p_check_data(result, count, type, &bytes);
    if (err)
        return err;
    err = collective_enter(comm, COLLECTIVE_REDUCE, root, count, type, op, &c);
    if (!err)
        err = reduce(&c, data, result, bytes);
    return collective_leave(&c, err);
}
