/* node.c - the ranks of this node, and their places.
 * SPDX-License-Identifier: MIT */
#include "node.h"

#include <stdio.h>
#include <stdlib.h>

#include "affinity.h"
#include "use_mpi.h"
#include "wait.h"

static struct {
    machine *machine;
    place *places;
    int rank, ranks;
} node;

const machine *node_machine(void)
{
    return node.machine;
}

const place *node_places(int *count_p)
{
    *count_p = node.ranks;
    return node.places;
}

int node_rank(void)
{
    return node.rank;
}

/* One reads, for the kernel answers many at once slowly, and all have it. */
static par_error share_machine(MPI_Comm comm)
{
    int cpus = 0, code;

    if (node.rank == 0) {
        node.machine = place_machine(NULL, false);
        cpus = node.machine ? node.machine->cpus : 0;
    }
    code = MPI_Bcast(&cpus, 1, MPI_INT, 0, comm);
    if (code != MPI_SUCCESS)
        return error_mpi(code, "MPI_Bcast");
    if (!cpus)
        return PAR_OK;
    if (node.rank > 0)
        node.machine = machine_new(cpus);
    if (!node.machine)
        return error_memory(machine_bytes(cpus), "a machine");
    code = MPI_Bcast(node.machine, (int)machine_bytes(cpus), MPI_BYTE, 0, comm);
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Bcast");
}

static par_error share_places(MPI_Comm comm)
{
    place mine = {.mask = affinity_now()};
    int code;

    MPI_Comm_rank(MPI_COMM_WORLD, &mine.rank);
    mine.cpus = mask_count(&mine.mask);
    snprintf(mine.why, sizeof mine.why, "kept");
    node.places = calloc((size_t)node.ranks, sizeof *node.places);
    if (!node.places)
        return error_memory((size_t)node.ranks * sizeof *node.places, "places");
    code = MPI_Allgather(&mine, sizeof mine, MPI_BYTE, node.places, sizeof mine, MPI_BYTE,
                         comm);
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Allgather");
}

/* Whether the node has more ranks than CPUs that they may use together. */
static bool is_crowded(void)
{
    mask all = {{0}};

    for (int i = 0; i < node.ranks; i++)
        all = mask_or(&all, &node.places[i].mask);
    return node.ranks > mask_count(&all);
}

par_error node_settle(const par_options *options)
{
    MPI_Comm comm;
    par_error err;
    int code = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL,
                                   &comm);

    if (code != MPI_SUCCESS)
        return error_mpi(code, "MPI_Comm_split_type");
    MPI_Comm_rank(comm, &node.rank);
    MPI_Comm_size(comm, &node.ranks);
    err = share_machine(comm);
    if (!err)
        err = share_places(comm);
    MPI_Comm_free(&comm);
    if (!err)
        wait_configure(options->wait, is_crowded());
    return err;
}

/* ---- public ------------------------------------------------------------- */

par_error par_place_cpus(char *text, size_t size)
{
    mask now = affinity_now();

    if (!text || !size)
        return error_set(PAR_ERR_ARG, "text of size %zu: there must be room", size);
    mask_text(&now, text, size);
    return PAR_OK;
}

int par_cpus(void)
{
    mask now = affinity_now();
    int count = mask_count(&now);

    return count > 0 ? count : 1;
}
