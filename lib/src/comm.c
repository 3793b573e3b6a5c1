/* comm.c - communicators: ranks that exchange messages.
 * SPDX-License-Identifier: MIT */
#include "comm.h"

#include <limits.h>
#include <stdlib.h>

comm_phase comm_job;

static list_node open_comms = {&open_comms, &open_comms};

/* ---- what a call may ask ------------------------------------------------ */

par_error comm_check_job(void)
{
    static const char *const texts[] = {
        [COMM_JOB_NOT_YET] = "par_init has not been called yet",
        [COMM_JOB_OVER] = "par_finalize has been called already",
        [COMM_JOB_IN_PARENT] =
            "a process that a rank has made by fork is no rank, and cannot use what the "
            "rank has: let it exec another program, or, in Python, start it with "
            "multiprocessing's \"spawn\" or \"forkserver\" or with subprocess",
    };

    return comm_job == COMM_JOB_RUNS ? PAR_OK
                                     : error_set(PAR_ERR_STATE, "%s", texts[comm_job]);
}

par_error comm_check(const par_comm *comm)
{
    par_error err = comm_check_job();

    if (err)
        return err;
    if (!comm)
        return error_set(PAR_ERR_ARG, "the communicator is NULL: it may have been freed");
    return PAR_OK;
}

par_error comm_check_rank(const par_comm *comm, int rank, const char *what)
{
    if (rank >= 0 && rank < comm->size)
        return PAR_OK;
    return error_set(PAR_ERR_RANK, "%s %d is out of range: ranks are 0 to %d", what, rank,
                     comm->size - 1);
}

/* A child made by fork may ask for its parent's, say to name a file. */
static bool is_known(const par_comm *comm)
{
    return comm && (comm_job == COMM_JOB_RUNS || comm_job == COMM_JOB_IN_PARENT);
}

int par_rank(const par_comm *comm)
{
    return is_known(comm) ? comm->rank : -1;
}

int par_size(const par_comm *comm)
{
    return is_known(comm) ? comm->size : -1;
}

int par_max_tag(void)
{
    return INT_MAX;
}

/* ---- open and close ----------------------------------------------------- */

static int limit_of_tags(void)
{
    int *limit, found;

    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &limit, &found);
    return found ? *limit : 32767; /* what the standard promises */
}

/* A duplicate of PARENT that returns errors. */
static int duplicate(MPI_Comm parent, MPI_Comm *mpi)
{
    int code = MPI_Comm_dup(parent, mpi);

    return code == MPI_SUCCESS ? MPI_Comm_set_errhandler(*mpi, MPI_ERRORS_RETURN) : code;
}

par_error comm_open(par_comm *comm, MPI_Comm parent)
{
    MPI_Comm header;
    par_error err;
    int code = duplicate(parent, &comm->body);

    if (code != MPI_SUCCESS)
        return error_mpi(code, "MPI_Comm_dup");
    code = duplicate(parent, &header);
    if (code != MPI_SUCCESS) {
        err = error_mpi(code, "MPI_Comm_dup");
        goto free_body;
    }
    MPI_Comm_rank(parent, &comm->rank);
    MPI_Comm_size(parent, &comm->size);
    comm->body_tags = comm->collectives = 0;
    comm->sent = 0;
    comm->under_way = 0;
    comm->any_failed = false;
    comm->left = -1;
    for (int i = 0; i < COMM_CALLS; i++)
        comm->calls[i].tag = -1;
    comm->background = NULL;
    comm->is_closing = false;
    comm->world_ranks = NULL;
    comm->end.is_under_way = false;
    err = inbox_open(&comm->inbox, header);
    if (!err) {
        list_insert(&open_comms, &comm->node);
        return PAR_OK;
    }
    MPI_Comm_free(&header);
free_body:
    MPI_Comm_free(&comm->body);
    return err;
}

par_error comm_adopt(MPI_Comm mpi, par_comm **new_p)
{
    par_comm *comm;
    par_error err;

    if (mpi == MPI_COMM_NULL) {
        *new_p = NULL;
        return PAR_OK;
    }
    comm = malloc(sizeof *comm);
    if (comm)
        comm->is_world = false;
    err = comm ? comm_open(comm, mpi) : error_memory(sizeof *comm, "a communicator");
    MPI_Comm_free(&mpi);
    if (err)
        free(comm);
    else
        *new_p = comm;
    return err;
}

int comm_body_tag(par_comm *comm)
{
    static int limit = -1;

    if (limit < 0)
        limit = limit_of_tags();
    return (int)(comm->body_tags++ % ((uint32_t)limit + 1));
}

static int *find_world_ranks(const par_comm *comm)
{
    size_t count = (size_t)comm->size;
    int *here = malloc(count * sizeof *here);
    int *there = here ? malloc(count * sizeof *there) : NULL;
    MPI_Group group, world;

    if (there) {
        MPI_Comm_group(comm->body, &group);
        MPI_Comm_group(MPI_COMM_WORLD, &world);
        for (int rank = 0; rank < comm->size; rank++)
            here[rank] = rank;
        MPI_Group_translate_ranks(group, comm->size, here, world, there);
        MPI_Group_free(&group);
        MPI_Group_free(&world);
        for (int rank = 0; rank < comm->size; rank++)
            if (there[rank] == MPI_UNDEFINED)
                there[rank] = -1;
    }
    free(here);
    return there;
}

int comm_world_rank(par_comm *comm, int rank)
{
    if (comm->is_world)
        return rank;
    if (!comm->world_ranks)
        comm->world_ranks = find_world_ranks(comm);
    return comm->world_ranks ? comm->world_ranks[rank] : -1;
}

void comm_close(par_comm *comm)
{
    free(comm->world_ranks);
    comm->world_ranks = NULL;
    list_remove(&comm->node);
    inbox_close(&comm->inbox);
    MPI_Comm_free(&comm->body);
}

par_comm *comm_next(const par_comm *comm)
{
    const list_node *node = comm ? &comm->node : &open_comms;

    return node->next == &open_comms ? NULL : LIST_OF(node->next, par_comm, node);
}

void comm_close_all(const par_comm *world)
{
    while (!list_is_empty(&open_comms)) {
        par_comm *comm = LIST_OF(open_comms.next, par_comm, node);

        comm_close(comm);
        if (comm != world)
            free(comm);
    }
}
