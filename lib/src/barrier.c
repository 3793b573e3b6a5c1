/* barrier.c - all ranks wait for each other.
 * SPDX-License-Identifier: MIT */
#include "collective.h"
#include "lock.h"

/* By dissemination (Hensgen, Finkel, Manber 1988): in step k each rank hears from
 * the one 2^k before it, which has heard from 2^k - 1 more. */
par_error collective_meet(collective *c)
{
    int rank = c->comm->rank, size = c->comm->size;
    par_error err = PAR_OK;

    for (int step = 1; !err && step < size; step *= 2) {
        err = collective_send(c, NULL, 0, (rank + step) % size);
        if (!err)
            err = collective_receive_into(c, NULL, 0, (rank - step + size) % size);
    }
    return err;
}

/* Nobody gets through the second round whose promise, or another's, is missing; and who
 * has given it waits for ranks that are all here. */
par_error collective_commit(collective *c)
{
    par_error err = collective_meet(c);

    if (err)
        return err;
    c->is_committed = true;
    return collective_meet(c);
}

par_error collective_call_for(par_comm *comm, collective_function function,
                              par_error refused, par_error (*call)(collective *c))
{
    collective c;
    par_error err = collective_enter(comm, function, 0, 0, PAR_BYTE, PAR_SUM, &c);

    if (refused)
        err = refused;
    if (!err)
        err = call(&c);
    return collective_leave(&c, err);
}

par_error collective_meet_for(par_comm *comm, collective_function function,
                              par_error refused)
{
    return collective_call_for(comm, function, refused, collective_meet);
}

par_error collective_commit_for(par_comm *comm, collective_function function,
                                par_error refused)
{
    return collective_call_for(comm, function, refused, collective_commit);
}

void collective_begin_mpi(void)
{
    lock_take();
    use_mpi_begin_blocking();
}

void collective_end_mpi(void)
{
    use_mpi_end_blocking();
    lock_give();
}

par_error par_barrier(par_comm *comm)
{
    par_error err = collective_check(comm);

    return err ? err : collective_meet_for(comm, COLLECTIVE_BARRIER, PAR_OK);
}
