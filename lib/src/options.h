/* options.h - the choices of a job: from the environment, the program, or default.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_OPTIONS_H
#define PAR_SRC_OPTIONS_H

#include "error.h"

/* Fill in *CHOSEN, every field of it, from OPTIONS (which may be NULL) and the
 * environment, which wins; texts stay their owner's.
 *
 * PAR_ERR_ARG  one is out of range
 */
par_error options_choose(const par_options *options, par_options *chosen);

/* The same for bind and threads_per_rank alone. */
par_error options_choose_place(const par_options *options, par_options *chosen);

/* The limits of inline_bytes. */
enum {
    OPTIONS_INLINE_MIN = 1024,
    OPTIONS_INLINE_MAX = 1 << 20,
};

#endif
