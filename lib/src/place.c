/* place.c - the machine as hwloc sees it. The only file that includes hwloc.h.
 * SPDX-License-Identifier: MIT */
#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hwloc.h>

/* ---- what is read ------------------------------------------------------- */

/* What is not looked at costs nothing: caches but L3, and above all devices, for which
 * hwloc's plugins may start a GPU's whole runtime. Groups are needed where several
 * memories lie in one package: hwloc hangs them there. */
static bool choose_types(hwloc_topology_t topology, bool devices)
{
    static const hwloc_obj_type_t kept[] = {HWLOC_OBJ_PACKAGE, HWLOC_OBJ_L3CACHE,
                                            HWLOC_OBJ_CORE};
    bool ok = !hwloc_topology_set_all_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE);

    for (size_t i = 0; ok && i < sizeof kept / sizeof *kept; i++)
        ok = !hwloc_topology_set_type_filter(topology, kept[i],
                                             HWLOC_TYPE_FILTER_KEEP_ALL);
    if (ok)
        ok = !hwloc_topology_set_type_filter(topology, HWLOC_OBJ_GROUP,
                                             HWLOC_TYPE_FILTER_KEEP_STRUCTURE);
    if (ok && devices)
        ok = !hwloc_topology_set_io_types_filter(topology,
                                                 HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
    return ok;
}

static bool choose_source(hwloc_topology_t topology, const char *from)
{
    if (!from)
        return true;
    return !(strchr(from, '/') ? hwloc_topology_set_xml(topology, from)
                               : hwloc_topology_set_synthetic(topology, from));
}

static void choose_components(hwloc_topology_t topology)
{
#if HWLOC_API_VERSION >= 0x00020100
    static const char *const slow[] = {"cuda", "nvml", "opencl",
                                       "gl",   "rsmi", "levelzero"};

    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++)
        hwloc_topology_set_components(topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST,
                                      slow[i]);
#else
    (void)topology;
#endif
}

static hwloc_topology_t load(const char *from, bool devices)
{
    hwloc_topology_t topology;

    if (hwloc_topology_init(&topology))
        return NULL;
    choose_components(topology);
    if (choose_types(topology, devices) && choose_source(topology, from) &&
        !hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) &&
        !hwloc_topology_load(topology))
        return topology;
    hwloc_topology_destroy(topology);
    return NULL;
}

/* ---- its CPUs ----------------------------------------------------------- */

static int number(hwloc_obj_t object)
{
    return object ? (int)object->logical_index : -1;
}

static int number_of(hwloc_topology_t topology, hwloc_obj_t cpu, hwloc_obj_type_t type)
{
    return number(hwloc_get_ancestor_obj_by_type(topology, type, cpu));
}

static int kind_of(hwloc_topology_t topology, hwloc_obj_t cpu)
{
#if HWLOC_API_VERSION >= 0x00020400
    int kind = hwloc_cpukinds_get_by_cpuset(topology, cpu->cpuset, 0);

    return kind < 0 ? 0 : kind;
#else
    (void)topology, (void)cpu;
    return 0;
#endif
}

static machine_cpu cpu_of(hwloc_topology_t topology, hwloc_obj_t cpu)
{
    hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, cpu);

    return (machine_cpu){
        .os = (int)cpu->os_index,
        .package = number_of(topology, cpu, HWLOC_OBJ_PACKAGE),
        .numa = -1,
        .numa_os = -1,
        .l3 = number_of(topology, cpu, HWLOC_OBJ_L3CACHE),
        .core = number(core ? core : cpu),
        .thread = core ? (int)cpu->sibling_rank : 0,
        .kind = kind_of(topology, cpu),
        .allowed = hwloc_bitmap_isset(hwloc_topology_get_allowed_cpuset(topology),
                                      cpu->os_index),
    };
}

/* A CPU's memory is the first of those that fewest others share: not the one of the
 * whole node beside it, nor the special one (HBM) behind it. */
static void find_memory(hwloc_topology_t topology, machine *m)
{
    hwloc_obj_t numa = NULL;
    int *sharers = calloc((size_t)m->cpus, sizeof *sharers);

    while (sharers &&
           (numa = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, numa))) {
        int weight = hwloc_bitmap_weight(numa->cpuset);

        for (int i = 0; i < m->cpus; i++)
            if (hwloc_bitmap_isset(numa->cpuset, (unsigned)m->cpu[i].os) &&
                (!sharers[i] || weight < sharers[i])) {
                sharers[i] = weight;
                m->cpu[i].numa = number(numa);
                m->cpu[i].numa_os = (int)numa->os_index;
            }
    }
    free(sharers);
}

/* ---- its devices -------------------------------------------------------- */

static const char *kind_of_device(hwloc_obj_t device)
{
    switch (device->attr->osdev.type) {
    case HWLOC_OBJ_OSDEV_GPU:
        return "gpu";
    case HWLOC_OBJ_OSDEV_NETWORK:
    case HWLOC_OBJ_OSDEV_OPENFABRICS:
        return "network";
    default:
        return NULL;
    }
}

/* Of all CPUs so far: -1 once they differ. */
static void join(int32_t *common, bool first, int32_t one)
{
    *common = first || *common == one ? one : -1;
}

static void find_neighbours(machine_device *d, const machine *m, hwloc_const_bitmap_t set)
{
    bool first = true;

    d->package = d->numa = -1;
    for (int i = 0; i < m->cpus; i++)
        if (hwloc_bitmap_isset(set, (unsigned)m->cpu[i].os)) {
            join(&d->package, first, m->cpu[i].package);
            join(&d->numa, first, m->cpu[i].numa);
            first = false;
        }
}

static void find_devices(hwloc_topology_t topology, machine *m)
{
    hwloc_obj_t device = NULL;

    while ((device = hwloc_get_next_osdev(topology, device)) &&
           m->devices < MACHINE_DEVICES) {
        const char *kind = kind_of_device(device);
        machine_device *d = &m->device[m->devices];

        if (!kind)
            continue;
        snprintf(d->name, sizeof d->name, "%s", device->name ? device->name : "");
        snprintf(d->kind, sizeof d->kind, "%s", kind);
        find_neighbours(d, m, hwloc_get_non_io_ancestor_obj(topology, device)->cpuset);
        m->devices++;
    }
}

machine *place_machine(const char *from, bool devices)
{
    hwloc_topology_t topology = load(from, devices);
    int cpus = topology ? hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU) : 0;
    machine *m = cpus > 0 ? machine_new(cpus) : NULL;

    if (m) {
        m->made_up = !hwloc_topology_is_thissystem(topology);
        for (int i = 0; i < cpus; i++)
            m->cpu[i] = cpu_of(
                topology, hwloc_get_obj_by_type(topology, HWLOC_OBJ_PU, (unsigned)i));
        find_memory(topology, m);
        if (devices)
            find_devices(topology, m);
    }
    if (topology)
        hwloc_topology_destroy(topology);
    return m;
}
