/* place.c - which CPUs this rank may use. The only file that includes hwloc.h.
 * SPDX-License-Identifier: MIT */
#include "place.h"

#include <hwloc.h>

#include "error.h"

/* The kernel's answer, so no topology need be discovered, only opened. The
 * caller frees the set. */
static hwloc_bitmap_t allowed(void)
{
    hwloc_topology_t topology;
    hwloc_bitmap_t set = hwloc_bitmap_alloc();

    if (!set)
        return NULL;
    if (hwloc_topology_init(&topology))
        goto free_set;
    /* No object is looked at: what discovery costs on a large node is not paid. */
    if (hwloc_topology_set_all_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE) ||
        hwloc_topology_load(topology) ||
        hwloc_get_cpubind(topology, set, HWLOC_CPUBIND_PROCESS))
        goto destroy;
    hwloc_topology_destroy(topology);
    return set;

destroy:
    hwloc_topology_destroy(topology);
free_set:
    hwloc_bitmap_free(set);
    return NULL;
}

par_error par_place_cpus(char *text, size_t size)
{
    hwloc_bitmap_t set;

    if (!text || !size)
        return error_set(PAR_ERR_ARG, "text of size %zu: there must be room", size);
    set = allowed();
    if (!set)
        return error_set(PAR_ERR_MEMORY, "the CPUs of this rank cannot be read");
    hwloc_bitmap_list_snprintf(text, size, set);
    hwloc_bitmap_free(set);
    return PAR_OK;
}

int par_cpus(void)
{
    hwloc_bitmap_t set = allowed();
    int count = set ? hwloc_bitmap_weight(set) : 1;

    hwloc_bitmap_free(set);
    return count > 0 ? count : 1;
}

void place_mask(uint64_t mask[PLACE_MASK_WORDS])
{
    hwloc_bitmap_t set = allowed();

    for (unsigned w = 0; w < PLACE_MASK_WORDS; w++)
        mask[w] = 0;
    for (int cpu = set ? hwloc_bitmap_first(set) : -1;
         cpu >= 0 && cpu < 64 * PLACE_MASK_WORDS; cpu = hwloc_bitmap_next(set, cpu))
        mask[cpu / 64] |= UINT64_C(1) << cpu % 64;
    hwloc_bitmap_free(set);
}

int place_count(const uint64_t mask[PLACE_MASK_WORDS])
{
    int count = 0;

    for (unsigned w = 0; w < PLACE_MASK_WORDS; w++)
        count += __builtin_popcountll(mask[w]);
    return count;
}
