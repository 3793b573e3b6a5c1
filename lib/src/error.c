/* error.c - codes, their texts, and the detail of this thread's last error.
 * SPDX-License-Identifier: MIT */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char detail[ERROR_DETAIL_BYTES];
static int named_rank = -1;

const char *par_strerror(par_error error)
{
    static const char *const texts[] = {
#define ERROR_TEXT(name, text) [name] = text,
        PAR_ERRORS(ERROR_TEXT)
#undef ERROR_TEXT
    };

    if ((unsigned)error >= sizeof texts / sizeof *texts)
        return "unknown error";
    return texts[error];
}

const char *par_error_detail(void)
{
    return detail;
}

void error_name_rank(int rank)
{
    named_rank = rank;
}

void error_restore(const char *old)
{
    snprintf(detail, sizeof detail, "%s", old);
}

par_error error_set(par_error code, const char *format, ...)
{
    int used = 0;
    va_list args;

    if (named_rank >= 0)
        used = snprintf(detail, sizeof detail, "rank %d: ", named_rank);
    va_start(args, format);
    vsnprintf(detail + used, sizeof detail - (size_t)used, format, args);
    va_end(args);
    return code;
}

par_error error_memory(size_t bytes, const char *what)
{
    return error_set(PAR_ERR_MEMORY, "no memory for %zu bytes of %s", bytes, what);
}
