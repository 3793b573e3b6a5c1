/* node.h - the ranks of this node, and their places.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_NODE_H
#define PAR_SRC_NODE_H

#include "place.h"
#include "use_mpi.h"

/* The ranks of the job that run on this node, as *COMM_P, to be freed by MPI_Comm_free.
 * Collective over the job.
 *
 * PAR_ERR_MPI
 */
par_error node_split(MPI_Comm *comm_p);

/* Look at the machine, and find this rank its place on it, together with the others
 * of the node, which are those of COMM. Collective over COMM. A machine that can't be
 * read, or a place that the kernel refuses, is no error: place.why tells it.
 *
 * PAR_ERR_ARG     the list of CPUs in OPTIONS doesn't fit this node
 * PAR_ERR_MEMORY
 * PAR_ERR_MPI
 */
par_error node_settle(MPI_Comm comm, const par_options *options);

/* The machine, without its devices; NULL where it could not be read, and before the
 * job. */
const machine *node_machine(void);

/* This rank's place; NULL before the job. */
const place *node_place(void);

/* The lowest rank of this node, as the world numbers them: the node's own number. */
int node_first(void);

/* Forget all that; the rank stays where it is. */
void node_forget(void);

#endif
