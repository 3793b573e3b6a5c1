/* gather.c - one rank gets what each has.
 * SPDX-License-Identifier: MIT */
#include "collective.h"

par_error par_gather(par_comm *comm, const void *part, size_t count, par_type type,
                     void *data, int root)
{
    size_t bytes;
    par_error err = collective_check_parts(comm, part, data, count, type, root, &bytes);

    if (err)
        return err;

    collective c = collective_enter(comm, COLLECTIVE_GATHER, root, count, type, PAR_SUM);

    if (comm->rank != root)
        return collective_send(&c, part, bytes, root);
    for (int rank = 0; !err && rank < comm->size; rank++) {
        void *to = bytes ? (char *)data + (size_t)rank * bytes : NULL;

        if (rank == root)
            collective_copy(to, part, bytes);
        else
            err = collective_receive_into(&c, to, bytes, rank);
    }
    return err ? err : collective_outcome(&c);
}

static void free_messages(par_message **messages, int count)
{
    for (int rank = 0; rank < count; rank++)
        par_message_free(&messages[rank]);
}

par_error par_message_gather(par_comm *comm, const par_content *content,
                             const par_part *parts, size_t part_count, int root,
                             par_message **messages)
{
    par_error err = collective_check_root(comm, root);

    if (!err && comm->rank == root && !messages)
        err = error_set(PAR_ERR_ARG, "messages is NULL: it is where they go");
    if (!err && comm->rank != root)
        err = p2p_check_content(content, parts, part_count);
    if (err)
        return err;

    collective c =
        collective_enter(comm, COLLECTIVE_MESSAGE_GATHER, root, 0, PAR_BYTE, PAR_SUM);

    if (comm->rank != root) {
        request_outgoing out = collective_outgoing(&c, content, parts, part_count, root);

        return p2p_send(comm, &out);
    }
    for (int rank = 0; rank < comm->size; rank++) {
        messages[rank] = NULL;
        if (!err && rank != root)
            err = collective_receive(&c, rank, &messages[rank]);
    }
    if (!err)
        err = collective_outcome(&c);
    if (err)
        free_messages(messages, comm->size);
    return err;
}
