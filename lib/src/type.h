/* type.h - what is known of each par_type.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_TYPE_H
#define PAR_SRC_TYPE_H

#include "par.h"

/* How many types there are: a par_type is below it. */
enum { TYPE_COUNT = PAR_OPAQUE + 1 };

/* Whether TYPE is one whose elements C code can send and receive. */
bool type_is_plain(par_type type);

#endif
