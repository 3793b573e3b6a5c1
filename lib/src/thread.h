/* thread.h - a thread of the library's own.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_THREAD_H
#define PAR_SRC_THREAD_H

#include <pthread.h>

#include "error.h"

/* Start *THREAD_P, which calls RUN with ARGUMENT and nothing of MPI; as pthread_create.
 * Signals are for the threads of the program. */
int thread_create(pthread_t *thread_p, void *(*run)(void *), void *argument);

/* The same, for one that may call MPI. It is a WHAT ("a communicator's thread").
 *
 * PAR_ERR_MPI     MPI takes no calls of several threads
 * PAR_ERR_MEMORY  the system has no thread left
 */
par_error thread_start(pthread_t *thread_p, void *(*run)(void *), void *argument,
                       const char *what);

#endif
