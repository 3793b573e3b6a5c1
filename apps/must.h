/* must.h - how the sample programs end when they cannot go on.
 * SPDX-License-Identifier: MIT
 */
#ifndef MUST_H
#define MUST_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "par.h"

/* Say why on stderr, in one line for all ranks that say the same, and end the job with
 * STATUS. The other ranks need do nothing: they are ended wherever they wait. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static inline _Noreturn void
fail(int status, const char *format, ...)
{
    char line[512];
    va_list values;

    va_start(values, format);
    vsnprintf(line, sizeof line, format, values);
    va_end(values);
    par_abort(status, line);
}

/* CALL succeeds, or this rank says why not and ends the job: there is nobody
 * to hand the error to. */
#define must(call) must_succeed((call), #call)

static inline void must_succeed(par_error error, const char *call)
{
    if (error != PAR_OK)
        fail(EXIT_FAILURE, "%s: %s (%s)", call, par_strerror(error), par_error_detail());
}

#endif
