/* report_warn.c - what is wrong with the places of a node's ranks.
 * SPDX-License-Identifier: MIT
 *
 * Whether ranks get in each other's way is not seen from pairs of them: two that may
 * both run on all of a package have a core each. So each rank is given a core among
 * those it may run on, as a matching in a graph: ranks for which that can't be done are
 * too many for the cores that they have together, and these are found exactly.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "report.h"

/* Memory that is elsewhere matters from here on: so many bytes, and a part of all. */
enum { FAR_BYTES = 16 << 20, FAR_PART = 4 };

enum { TEXT_BYTES = 640, LIST_BYTES = 64 };

/* A node's warnings under way. */
typedef struct warner {
    const report *report;
    const report_node *node;
    report_sink *sink;
    void *context;
    int *ranks; /* room for as many as the node has: those of the next warning */
    int count;
} warner;

static const report_rank *rank_of(const warner *w, int i)
{
    return &w->report->rank[w->node->ranks[i]];
}

/* Warn about the ranks that have been noted, if any; FORMAT goes on from who they are. */
static par_error tell(warner *w, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static par_error tell(warner *w, const char *kind, const char *format, ...)
{
    char text[TEXT_BYTES], list[LIST_BYTES];
    report_warning warning = {kind, w->ranks, w->count, text};
    va_list arguments;
    int length;

    if (!w->count)
        return PAR_OK;
    numbers_text(w->ranks, w->count, list, sizeof list);
    length = snprintf(text, sizeof text, "rank%s %s of %s ", w->count > 1 ? "s" : "",
                      list, w->node->host);
    va_start(arguments, format);
    vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
    va_end(arguments);
    return w->sink(&warning, w->context);
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

/* ---- more ranks than cores ----------------------------------------------- */

/* A core for each rank of the node, as far as there are any. All are numbered from 0. */
typedef struct matching {
    mask *cores;    /* that each rank may run on */
    int *core_of;   /* each rank's; -1: none */
    bool *told;     /* the ranks that have been warned about */
    int *rank_on;   /* each core's; -1: none */
    int *stack;     /* of a search: the cores to go on from */
    int *came_from; /* of a search: the rank from which each core was reached */
} matching;

/* Search from RANK, over the cores it may have and the ranks that have them now, until
 * a core is free: it, or -1 if there is none. SEEN becomes the cores looked at. */
static int search(const matching *m, int rank, mask *seen)
{
    int depth = 0;

    *seen = (mask){{0}};
    for (;;) {
        mask more = mask_without(&m->cores[rank], seen);

        for (int core = -1; (core = mask_next(&more, core)) >= 0;) {
            m->came_from[core] = rank;
            if (m->rank_on[core] < 0)
                return core;
            m->stack[depth++] = core;
        }
        *seen = mask_or(seen, &more);
        if (!depth)
            return -1;
        rank = m->rank_on[m->stack[--depth]];
    }
}

/* Give RANK the free core CORE that the search from it has found: each rank on the way
 * gives its own core to the one before it. */
static void assign(matching *m, int rank, int core)
{
    for (int owner = -1; owner != rank;) {
        int given;

        owner = m->came_from[core];
        given = m->core_of[owner];
        m->rank_on[core] = owner;
        m->core_of[owner] = core;
        core = given;
    }
}

/* Warn about the ranks noted, which have no more than CORES, and CPUS, in all. */
static par_error tell_crowd(warner *w, const mask *cores, const mask *cpus)
{
    char on[LIST_BYTES];
    int core_count = mask_count(cores), cpu_count = mask_count(cpus);
    mask allowed = machine_allowed(w->node->machine);

    numbers_set(cores, on, sizeof on);
    if (cpu_count == 1 && mask_count(&allowed) > 1)
        return tell(w, "shared-core",
                    "have one CPU together, %d, and others are idle: that is how `srun "
                    "--overcommit` binds them; PAR_BIND=auto spreads them",
                    mask_next(cpus, -1));
    if (cpu_count >= w->count)
        return tell(
            w, "shared-core",
            "share core%s %s: %d ranks on %d core%s, on hyperthreads of their own",
            plural(core_count), on, w->count, core_count, plural(core_count));
    return tell(w, "shared-core", "take turns on core%s %s: %d ranks on %d core%s",
                plural(core_count), on, w->count, core_count, plural(core_count));
}

/* Warn about the ranks all of whose cores are among SEEN, where a search for one more
 * core has come to nothing: they have too few. */
static par_error warn_crowd(warner *w, matching *m, const mask *seen)
{
    mask cpus = {{0}};

    w->count = 0;
    for (int i = 0; i < w->node->count; i++) {
        if (m->told[i] || mask_next(&m->cores[i], -1) < 0 ||
            !mask_inside(&m->cores[i], seen))
            continue;
        m->told[i] = true;
        cpus = mask_or(&cpus, &rank_of(w, i)->place.mask);
        w->ranks[w->count++] = w->node->ranks[i];
    }
    return tell_crowd(w, seen, &cpus);
}

/* First all are given their cores; only then is it certain who is left without. */
static par_error match(warner *w, matching *m)
{
    par_error err = PAR_OK;
    mask seen;

    for (int i = 0; i < w->node->count; i++) {
        int core = search(m, i, &seen);

        if (core >= 0)
            assign(m, i, core);
    }
    for (int i = 0; i < w->node->count && !err; i++)
        if (m->core_of[i] < 0 && !m->told[i] && mask_next(&m->cores[i], -1) >= 0 &&
            search(m, i, &seen) < 0)
            err = warn_crowd(w, m, &seen);
    return err;
}

static par_error warn_cores(warner *w)
{
    size_t ranks = (size_t)w->node->count, cores = MASK_CPUS;
    size_t bytes = ranks * sizeof(mask) + (ranks + 3 * cores) * sizeof(int) + ranks;
    matching m = {.cores = calloc(1, bytes)};
    par_error err;

    if (!m.cores)
        return error_memory(bytes, "the report's warnings");
    m.core_of = (int *)(m.cores + ranks);
    m.rank_on = m.core_of + ranks;
    m.stack = m.rank_on + cores;
    m.came_from = m.stack + cores;
    m.told = (bool *)(m.came_from + cores);
    for (size_t i = 0; i < ranks; i++) {
        m.cores[i] =
            report_groups(w->node->machine, &rank_of(w, (int)i)->place.mask, REPORT_CORE);
        m.core_of[i] = -1;
    }
    for (size_t c = 0; c < cores; c++)
        m.rank_on[c] = -1;
    err = match(w, &m);
    free(m.cores);
    return err;
}

/* ---- more threads than cores, less time than cores ------------------------ */

static par_error warn_threads(warner *w)
{
    int threads = 0, useful = 0;

    w->count = 0;
    for (int i = 0; i < w->node->count; i++) {
        const report_rank *rank = rank_of(w, i);

        if (rank->threads <= rank->place.cpus)
            continue;
        threads += rank->threads;
        useful += rank->place.cpus;
        w->ranks[w->count++] = w->node->ranks[i];
    }
    return tell(w, "threads", "may start %d thread%s (OMP_NUM_THREADS) with a use for %d",
                threads, plural(threads), useful);
}

/* A control group's time is shared: what counts is what all of them have together. */
static par_error warn_quota(warner *w)
{
    double quota = 0;
    mask cpus = {{0}};

    w->count = 0;
    for (int i = 0; i < w->node->count; i++) {
        const place *p = &rank_of(w, i)->place;

        if (!(p->quota > 0))
            continue;
        quota += p->quota;
        cpus = mask_or(&cpus, &p->mask);
        w->ranks[w->count++] = w->node->ranks[i];
    }
    if (quota >= mask_count(&cpus))
        return PAR_OK;
    return tell(w, "quota",
                "may run on %d CPUs, but a control group grants %s the time of %.3g: "
                "beyond that the kernel stops them",
                mask_count(&cpus), w->count == 1 ? "it" : "them", quota);
}

/* ---- memory elsewhere ----------------------------------------------------- */

static par_error warn_memory(warner *w)
{
    uint64_t far = 0, all = 0;

    w->count = 0;
    for (int i = 0; i < w->node->count; i++) {
        const report_rank *rank = rank_of(w, i);

        if (rank->far < FAR_BYTES || rank->far < (rank->near + rank->far) / FAR_PART)
            continue;
        far += rank->far;
        all += rank->near + rank->far;
        w->ranks[w->count++] = w->node->ranks[i];
    }
    return tell(
        w, "remote-memory",
        "ha%s %llu of %llu MiB of memory at other NUMA nodes than those of the CPUs",
        w->count == 1 ? "s" : "ve", (unsigned long long)(far >> 20),
        (unsigned long long)(all >> 20));
}

par_error report_warn(const report *r, const report_node *node, report_sink *sink,
                      void *context)
{
    size_t bytes = (size_t)node->count * sizeof(int);
    warner w = {r, node, sink, context, .ranks = malloc(bytes)};
    par_error err = PAR_OK;

    if (!w.ranks)
        return error_memory(bytes, "the report's warnings");
    if (node->machine)
        err = warn_cores(&w);
    if (!err)
        err = warn_threads(&w);
    if (!err)
        err = warn_quota(&w);
    if (!err)
        err = warn_memory(&w);
    free(w.ranks);
    return err;
}
