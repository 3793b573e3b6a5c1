/* raw_mpi.c - the benchmark's contender that calls MPI and nothing else.
 * SPDX-License-Identifier: MIT
 *
 * MPI's default error handler ends the job with a message, so no result of a
 * call is looked at.
 */
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "contender.h"

enum { TAG = 1 };

void contender_start(int *argc, char ***argv)
{
    MPI_Init(argc, argv);
}

void contender_end(void)
{
    MPI_Finalize();
}

_Noreturn void contender_abort(void)
{
    MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
    abort();
}

int contender_rank(void)
{
    int rank;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

int contender_size(void)
{
    int size;

    MPI_Comm_size(MPI_COMM_WORLD, &size);
    return size;
}

const char *contender_mpi(void)
{
    static char version[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;

    MPI_Get_library_version(version, &length);
    version[strcspn(version, "\n")] = '\0';
    return version;
}

void contender_send(const void *data, size_t bytes, int dest)
{
    MPI_Send(data, (int)bytes, MPI_BYTE, dest, TAG, MPI_COMM_WORLD);
}

void contender_receive(void *data, size_t bytes, int source)
{
    MPI_Recv(data, (int)bytes, MPI_BYTE, source, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

void contender_send_window(const void *data, size_t bytes, int dest)
{
    MPI_Request requests[CONTENDER_WINDOW];

    for (int i = 0; i < CONTENDER_WINDOW; i++)
        MPI_Isend(data, (int)bytes, MPI_BYTE, dest, TAG, MPI_COMM_WORLD, &requests[i]);
    MPI_Waitall(CONTENDER_WINDOW, requests, MPI_STATUSES_IGNORE);
}

void contender_receive_window(void *data, size_t bytes, int source)
{
    MPI_Request requests[CONTENDER_WINDOW];

    for (int i = 0; i < CONTENDER_WINDOW; i++)
        MPI_Irecv((char *)data + (size_t)i * bytes, (int)bytes, MPI_BYTE, source, TAG,
                  MPI_COMM_WORLD, &requests[i]);
    MPI_Waitall(CONTENDER_WINDOW, requests, MPI_STATUSES_IGNORE);
}

void contender_barrier(void)
{
    MPI_Barrier(MPI_COMM_WORLD);
}

void contender_broadcast(void *data, size_t bytes, int root)
{
    MPI_Bcast(data, (int)bytes, MPI_BYTE, root, MPI_COMM_WORLD);
}

void contender_gather(const void *part, size_t bytes, void *all, int root)
{
    MPI_Gather(part, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, root,
               MPI_COMM_WORLD);
}

void contender_scatter(const void *all, void *part, size_t bytes, int root)
{
    MPI_Scatter(all, (int)bytes, MPI_BYTE, part, (int)bytes, MPI_BYTE, root,
                MPI_COMM_WORLD);
}

void contender_allgather(const void *part, size_t bytes, void *all)
{
    MPI_Allgather(part, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, MPI_COMM_WORLD);
}

void contender_alltoall(const void *out, size_t bytes, void *in)
{
    MPI_Alltoall(out, (int)bytes, MPI_BYTE, in, (int)bytes, MPI_BYTE, MPI_COMM_WORLD);
}

void contender_reduce(const double *data, double *sum, size_t count, int root)
{
    MPI_Reduce(data, sum, (int)count, MPI_DOUBLE, MPI_SUM, root, MPI_COMM_WORLD);
}

void contender_allreduce(const double *data, double *sum, size_t count)
{
    MPI_Allreduce(data, sum, (int)count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}
