/* barrier.c - all ranks wait for each other.
 * SPDX-License-Identifier: MIT */
#include "collective.h"

/* By dissemination (Hensgen, Finkel, Manber 1988): in step k each rank hears from
 * the one 2^k before it, which has heard from 2^k - 1 more. */
par_error par_barrier(par_comm *comm)
{
    par_error err = comm_check(comm);

    if (err)
        return err;

    collective c = collective_enter(comm, COLLECTIVE_BARRIER, 0, 0, PAR_BYTE, PAR_SUM);

    for (int step = 1; !err && step < comm->size; step *= 2) {
        int dest = (comm->rank + step) % comm->size;
        int source = (comm->rank - step + comm->size) % comm->size;

        err = collective_send(&c, NULL, 0, dest);
        if (!err)
            err = collective_receive_into(&c, NULL, 0, source);
    }
    return err ? err : collective_outcome(&c);
}
