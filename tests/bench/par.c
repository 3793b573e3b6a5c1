/* par.c - the benchmark's contender that calls libpar.
 * SPDX-License-Identifier: MIT */
#include <par.h>
#include <stdio.h>
#include <stdlib.h>

#include "contender.h"

enum { TAG = 1 };

static par_comm *world;

#define must(call) must_succeed((call), #call)

static void must_succeed(par_error error, const char *call)
{
    if (error == PAR_OK)
        return;
    fprintf(stderr, "%s: %s\n", call, par_strerror(error));
    par_abort(EXIT_FAILURE, par_error_detail());
}

void contender_start(int *argc, char ***argv)
{
    must(par_init(argc, argv, NULL, &world));
}

void contender_end(void)
{
    must(par_finalize());
}

_Noreturn void contender_abort(void)
{
    par_abort(EXIT_FAILURE, NULL);
}

int contender_rank(void)
{
    return par_rank(world);
}

int contender_size(void)
{
    return par_size(world);
}

const char *contender_mpi(void)
{
    return "";
}

void contender_send(const void *data, size_t bytes, int dest)
{
    must(par_send(world, data, bytes, PAR_BYTE, dest, TAG));
}

void contender_receive(void *data, size_t bytes, int source)
{
    must(par_receive(world, data, bytes, PAR_BYTE, source, TAG, NULL));
}

void contender_send_window(const void *data, size_t bytes, int dest)
{
    par_request *requests[CONTENDER_WINDOW];

    for (int i = 0; i < CONTENDER_WINDOW; i++)
        must(par_send_start(world, data, bytes, PAR_BYTE, dest, TAG, &requests[i]));
    must(par_wait_all(requests, CONTENDER_WINDOW, NULL));
}

void contender_receive_window(void *data, size_t bytes, int source)
{
    par_request *requests[CONTENDER_WINDOW];

    for (int i = 0; i < CONTENDER_WINDOW; i++)
        must(par_receive_start(world, (char *)data + (size_t)i * bytes, bytes, PAR_BYTE,
                               source, TAG, &requests[i]));
    must(par_wait_all(requests, CONTENDER_WINDOW, NULL));
}

void contender_barrier(void)
{
    must(par_barrier(world));
}

void contender_broadcast(void *data, size_t bytes, int root)
{
    must(par_broadcast(world, data, bytes, PAR_BYTE, root));
}

void contender_gather(const void *part, size_t bytes, void *all, int root)
{
    must(par_gather(world, part, bytes, PAR_BYTE, all, root));
}

void contender_scatter(const void *all, void *part, size_t bytes, int root)
{
    must(par_scatter(world, all, part, bytes, PAR_BYTE, root));
}

void contender_allgather(const void *part, size_t bytes, void *all)
{
    must(par_allgather(world, part, bytes, PAR_BYTE, all));
}

void contender_alltoall(const void *out, size_t bytes, void *in)
{
    must(par_alltoall(world, out, in, bytes, PAR_BYTE));
}

void contender_reduce(const double *data, double *sum, size_t count, int root)
{
    must(par_reduce(world, data, sum, count, PAR_DOUBLE, PAR_SUM, root));
}

void contender_allreduce(const double *data, double *sum, size_t count)
{
    must(par_allreduce(world, data, sum, count, PAR_DOUBLE, PAR_SUM));
}
