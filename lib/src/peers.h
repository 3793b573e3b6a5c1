/* peers.h - where the ranks of the world run, and what those of this node do.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_PEERS_H
#define PAR_SRC_PEERS_H

#include "use_mpi.h"

/* Learn it, once this rank has settled on its node. Collective over the world. */
par_error peers_learn(void);

/* A number for the node of RANK of the world: its lowest rank. */
int peers_node(int rank);

/* Whether RANK, -1 of none, runs on this node. */
bool peers_is_here(int rank);

/* Ask RANK, of this node, which need not be in the library, for its stack, if it offers
 * it; then, after a while, write to TEXT what it does: "computes", and its stack in lines
 * that follow. */
void peers_poke(int rank);
void peers_look(int rank, char *text, size_t size);

#endif
