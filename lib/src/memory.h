/* memory.h - where this process's memory lies.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_MEMORY_H
#define PAR_SRC_MEMORY_H

#include <stdint.h>

#include "mask.h"

/* How many bytes of a process's own memory, which it shares with nobody, lie at the NUMA
 * nodes of the set NEAR and how many at those of FAR, by the kernel's numbers. MAPS is
 * the process's numa_maps, "/proc/self/numa_maps" for this one. Both are 0 where that
 * cannot be read: the kernel knows no NUMA then. */
void memory_count(const char *maps, const mask *near, const mask *far, uint64_t *near_p,
                  uint64_t *far_p);

#endif
