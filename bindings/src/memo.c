/* memo.c - a set of objects that have been seen, by identity.
 * SPDX-License-Identifier: MIT */
#include "memo.h"

#include <stdint.h>
#include <stdlib.h>

void memo_init(memo *m)
{
    m->slots = NULL; /* most values have nothing to note */
    m->used = 0;
}

void memo_free(memo *m)
{
    if (m->slots != m->first)
        free(m->slots);
}

/* Fibonacci hashing (Knuth, volume 3, 6.4): objects lie 16 bytes apart. */
static size_t hash(const void *object)
{
    return (size_t)(((uint64_t)(uintptr_t)object >> 4) * UINT64_C(0x9E3779B97F4A7C15) >>
                    32);
}

/* Where OBJECT is, or would go. */
static const void **find(const void **slots, size_t capacity, const void *object)
{
    size_t at = hash(object) & (capacity - 1);

    while (slots[at] && slots[at] != object)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool enlarge(memo *m)
{
    size_t capacity = 4 * m->capacity;
    const void **slots = calloc(capacity, sizeof *slots);

    if (!slots)
        return false;
    for (size_t i = 0; i < m->capacity; i++)
        if (m->slots[i])
            *find(slots, capacity, m->slots[i]) = m->slots[i];
    memo_free(m);
    m->slots = slots;
    m->capacity = capacity;
    return true;
}

memo_answer memo_add(memo *m, const void *object)
{
    const void **slot;

    if (!m->slots) {
        m->slots = m->first;
        m->capacity = MEMO_FIRST;
        for (size_t i = 0; i < MEMO_FIRST; i++)
            m->first[i] = NULL;
    }
    slot = find(m->slots, m->capacity, object);
    if (*slot)
        return MEMO_SEEN;
    if (2 * (m->used + 1) > m->capacity) {
        if (!enlarge(m))
            return MEMO_NO_MEMORY;
        slot = find(m->slots, m->capacity, object);
    }
    *slot = object;
    m->used++;
    return MEMO_NEW;
}
