/* use_mpi.c - the one door through which MPI enters.
 * SPDX-License-Identifier: MIT */
#include "use_mpi.h"

#include <stdlib.h>
#include <unistd.h>

/* Up to this length Open MPI's shared-memory transport (vader in 4, sm in 5) sends
 * at once, while beyond it, and that is 4 KiB, it first asks the receiver, which
 * makes 8 KiB four times as slow. It costs half a megabyte for each rank; beyond
 * 32 KiB there is no more to win. The user's own setting stays. */
int use_mpi_start(int *argc, char ***argv)
{
    static const char limit[] = "34816"; /* 32 KiB and what MPI adds */
    int level;

    setenv("OMPI_MCA_btl_vader_eager_limit", limit, 0);
    setenv("OMPI_MCA_btl_sm_eager_limit", limit, 0);
    return MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &level);
}

#ifdef OPEN_MPI
/* What MPI_Abort calls after it has printed a page of its own. The reason has been
 * said already, by those who know it. */
extern int ompi_mpi_abort(MPI_Comm comm, int code) __attribute__((weak));
#endif

_Noreturn void use_mpi_abort(int code)
{
#ifdef OPEN_MPI
    if (ompi_mpi_abort)
        ompi_mpi_abort(MPI_COMM_WORLD, code);
#endif
    MPI_Abort(MPI_COMM_WORLD, code);
    _exit(code);
}

par_error error_mpi(int code, const char *call)
{
    char words[MPI_MAX_ERROR_STRING];
    int length;

    if (MPI_Error_string(code, words, &length) != MPI_SUCCESS)
        return error_set(PAR_ERR_MPI, "%s failed with code %d", call, code);
    return error_set(PAR_ERR_MPI, "%s failed: %s", call, words);
}
