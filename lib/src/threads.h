/* threads.h - how many threads a rank can really use.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_THREADS_H
#define PAR_SRC_THREADS_H

#include "share.h"

/* Set cpus and quota of the PLACES of COUNT ranks, which are final otherwise, from
 * what they have claimed. M may be NULL: every CPU is a core of its own then.
 *
 * A core counts once, whatever hardware threads it has, unless those have been asked
 * for, by HOW or by a number of threads; if several ranks may run on it, each has
 * its part of it; and ranks of one control group share the time that it is granted. */
par_error threads_count(const machine *m, const share_claim *claims, int count,
                        policy how, place *places);

/* How many CPUs' time the rank number I of PLACES has for itself. */
double threads_time(const place *places, int count, int i);

#endif
