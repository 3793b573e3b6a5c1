/* slot.c - memory for messages that travel in one piece, used again and again.
 * SPDX-License-Identifier: MIT */
#include "slot.h"

#include <stdlib.h>

size_t slot_size;

/* Last in, first out: the one given back last is still in the cache. */
static slot *free_slots;

slot *slot_take(void)
{
    slot *s = free_slots;

    if (s) {
        free_slots = s->next;
        return s;
    }
    s = malloc(sizeof *s + slot_size);
    if (!s)
        return NULL;
    s->request = MPI_REQUEST_NULL;
    s->message = (par_message){.in_slot = true};
    return s;
}

void slot_give(slot *s)
{
    s->next = free_slots;
    free_slots = s;
}

void slot_free_all(void)
{
    while (free_slots) {
        slot *s = free_slots;

        free_slots = s->next;
        free(s);
    }
}
