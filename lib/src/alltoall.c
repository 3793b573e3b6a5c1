/* alltoall.c - each rank has a part for each.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "vector.h"

/* What is small waits for nobody, so all of it goes first. */
static par_error alltoall_small(collective *c, const char *from, char *to, size_t bytes)
{
    const par_comm *comm = c->comm;
    size_t mine = (size_t)comm->rank * bytes;
    par_error err = PAR_OK;

    if (bytes)
        collective_copy(to + mine, from + mine, bytes);
    for (int n = 1; !err && n < comm->size; n++) {
        int dest = collective_nth_dest(comm, n);

        err = collective_send(c, bytes ? from + (size_t)dest * bytes : NULL, bytes, dest);
    }
    for (int n = 1; !err && n < comm->size; n++) {
        int source = collective_nth_source(comm, n);

        err = collective_receive_into(c, bytes ? to + (size_t)source * bytes : NULL,
                                      bytes, source);
    }
    return err;
}

/* Send each rank its one of OUTS and receive one of INS from each. */
static par_error exchange_parts(collective *c, const par_part *outs, const par_part *ins)
{
    int rank = c->comm->rank;
    par_error err = vector_keep(c, &outs[rank], &ins[rank]);

    for (int n = 1; !err && n < c->comm->size; n++) {
        int dest = collective_nth_dest(c->comm, n),
            source = collective_nth_source(c->comm, n);

        err = collective_swap(c, outs[dest].data, outs[dest].bytes, dest,
                              ins[source].data, ins[source].bytes, source);
    }
    return err;
}

static par_error alltoall_large(collective *c, const char *from, char *to, size_t bytes)
{
    par_part *outs, *ins = NULL;
    par_error err = collective_parts(c, from, bytes, &outs);

    if (err)
        return err;
    err = collective_parts(c, to, bytes, &ins);
    if (!err)
        err = exchange_parts(c, outs, ins);
    free(ins);
    free(outs);
    return err;
}

par_error par_alltoall(par_comm *comm, const void *data, void *result, size_t count,
                       par_type type)
{
    size_t bytes;
    collective c;
    par_error err = collective_check(comm);

    if (!err)
        err = collective_check_whole(comm, data, count, type);
    if (!err)
        err = collective_check_whole(comm, result, count, type);
    if (!err)
        err = p2p_check_data(data, count, type, &bytes);
    if (err)
        return err;
    err = collective_enter(comm, COLLECTIVE_ALLTOALL, 0, count, type, PAR_SUM, &c);
    if (!err)
        err = collective_is_small(bytes) ? alltoall_small(&c, data, result, bytes)
                                         : alltoall_large(&c, data, result, bytes);
    return collective_leave(&c, err);
}

/* ---- parts of differing length --------------------------------------------- */

par_error par_alltoallv(par_comm *comm, const void *data, const size_t *counts,
                        const size_t *displs, void *result, const size_t *result_counts,
                        const size_t *result_displs, par_type type)
{
    par_part *outs = NULL, *ins = NULL;
    collective c;
    par_error err = collective_check(comm);

    if (!err)
        err = vector_parts(comm, data, counts, displs, type, &outs);
    if (!err)
        err = vector_room(comm, result, result_counts, result_displs, type, &ins);
    if (!err) {
        err = collective_enter(comm, COLLECTIVE_ALLTOALLV, 0, 0, type, PAR_SUM, &c);
        if (!err)
            err = exchange_parts(&c, outs, ins);
        err = collective_leave(&c, err);
    }
    free(outs);
    free(ins);
    return err;
}

/* ---- messages ----------------------------------------------------------- */

/* CONTENTS and the others have one for each rank, or one for all. */
typedef struct outs {
    const par_content *contents;
    const par_part *const *parts;
    const size_t *part_counts;
    bool one_for_all;
    const par_join *join;
} outs;

static par_error start_sends(const collective *c, const outs *o, par_request **sends)
{
    par_error err = PAR_OK;

    for (int n = 1; !err && n < c->comm->size; n++) {
        int dest = collective_nth_dest(c->comm, n), i = o->one_for_all ? 0 : dest;
        request_outgoing out =
            collective_outgoing(c, &o->contents[i], o->parts[i], o->part_counts[i], dest);

        err = p2p_send_start(c->comm, &out, &sends[dest]);
    }
    return err;
}

static par_error exchange(collective *c, const outs *o, par_message **messages,
                          par_request **sends)
{
    par_error err = start_sends(c, o, sends);

    for (int n = 1; !err && n < c->comm->size; n++) {
        int source = collective_nth_source(c->comm, n);

        err = collective_receive(c, source, &messages[source]);
    }
    return err;
}

/* The other ranks are told before this one waits for what it has under way to them. */
static par_error run(par_comm *comm, collective_function function, const outs *o,
                     par_message **messages, par_request **sends)
{
    collective c;
    par_error err = call_enter_join(comm, function, 0, o->join, &c);

    for (int rank = 0; rank < comm->size; rank++) {
        messages[rank] = NULL;
        sends[rank] = NULL;
    }
    if (!err)
        err = exchange(&c, o, messages, sends);
    err = collective_leave(&c, err);
    if (err) {
        for (int rank = 0; rank < comm->size; rank++)
            par_message_free(&messages[rank]);
        par_wait_all(sends, (size_t)comm->size, NULL);
    }
    return err;
}

static par_error check(const par_comm *comm, const outs *o, par_message *const *messages,
                       par_request *const *sends)
{
    par_error err = collective_check(comm);
    int count;

    if (err)
        return err;
    if (!o->contents || !o->parts || !o->part_counts)
        return error_set(PAR_ERR_ARG, "contents, parts or part_counts are NULL: they say "
                                      "what is sent");
    if (!messages || !sends)
        return error_set(PAR_ERR_ARG, "%s is NULL: it is where they go",
                         messages ? "sends" : "messages");
    err = call_check_join(o->join);
    count = o->one_for_all ? 1 : comm->size;
    for (int i = 0; !err && i < count; i++)
        if (o->one_for_all || i != comm->rank)
            err = p2p_check_content(&o->contents[i], o->parts[i], o->part_counts[i]);
    return err;
}

par_error par_message_alltoall(par_comm *comm, const par_content *contents,
                               const par_part *const *parts, const size_t *part_counts,
                               par_message **messages, par_request **sends,
                               const par_join *join)
{
    outs o = {contents, parts, part_counts, false, join};
    par_error err = check(comm, &o, messages, sends);

    return err ? err : run(comm, COLLECTIVE_MESSAGE_ALLTOALL, &o, messages, sends);
}

par_error par_message_allgather(par_comm *comm, const par_content *content,
                                const par_part *parts, size_t part_count,
                                par_message **messages, par_request **sends,
                                const par_join *join)
{
    outs o = {content, &parts, &part_count, true, join};
    par_error err = check(comm, &o, messages, sends);

    return err ? err : run(comm, COLLECTIVE_MESSAGE_ALLGATHER, &o, messages, sends);
}
