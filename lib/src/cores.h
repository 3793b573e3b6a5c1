/* cores.h - the cores that may be given away, and how they are divided fairly.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_CORES_H
#define PAR_SRC_CORES_H

#include "machine.h"

/* Groups of cores, each within the one before. */
typedef enum cores_level {
    CORES_NODE,
    CORES_PACKAGE,
    CORES_NUMA,
    CORES_L3,
    CORES_LEVELS,
} cores_level;

typedef struct core {
    int group[CORES_LEVELS]; /* its number on each level */
    int kind;                /* from 0, the slowest, on */
    int cpu, cpus;           /* its first of machine.cpu, and how many follow */
    int owner;               /* the rank that has it; -1: none */
} core;

/* In the order of the topology: a group of any level lies in one run. */
typedef struct cores {
    const machine *machine;
    mask usable;
    int count;
    core *core;
} cores;

/* Those of M that have a CPU among USABLE. False where there is no memory. */
bool cores_open(cores *all, const machine *m, const mask *usable);
void cores_close(cores *all);

/* Give each of RANKS ranks, no more than there are cores, an owner's share: of
 * equal size but for one core, in one L3 group, NUMA node or package if all can have
 * that, and as many of each kind of core as the others, but for one. False where there
 * is no memory. */
bool cores_divide(cores *all, int ranks);

/* Leave RANK the first WANTED of its cores, the fastest ones first. */
void cores_trim(cores *all, int rank, int wanted);

/* Add to M the usable CPUs of the core I, but for the first SKIP, MOST of them. */
void cores_add(const cores *all, int i, int skip, int most, mask *m);

/* The end of the group of LEVEL in which the core FIRST lies. */
int cores_group_end(const cores *all, int first, cores_level level);

#endif
