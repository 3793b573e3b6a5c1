/* comm.h - communicators: ranks that exchange messages.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_COMM_H
#define PAR_SRC_COMM_H

#include "inbox.h"

enum { COMM_CALLS = 64 };

/* A collective call of this rank. */
typedef struct comm_call {
    int tag;
    wire_call wire;
    par_type type;
} comm_call;

/* What the ranks of a communicator tell each other at the end of the job; the largest
 * of each number is heard. */
typedef struct comm_end {
    MPI_Request request;
    bool is_under_way;
    int64_t said[4], heard[4];
} comm_end;

struct par_comm {
    list_node node; /* among all that are open */
    inbox inbox;
    MPI_Comm body; /* what comes apart, so that no receive for any tag takes it for a
                    * header; and the MPI library's collectives */
    int rank, size;
    bool is_world;
    bool is_closing;               /* nothing but what it takes to close may be sent */
    int *world_ranks;              /* of its ranks; NULL until somebody asks */
    int under_way;                 /* requests that programs have, not ended yet */
    struct background *background; /* its thread, once there is one */
    uint32_t body_tags;            /* given out so far */
    uint64_t sent;                 /* messages that MPI has taken so far */
    uint32_t collectives;          /* entered so far; all ranks of the comm count alike */
    comm_call calls[COMM_CALLS];   /* the last of them, by tag */
    _Atomic int left;              /* the tag of the last that this rank has left */
    bool any_failed;
    int failed_tag; /* of the last that has failed, here or elsewhere */
    comm_end end;   /* leave.c's */
};

typedef enum comm_phase {
    COMM_JOB_NOT_YET,
    COMM_JOB_RUNS,
    COMM_JOB_OVER,      /* MPI cannot start again */
    COMM_JOB_IN_PARENT, /* fork has made this process from a rank; it is none */
} comm_phase;

/* Where the job is; job.c sets it. */
extern comm_phase comm_job;

/* Make COMM one of the ranks of PARENT, which stays its owner's. Collective; MPI's
 * own functions wait in it, so all ranks should be about to come. */
par_error comm_open(par_comm *comm, MPI_Comm parent);

/* Make *NEW_P of the ranks of MPI, which is freed in any case; NULL of MPI_COMM_NULL. As
 * comm_open; needs the lock. */
par_error comm_adopt(MPI_Comm mpi, par_comm **new_p);

/* Needs the lock. What has come and nobody has received is dropped. */
void comm_close(par_comm *comm);

/* Close all that are open, and free them but for WORLD. Needs the lock. */
void comm_close_all(const par_comm *world);

/* The one after COMM of those that are open, the first after NULL, NULL after the
 * last. Needs the lock. */
par_comm *comm_next(const par_comm *comm);

/* Whether the job runs; whether COMM can be used now. */
par_error comm_check_job(void);
par_error comm_check(const par_comm *comm);

/* Whether RANK, which is a WHAT ("destination"), is one of COMM. */
par_error comm_check_rank(const par_comm *comm, int rank, const char *what);

/* The world's number of RANK of COMM; -1 where it has none, as after MPI_Comm_spawn, or
 * there is no memory. Needs the lock. */
int comm_world_rank(par_comm *comm, int rank);

/* A tag on COMM->body that no other body under way to the same rank has. Needs
 * the lock. */
int comm_body_tag(par_comm *comm);

#endif
