/* background.h - calls that a thread of the communicator makes, one after the other.
 * SPDX-License-Identifier: MIT
 *
 * A collective call that is started and not waited for is the blocking one, made by
 * that thread: so it goes on while the program computes. Blocking calls wait until
 * the thread has nothing left to do: so the collective calls of a communicator have
 * one order, the program's, on all ranks.
 */
#ifndef PAR_SRC_BACKGROUND_H
#define PAR_SRC_BACKGROUND_H

#include "request.h"

/* Wait until all tasks of COMM are over; in a task of COMM itself, for nothing. */
par_error background_wait(const par_comm *comm);

/* How many tasks of COMM are not over yet. Needs the lock. */
size_t background_left(const par_comm *comm);

/* End COMM's thread, which has nothing left to do. */
void background_stop(par_comm *comm);

/* Whether this thread is a communicator's. */
bool background_is_here(void);

#endif
