/* alone.h - a process that is alone to MPI: whether it is meant to be.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_ALONE_H
#define PAR_SRC_ALONE_H

#include "error.h"

/* Before MPI starts. A process that a rank has started inherits the variables by which
 * the launcher told that rank who it is; MPI would take this process for the rank, and
 * fail. So they are taken away, and with PAR_ALONE=1 as well: it is a job of its own.
 *
 * PAR_ERR_MPI  srun has started several processes without a word to any MPI
 */
par_error alone_prepare(void);

/* After MPI has started, with SIZE ranks, from LIBRARY.
 *
 * PAR_ERR_MPI  the launcher has started several processes, each of which MPI takes for
 *              a job of one
 */
par_error alone_check(int size, const char *library);

/* Leave word in the environment, for the processes that this rank will start. */
void alone_mark(void);

#endif
