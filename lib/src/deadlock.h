/* deadlock.h - ranks that wait for each other are found.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_DEADLOCK_H
#define PAR_SRC_DEADLOCK_H

#include "ask.h"

/* Look whether this rank is in a deadlock, ask, and answer. To be called from time to
 * time, with the lock, by who has waited for long. True once it has found one: IN, one
 * for each rank of the world, says who is in it. */
bool deadlock_step(int64_t now, const bool **in_p);

/* A word of the search has come from SOURCE of COMM. */
void deadlock_hear(par_comm *comm, int source, const word *w, const void *rest,
                   size_t bytes);

/* COMM is about to be closed: forget it. */
void deadlock_forget(const par_comm *comm);

#endif
