/* mask.h - a set of CPUs, by the kernel's numbers.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_MASK_H
#define PAR_SRC_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many as Linux can have. A CPU beyond them is in no mask. */
enum { MASK_WORDS = 128, MASK_CPUS = 64 * MASK_WORDS };

/* A bit each; {0} is the empty set. */
typedef struct mask {
    uint64_t word[MASK_WORDS];
} mask;

void mask_add(mask *m, int cpu);
bool mask_has(const mask *m, int cpu);
int mask_count(const mask *m);

/* The first CPU of M after the CPU given, -1 before all; -1 after the last:
 *
 *     for (int cpu = -1; (cpu = mask_next(m, cpu)) >= 0;) */
int mask_next(const mask *m, int cpu);

bool mask_equal(const mask *a, const mask *b);

/* Whether all of A are in B. */
bool mask_inside(const mask *a, const mask *b);

mask mask_and(const mask *a, const mask *b);
mask mask_or(const mask *a, const mask *b);
mask mask_without(const mask *a, const mask *b);

/* Write M as "0-3,8" to TEXT of SIZE bytes, always terminated; what does not fit is
 * cut. The length of the whole. */
size_t mask_text(const mask *m, char *text, size_t size);

/* Read M from TEXT up to END, one of the characters there, or the end: ranges as
 * "0-3", joined by ',' or '+'. NULL where TEXT is none of that; otherwise where the
 * reading has ended. */
const char *mask_parse(mask *m, const char *text, const char *end);

#endif
