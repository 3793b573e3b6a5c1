/* comm.h - the job and its communicators.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_COMM_H
#define PAR_SRC_COMM_H

#include "inbox.h"

struct par_comm {
    inbox inbox;
    MPI_Comm body; /* what comes apart, so that no receive for any tag takes it for a
                    * header; and the MPI library's collectives */
    int rank, size;
    uint32_t body_tags;   /* given out so far */
    uint32_t collectives; /* entered so far; all ranks of the comm count alike */
};

/* Whether COMM can be used now. */
par_error comm_check(const par_comm *comm);

/* Whether RANK, which is a WHAT ("destination"), is one of COMM. */
par_error comm_check_rank(const par_comm *comm, int rank, const char *what);

/* A tag on COMM->body that no other body under way to the same rank has. Needs
 * the lock. */
int comm_body_tag(par_comm *comm);

#endif
