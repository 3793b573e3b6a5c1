/* gather.c - one rank gets what each has.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "vector.h"

static par_error gather(collective *c, const void *part, size_t bytes, void *data)
{
    const par_comm *comm = c->comm;
    par_error err = PAR_OK;

    if (comm->rank != c->wire.root)
        return collective_send(c, part, bytes, c->wire.root);
    for (int rank = 0; !err && rank < comm->size; rank++) {
        void *to = bytes ? (char *)data + (size_t)rank * bytes : NULL;

        if (rank == comm->rank)
            collective_copy(to, part, bytes);
        else
            err = collective_receive_into(c, to, bytes, rank);
    }
    return err;
}

par_error par_gather(par_comm *comm, const void *part, size_t count, par_type type,
                     void *data, int root)
{
    size_t bytes;
    collective c;
    par_error err = collective_check_parts(comm, part, data, count, type, root, &bytes);

    if (err)
        return err;
    err = collective_enter(comm, COLLECTIVE_GATHER, root, count, type, PAR_SUM, &c);
    if (!err)
        err = gather(&c, part, bytes, data);
    return collective_leave(&c, err);
}

par_error collective_collect(collective *c, const par_part *parts)
{
    par_error err = PAR_OK;

    for (int rank = 0; !err && rank < c->comm->size; rank++)
        if (rank != c->comm->rank)
            err = collective_receive_into(c, parts[rank].data, parts[rank].bytes, rank);
    return err;
}

static par_error gatherv(collective *c, const par_part *mine, const par_part *parts)
{
    int root = c->wire.root;
    par_error err;

    if (c->comm->rank != root)
        return collective_send(c, mine->data, mine->bytes, root);
    err = vector_keep(c, mine, &parts[root]);
    return err ? err : collective_collect(c, parts);
}

par_error par_gatherv(par_comm *comm, const void *part, size_t count, par_type type,
                      void *data, const size_t *counts, const size_t *displs, int root)
{
    par_part mine = {(void *)(uintptr_t)part, 0}, *parts = NULL;
    collective c;
    par_error err = collective_check_root(comm, root);

    if (!err)
        err = p2p_check_data(part, count, type, &mine.bytes);
    if (!err && comm->rank == root)
        err = vector_room(comm, data, counts, displs, type, &parts);
    if (err)
        return err;
    err = collective_enter(comm, COLLECTIVE_GATHERV, root, 0, type, PAR_SUM, &c);
    if (!err)
        err = gatherv(&c, &mine, parts);
    free(parts);
    return collective_leave(&c, err);
}

/* ---- messages ----------------------------------------------------------- */

static par_error receive_all(collective *c, par_message **messages)
{
    int size = c->comm->size;
    par_error err = PAR_OK;

    for (int rank = 0; rank < size; rank++) {
        messages[rank] = NULL;
        if (!err && rank != c->comm->rank)
            err = collective_receive(c, rank, &messages[rank]);
    }
    for (int rank = 0; err && rank < size; rank++)
        par_message_free(&messages[rank]);
    return err;
}

par_error par_message_gather(par_comm *comm, const par_content *content,
                             const par_part *parts, size_t part_count, int root,
                             par_message **messages, const par_join *join)
{
    collective c;
    par_error err = collective_check_root(comm, root);

    if (!err)
        err = call_check_join(join);
    if (!err && comm->rank == root && !messages)
        err = error_set(PAR_ERR_ARG, "messages is NULL: it is where they go");
    if (!err && comm->rank != root)
        err = p2p_check_content(content, parts, part_count);
    if (err)
        return err;

    err = call_enter_join(comm, COLLECTIVE_MESSAGE_GATHER, root, join, &c);
    if (!err && comm->rank == root) {
        err = receive_all(&c, messages);
    } else if (!err) {
        err = collective_send_content(&c, content, parts, part_count, root);
    }
    return collective_leave(&c, err);
}
