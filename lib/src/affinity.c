/* affinity.c - the CPUs on which the kernel lets this process run.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* CPU sets */
#include "affinity.h"

#include <dirent.h>
#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As wide as a mask: the kernel refuses a set that is narrower than its own. */
typedef union wide_set {
    cpu_set_t set;
    unsigned char bytes[MASK_CPUS / 8];
} wide_set;

mask affinity_of(pid_t pid)
{
    wide_set wide;
    mask m = {{0}};

    if (sched_getaffinity(pid, sizeof wide, &wide.set))
        return m;
    for (int cpu = 0; cpu < MASK_CPUS; cpu++)
        if (CPU_ISSET_S((unsigned)cpu, sizeof wide, &wide.set))
            mask_add(&m, cpu);
    return m;
}

static int set_one(pid_t thread, const mask *to)
{
    wide_set wide;

    CPU_ZERO_S(sizeof wide, &wide.set);
    for (int cpu = -1; (cpu = mask_next(to, cpu)) >= 0;)
        CPU_SET_S((unsigned)cpu, sizeof wide, &wide.set);
    return sched_setaffinity(thread, sizeof wide, &wide.set) ? errno : 0;
}

/* Whether THREAD was on FROM and has left it: the kernel may know better. */
static bool move_one(pid_t thread, const mask *from, const mask *to)
{
    mask now = affinity_of(thread);

    if (!mask_equal(&now, from) || set_one(thread, to))
        return false;
    now = affinity_of(thread);
    return !mask_equal(&now, from);
}

/* How many threads have been moved. */
static int move_others(const mask *from, const mask *to)
{
    DIR *threads = opendir("/proc/self/task");
    const struct dirent *entry;
    int moved = 0;

    while (threads && (entry = readdir(threads))) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

        moved += thread > 0 && move_one(thread, from, to); /* "." and ".." are none */
    }
    if (threads)
        closedir(threads);
    return moved;
}

int affinity_set(const mask *from, const mask *to)
{
    mask now = affinity_of(0);
    int err = mask_equal(&now, to) ? 0 : set_one(0, to);

    /* Again as long as there are some: a thread that is started meanwhile has the mask
     * of its parent, which may have been the old one still. */
    while (!err && move_others(from, to))
        ;
    return err;
}

int affinity_set_memory(const mask *nodes)
{
    enum { NODES = 1024, BITS = 8 * sizeof(unsigned long) }; /* no kernel has more */
    unsigned long set[NODES / BITS] = {0};

    for (int node = -1; (node = mask_next(nodes, node)) >= 0 && node < NODES;)
        set[node / BITS] |= 1UL << node % BITS;
    return syscall(SYS_set_mempolicy, MPOL_BIND, set, (unsigned long)NODES + 1) ? errno
                                                                                : 0;
}
