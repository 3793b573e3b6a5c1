/* hang.h - waits that last too long, or for ever, are told of.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_HANG_H
#define PAR_SRC_HANG_H

#include <stdint.h>

#include "error.h"

/* From now on as the environment says: PAR_DEADLOCK and PAR_HANG_SECONDS.
 *
 * PAR_ERR_ARG  a variable is out of range
 */
par_error hang_configure(void);

/* What a thread does that has waited for so long; for wait_set_chore. */
void hang_chore(int64_t waited_ns);

#endif
