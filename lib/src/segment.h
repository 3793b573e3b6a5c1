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

/* Divide BYTES of C's type at DATA, which may be NULL, into *SEGMENTS_P, to be freed by
 * the caller: one for each rank, of the same length but for the last ones, each from a
 * multiple of a cache line on. */
par_error segment_divide(const collective *c, const void *data, size_t bytes,
                         par_part **segments_p);

/* Join this rank's of the SEGMENTS of all ranks at RESULT, which may be its place. The
 * shape of the join is that of collective_climb.
 *
 * PAR_ERR_MEMORY  there is no room for the other ranks' segments
 */
par_error segment_join(collective *c, const par_part *segments, void *result);

/* Give all ranks MINE, which is this rank's one of SEGMENTS, and get theirs, at their
 * places. ROOT, if it is not negative, has them all already. */
par_error segment_share(collective *c, const void *mine, const par_part *segments,
                        int root);

#endif
