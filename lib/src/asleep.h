/* asleep.h - whether this process can do anything but wait in the library.
 * SPDX-License-Identifier: MIT
 *
 * A thread that nobody knows computes, or may begin to: so the rank is not stuck. But
 * one that sleeps in a futex of this process, without a time limit, goes on only if
 * another thread of this process wakes it: idle workers of OpenMP and OpenBLAS, who
 * waits in pthread_join, or in Python in a lock or a queue. And one in pause() goes on
 * only by a signal: so threads wait that come back to a Python that has ended. The kernel
 * knows.
 */
#ifndef PAR_SRC_ASLEEP_H
#define PAR_SRC_ASLEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* MPI starts between the two: the threads it makes are its own, and never call us. */
void asleep_before_mpi(void);
void asleep_after_mpi(void);

/* This thread of the library only listens: it counts as MPI's. Need the lock. */
void asleep_listen(void);
void asleep_listen_no_more(void);

/* The signal that interrupts tasks of a pool. */
int asleep_task_signal(void);

/* Whether all threads but the COUNT in KNOWN, and MPI's, sleep as said above, but not
 * for the futex OTHER_THAN. If it says so twice with the same *TRACE_P, none of them has
 * run in between. */
bool asleep_all(const pid_t *known, size_t count, const void *other_than,
                uint64_t *trace_p);

/* Whether a signal may come with which the program does something: a timer is set, or
 * there is a handler of its own. SIGINT and SIGTERM, which people send, don't count. */
bool asleep_until_signal(void);

#endif
