/* leave.h - all ranks leave the job together.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_LEAVE_H
#define PAR_SRC_LEAVE_H

#include "error.h"

/* Wait for all ranks to come here, and until no task is left. After
 * PAR_ERR_INTERRUPTED the next call goes on with it.
 *
 * PAR_ERR_MISMATCH  tasks cannot end: they are in a call that other ranks lack
 */
par_error leave_together(void);

#endif
