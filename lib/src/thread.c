/* thread.c - a thread of the library's own.
 * SPDX-License-Identifier: MIT */
#include "thread.h"

#include <signal.h>
#include <string.h>

#include "use_mpi.h"

int thread_create(pthread_t *thread_p, void *(*run)(void *), void *argument)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(thread_p, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

par_error thread_start(pthread_t *thread_p, void *(*run)(void *), void *argument,
                       const char *what)
{
    int code;

    if (!use_mpi_takes_threads())
        return error_set(PAR_ERR_MPI,
                         "MPI was started with less than MPI_THREAD_SERIALIZED, which %s "
                         "needs",
                         what);
    code = thread_create(thread_p, run, argument);
    return code ? error_set(PAR_ERR_MEMORY, "%s cannot start: %s", what, strerror(code))
                : PAR_OK;
}
