/* segment.h - a large run of elements in segments, one for each rank.
 * SPDX-License-Identifier: MIT
 *
 * What all ranks send to or get from one would keep them waiting for that one. In
 * segments all ranks send and join at the same time. All go by turns: in turn n each
 * rank sends to the one n behind it.
 */
#ifndef PAR_SRC_SEGMENT_H
#define PAR_SRC_SEGMENT_H

#include "collective.h"

/* The segments of BYTES of C's type, beginning at a multiple of a cache line. */
typedef struct segments {
    collective *c;
    size_t bytes, each;
} segments;

segments segment_divide(collective *c, size_t bytes);

/* Where that of RANK begins, and its length. */
size_t segment_start(const segments *s, int rank);
size_t segment_bytes(const segments *s, int rank);

/* Join all ranks' DATA in this rank's segment alone, at RESULT, which may be its place
 * in DATA. The shape of the join is that of collective_climb.
 *
 * PAR_ERR_MEMORY  there is no room for the other ranks' segments
 */
par_error segment_join(const segments *s, const void *data, void *result);

/* Give all ranks this rank's segment in DATA, and get theirs, at their places. ROOT,
 * if it is not negative, has them all already. */
par_error segment_share(const segments *s, void *data, int root);

#endif
