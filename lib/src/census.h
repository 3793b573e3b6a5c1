/* census.h - what all ranks wait for, collected by one of them and printed.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_CENSUS_H
#define PAR_SRC_CENSUS_H

#include "ask.h"

/* Ask all ranks. IN, one for each rank of the world, are those that a deadlock is of;
 * which the job ENDS after; NULL: it is for a report of what all ranks do, because this
 * one has waited for SECONDS. No other census may be under way. Need the lock, all of
 * them. */
void census_begin(const bool *in, bool ends, double seconds, int64_t now);

/* What this rank has been asked, it answers, as soon as it knows its line. */
void census_answer(int64_t now);

/* What it has been asked to look at, it tells of. */
void census_look(int64_t now);

/* A word of a census has come from SOURCE of the world. */
void census_hear(int source, const word *w, const void *rest, size_t bytes);

bool census_is_under_way(void);

/* What has just been printed, if anything. */
enum census_result { CENSUS_NOTHING, CENSUS_DEADLOCK, CENSUS_HANG };
enum census_result census_step(int64_t now);

/* Another rank makes the report of what all ranks do, or of a deadlock. */
void census_cancel_hang(void);
void census_cancel_deadlock(void);

#endif
