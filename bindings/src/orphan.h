/* orphan.h - sends that outlive their Request.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_ORPHAN_H
#define PYPAR_ORPHAN_H

#include "codec.h"

/* Let the send PAR of OUT go on, whose memory becomes the orphan's; OUT may be
 * released as ever. */
void orphan_leave(core_state *state, par_request *par, codec_out *out);

/* Free those that are over by now. */
void orphan_sweep(core_state *state);

/* Wait for all, before the job ends: -1 with an exception. */
int orphan_finish(core_state *state);

#endif
