/* affinity.h - the CPUs on which the kernel lets this process run.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_AFFINITY_H
#define PAR_SRC_AFFINITY_H

#include "mask.h"

/* Those of the calling thread, as the kernel says now. Empty where it says nothing. */
mask affinity_now(void);

#endif
