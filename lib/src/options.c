/* options.c - the choices of a job: from the environment, the program, or default.
 * SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "policy.h"

enum { INLINE_DEFAULT = 4032 };

static const char *const wait_names[] = {
    [PAR_WAIT_AUTO] = "auto",
    [PAR_WAIT_SPIN] = "spin",
    [PAR_WAIT_SLEEP] = "sleep",
};

static const char *const leftover_names[] = {
    [PAR_LEFTOVERS_OFF] = "off",
    [PAR_LEFTOVERS_WARN] = "warn",
    [PAR_LEFTOVERS_ERROR] = "error",
};

static const char *const report_names[] = {
    [PAR_REPORT_NONE] = "0",
    [PAR_REPORT_SHORT] = "1",
    [PAR_REPORT_ALL] = "all",
    [PAR_REPORT_JSON] = "json",
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

static par_error choose_bind(const char *asked, const char **bind_p)
{
    const char *text = getenv("PAR_BIND");
    const char *chosen = text ? text : asked;
    policy how;

    if (!policy_parse(chosen, &how))
        return error_set(PAR_ERR_ARG, "%s is \"%s\": it must be " POLICY_WORDS,
                         text ? "PAR_BIND" : "bind", chosen);
    *bind_p = chosen;
    return PAR_OK;
}

static par_error choose_threads(int asked, int *threads_p)
{
    const char *text = getenv("PAR_THREADS_PER_RANK");
    char *end = NULL;
    unsigned long long threads;

    if (!text) {
        if (asked < 0 || asked > PAR_MAX_THREADS)
            return error_set(PAR_ERR_ARG,
                             "threads_per_rank is %d: it must be from 0 to %d", asked,
                             PAR_MAX_THREADS);
        *threads_p = asked;
        return PAR_OK;
    }
    threads = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || !threads || threads > PAR_MAX_THREADS)
        return error_set(PAR_ERR_ARG,
                         "PAR_THREADS_PER_RANK is \"%s\": it must be a number from 1 to "
                         "%d",
                         text, PAR_MAX_THREADS);
    *threads_p = (int)threads;
    return PAR_OK;
}

static par_error choose_memory(bool asked, bool *bind_p)
{
    const char *text = getenv("PAR_BIND_MEMORY");

    if (text && strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
        return error_set(PAR_ERR_ARG, "PAR_BIND_MEMORY is \"%s\": it must be 0 or 1",
                         text);
    *bind_p = text ? *text == '1' : asked;
    return PAR_OK;
}

static par_error choose_leftovers(par_leftovers asked, par_leftovers *leftovers_p)
{
    const char *text = getenv("PAR_LEFTOVERS");

    if (!text) {
        if ((unsigned)asked > PAR_LEFTOVERS_ERROR)
            return error_set(PAR_ERR_ARG, "leftovers is %d: it must be from %d to %d",
                             (int)asked, PAR_LEFTOVERS_OFF, PAR_LEFTOVERS_ERROR);
        *leftovers_p = asked;
        return PAR_OK;
    }
    for (int i = PAR_LEFTOVERS_OFF; i <= PAR_LEFTOVERS_ERROR; i++)
        if (strcmp(text, leftover_names[i]) == 0) {
            *leftovers_p = (par_leftovers)i;
            return PAR_OK;
        }
    return error_set(PAR_ERR_ARG,
                     "PAR_LEFTOVERS is \"%s\": it must be off, warn or error", text);
}

static par_error choose_report(par_report_form asked, par_report_form *form_p)
{
    const char *text = getenv("PAR_REPORT");

    if (!text) {
        if ((unsigned)asked > PAR_REPORT_JSON)
            return error_set(PAR_ERR_ARG, "report is %d: it must be from %d to %d",
                             (int)asked, PAR_REPORT_NONE, PAR_REPORT_JSON);
        *form_p = asked;
        return PAR_OK;
    }
    for (int form = PAR_REPORT_NONE; form <= PAR_REPORT_JSON; form++)
        if (strcmp(text, report_names[form]) == 0) {
            *form_p = (par_report_form)form;
            return PAR_OK;
        }
    return error_set(PAR_ERR_ARG, "PAR_REPORT is \"%s\": it must be 0, 1, all or json",
                     text);
}

par_error options_choose_place(const par_options *options, par_options *chosen)
{
    par_error err = choose_bind(options->bind, &chosen->bind);

    return err ? err
               : choose_threads(options->threads_per_rank, &chosen->threads_per_rank);
}

par_error options_choose(const par_options *options, par_options *chosen)
{
    static const par_options none;
    par_error err;

    *chosen = options ? *options : none;
    err = choose_inline(chosen->inline_bytes, &chosen->inline_bytes);
    if (!err)
        err = choose_wait(chosen->wait, &chosen->wait);
    if (!err)
        err = options_choose_place(chosen, chosen);
    if (!err)
        err = choose_memory(chosen->bind_memory, &chosen->bind_memory);
    if (!err)
        err = choose_report(chosen->report, &chosen->report);
    return err ? err : choose_leftovers(chosen->leftovers, &chosen->leftovers);
}
