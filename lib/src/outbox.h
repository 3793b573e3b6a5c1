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

/* Give back what is gone. How many of COMM's are left; of all communicators for NULL. */
void outbox_sweep(void);
size_t outbox_left(const par_comm *comm);

#endif
