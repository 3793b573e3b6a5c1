/* outbox.h - slots that have been sent, and that MPI has not given back yet.
 * SPDX-License-Identifier: MIT
 *
 * All need the lock.
 */
#ifndef PAR_SRC_OUTBOX_H
#define PAR_SRC_OUTBOX_H

#include "comm.h"

/* Whether there is memory for one more. */
bool outbox_make_room(void);

/* S, whose request MPI has, is on its way on COMM; there must be room. It is given back
 * once it is gone. */
void outbox_put(const par_comm *comm, slot *s);

/* The same of a message of the program's to DEST of COMM, which need not wait for it
 * then; false where it has to: DEST is on another node, or too many are under way. */
bool outbox_let_go(par_comm *comm, slot *s, int dest);

/* Give back what is gone. */
void outbox_sweep(void);

/* A wait's step, until none of COMM's is left; none of any communicator's for NULL. */
par_error outbox_step_empty(void *comm, bool *done_p);

#endif
