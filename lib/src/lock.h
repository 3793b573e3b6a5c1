/* lock.h - the one mutex of the library.
 * SPDX-License-Identifier: MIT
 *
 * It guards every call of MPI, which runs at MPI_THREAD_SERIALIZED (MULTIPLE
 * doubles the latency of Open MPI 4.1), and all that ranks' threads share. It
 * is held for single steps, never across a wait.
 */
#ifndef PAR_SRC_LOCK_H
#define PAR_SRC_LOCK_H

#include <pthread.h>

extern pthread_mutex_t lock_mutex;

static inline void lock_take(void)
{
    pthread_mutex_lock(&lock_mutex);
}

static inline void lock_give(void)
{
    pthread_mutex_unlock(&lock_mutex);
}

#endif
