/* pool_map.c - from a number to the thing that has it.
 * SPDX-License-Identifier: MIT
 *
 * Open addressing, at most half full; numbers count up, so they are scattered first.
 */
#include "pool_map.h"

#include <stdlib.h>

enum { ROOM_MIN = 16 };

static size_t place_of(const pool_map *map, uint64_t number)
{
    return (size_t)((number * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (map->room - 1);
}

/* Where NUMBER is, or would be. */
static size_t look(const pool_map *map, uint64_t number)
{
    size_t at = place_of(map, number);

    while (map->pairs[at].number && map->pairs[at].number != number)
        at = (at + 1) & (map->room - 1);
    return at;
}

void *pool_map_find(const pool_map *map, uint64_t number)
{
    return map->room ? map->pairs[look(map, number)].thing : NULL;
}

static bool grow(pool_map *map)
{
    pool_map larger = {.count = map->count, .room = map->room ? 2 * map->room : ROOM_MIN};

    larger.pairs = calloc(larger.room, sizeof *larger.pairs);
    if (!larger.pairs)
        return false;
    for (size_t i = 0; i < map->room; i++)
        if (map->pairs[i].number)
            larger.pairs[look(&larger, map->pairs[i].number)] = map->pairs[i];
    free(map->pairs);
    *map = larger;
    return true;
}

bool pool_map_add(pool_map *map, uint64_t number, void *thing)
{
    if (2 * (map->count + 1) > map->room && !grow(map))
        return false;
    map->pairs[look(map, number)] = (struct pool_pair){number, thing};
    map->count++;
    return true;
}

/* The place AT is free: what stands behind it moves up, unless it is where it belongs. */
static void close_gap(pool_map *map, size_t at)
{
    size_t mask = map->room - 1;

    for (size_t next = (at + 1) & mask; map->pairs[next].number;
         next = (next + 1) & mask) {
        size_t home = place_of(map, map->pairs[next].number);

        if (((next - home) & mask) < ((next - at) & mask))
            continue;
        map->pairs[at] = map->pairs[next];
        at = next;
    }
    map->pairs[at] = (struct pool_pair){0, NULL};
}

void *pool_map_remove(pool_map *map, uint64_t number)
{
    size_t at;
    void *thing;

    if (!map->room)
        return NULL;
    at = look(map, number);
    thing = map->pairs[at].thing;
    if (thing) {
        map->count--;
        close_gap(map, at);
    }
    return thing;
}

void *pool_map_any(const pool_map *map)
{
    for (size_t i = 0; map->count && i < map->room; i++)
        if (map->pairs[i].number)
            return map->pairs[i].thing;
    return NULL;
}

void pool_map_free(pool_map *map)
{
    free(map->pairs);
    *map = (pool_map){NULL, 0, 0};
}
