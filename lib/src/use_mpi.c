/* use_mpi.c - the one door through which MPI enters.
 * SPDX-License-Identifier: MIT */
#include "use_mpi.h"

par_error error_mpi(int code, const char *call)
{
    char words[MPI_MAX_ERROR_STRING];
    int length;

    if (MPI_Error_string(code, words, &length) != MPI_SUCCESS)
        return error_set(PAR_ERR_MPI, "%s failed with code %d", call, code);
    return error_set(PAR_ERR_MPI, "%s failed: %s", call, words);
}
