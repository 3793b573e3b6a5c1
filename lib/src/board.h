/* board.h - memory that the ranks of a node share.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_BOARD_H
#define PAR_SRC_BOARD_H

#include "use_mpi.h"

/* BYTES of memory, zeros at first, that all ranks of NODE see; it stays until this
 * process ends, and has no name that could be left behind. NULL where this rank cannot
 * have it, whatever the others have. Collective over NODE. */
void *board_open(MPI_Comm node, size_t bytes);

#endif
