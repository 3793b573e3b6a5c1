/* thread.h - a thread of the library's own.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_THREAD_H
#define PAR_SRC_THREAD_H

#include <pthread.h>

#include "error.h"

/* Start *THREAD_P, a WHAT ("a communicator's thread"), which calls RUN with ARGUMENT.
 * Signals are for the threads of the program.
 *
 * PAR_ERR_MPI     MPI takes no calls of several threads
 * PAR_ERR_MEMORY  the system has no thread left
 */
par_error thread_start(pthread_t *thread_p, void *(*run)(void *), void *argument,
                       const char *what);

#endif
