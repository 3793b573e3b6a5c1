/* same.h - texts of several ranks, of which the same one is written once.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_SAME_H
#define PAR_SRC_SAME_H

#include <stdbool.h>

/* What a rank of this host, which is process PID, has to say. */
typedef struct same_text {
    int rank, pid;
    const char *text;
} same_text;

/* Whether A and B differ in nothing but addresses, and in their own ranks. */
bool same_texts(const same_text *a, const same_text *b);

/* Write the COUNT TEXTS, each different one once, after the names of the ranks that say
 * it; no more than MOST. Those that are left are the first then; returns how many. RANKS
 * is room for COUNT numbers. */
int same_say(same_text *texts, int count, int most, int *ranks);

#endif
