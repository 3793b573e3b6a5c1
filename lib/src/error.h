/* error.h - codes, their texts, and the detail of this thread's last error.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_ERROR_H
#define PAR_SRC_ERROR_H

#include "par.h"

/* Keep FORMAT's text as this thread's detail, "rank R: " before it once the
 * rank is known, and return CODE. */
par_error error_set(par_error code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* PAR_ERR_MEMORY, with BYTES and WHAT they were for as its detail. */
par_error error_memory(size_t bytes, const char *what);

/* The rank that details name from now on; -1 for none. */
void error_name_rank(int rank);

/* Room for the longest detail. Put back a DETAIL that was copied from
 * par_error_detail. */
enum { ERROR_DETAIL_BYTES = 1024 };
void error_restore(const char *detail);

#endif
