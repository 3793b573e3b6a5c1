/* collective_start.c - collective calls that go on while the program does.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "collective.h"

/* A call to be made later, by make. */
typedef struct later {
    par_error (*make)(const struct later *l);
    par_comm *comm;
    const void *data;
    void *result;
    size_t count;
    par_type type;
    par_op op;
    int root;
} later;

static par_error run(void *argument)
{
    later *l = argument;
    par_error err = l->make(l);

    free(l);
    return err;
}

static par_error start(const later *l, par_request **request_p)
{
    par_error err = comm_check(l->comm);
    later *copy;

    if (!err)
        err = comm_check_rank(l->comm, l->root, "root");
    if (err)
        return err;
    copy = malloc(sizeof *copy);
    if (!copy)
        return error_memory(sizeof *copy, "a collective call");
    *copy = *l;
    err = par_task_start(l->comm, run, copy, request_p);
    if (err)
        free(copy);
    return err;
}

static par_error barrier(const later *l)
{
    return par_barrier(l->comm);
}

par_error par_barrier_start(par_comm *comm, par_request **request_p)
{
    return start(&(later){.make = barrier, .comm = comm}, request_p);
}

static par_error broadcast(const later *l)
{
    return par_broadcast(l->comm, l->result, l->count, l->type, l->root);
}

par_error par_broadcast_start(par_comm *comm, void *data, size_t count, par_type type,
                              int root, par_request **request_p)
{
    later l = {.make = broadcast,
               .comm = comm,
               .result = data,
               .count = count,
               .type = type,
               .root = root};

    return start(&l, request_p);
}

static par_error scatter(const later *l)
{
    return par_scatter(l->comm, l->data, l->result, l->count, l->type, l->root);
}

par_error par_scatter_start(par_comm *comm, const void *data, void *part, size_t count,
                            par_type type, int root, par_request **request_p)
{
    later l = {.make = scatter,
               .comm = comm,
               .data = data,
               .result = part,
               .count = count,
               .type = type,
               .root = root};

    return start(&l, request_p);
}

static par_error gather(const later *l)
{
    return par_gather(l->comm, l->data, l->count, l->type, l->result, l->root);
}

par_error par_gather_start(par_comm *comm, const void *part, size_t count, par_type type,
                           void *data, int root, par_request **request_p)
{
    later l = {.make = gather,
               .comm = comm,
               .data = part,
               .result = data,
               .count = count,
               .type = type,
               .root = root};

    return start(&l, request_p);
}

static par_error allgather(const later *l)
{
    return par_allgather(l->comm, l->data, l->count, l->type, l->result);
}

par_error par_allgather_start(par_comm *comm, const void *part, size_t count,
                              par_type type, void *data, par_request **request_p)
{
    later l = {.make = allgather,
               .comm = comm,
               .data = part,
               .result = data,
               .count = count,
               .type = type};

    return start(&l, request_p);
}

static par_error alltoall(const later *l)
{
    return par_alltoall(l->comm, l->data, l->result, l->count, l->type);
}

par_error par_alltoall_start(par_comm *comm, const void *data, void *result, size_t count,
                             par_type type, par_request **request_p)
{
    later l = {.make = alltoall,
               .comm = comm,
               .data = data,
               .result = result,
               .count = count,
               .type = type};

    return start(&l, request_p);
}

static par_error reduce(const later *l)
{
    return par_reduce(l->comm, l->data, l->result, l->count, l->type, l->op, l->root);
}

par_error par_reduce_start(par_comm *comm, const void *data, void *result, size_t count,
                           par_type type, par_op op, int root, par_request **request_p)
{
    later l = {.make = reduce,
               .comm = comm,
               .data = data,
               .result = result,
               .count = count,
               .type = type,
               .op = op,
               .root = root};

    return start(&l, request_p);
}

static par_error allreduce(const later *l)
{
    return par_allreduce(l->comm, l->data, l->result, l->count, l->type, l->op);
}

par_error par_allreduce_start(par_comm *comm, const void *data, void *result,
                              size_t count, par_type type, par_op op,
                              par_request **request_p)
{
    later l = {.make = allreduce,
               .comm = comm,
               .data = data,
               .result = result,
               .count = count,
               .type = type,
               .op = op};

    return start(&l, request_p);
}
