/* machine.c - the CPUs of a node and what they share, as plain data.
 * SPDX-License-Identifier: MIT */
#include "machine.h"

#include <stdlib.h>

size_t machine_bytes(int cpus)
{
    return sizeof(machine) + (size_t)cpus * sizeof(machine_cpu);
}

machine *machine_new(int cpus)
{
    machine *m = calloc(1, machine_bytes(cpus));

    if (m)
        m->cpus = cpus;
    return m;
}

mask machine_allowed(const machine *m)
{
    mask allowed = {{0}};

    for (int i = 0; i < m->cpus; i++)
        if (m->cpu[i].allowed)
            mask_add(&allowed, m->cpu[i].os);
    return allowed;
}
