/* mask.c - a set of CPUs, by the kernel's numbers.
 * SPDX-License-Identifier: MIT */
#include "mask.h"

#include <stdio.h>
#include <string.h>

void mask_add(mask *m, int cpu)
{
    if (cpu >= 0 && cpu < MASK_CPUS)
        m->word[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

bool mask_has(const mask *m, int cpu)
{
    return cpu >= 0 && cpu < MASK_CPUS && (m->word[cpu / 64] >> cpu % 64 & 1);
}

int mask_count(const mask *m)
{
    int count = 0;

    for (int w = 0; w < MASK_WORDS; w++)
        count += __builtin_popcountll(m->word[w]);
    return count;
}

int mask_next(const mask *m, int cpu)
{
    while (++cpu < MASK_CPUS) {
        uint64_t rest = m->word[cpu / 64] >> cpu % 64;

        if (rest)
            return cpu + __builtin_ctzll(rest);
        cpu |= 63; /* the last of this word */
    }
    return -1;
}

bool mask_equal(const mask *a, const mask *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool mask_inside(const mask *a, const mask *b)
{
    mask beyond = mask_without(a, b);

    return mask_next(&beyond, -1) < 0;
}

mask mask_and(const mask *a, const mask *b)
{
    mask both;

    for (int w = 0; w < MASK_WORDS; w++)
        both.word[w] = a->word[w] & b->word[w];
    return both;
}

mask mask_or(const mask *a, const mask *b)
{
    mask any;

    for (int w = 0; w < MASK_WORDS; w++)
        any.word[w] = a->word[w] | b->word[w];
    return any;
}

mask mask_without(const mask *a, const mask *b)
{
    mask rest;

    for (int w = 0; w < MASK_WORDS; w++)
        rest.word[w] = a->word[w] & ~b->word[w];
    return rest;
}

size_t mask_text(const mask *m, char *text, size_t size)
{
    size_t used = 0;

    if (size)
        *text = '\0';
    for (int first = -1, last; (first = mask_next(m, first)) >= 0; first = last) {
        char range[32];
        int length;

        for (last = first; mask_has(m, last + 1);)
            last++;
        length = snprintf(range, sizeof range, last > first ? "%s%d-%d" : "%s%d",
                          used ? "," : "", first, last);
        if (used < size)
            snprintf(text + used, size - used, "%s", range);
        used += (size_t)length;
    }
    return used;
}

/* A number of a CPU at *TEXT_P, which goes behind it; -1 where there is none. */
static int parse_cpu(const char **text_p)
{
    int cpu = 0;

    if (**text_p < '0' || **text_p > '9')
        return -1;
    for (; **text_p >= '0' && **text_p <= '9'; ++*text_p) {
        cpu = 10 * cpu + (**text_p - '0');
        if (cpu >= MASK_CPUS)
            return -1;
    }
    return cpu;
}

const char *mask_parse(mask *m, const char *text, const char *end)
{
    *m = (mask){{0}};
    for (;;) {
        int first = parse_cpu(&text), last = first;

        if (first >= 0 && *text == '-') {
            text++;
            last = parse_cpu(&text);
        }
        if (first < 0 || last < first)
            return NULL;
        for (int cpu = first; cpu <= last; cpu++)
            mask_add(m, cpu);
        if (!*text || strchr(end, *text))
            return text;
        if (*text != ',' && *text != '+')
            return NULL;
        text++;
    }
}
