/* check_report.c - reports of ranks on machines that a test makes up.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* open_memstream */
#include "check_report.h"

#include <string.h>

#include "check_par.h"

made made_begin(void)
{
    return (made){.rank = check_alloc(MADE_RANKS * sizeof(report_rank))};
}

void made_free(made *m)
{
    for (int i = 0; i < m->machine_count; i++)
        free(m->machines[i]);
    free(m->rank);
}

int made_machine(made *m, const char *description)
{
    machine *one = place_machine(description, false);

    ck_assert_msg(one != NULL, "hwloc refuses \"%s\"", description);
    ck_assert_int_lt(m->machine_count, MADE_MACHINES);
    m->machines[m->machine_count] = one;
    return m->machine_count++;
}

report_rank *made_rank(made *m, const char *prefix, int node, int box, const char *cpus,
                       const char *why)
{
    report_rank *r = &m->rank[m->ranks];

    ck_assert_int_lt(m->ranks, MADE_RANKS);
    *r = (report_rank){
        .node = node, .machine = box, .place = {.rank = m->ranks, .cpus = 1}};
    ck_assert_ptr_nonnull(mask_parse(&r->place.mask, cpus, ""));
    snprintf(r->place.why, sizeof r->place.why, "%s", why);
    snprintf(r->host, sizeof r->host, "%s%d", prefix, node);
    m->ranks++;
    return r;
}

static par_error write_line(const report_warning *warning, void *context)
{
    fprintf(context, "%s: %s\n", warning->kind, warning->text);
    return PAR_OK;
}

static void write_warnings(FILE *out, const report *r)
{
    for (int n = 0; n < r->nodes; n++)
        ck_ok(report_warn(r, &r->node[n], write_line, out));
}

typedef enum form { SHORT, ALL, JSON, WARNINGS } form;

static char *write_form(const made *m, form how)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    report r;

    ck_assert_ptr_nonnull(out);
    ck_ok(report_arrange(m->rank, m->ranks, (const machine *const *)m->machines, &r));
    if (how == JSON)
        ck_ok(report_json(out, &r));
    else if (how == WARNINGS)
        write_warnings(out, &r);
    else
        ck_ok(report_text(out, &r, how == ALL));
    report_free(&r);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

char *made_text(const made *m, bool all)
{
    return write_form(m, all ? ALL : SHORT);
}

char *made_json(const made *m)
{
    return write_form(m, JSON);
}

char *made_warnings(const made *m)
{
    return write_form(m, WARNINGS);
}

int lines_in(const char *text)
{
    return times_in(text, "\n");
}

int times_in(const char *text, const char *words)
{
    int times = 0;

    for (; (text = strstr(text, words)); text += strlen(words))
        times++;
    return times;
}
