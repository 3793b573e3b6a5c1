/* options.c - the choices of a job: from the environment, the program, or default.
 * SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdlib.h>
#include <string.h>

enum { INLINE_DEFAULT = 4032 };

static const char *const wait_names[] = {
    [PAR_WAIT_AUTO] = "auto",
    [PAR_WAIT_SPIN] = "spin",
    [PAR_WAIT_SLEEP] = "sleep",
};

enum { WAIT_NAMES = sizeof wait_names / sizeof *wait_names };

static bool inline_is_right(unsigned long long bytes)
{
    return bytes >= OPTIONS_INLINE_MIN && bytes <= OPTIONS_INLINE_MAX;
}

static par_error choose_inline(size_t asked, size_t *bytes_p)
{
    const char *text = getenv("PAR_INLINE");
    char *end = NULL;
    unsigned long long bytes = asked ? asked : (size_t)INLINE_DEFAULT;

    if (text) {
        bytes = strtoull(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || !inline_is_right(bytes))
            return error_set(PAR_ERR_ARG,
                             "PAR_INLINE is \"%s\": it must be a number from %d to %d",
                             text, OPTIONS_INLINE_MIN, OPTIONS_INLINE_MAX);
    } else if (!inline_is_right(bytes)) {
        return error_set(PAR_ERR_ARG, "inline_bytes is %llu: it must be from %d to %d",
                         bytes, OPTIONS_INLINE_MIN, OPTIONS_INLINE_MAX);
    }
    *bytes_p = (size_t)bytes;
    return PAR_OK;
}

static par_error choose_wait(par_wait_mode asked, par_wait_mode *mode_p)
{
    const char *text = getenv("PAR_WAIT");

    if (!text) {
        if ((unsigned)asked >= WAIT_NAMES)
            return error_set(PAR_ERR_ARG, "wait is %d: it must be from %d to %d",
                             (int)asked, PAR_WAIT_AUTO, WAIT_NAMES - 1);
        *mode_p = asked;
        return PAR_OK;
    }
    for (int mode = 0; mode < WAIT_NAMES; mode++)
        if (strcmp(text, wait_names[mode]) == 0) {
            *mode_p = (par_wait_mode)mode;
            return PAR_OK;
        }
    return error_set(PAR_ERR_ARG, "PAR_WAIT is \"%s\": it must be auto, spin or sleep",
                     text);
}

par_error options_choose(const par_options *options, par_options *chosen)
{
    static const par_options none;
    par_error err;

    if (!options)
        options = &none;
    err = choose_inline(options->inline_bytes, &chosen->inline_bytes);
    return err ? err : choose_wait(options->wait, &chosen->wait);
}
