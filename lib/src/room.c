/* room.c - memory for large bodies, used again.
 * SPDX-License-Identifier: MIT
 *
 * The kernel clears each page of fresh memory, which takes longer than to receive into
 * it. So what a large body has left is kept for the next one. How much a block has room
 * for is asked of the allocator, so that it is free()'s like any other.
 *
 * Nobody waits for a lock here: a child that was forked while another thread held it
 * would wait for ever.
 */
#include "par.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    LARGE = 1 << 20, /* from this size on it is worth it; below, malloc does the same */
    KEPT = 16,
    KEPT_BYTES = 128 << 20, /* all together: no more is held back from the rest */
    ALIGNMENT = 2 << 20,    /* of a huge page */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* The last given back comes last. */
static void *kept[KEPT];
static int count;
static size_t kept_bytes;

/* How much ROOM is for, at least: 0 for one that was not made here. */
static size_t size_of(void *room)
{
    return malloc_usable_size(room) / ALIGNMENT * ALIGNMENT;
}

static size_t round_up(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void *take_out(int i)
{
    void *room = kept[i];

    kept_bytes -= size_of(room);
    count--;
    for (; i < count; i++)
        kept[i] = kept[i + 1];
    return room;
}

/* The last that BYTES fit, without wasting as much again; NULL where there is none. */
static void *find(size_t bytes)
{
    for (int i = count - 1; i >= 0; i--) {
        size_t found = size_of(kept[i]);

        if (found >= bytes && found / 2 <= round_up(bytes))
            return take_out(i);
    }
    return NULL;
}

static void *make(size_t bytes)
{
    size_t rounded = round_up(bytes);
    void *room = rounded < bytes ? NULL : aligned_alloc(ALIGNMENT, rounded);

    if (room)
        madvise(room, rounded, MADV_HUGEPAGE); /* a wish */
    return room;
}

void *par_alloc(size_t bytes)
{
    void *room = NULL;

    if (bytes < LARGE)
        return malloc(bytes ? bytes : 1);
    if (!pthread_mutex_trylock(&mutex)) {
        room = find(bytes);
        pthread_mutex_unlock(&mutex);
    }
    return room ? room : make(bytes);
}

/* Those that were given back first are not what is being used now. */
static void make_place_for(size_t bytes)
{
    int dropped = 0;

    while (dropped < count &&
           (count - dropped == KEPT || kept_bytes + bytes > KEPT_BYTES)) {
        kept_bytes -= size_of(kept[dropped]);
        free(kept[dropped++]);
    }
    count -= dropped;
    memmove(kept, kept + dropped, (size_t)count * sizeof *kept);
}

void par_free(void *room)
{
    size_t bytes = room ? size_of(room) : 0;

    if (!bytes || bytes > KEPT_BYTES || pthread_mutex_trylock(&mutex)) {
        free(room);
        return;
    }
    make_place_for(bytes);
    kept[count++] = room;
    kept_bytes += bytes;
    pthread_mutex_unlock(&mutex);
}
