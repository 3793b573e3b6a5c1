/* type.h - what is known of each par_type.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_TYPE_H
#define PAR_SRC_TYPE_H

#include "par.h"

/* How many types there are: a par_type is below it. */
enum { TYPE_COUNT = PAR_INT64_INDEX + 1 };

/* The binary logarithm of TYPE's size: a message pays for no division. */
static inline unsigned type_shift(par_type type)
{
    static const uint8_t shifts[TYPE_COUNT] = {
        [PAR_INT16] = 1,          [PAR_UINT16] = 1,       [PAR_INT32] = 2,
        [PAR_UINT32] = 2,         [PAR_FLOAT] = 2,        [PAR_INT64] = 3,
        [PAR_UINT64] = 3,         [PAR_DOUBLE] = 3,       [PAR_COMPLEX_FLOAT] = 3,
        [PAR_COMPLEX_DOUBLE] = 4, [PAR_DOUBLE_INDEX] = 4, [PAR_INT64_INDEX] = 4};

    return shifts[type];
}

/* What a plain run of elements of TYPE is as a message's content. Ready made: to
 * clear a structure costs a tenth of a small message. */
const par_content *type_content(par_type type);

/* Whether TYPE is one whose elements C code can send and receive. */
bool type_is_plain(par_type type);

#endif
