/* split.c - communicators made of others.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "collective.h"
#include "deadlock.h"
#include "lock.h"
#include "outbox.h"
#include "par_mpi.h"
#include "wait.h"

/* All ranks of COMM come here, or none goes on, before MPI's own function makes them wait
 * for each other, which is short then. */
static par_error commit(par_comm *comm, collective_function function)
{
    par_error err = collective_check(comm);

    return err ? err : collective_commit_for(comm, function, PAR_OK);
}

static par_error check_result(const void *result_p, const char *name)
{
    return result_p
               ? PAR_OK
               : error_set(PAR_ERR_ARG, "%s is NULL: it is where the result goes", name);
}

par_error par_split(par_comm *comm, int color, int key, par_comm **new_p)
{
    MPI_Comm mpi;
    par_error err = check_result(new_p, "new_p");
    int code;

    if (!err && color < 0 && color != PAR_NO_COLOR)
        err = error_set(PAR_ERR_ARG,
                        "color %d is negative: it must be 0 or more, or %d "
                        "(PAR_NO_COLOR)",
                        color, PAR_NO_COLOR);
    if (!err)
        err = commit(comm, COLLECTIVE_SPLIT);
    if (err)
        return err;
    collective_begin_mpi();
    code = MPI_Comm_split(comm->body, color == PAR_NO_COLOR ? MPI_UNDEFINED : color, key,
                          &mpi);
    err =
        code == MPI_SUCCESS ? comm_adopt(mpi, new_p) : error_mpi(code, "MPI_Comm_split");
    collective_end_mpi();
    return err;
}

par_error par_split_node(par_comm *comm, par_comm **new_p)
{
    MPI_Comm mpi;
    par_error err = check_result(new_p, "new_p");
    int code;

    if (!err)
        err = commit(comm, COLLECTIVE_SPLIT_NODE);
    if (err)
        return err;
    collective_begin_mpi();
    code = MPI_Comm_split_type(comm->body, MPI_COMM_TYPE_SHARED, comm->rank,
                               MPI_INFO_NULL, &mpi);
    err = code == MPI_SUCCESS ? comm_adopt(mpi, new_p)
                              : error_mpi(code, "MPI_Comm_split_type");
    collective_end_mpi();
    return err;
}

par_error par_duplicate(par_comm *comm, par_comm **new_p)
{
    return par_split(comm, 0, par_rank(comm), new_p);
}

/* What MPI still has of what the ranks sent comes there: all receive, since all have come
 * here, and after it nobody sends. */
static par_error empty_outbox(collective *c)
{
    par_error err;

    lock_take();
    c->comm->is_closing = true;
    err = wait_until(outbox_step_empty, NULL, c->comm, false);
    return err ? err : collective_meet(c);
}

/* All ranks go on to free the communicator, or none does. */
static par_error end_together(collective *c)
{
    par_error err = collective_commit(c);

    return err ? err : empty_outbox(c);
}

/* MPI gives the number of a freed communicator to the next one, and with it what is
 * still on its way: so nobody frees before all have stopped sending. */
par_error par_comm_free(par_comm **comm_p)
{
    par_error err;

    if (!comm_p || !*comm_p)
        return PAR_OK;
    err = collective_check(*comm_p);
    if (!err && (*comm_p)->is_world)
        err = error_set(PAR_ERR_ARG, "the world is freed by par_finalize");
    if (err)
        return err;
    if ((*comm_p)->under_way)
        err = error_set(PAR_ERR_ARG, "%d requests of the communicator have not ended yet",
                        (*comm_p)->under_way);
    err = collective_call_for(*comm_p, COLLECTIVE_FREE, err, end_together);
    if (err)
        return err;
    background_stop(*comm_p);
    lock_take();
    while (inbox_step(&(*comm_p)->inbox))
        ;
    deadlock_forget(*comm_p);
    comm_close(*comm_p);
    lock_give();
    free(*comm_p);
    *comm_p = NULL;
    return PAR_OK;
}

par_error par_to_mpi(par_comm *comm, MPI_Comm *mpi_p)
{
    par_error err = check_result(mpi_p, "mpi_p");
    int code;

    if (!err)
        err = commit(comm, COLLECTIVE_TO_MPI);
    if (err)
        return err;
    collective_begin_mpi();
    code = MPI_Comm_dup(comm->body, mpi_p);
    if (code == MPI_SUCCESS)
        code = MPI_Comm_set_errhandler(*mpi_p, MPI_ERRORS_ARE_FATAL);
    collective_end_mpi();
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Comm_dup");
}

par_error par_to_fortran(par_comm *comm, int *handle_p)
{
    MPI_Comm mpi;
    par_error err = check_result(handle_p, "handle_p");

    if (!err)
        err = par_to_mpi(comm, &mpi);
    if (!err)
        *handle_p = MPI_Comm_c2f(mpi);
    return err;
}
