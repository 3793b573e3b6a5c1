/* leftover.h - what nobody has taken when the job ends.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_LEFTOVER_H
#define PAR_SRC_LEFTOVER_H

#include "error.h"

/* What to do about it, from now on; the same on all ranks. WITH_REQUESTS: of requests
 * that wait no more, too, which a language may keep for itself. */
void leftover_set(par_leftovers what, bool with_requests);

/* Look for it where all ranks have left together, so that nothing is sent any more; what
 * is still on its way is waited for.
 *
 * PAR_ERR_LEFTOVERS  something is left over, and that is to be an error
 * PAR_ERR_ELSEWHERE  the same, and another rank has the list
 */
par_error leftover_look(void);

#endif
