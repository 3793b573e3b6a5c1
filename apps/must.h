/* must.h - what the sample programs do when a call of the library fails.
 * SPDX-License-Identifier: MIT
 */
#ifndef MUST_H
#define MUST_H

#include <stdio.h>

#include "par.h"

/* CALL succeeds, or this rank says why not and ends the job: there is nobody
 * to hand the error to. */
#define must(call) must_succeed((call), #call)

static inline void must_succeed(par_error error, const char *call)
{
    if (error == PAR_OK)
        return;
    fprintf(stderr, "%s: %s (%s)\n", call, par_strerror(error), par_error_detail());
    par_abort(1);
}

#endif
