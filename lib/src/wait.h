/* wait.h - the one place where a rank waits.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_WAIT_H
#define PAR_SRC_WAIT_H

#include "error.h"
#include "watch.h"

/* Do what can be done without waiting, and say whether that was all. Called
 * with the lock. */
typedef par_error wait_step(void *what, bool *done_p);

/* Call STEP until it is done or fails. Enters with the lock, leaves without. TELL says
 * what is waited for, if it takes long; NULL where nobody needs to know, as the wait
 * never does.
 *
 * PAR_ERR_INTERRUPTED  a hook said so, and INTERRUPTIBLE; STEP may have been
 *                      just done, so look what has become of WHAT
 */
par_error wait_until(wait_step *step, watch_tell *tell, void *what, bool interruptible);

/* Nanoseconds of a clock that only grows. */
int64_t wait_now_ns(void);

/* Have every thread whose wait has become long call CHORE from time to time, without
 * the lock, with the time it has waited; it may wait itself. */
void wait_set_chore(void (*chore)(int64_t waited_ns));

/* How to wait from now on. */
void wait_configure(par_wait_mode mode);

/* This rank has so many CPUs' time for itself. With less than one, to spin is to keep
 * from its core the very rank that one waits for; and where very many share a CPU, short
 * sleeps would take all of it. After wait_configure; needs the lock. Returns whether it
 * is less. */
bool wait_share_cpus(double cpus);

/* From now on this thread waits beside the program's work: it gives its core away at
 * once, and no hook interrupts it. */
void wait_beside_work(void);

/* Whether this thread gives its core away at once where it waits from now on, as one
 * whose wait may be long and for which others have more to do. */
void wait_asleep(bool yes);

#endif
