/* agree.h - what all ranks must have alike.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_AGREE_H
#define PAR_SRC_AGREE_H

#include "use_mpi.h"

/* What this rank runs; a test may make it something else. */
typedef struct agree_versions {
    int wire;
    const char *par;
} agree_versions;

extern agree_versions agree_here;

/* Compare what this rank runs and has CHOSEN with the others, after ERR, an error that
 * it has met alone. Collective, with MPI's own functions. *CHOSEN becomes what holds for
 * all; of what may differ, but should not, one rank warns.
 *
 * PAR_ERR_ARG        an option is wrong, here or on several ranks of which this is the
 *                    first, or differs; or the versions of par do that cannot work
 *                    together
 * PAR_ERR_ELSEWHERE  the same, and another rank is the first
 */
par_error agree_on_start(par_error err, par_options *chosen);

/* Compare the place that this rank has CHOSEN with those of the others of ALL.
 * Collective, with MPI's own functions.
 *
 * PAR_ERR_MISMATCH  they differ: on all ranks
 * PAR_ERR_MPI
 */
par_error agree_on_place(MPI_Comm all, const par_options *chosen);

/* ERR is one that another rank may lack: all fail where one has. Of several the first
 * rank gets its own back, the others PAR_ERR_ELSEWHERE. Collective, with MPI's own
 * functions. */
par_error agree_on_outcome(par_error err);

/* Rank SPEAKER has failed with ERR, and all learn its detail: it gets ERR back, the
 * others PAR_ERR_ELSEWHERE. Collective, with MPI's own functions. */
par_error agree_on_error(par_error err, int speaker);

#endif
