/* place.h - which CPUs this rank may use.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_PLACE_H
#define PAR_SRC_PLACE_H

#include "par.h"

enum { PLACE_MASK_WORDS = 128 };

/* The CPUs this rank may run on, a bit each: those of a node's ranks can be
 * joined with OR. CPUs beyond the mask are left out. */
void place_mask(uint64_t mask[PLACE_MASK_WORDS]);

/* How many bits of MASK are set. */
int place_count(const uint64_t mask[PLACE_MASK_WORDS]);

#endif
