/* transfer.h - what comes apart from its header: bodies, straight from memory to memory.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_TRANSFER_H
#define PAR_SRC_TRANSFER_H

#include "use_mpi.h"

typedef struct transfer {
    MPI_Request one;     /* the only piece, */
    MPI_Request *pieces; /* or as many as there are: &one, or memory of its own */
    size_t count, done;
} transfer;

/* Parts are cut into pieces of so many bytes, since MPI counts in int. A
 * variable only for tests, which would need gigabytes otherwise. */
extern size_t transfer_piece;

/* Make T one of nothing, which is over. */
void transfer_none(transfer *t);

/* Make TO what FROM is, which must not be used any more. */
void transfer_move(transfer *to, const transfer *from);

/* Start to send PARTS to PEER, or to receive them from there, under TAG; both
 * sides must cut alike, that is, know the parts' lengths. Need the lock. */
par_error transfer_send(transfer *t, MPI_Comm mpi, const par_part *parts,
                        size_t part_count, int peer, int tag);
par_error transfer_receive(transfer *t, MPI_Comm mpi, const par_part *parts,
                           size_t part_count, int peer, int tag);

/* Look whether all pieces are over: then *DONE_P is set and T's memory freed, as
 * it is after an error. Needs the lock. */
par_error transfer_step(transfer *t, bool *done_p);

#endif
