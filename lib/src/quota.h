/* quota.h - the CPU time that the control groups of this process are granted.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_QUOTA_H
#define PAR_SRC_QUOTA_H

#include <stdint.h>

typedef struct quota {
    double cpus;    /* as the time of so many CPUs; 0: there is no limit */
    uint64_t group; /* the group that has this limit, the same number to all in it */
} quota;

/* The narrowest of the limits of this process's group and those around it, in version
 * 1 and 2 of control groups. ROOT is "", or in tests a folder in which /proc and /sys
 * are. */
quota quota_read(const char *root);

#endif
