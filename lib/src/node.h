/* node.h - the ranks of this node, and their places.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_NODE_H
#define PAR_SRC_NODE_H

#include "policy.h"
#include "share.h"
#include "use_mpi.h"

/* The ranks of ALL, which are the job's, that run on this node, as *COMM_P, to be freed
 * by MPI_Comm_free. Collective over ALL.
 *
 * PAR_ERR_MPI
 */
par_error node_split(MPI_Comm all, MPI_Comm *comm_p);

/* Look at the machine, and find this rank its place on it, together with the others
 * of the node, which are those of COMM. Collective over COMM. A machine that can't be
 * read, or a place that the kernel refuses, is no error: place.why tells it.
 *
 * PAR_ERR_ARG     the list of CPUs in OPTIONS doesn't fit this node
 * PAR_ERR_MEMORY
 * PAR_ERR_MPI
 */
par_error node_settle(MPI_Comm comm, const par_options *options);

/* Places that the ranks of a node do not have yet. */
typedef struct node_plan {
    policy how;
    share_claim *claims;
    place *places;
} node_plan;

/* Room for a plan, once this rank has settled. To be closed in any case.
 *
 * PAR_ERR_MEMORY
 */
par_error node_open_plan(node_plan *plan);
void node_close_plan(node_plan *plan);

/* The two halves of node_settle, for ranks that have settled and are to have other places
 * by OPTIONS' bind and threads_per_rank: node_make_plan moves nobody, and fails as
 * node_settle does; node_follow moves this rank. Collective over COMM. */
par_error node_make_plan(MPI_Comm comm, const par_options *options, node_plan *plan);
par_error node_follow(MPI_Comm comm, const node_plan *plan);

/* The machine, without its devices; NULL where it could not be read, and before the
 * job. */
const machine *node_machine(void);

/* This rank's place, once it has settled. */
place node_place(void);

/* The lowest rank of this node, as the world numbers them: the node's own number. */
int node_first(void);

/* Forget all that; the rank stays where it is. */
void node_forget(void);

#endif
