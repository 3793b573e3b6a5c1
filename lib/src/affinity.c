/* affinity.c - the CPUs on which the kernel lets this process run.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* CPU sets */
#include "affinity.h"

#include <sched.h>

/* As wide as a mask: the kernel refuses a set that is narrower than its own. */
typedef union wide_set {
    cpu_set_t set;
    unsigned char bytes[MASK_CPUS / 8];
} wide_set;

mask affinity_now(void)
{
    wide_set wide;
    mask m = {{0}};

    if (sched_getaffinity(0, sizeof wide, &wide.set))
        return m;
    for (int cpu = 0; cpu < MASK_CPUS; cpu++)
        if (CPU_ISSET_S((unsigned)cpu, sizeof wide, &wide.set))
            mask_add(&m, cpu);
    return m;
}
