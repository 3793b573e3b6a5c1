/* memory.c - where this process's memory lies.
 * SPDX-License-Identifier: MIT
 *
 * The kernel counts the pages of each mapping by NUMA nodes in numa_maps:
 *
 *     7f8c00000000 default anon=33 dirty=33 N0=30 N1=3 kernelpagesize_kB=4
 *
 * It needs no privilege, other than move_pages(2), which containers often forbid, and
 * it is exact. Files are left out: their pages are wherever somebody first read them.
 */
#define _GNU_SOURCE /* getline */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct pages {
    uint64_t near, far;
} pages;

/* Count the words "N<node>=<pages>" of a mapping. */
static pages count_pages(const char *line, const mask *near, const mask *far)
{
    pages p = {0, 0};

    for (const char *at = line; (at = strstr(at, " N")); at += 2) {
        int node, end = 0;
        unsigned long long count;

        if (sscanf(at + 2, "%d=%llu%n", &node, &count, &end) < 2 || !end)
            continue;
        p.near += mask_has(near, node) ? count : 0;
        p.far += mask_has(far, node) ? count : 0;
    }
    return p;
}

void memory_count(const char *maps, const mask *near, const mask *far, uint64_t *near_p,
                  uint64_t *far_p)
{
    FILE *in = fopen(maps, "re");
    char *line = NULL;
    size_t room = 0;

    *near_p = *far_p = 0;
    while (in && getline(&line, &room, in) > 0) {
        const char *size = strstr(line, " kernelpagesize_kB=");
        uint64_t bytes = 1024 * (size ? strtoull(strchr(size, '=') + 1, NULL, 10) : 4);
        pages p;

        if (!strstr(line, " anon=") || strstr(line, " file="))
            continue;
        p = count_pages(line, near, far);
        *near_p += p.near * bytes;
        *far_p += p.far * bytes;
    }
    free(line);
    if (in)
        fclose(in);
}
