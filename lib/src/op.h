/* op.h - joining elements, two by two.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_OP_H
#define PAR_SRC_OP_H

#include "par.h"

/* The name of OP in messages; NULL where it is no par_op. */
const char *op_name(par_op op);

/* Whether OP can join elements of TYPE: PAR_ERR_ARG for no op, PAR_ERR_TYPE. */
par_error op_check(par_op op, par_type type);

/* to[i] = left[i] OP right[i]; TO may be LEFT or RIGHT. Integers wrap around. */
void op_join(par_op op, par_type type, void *to, const void *left, const void *right,
             size_t count);

#endif
