/* pool_map.h - from a number to the thing that has it.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_POOL_MAP_H
#define PAR_SRC_POOL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty. Numbers are over 0. */
typedef struct pool_map {
    struct pool_pair {
        uint64_t number; /* 0: free */
        void *thing;
    } * pairs;
    size_t count, room; /* ROOM is a power of two, or 0 */
} pool_map;

/* The THING with NUMBER; NULL where there is none. */
void *pool_map_find(const pool_map *map, uint64_t number);

/* Make THING that of NUMBER, which has none; false where there is no memory. */
bool pool_map_add(pool_map *map, uint64_t number, void *thing);

/* Take NUMBER's out: it, or NULL. */
void *pool_map_remove(pool_map *map, uint64_t number);

/* Some thing that is left; NULL when the map is empty. */
void *pool_map_any(const pool_map *map);

void pool_map_free(pool_map *map);

#endif
