/* affinity.h - the CPUs on which the kernel lets this process run.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_AFFINITY_H
#define PAR_SRC_AFFINITY_H

#include <sys/types.h>

#include "mask.h"

/* Those of thread or process PID, 0 being the calling thread, as the kernel says now.
 * Empty where it says nothing. */
mask affinity_of(pid_t pid);

/* Let the calling thread run on TO, and with it all threads of this process that can run
 * on just FROM: threads that somebody has placed apart stay there. 0, or what errno says.
 */
int affinity_set(const mask *from, const mask *to);

/* From now on memory comes from the NUMA nodes NODES, by the kernel's numbers, for the
 * calling thread and those that it starts. 0, or what errno says. */
int affinity_set_memory(const mask *nodes);

#endif
