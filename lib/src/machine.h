/* machine.h - the CPUs of a node and what they share, as plain data: one rank reads
 * it and sends it to the others of its node.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_MACHINE_H
#define PAR_SRC_MACHINE_H

#include "mask.h"

/* A CPU (a hardware thread). Numbers count from 0 on the node, in the order of the
 * topology, so that neighbours share most; -1 where the node has no such thing. */
typedef struct machine_cpu {
    int32_t os;      /* the kernel's number, which masks use */
    int32_t package; /* of the node */
    int32_t numa;    /* the nearest memory */
    int32_t numa_os; /* the kernel's number of that */
    int32_t l3;      /* the CPUs of one number share a cache */
    int32_t core;    /* of the node */
    int32_t thread;  /* which of its core's, from 0 */
    int32_t kind;    /* of cores, from 0, the slowest, on (P and E cores) */
    int32_t allowed; /* not taken away from this job, by a cgroup for instance */
} machine_cpu;

typedef struct machine_device {
    char name[32];         /* as the kernel calls it: "eth0", "renderD128" */
    char kind[16];         /* "gpu" or "network" */
    int32_t package, numa; /* near which; -1: near none more than near others */
} machine_device;

enum { MACHINE_DEVICES = 64 };

typedef struct machine {
    int32_t cpus, devices; /* how many of each */
    int32_t made_up;       /* another machine than this, from hwloc's variables or a
                            * test: nothing can be bound to its CPUs */
    machine_device device[MACHINE_DEVICES];
    machine_cpu cpu[]; /* in the topology's order */
} machine;

/* Zeroed, with room for CPUS, for free(); NULL where there is no memory. */
machine *machine_new(int cpus);

/* How many bytes a machine of so many CPUs has. */
size_t machine_bytes(int cpus);

/* The CPUs of M that this job may use. */
mask machine_allowed(const machine *m);

#endif
