/* scatter.c - each rank gets its part of what one has.
 * SPDX-License-Identifier: MIT */
#include "vector.h"

#include <stdlib.h>
#include <string.h>

#include "type.h"

/* One send for each other rank; what goes into them is the caller's. */
static request_outgoing *new_outs(const par_comm *comm)
{
    request_outgoing *outs = malloc((size_t)comm->size * sizeof *outs);

    if (!outs)
        error_memory((size_t)comm->size * sizeof *outs, "a list of sends");
    return outs;
}

par_error collective_hand_out(collective *c, const par_part *parts)
{
    size_t others = 0;
    const par_content *content = type_content(c->type);
    request_outgoing *outs = new_outs(c->comm);
    par_error err;

    if (!outs)
        return PAR_ERR_MEMORY;
    for (int rank = 0; rank < c->comm->size; rank++)
        if (rank != c->comm->rank)
            outs[others++] = collective_outgoing(c, content, &parts[rank], 1, rank);
    err = collective_send_all(c, outs, others);
    free(outs);
    return err;
}

static par_error scatter(collective *c, const void *data, void *part, size_t bytes)
{
    int root = c->wire.root;
    par_part *parts;
    par_error err;

    if (c->comm->rank != root)
        return collective_receive_into(c, part, bytes, root);
    err = collective_parts(c, data, bytes, &parts);
    if (err)
        return err;
    err = collective_hand_out(c, parts);
    collective_copy(part, parts[root].data, bytes);
    free(parts);
    return err;
}

par_error par_scatter(par_comm *comm, const void *data, void *part, size_t count,
                      par_type type, int root)
{
    size_t bytes;
    collective c;
    par_error err = collective_check_parts(comm, part, data, count, type, root, &bytes);

    if (err)
        return err;
    err = collective_enter(comm, COLLECTIVE_SCATTER, root, count, type, PAR_SUM, &c);
    if (!err)
        err = scatter(&c, data, part, bytes);
    return collective_leave(&c, err);
}

static par_error scatterv(collective *c, const par_part *parts, const par_part *mine)
{
    par_error err;

    if (c->comm->rank != c->wire.root)
        return collective_receive_into(c, mine->data, mine->bytes, c->wire.root);
    err = vector_keep(c, &parts[c->wire.root], mine);
    return err ? err : collective_hand_out(c, parts);
}

par_error par_scatterv(par_comm *comm, const void *data, const size_t *counts,
                       const size_t *displs, void *part, size_t count, par_type type,
                       int root)
{
    par_part mine = {part, 0}, *parts = NULL;
    collective c;
    par_error err = collective_check_root(comm, root);

    if (!err)
        err = p2p_check_data(part, count, type, &mine.bytes);
    if (!err && comm->rank == root)
        err = vector_parts(comm, data, counts, displs, type, &parts);
    if (err)
        return err;
    err = collective_enter(comm, COLLECTIVE_SCATTERV, root, 0, type, PAR_SUM, &c);
    if (!err)
        err = scatterv(&c, parts, &mine);
    free(parts);
    return collective_leave(&c, err);
}

/* ---- messages ----------------------------------------------------------- */

static par_error scatter_messages(collective *c, const par_content *contents,
                                  const par_part *const *parts, const size_t *part_counts)
{
    size_t others = 0;
    request_outgoing *outs = new_outs(c->comm);
    par_error err;

    if (!outs)
        return PAR_ERR_MEMORY;
    for (int rank = 0; rank < c->comm->size; rank++)
        if (rank != c->comm->rank)
            outs[others++] = collective_outgoing(c, &contents[rank], parts[rank],
                                                 part_counts[rank], rank);
    err = collective_send_all(c, outs, others);
    free(outs);
    return err;
}

static par_error check_contents(const par_comm *comm, const par_content *contents,
                                const par_part *const *parts, const size_t *part_counts)
{
    par_error err = PAR_OK;

    if (!contents || !parts || !part_counts)
        return error_set(PAR_ERR_ARG,
                         "the root's contents, parts or part_counts are NULL");
    for (int rank = 0; !err && rank < comm->size; rank++)
        if (rank != comm->rank)
            err = p2p_check_content(&contents[rank], parts[rank], part_counts[rank]);
    return err;
}

par_error par_message_scatter(par_comm *comm, const par_content *contents,
                              const par_part *const *parts, const size_t *part_counts,
                              int root, par_message **message_p)
{
    par_message *message = NULL;
    collective c;
    par_error err = collective_check_root(comm, root);

    if (!err)
        err = p2p_check_place(message_p);
    if (!err && comm->rank == root)
        err = check_contents(comm, contents, parts, part_counts);
    if (err)
        return err;

    err = collective_enter(comm, COLLECTIVE_MESSAGE_SCATTER, root, 0, PAR_BYTE, PAR_SUM,
                           &c);
    if (!err)
        err = comm->rank == root ? scatter_messages(&c, contents, parts, part_counts)
                                 : collective_receive(&c, root, &message);
    if (!err)
        *message_p = message;
    return collective_leave(&c, err);
}
