/* report_draw.c - a node's CPUs as a drawing, with its ranks on them.
 * SPDX-License-Identifier: MIT
 *
 *     package 0  NUMA 0   0 0 1 1   eth0
 *                NUMA 1   2 2 3 3
 *     package 1  NUMA 2   . . . .
 *
 * A row for each group of cores that share a cache, or else their memory; in it a cell
 * for each core, with the ranks that may run there.
 */
#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "report.h"

enum { WIDTH = 92, CPU_BYTES = 16, CELL_BYTES = 64, LABEL_BYTES = 32, LABELS = 4 };

/* A row's labels, from the package down; "" where a level tells no rows apart. */
typedef char labels[LABELS][LABEL_BYTES];

typedef struct drawing {
    FILE *out;
    const report *report;
    const report_node *node;
    const machine *machine;
    int *ranks; /* room for as many as the node has */
    int indent;
    bool numa, l3, kind; /* whether these levels tell rows apart */
    int label[LABELS];   /* how wide each is, with the space behind it; 0: left out */
    int cell;            /* how wide */
    bool free, taken, many, threads; /* what the legend has to explain */
} drawing;

/* ---- cells: a core each -------------------------------------------------- */

/* The ranks that may run on CPU: "3", "0-7", or "*25" where that would be long. */
static void cpu_text(drawing *d, const machine_cpu *cpu, char text[CPU_BYTES])
{
    int count = 0;
    char list[CPU_BYTES + 8];

    for (int i = 0; i < d->node->count; i++)
        if (mask_has(&d->report->rank[d->node->ranks[i]].place.mask, cpu->os))
            d->ranks[count++] = d->node->ranks[i];
    if (!count) {
        strcpy(text, cpu->allowed ? "." : "x");
        *(cpu->allowed ? &d->free : &d->taken) = true;
        return;
    }
    numbers_text(d->ranks, count, list, sizeof list);
    if (strlen(list) < 10 && !strstr(list, "...")) {
        strcpy(text, list);
        return;
    }
    snprintf(text, CPU_BYTES, "*%d", count);
    d->many = true;
}

/* The CPU behind the core that begins at CPU number FIRST. */
static int core_end(const machine *m, int first)
{
    int end = first + 1;

    while (end < m->cpus && m->cpu[first].core >= 0 &&
           m->cpu[end].core == m->cpu[first].core)
        end++;
    return end;
}

/* The core's hyperthreads, apart where they differ: "0", or "0/1". */
static void core_text(drawing *d, int first, char text[CELL_BYTES])
{
    int end = core_end(d->machine, first);
    size_t length = 0;
    bool same = true;
    char one[CPU_BYTES], other[CPU_BYTES];

    cpu_text(d, &d->machine->cpu[first], one);
    for (int c = first; c < end; c++) {
        cpu_text(d, &d->machine->cpu[c], other);
        same = same && strcmp(one, other) == 0;
        length += (size_t)snprintf(text + length, CELL_BYTES - length, "%s%s",
                                   c > first ? "/" : "", other);
        if (length >= CELL_BYTES - CPU_BYTES) /* more threads than any core has yet */
            break;
    }
    if (same)
        strcpy(text, one);
    else
        d->threads = true;
}

/* ---- rows: cores that share ---------------------------------------------- */

static bool same_row(const drawing *d, const machine_cpu *a, const machine_cpu *b)
{
    return a->package == b->package && (!d->numa || a->numa == b->numa) &&
           (!d->l3 || a->l3 == b->l3) && (!d->kind || a->kind == b->kind);
}

static int row_end(const drawing *d, int first)
{
    const machine *m = d->machine;
    int end = first + 1;

    while (end < m->cpus && same_row(d, &m->cpu[first], &m->cpu[end]))
        end++;
    return end;
}

static void name_row(const drawing *d, const machine_cpu *cpu, labels label)
{
    memset(label, 0, sizeof(labels));
    if (cpu->package >= 0)
        snprintf(label[0], LABEL_BYTES, "package %d", cpu->package);
    if (d->numa && cpu->numa >= 0)
        snprintf(label[1], LABEL_BYTES, "NUMA %d", cpu->numa);
    if (d->l3 && cpu->l3 >= 0)
        snprintf(label[2], LABEL_BYTES, "L3 %d", cpu->l3);
    if (d->kind)
        snprintf(label[3], LABEL_BYTES, "kind %d", cpu->kind);
}

/* How many different numbers the machine has at a level. */
static int groups(const drawing *d, report_level level)
{
    int most = -1;

    for (int c = 0; c < d->machine->cpus; c++)
        if (report_group(&d->machine->cpu[c], level) > most)
            most = report_group(&d->machine->cpu[c], level);
    return most + 1;
}

/* Look at all rows before the first is drawn: what is shown, and how wide it is. */
static void measure(drawing *d)
{
    const machine *m = d->machine;
    int numas = groups(d, REPORT_NUMA), packages = groups(d, REPORT_PACKAGE);
    int shares = numas > packages ? numas : packages;
    char text[CELL_BYTES];
    labels label;

    d->numa = numas > 1;
    d->l3 = groups(d, REPORT_L3) > (shares > 1 ? shares : 1);
    for (int c = 0; c < m->cpus; c++)
        d->kind = d->kind || m->cpu[c].kind;
    for (int first = 0; first < m->cpus; first = row_end(d, first)) {
        name_row(d, &m->cpu[first], label);
        for (int i = 0; i < LABELS; i++)
            if (label[i][0] && (int)strlen(label[i]) + 2 > d->label[i])
                d->label[i] = (int)strlen(label[i]) + 2;
    }
    for (int c = 0; c < m->cpus; c = core_end(m, c)) {
        core_text(d, c, text);
        if ((int)strlen(text) > d->cell)
            d->cell = (int)strlen(text);
    }
}

/* Write the labels of a row that differ from those of the one BEFORE it, or stand below
 * one that does; NULL: none at all, the row goes on. Gives their width. */
static int draw_labels(const drawing *d, labels *label, labels *before)
{
    int width = d->indent;
    bool differ = false;

    fprintf(d->out, "%*s", d->indent, "");
    for (int i = 0; i < LABELS; i++) {
        differ = differ || (label && strcmp((*label)[i], (*before)[i]) != 0);
        fprintf(d->out, "%-*s", d->label[i], differ ? (*label)[i] : "");
        width += d->label[i];
    }
    return width;
}

/* Whether DEVICE is near the CPUs of a row, and of no row before it. */
static bool is_here(const machine_device *device, const machine_cpu *cpu, bool new_numa,
                    bool new_package)
{
    if (device->numa >= 0)
        return new_numa && device->numa == cpu->numa;
    return device->package >= 0 && new_package && device->package == cpu->package;
}

static void draw_devices(const drawing *d, int first)
{
    const machine *m = d->machine;
    const machine_cpu *cpu = &m->cpu[first], *before = first ? cpu - 1 : NULL;
    bool new_numa = !before || before->numa != cpu->numa;
    bool new_package = !before || before->package != cpu->package;
    const char *space = "  ";

    for (int i = 0; i < m->devices; i++)
        if (is_here(&m->device[i], cpu, new_numa, new_package)) {
            fprintf(d->out, "%s%s", space, m->device[i].name);
            space = " ";
        }
}

/* How many cells a line takes: all, or a round number of them. */
static int cells_a_line(const drawing *d, int width)
{
    int fit = (WIDTH - width) / (d->cell + 1), round = 4;

    while (2 * round <= fit)
        round *= 2;
    return round;
}

static void draw_row(drawing *d, int first, labels *label, labels *before)
{
    int width = draw_labels(d, label, before), line = cells_a_line(d, width), cells = 0;
    char text[CELL_BYTES];

    for (int c = first, end = row_end(d, first); c < end;
         c = core_end(d->machine, c), cells++) {
        if (cells && cells % line == 0) {
            if (cells == line)
                draw_devices(d, first);
            fputc('\n', d->out);
            draw_labels(d, NULL, NULL);
        }
        core_text(d, c, text);
        fprintf(d->out, " %*s", d->cell, text);
    }
    if (cells <= line)
        draw_devices(d, first);
    fputc('\n', d->out);
}

/* ---- the whole ----------------------------------------------------------- */

static void draw_legend(const drawing *d)
{
    fprintf(d->out, "%*s(a cell is a core%s%s%s%s)\n", d->indent, "",
            d->threads ? "; a/b: its hyperthreads" : "", d->free ? "; . free" : "",
            d->taken ? "; x not ours" : "", d->many ? "; *n: n ranks" : "");
}

static void draw_far_devices(const drawing *d)
{
    const char *comma = "near no package: ";

    for (int i = 0; i < d->machine->devices; i++) {
        const machine_device *device = &d->machine->device[i];

        if (device->numa >= 0 || device->package >= 0)
            continue;
        if (*comma != ' ')
            fprintf(d->out, "%*s", d->indent, "");
        fprintf(d->out, "%s%s", comma, device->name);
        comma = " ";
    }
    if (*comma == ' ')
        fputc('\n', d->out);
}

par_error report_draw(FILE *out, const report *r, const report_node *node, int indent)
{
    drawing d = {.out = out,
                 .report = r,
                 .node = node,
                 .machine = node->machine,
                 .indent = indent,
                 .ranks = malloc((size_t)node->count * sizeof *d.ranks)};
    labels label, before = {""};

    if (!d.ranks)
        return error_memory((size_t)node->count * sizeof *d.ranks, "the drawing");
    measure(&d);
    for (int first = 0; first < d.machine->cpus; first = row_end(&d, first)) {
        name_row(&d, &d.machine->cpu[first], label);
        draw_row(&d, first, &label, &before);
        memcpy(before, label, sizeof label);
    }
    draw_far_devices(&d);
    draw_legend(&d);
    free(d.ranks);
    return PAR_OK;
}
