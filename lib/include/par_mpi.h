/* par_mpi.h - par and MPI in one program.
 * SPDX-License-Identifier: MIT
 *
 * par_init joins an MPI that has been initialised already; the other way round a
 * program may call MPI after par_init. MPI runs at MPI_THREAD_SERIALIZED then, so
 * its functions must not be called while another thread is in par's: nor while
 * collective calls go on that have been started and not waited for.
 */
#ifndef PAR_MPI_H
#define PAR_MPI_H

#include <mpi.h>

#include "par.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Make *MPI_P, a communicator for MPI with the ranks of COMM. It is the caller's,
 * to be freed by MPI_Comm_free. Collective.
 *
 * PAR_ERR_ARG, PAR_ERR_MISMATCH, PAR_ERR_INTERRUPTED, PAR_ERR_MPI
 */
PAR_API par_error par_to_mpi(par_comm *comm, MPI_Comm *mpi_p);

/* Make *NEW_P, with the ranks of MPI, which stays the caller's; to be freed by
 * par_comm_free. Collective over MPI.
 *
 * PAR_ERR_ARG          MPI is MPI_COMM_NULL, or an intercommunicator; NEW_P is NULL
 * PAR_ERR_INTERRUPTED  see par_set_hooks
 * PAR_ERR_MISMATCH     another rank has been interrupted
 * PAR_ERR_MEMORY
 * PAR_ERR_MPI
 */
PAR_API par_error par_from_mpi(MPI_Comm mpi, par_comm **new_p);

#ifdef __cplusplus
}
#endif

#endif
