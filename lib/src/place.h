/* place.h - the machine as hwloc sees it, and the place of a rank on it.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_PLACE_H
#define PAR_SRC_PLACE_H

#include "machine.h"
#include "par.h"

enum { PLACE_WHY = 200 };

/* Where a rank is, and why there. */
typedef struct place {
    int32_t rank;        /* in the world */
    int32_t cpus;        /* how many it may really use: what par_cpus() gives */
    int32_t bound;       /* we have bound it, nobody before us */
    double quota;        /* the CPU time it is granted, in CPUs; 0: as much as it wants */
    char why[PLACE_WHY]; /* "auto: its share of 8 cores among 4 ranks" */
    mask mask;           /* the CPUs it may run on */
} place;

/* Read the machine; for free(), NULL where it cannot be read.
 *
 * FROM is NULL for this one, or describes another, for tests: hwloc's synthetic
 * string, or the path of an XML file, in which there is a '/'. With DEVICES, GPUs and
 * networks are looked for, which takes time. */
machine *place_machine(const char *from, bool devices);

#endif
