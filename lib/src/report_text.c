/* report_text.c - a report as text: a line for each rank, a drawing of each node.
 * SPDX-License-Identifier: MIT
 *
 *     4 ranks on 2 nodes
 *
 *     a1: 1 package, 4 cores, 8 CPUs; ranks 0,1
 *       rank  package  cores  hyperthreads  CPUs     uses  why
 *       0     0        0,1    2 of 2        0,1,4,5  2     auto: ...
 *
 * Of nodes that are alike the first is shown, and on a node with many ranks those that
 * follow each other and differ in their cores alone have one line.
 */
#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "report.h"

/* From so many ranks a node on, and of so many nodes that differ, less is shown. */
enum { RANKS_IN_FULL = 16, NODES_IN_FULL = 8 };

enum { COLUMNS = 8, COLUMN_BYTES = 40, RANKS_BYTES = 24, LIST_BYTES = 56, INDENT = 2 };

static const char *const titles[COLUMNS] = {"rank",         "package", "NUMA", "cores",
                                            "hyperthreads", "CPUs",    "uses", "why"};

enum { RANK, PACKAGE, NUMA, CORES, THREADS, CPUS, USES, WHY };

/* What stands in a line, but for why, which is a rank's own text. */
typedef char cells[WHY][COLUMN_BYTES];

typedef struct page {
    FILE *out;
    const report *report;
    bool all;
    int width[WHY]; /* of the columns of this node's table; 0: left out */
} page;

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

/* ---- lines ---------------------------------------------------------------- */

static const place *place_of(const page *p, const report_node *node, int i)
{
    return &p->report->rank[node->ranks[i]].place;
}

/* What may be folded: ranks for which all but the numbers of cores and CPUs is equal. */
static bool is_alike(const machine *m, const place *a, const place *b)
{
    static const report_level levels[] = {REPORT_PACKAGE, REPORT_NUMA};

    if (a->cpus != b->cpus || a->bound != b->bound || strcmp(a->why, b->why) != 0 ||
        mask_count(&a->mask) != mask_count(&b->mask))
        return false;
    for (size_t i = 0; m && i < sizeof levels / sizeof *levels; i++) {
        mask of_a = report_groups(m, &a->mask, levels[i]);
        mask of_b = report_groups(m, &b->mask, levels[i]);

        if (!mask_equal(&of_a, &of_b))
            return false;
    }
    return true;
}

/* The first rank behind those that share a line with rank I of NODE. */
static int line_end(const page *p, const report_node *node, int i)
{
    int end = i + 1;

    if (!p->all && node->count > RANKS_IN_FULL)
        while (end < node->count &&
               is_alike(node->machine, place_of(p, node, i), place_of(p, node, end)))
            end++;
    return end;
}

/* The cores of a line, and how many each rank has if it is several ranks'. */
static void write_cores(char *text, const mask *cores, int ranks, int each)
{
    char list[COLUMN_BYTES - 16];

    numbers_set(cores, list, sizeof list);
    if (ranks == 1)
        snprintf(text, COLUMN_BYTES, "%s", list);
    else if (each == mask_count(cores))
        snprintf(text, COLUMN_BYTES, "%s shared", list);
    else
        snprintf(text, COLUMN_BYTES, "%s, %d each", list, each);
}

/* How many hyperthreads a core has that CPUS has too; and all that it has. */
static void count_threads(const machine *m, const mask *cpus, int *mine_p, int *all_p)
{
    for (int c = 0; c < m->cpus; c++)
        if (m->cpu[c].thread >= *all_p)
            *all_p = m->cpu[c].thread + 1;
    for (int c = 0; c < m->cpus; c++) {
        int core = m->cpu[c].core, mine = 0;

        for (int d = c; d < m->cpus && m->cpu[d].core == core; d++)
            mine += mask_has(cpus, m->cpu[d].os);
        if (mine > *mine_p)
            *mine_p = mine;
    }
}

/* The line of ranks I up to END of NODE. */
static void write_line(const page *p, const report_node *node, int i, int end, cells cell)
{
    const machine *m = node->machine;
    const place *first = place_of(p, node, i);
    mask cpus = {{0}}, cores, of_first, packages, numas;
    int mine = 0, all = 0;

    for (int k = i; k < end; k++)
        cpus = mask_or(&cpus, &place_of(p, node, k)->mask);
    numbers_text(node->ranks + i, end - i, cell[RANK], RANKS_BYTES);
    numbers_set(&cpus, cell[CPUS], COLUMN_BYTES);
    snprintf(cell[USES], COLUMN_BYTES, "%d%s", first->cpus, end - i > 1 ? " each" : "");
    if (!m)
        return;
    packages = report_groups(m, &cpus, REPORT_PACKAGE);
    numas = report_groups(m, &cpus, REPORT_NUMA);
    cores = report_groups(m, &cpus, REPORT_CORE);
    of_first = report_groups(m, &first->mask, REPORT_CORE);
    numbers_set(&packages, cell[PACKAGE], COLUMN_BYTES);
    numbers_set(&numas, cell[NUMA], COLUMN_BYTES);
    write_cores(cell[CORES], &cores, end - i, mask_count(&of_first));
    count_threads(m, &first->mask, &mine, &all);
    if (all > 1)
        snprintf(cell[THREADS], COLUMN_BYTES, "%d of %d", mine, all);
}

static void print_line(const page *p, cells cell, const char *why)
{
    fprintf(p->out, "%*s", INDENT, "");
    for (int c = 0; c < WHY; c++)
        if (p->width[c])
            fprintf(p->out, "%-*s  ", p->width[c], cell[c]);
    fprintf(p->out, "%s\n", why);
}

/* As wide as the widest of a column, its title too; 0 where it has nothing. */
static void measure(page *p, const report_node *node)
{
    memset(p->width, 0, sizeof p->width);
    for (int i = 0; i < node->count; i = line_end(p, node, i)) {
        cells cell = {""};

        write_line(p, node, i, line_end(p, node, i), cell);
        for (int c = 0; c < WHY; c++)
            if ((int)strlen(cell[c]) > p->width[c])
                p->width[c] = (int)strlen(cell[c]);
    }
    for (int c = 0; c < WHY; c++)
        if (p->width[c] && p->width[c] < (int)strlen(titles[c]))
            p->width[c] = (int)strlen(titles[c]);
}

static void print_table(page *p, const report_node *node)
{
    cells cell = {""};

    measure(p, node);
    for (int c = 0; c < WHY; c++)
        snprintf(cell[c], COLUMN_BYTES, "%s", titles[c]);
    print_line(p, cell, titles[WHY]);
    for (int i = 0, end; i < node->count; i = end) {
        end = line_end(p, node, i);
        memset(cell, 0, sizeof cell);
        write_line(p, node, i, end, cell);
        print_line(p, cell, place_of(p, node, i)->why);
    }
}

/* ---- nodes ---------------------------------------------------------------- */

static int groups(const machine *m, report_level level)
{
    int most = -1;

    for (int c = 0; c < m->cpus; c++)
        if (report_group(&m->cpu[c], level) > most)
            most = report_group(&m->cpu[c], level);
    return most + 1;
}

/* "2 packages, " and the like; nothing for none. */
static void print_count(FILE *out, int count, const char *word)
{
    if (count > 0)
        fprintf(out, "%d %s%s, ", count, word, plural(count));
}

static void print_ranks(const page *p, const report_node *node)
{
    char list[LIST_BYTES];

    numbers_text(node->ranks, node->count, list, sizeof list);
    fprintf(p->out, "rank%s %s", plural(node->count), list);
}

static void print_machine(FILE *out, const machine *m)
{
    print_count(out, groups(m, REPORT_PACKAGE), "package");
    if (groups(m, REPORT_NUMA) > 1)
        print_count(out, groups(m, REPORT_NUMA), "NUMA node");
    print_count(out, groups(m, REPORT_CORE), "core");
    fprintf(out, "%d CPU%s%s; ", m->cpus, plural(m->cpus), m->made_up ? ", made up" : "");
}

static par_error print_node(page *p, const report_node *node)
{
    fprintf(p->out, "\n%s: ", node->host);
    if (node->machine)
        print_machine(p->out, node->machine);
    print_ranks(p, node);
    fputc('\n', p->out);
    print_table(p, node);
    if (!node->machine) {
        fprintf(p->out, "%*s(its CPUs cannot be read, so there is no drawing)\n", INDENT,
                "");
        return PAR_OK;
    }
    fputc('\n', p->out);
    return report_draw(p->out, p->report, node, INDENT);
}

/* The ranks of the nodes from NODE on that are like FIRST, but not FIRST's own, or their
 * hosts: written to NUMBERS or NAMES, as many as there are. */
static int gather_alike(const page *p, int first, int *numbers, const char **names,
                        int *nodes_p)
{
    int ranks = 0;

    *nodes_p = 0;
    for (int n = first + 1; n < p->report->nodes; n++) {
        const report_node *node = &p->report->node[n];

        if (node->like != first)
            continue;
        names[(*nodes_p)++] = node->host;
        memcpy(numbers + ranks, node->ranks, (size_t)node->count * sizeof *numbers);
        ranks += node->count;
    }
    return ranks;
}

static int ascending(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

/* One line for all nodes that are like the one numbered FIRST. */
static par_error print_alike(const page *p, int first)
{
    const report *r = p->report;
    int *numbers = malloc((size_t)r->ranks * sizeof *numbers), nodes = 0, ranks = 0;
    const char **names = malloc((size_t)r->nodes * sizeof *names);
    char hosts[LIST_BYTES], list[LIST_BYTES];

    if (numbers && names)
        ranks = gather_alike(p, first, numbers, names, &nodes);
    if (ranks) {
        qsort(numbers, (size_t)ranks, sizeof *numbers, ascending);
        fprintf(p->out, "\nnode%s %s: as %s; rank%s %s\n", plural(nodes),
                numbers_names(names, nodes, hosts, sizeof hosts), r->node[first].host,
                plural(ranks), numbers_text(numbers, ranks, list, sizeof list));
    }
    free(numbers);
    free(names);
    return numbers && names ? PAR_OK
                            : error_memory((size_t)r->ranks * sizeof(int), "the report");
}

/* ---- warnings -------------------------------------------------------------- */

typedef struct warnings {
    const page *page;
    int like; /* how many nodes are like the one that is warned about */
    bool any;
} warnings;

static par_error print_warning(const report_warning *warning, void *context)
{
    warnings *w = context;

    fprintf(w->page->out, "%swarning: %s", w->any ? "" : "\n", warning->text);
    if (w->like)
        fprintf(w->page->out, "; so on %d node%s like it", w->like, plural(w->like));
    fputc('\n', w->page->out);
    w->any = true;
    return PAR_OK;
}

static int count_like(const report *r, int first)
{
    int count = 0;

    for (int n = first + 1; n < r->nodes; n++)
        count += r->node[n].like == first;
    return count;
}

/* ---- the whole -------------------------------------------------------------- */

/* Whether node number N has a part of its own. */
static bool is_shown(const page *p, int n, int shown)
{
    return p->all || (p->report->node[n].like == n && shown < NODES_IN_FULL);
}

static par_error print_nodes(page *p)
{
    const report *r = p->report;
    int shown = 0, hidden = 0;
    par_error err = PAR_OK;

    for (int n = 0; n < r->nodes && !err; n++) {
        if (!is_shown(p, n, shown)) {
            hidden += r->node[n].like == n;
            continue;
        }
        shown++;
        err = print_node(p, &r->node[n]);
        if (!err && !p->all)
            err = print_alike(p, n);
    }
    if (hidden)
        fprintf(p->out,
                "\nand %d more node%s, of other kinds (PAR_REPORT=all shows them)\n",
                hidden, plural(hidden));
    return err;
}

static par_error print_warnings(const page *p)
{
    warnings w = {.page = p};
    par_error err = PAR_OK;

    for (int n = 0, shown = 0; n < p->report->nodes && !err; n++) {
        if (!is_shown(p, n, shown))
            continue;
        shown++;
        w.like = p->all ? 0 : count_like(p->report, n);
        err = report_warn(p->report, &p->report->node[n], print_warning, &w);
    }
    return err;
}

par_error report_text(FILE *out, const report *r, bool all)
{
    page p = {.out = out, .report = r, .all = all};
    par_error err;

    fprintf(out, "%d rank%s on %d node%s\n", r->ranks, plural(r->ranks), r->nodes,
            plural(r->nodes));
    err = print_nodes(&p);
    return err ? err : print_warnings(&p);
}
