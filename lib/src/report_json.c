/* report_json.c - a report for programs. What it looks like stands in docs/placement.md.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "report.h"

/* The list before the first element of which "[" stands; BETWEEN goes before the others.
 */
static void separate(FILE *out, bool *first)
{
    fputs(*first ? "" : ", ", out);
    *first = false;
}

static void put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            fprintf(out, "\\u%04x", (unsigned)*c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

static void put_set(FILE *out, const char *name, const mask *set)
{
    bool first = true;

    fprintf(out, ", \"%s\": [", name);
    for (int n = -1; (n = mask_next(set, n)) >= 0;) {
        separate(out, &first);
        fprintf(out, "%d", n);
    }
    fputc(']', out);
}

/* ---- machines ------------------------------------------------------------ */

static void put_cpu(FILE *out, const machine_cpu *c)
{
    fprintf(out,
            "{\"cpu\": %d, \"package\": %d, \"numa\": %d, \"l3\": %d, \"core\": %d, "
            "\"thread\": %d, \"kind\": %d, \"allowed\": %s}",
            c->os, c->package, c->numa, c->l3, c->core, c->thread, c->kind,
            c->allowed ? "true" : "false");
}

static void put_device(FILE *out, const machine_device *d)
{
    fputs("{\"name\": ", out);
    put_text(out, d->name);
    fprintf(out, ", \"kind\": \"%s\", \"package\": %d, \"numa\": %d}", d->kind,
            d->package, d->numa);
}

static void put_machine(FILE *out, const machine *m)
{
    bool first = true;

    fprintf(out, "{\"made_up\": %s, \"cpus\": [", m->made_up ? "true" : "false");
    for (int c = 0; c < m->cpus; c++) {
        separate(out, &first);
        put_cpu(out, &m->cpu[c]);
    }
    fputs("], \"devices\": [", out);
    first = true;
    for (int d = 0; d < m->devices; d++) {
        separate(out, &first);
        put_device(out, &m->device[d]);
    }
    fputs("]}", out);
}

/* ---- ranks and warnings ---------------------------------------------------- */

static void put_rank(FILE *out, const report_node *node, int number,
                     const report_rank *rank)
{
    static const struct {
        const char *name;
        report_level level;
    } groups[] = {
        {"packages", REPORT_PACKAGE}, {"numa", REPORT_NUMA}, {"cores", REPORT_CORE}};
    const place *p = &rank->place;

    fprintf(out, "{\"rank\": %d, \"uses\": %d, \"bound\": %s, \"why\": ", number, p->cpus,
            p->bound ? "true" : "false");
    put_text(out, p->why);
    put_set(out, "cpus", &p->mask);
    for (size_t i = 0; node->machine && i < sizeof groups / sizeof *groups; i++) {
        mask set = report_groups(node->machine, &p->mask, groups[i].level);

        put_set(out, groups[i].name, &set);
    }
    fprintf(out, ", \"quota\": %g, \"threads\": %d, \"near\": %llu, \"far\": %llu}",
            p->quota, rank->threads, (unsigned long long)rank->near,
            (unsigned long long)rank->far);
}

typedef struct warnings {
    FILE *out;
    bool first;
} warnings;

static par_error put_warning(const report_warning *warning, void *context)
{
    warnings *w = context;
    bool first = true;

    separate(w->out, &w->first);
    fprintf(w->out, "{\"kind\": \"%s\", \"ranks\": [", warning->kind);
    for (int i = 0; i < warning->count; i++) {
        separate(w->out, &first);
        fprintf(w->out, "%d", warning->ranks[i]);
    }
    fputs("], \"text\": ", w->out);
    put_text(w->out, warning->text);
    fputc('}', w->out);
    return PAR_OK;
}

static par_error put_node(FILE *out, const report *r, const report_node *node)
{
    warnings w = {out, true};
    bool first = true;
    par_error err;

    fputs("{\"host\": ", out);
    put_text(out, node->host);
    fprintf(out, ", \"like\": %d, \"machine\": ", node->like);
    /* That of a node that is like another is the other's. */
    if (node->machine && &r->node[node->like] == node)
        put_machine(out, node->machine);
    else
        fputs("null", out);
    fputs(", \"ranks\": [", out);
    for (int i = 0; i < node->count; i++) {
        separate(out, &first);
        put_rank(out, node, node->ranks[i], &r->rank[node->ranks[i]]);
    }
    fputs("], \"warnings\": [", out);
    err = report_warn(r, node, put_warning, &w);
    fputs("]}", out);
    return err;
}

par_error report_json(FILE *out, const report *r)
{
    par_error err = PAR_OK;
    bool first = true;

    fprintf(out, "{\"ranks\": %d, \"nodes\": [", r->ranks);
    for (int n = 0; n < r->nodes && !err; n++) {
        separate(out, &first);
        err = put_node(out, r, &r->node[n]);
    }
    fputs("]}\n", out);
    return err;
}
