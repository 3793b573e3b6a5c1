/* report_warn.c - what is wrong with the places of a node's ranks.
 * SPDX-License-Identifier: MIT
 *
 * Whether ranks get in each other's way is not seen from pairs of them: two that may
 * both run on all of a package have a core each. So each rank is given a core among
 * those it may run on, as a matching in a graph: ranks for which that can't be done are
 * too many for the cores that they have together, and these are found exactly. So are
 * those that have more threads than CPUs together, each thread being given a CPU.
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

/* ---- a matching of ranks and what they run on ------------------------------ */

/* The units, cores or CPUs, of the node's ranks: as many as each wants, as far as there
 * are any. All are numbered from 0. */
typedef struct matching {
    mask *units;    /* that each rank may run on */
    int *wants;     /* how many each is to have */
    int *has;       /* how many it has */
    int *rank_on;   /* each unit's; -1: none */
    int *stack;     /* of a search: the units to go on from */
    int *came_from; /* of a search: the rank from which each unit was reached */
    int *gives;     /* of a search: the unit that each rank would give away for another */
    bool *told;     /* the ranks that have been warned about */
} matching;

/* For matching_close. */
static par_error matching_open(matching *m, int count)
{
    size_t ranks = (size_t)count, units = MASK_CPUS;
    size_t bytes = ranks * sizeof(mask) + 3 * (ranks + units) * sizeof(int) + ranks;

    *m = (matching){.units = calloc(1, bytes)};
    if (!m->units)
        return error_memory(bytes, "the report's warnings");
    m->wants = (int *)(m->units + ranks);
    m->has = m->wants + ranks;
    m->gives = m->has + ranks;
    m->rank_on = m->gives + ranks;
    m->stack = m->rank_on + units;
    m->came_from = m->stack + units;
    m->told = (bool *)(m->came_from + units);
    for (size_t u = 0; u < units; u++)
        m->rank_on[u] = -1;
    return PAR_OK;
}

static void matching_close(matching *m)
{
    free(m->units);
}

/* Search from RANK, over the units it may have and the ranks that have them now, until
 * a unit is free: it, or -1 if there is none. SEEN becomes the units looked at. */
static int search(const matching *m, int rank, mask *seen)
{
    int depth = 0, given = -1;

    *seen = (mask){{0}};
    for (;;) {
        mask more = mask_without(&m->units[rank], seen);

        for (int unit = -1; (unit = mask_next(&more, unit)) >= 0;) {
            m->gives[rank] = given;
            m->came_from[unit] = rank;
            if (m->rank_on[unit] < 0)
                return unit;
            m->stack[depth++] = unit;
        }
        *seen = mask_or(seen, &more);
        if (!depth)
            return -1;
        given = m->stack[--depth];
        rank = m->rank_on[given];
    }
}

/* Give RANK one more unit, if that can be done: each rank on the way to a free one gives
 * one of its own to the one before it. */
static bool assign(matching *m, int rank)
{
    mask seen;
    int free_one = search(m, rank, &seen);

    for (int unit = free_one, owner; unit >= 0; unit = m->gives[owner])
        m->rank_on[unit] = owner = m->came_from[unit];
    m->has[rank] += free_one >= 0;
    return free_one >= 0;
}

/* Whether the rank I of the node is one of those that have, together, no more units than
 * SEEN, where a search for one more has come to nothing. */
static bool is_crowded(const matching *m, int i, const mask *seen)
{
    return !m->told[i] && mask_next(&m->units[i], -1) >= 0 &&
           mask_inside(&m->units[i], seen);
}

static void note_crowd(warner *w, matching *m, const mask *seen)
{
    w->count = 0;
    for (int i = 0; i < w->node->count; i++)
        if (is_crowded(m, i, seen)) {
            m->told[i] = true;
            w->ranks[w->count++] = w->node->ranks[i];
        }
}

typedef par_error crowd_sink(warner *w, matching *m, const mask *seen);

/* First all are given their units; only then is it certain who lacks some: WARN is told
 * the units that they have together. */
static par_error match(warner *w, matching *m, crowd_sink *warn)
{
    par_error err = PAR_OK;
    mask seen;

    for (int i = 0; i < w->node->count; i++)
        while (m->has[i] < m->wants[i] && assign(m, i))
            ;
    for (int i = 0; i < w->node->count && !err; i++)
        if (m->has[i] < m->wants[i] && !m->told[i] && mask_next(&m->units[i], -1) >= 0 &&
            search(m, i, &seen) < 0)
            err = warn(w, m, &seen);
    return err;
}

/* ---- more ranks than cores ----------------------------------------------- */

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

static par_error warn_crowd(warner *w, matching *m, const mask *seen)
{
    mask cpus = {{0}};

    for (int i = 0; i < w->node->count; i++)
        if (is_crowded(m, i, seen))
            cpus = mask_or(&cpus, &rank_of(w, i)->place.mask);
    note_crowd(w, m, seen);
    return tell_crowd(w, seen, &cpus);
}

static par_error warn_cores(warner *w)
{
    matching m;
    par_error err = matching_open(&m, w->node->count);

    if (err)
        return err;
    for (int i = 0; i < w->node->count; i++) {
        m.units[i] =
            report_groups(w->node->machine, &rank_of(w, i)->place.mask, REPORT_CORE);
        m.wants[i] = 1;
    }
    err = match(w, &m, warn_crowd);
    matching_close(&m);
    return err;
}

/* ---- more threads than cores, less time than cores ------------------------ */

/* Ranks that were told how many threads to have, each for itself, and have too few CPUs
 * for that together; where all have one thread there are too many ranks, which is told
 * as that. */
static par_error warn_thread_crowd(warner *w, matching *m, const mask *seen)
{
    int threads = 0, most = 0, cpus = mask_count(seen);

    for (int i = 0; i < w->node->count; i++) {
        const report_rank *rank = rank_of(w, i);

        if (!is_crowded(m, i, seen))
            continue;
        threads += rank->threads > m->wants[i] ? rank->threads : m->wants[i];
        most = m->wants[i] > most ? m->wants[i] : most;
    }
    if (most < 2)
        return PAR_OK;
    note_crowd(w, m, seen);
    return tell(w, "threads",
                "may start %d threads (OMP_NUM_THREADS, PAR_THREADS_PER_RANK or "
                "--cpus-per-task) on %d CPU%s",
                threads, cpus, plural(cpus));
}

/* Each of the others that starts more threads than it has a use for itself. */
static par_error warn_own_threads(warner *w, const matching *m)
{
    int threads = 0, useful = 0;

    w->count = 0;
    for (int i = 0; i < w->node->count; i++) {
        const report_rank *rank = rank_of(w, i);

        if (m->told[i] || rank->threads <= rank->place.cpus)
            continue;
        threads += rank->threads;
        useful += rank->place.cpus;
        w->ranks[w->count++] = w->node->ranks[i];
    }
    return tell(w, "threads", "may start %d thread%s (OMP_NUM_THREADS) with a use for %d",
                threads, plural(threads), useful);
}

static par_error warn_threads(warner *w)
{
    matching m;
    par_error err = matching_open(&m, w->node->count);

    if (err)
        return err;
    for (int i = 0; i < w->node->count; i++) {
        m.units[i] = rank_of(w, i)->place.mask;
        m.wants[i] = rank_of(w, i)->place.cpus;
    }
    err = match(w, &m, warn_thread_crowd);
    if (!err)
        err = warn_own_threads(w, &m);
    matching_close(&m);
    return err;
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
