/* cores.c - the cores that may be given away, and how they are divided fairly.
 * SPDX-License-Identifier: MIT
 *
 * Of C cores each of R ranks gets at least Q = C / R, rounded down, and Q + 1 at most.
 * A level is fit for this where each rank can have its Q cores within one group of it,
 * and groups don't lack a kind of cores. NUMA nodes, and packages where there are
 * several memories, are kept apart wherever they are fit: a core may stay free then,
 * but the slowest rank is as fast as if all were dealt out. L3 caches are, and packages
 * of one memory, where that leaves no more cores free. From the whole node down to
 * that level the ranks are spread evenly, for the sake of the memory's bandwidth; on
 * it, each rank gets neighbours.
 */
#include "cores.h"

#include <limits.h>
#include <stdlib.h>

/* ---- the cores ---------------------------------------------------------- */

static core core_of(const machine *m, int cpu)
{
    const machine_cpu *c = &m->cpu[cpu];

    return (core){
        .group = {0, c->package, c->numa, c->l3},
        .kind = c->kind,
        .cpu = cpu,
        .owner = -1,
    };
}

static int compare(const void *left, const void *right)
{
    const core *a = left, *b = right;

    for (int level = 0; level < CORES_LEVELS; level++)
        if (a->group[level] != b->group[level])
            return a->group[level] < b->group[level] ? -1 : 1;
    return a->cpu - b->cpu;
}

bool cores_open(cores *all, const machine *m, const mask *usable)
{
    *all = (cores){.machine = m, .usable = *usable};
    all->core = calloc((size_t)m->cpus, sizeof *all->core);
    if (!all->core)
        return false;
    for (int i = 0, cpus; i < m->cpus; i += cpus) {
        bool any = false;

        for (cpus = 0; i + cpus < m->cpus && m->cpu[i + cpus].core == m->cpu[i].core;
             cpus++)
            any |= mask_has(usable, m->cpu[i + cpus].os);
        if (!any)
            continue;
        all->core[all->count] = core_of(m, i);
        all->core[all->count++].cpus = cpus;
    }
    qsort(all->core, (size_t)all->count, sizeof *all->core, compare);
    return true;
}

void cores_close(cores *all)
{
    free(all->core);
    *all = (cores){0};
}

void cores_add(const cores *all, int i, int skip, int most, mask *m)
{
    const core *c = &all->core[i];

    for (int cpu = c->cpu; cpu < c->cpu + c->cpus && most > 0; cpu++) {
        int os = all->machine->cpu[cpu].os;

        if (!mask_has(&all->usable, os) || skip-- > 0)
            continue;
        mask_add(m, os);
        most--;
    }
}

static bool is_same_group(const core *a, const core *b, cores_level level)
{
    for (int l = 0; l <= (int)level; l++)
        if (a->group[l] != b->group[l])
            return false;
    return true;
}

int cores_group_end(const cores *all, int first, cores_level level)
{
    int end = first + 1;

    while (end < all->count && is_same_group(&all->core[first], &all->core[end], level))
        end++;
    return end;
}

/* ---- dividing them ------------------------------------------------------ */

/* What all steps of a division know. */
typedef struct division {
    cores *all;
    int least;         /* cores that each rank gets at least */
    cores_level level; /* no rank crosses its groups' borders */
} division;

/* A run of cores, and of the ranks that they are for. */
typedef struct portion {
    int first, end;
    int rank, ranks;
} portion;

/* How many ranks fit into the cores FIRST to END, none over a border of LEVEL. */
static int fit(const division *d, int first, int end, cores_level level)
{
    int ranks = 0;

    while (first < end) {
        int next = cores_group_end(d->all, first, level);

        ranks += ((next < end ? next : end) - first) / d->least;
        first = next;
    }
    return ranks;
}

/* How many of the N cores of a kind go to the rank I of RANKS, when they are dealt
 * like cards, from the rank TURN on. */
static int dealt(int n, int i, int ranks, int turn)
{
    return n / ranks + ((i - turn + ranks) % ranks < n % ranks);
}

static int count_kind(const cores *all, const portion *p, int kind)
{
    int n = 0;

    for (int i = p->first; i < p->end; i++)
        n += all->core[i].kind == kind;
    return n;
}

/* Give N cores of KIND out, each rank's in one run. */
static void deal_kind(cores *all, const portion *p, int kind, int n, int turn)
{
    int to = 0, has = 0;

    for (int i = p->first; i < p->end && n; i++) {
        if (all->core[i].kind != kind)
            continue;
        while (has == dealt(n, to, p->ranks, turn)) {
            to++;
            has = 0;
            if (to == p->ranks)
                return;
        }
        all->core[i].owner = p->rank + to;
        has++;
    }
}

/* Give a portion out within one group. Where a rank would get two cores more than
 * another, elsewhere, some of the slowest are left. */
static void deal(const division *d, const portion *p)
{
    int left = p->ranks * (d->least + 1), turn = 0, fastest = 0;

    for (int i = p->first; i < p->end; i++)
        if (d->all->core[i].kind > fastest)
            fastest = d->all->core[i].kind;
    for (int kind = fastest; kind >= 0; kind--) {
        int n = count_kind(d->all, p, kind);

        n = n < left ? n : left;
        deal_kind(d->all, p, kind, n, turn);
        turn = (turn + n) % p->ranks;
        left -= n;
    }
}

/* The group that is to take one more rank: which has the most cores for each. */
static int emptiest(const division *d, const portion *group, int groups)
{
    int best = -1;

    for (int g = 0; g < groups; g++) {
        const portion *a = &group[g], *b = &group[best < 0 ? g : best];

        if (a->ranks == fit(d, a->first, a->end, d->level))
            continue;
        if (best < 0 || (int64_t)(a->end - a->first) * (b->ranks + 1) >
                            (int64_t)(b->end - b->first) * (a->ranks + 1))
            best = g;
    }
    return best;
}

static int find_groups(const division *d, const portion *p, cores_level level,
                       portion *group)
{
    int groups = 0;

    for (int first = p->first; first < p->end; groups++) {
        int end = cores_group_end(d->all, first, level);

        group[groups] = (portion){.first = first, .end = end < p->end ? end : p->end};
        first = group[groups].end;
    }
    return groups;
}

static bool divide(const division *d, const portion *p, cores_level level)
{
    portion *group;
    int groups, rank = p->rank;
    bool ok = true;

    if (!p->ranks)
        return true;
    if (level == d->level) {
        deal(d, p);
        return true;
    }
    group = calloc((size_t)(p->end - p->first), sizeof *group);
    if (!group)
        return false;
    groups = find_groups(d, p, level + 1, group);
    for (int i = 0; i < p->ranks; i++)
        group[emptiest(d, group, groups)].ranks++;
    for (int g = 0; ok && g < groups; g++) {
        group[g].rank = rank;
        rank += group[g].ranks;
        ok = divide(d, &group[g], level + 1);
    }
    free(group);
    return ok;
}

/* A bit for each kind that there is among the cores FIRST to END. */
static uint64_t kinds(const cores *all, int first, int end)
{
    uint64_t found = 0;

    for (int i = first; i < end; i++)
        found |= UINT64_C(1) << all->core[i].kind % 64;
    return found;
}

/* Whether each group of LEVEL has all kinds of cores: else its ranks would lack some. */
static bool is_mixed(const cores *all, cores_level level)
{
    uint64_t every = kinds(all, 0, all->count);

    for (int first = 0, end; first < all->count; first = end) {
        end = cores_group_end(all, first, level);
        if (kinds(all, first, end) != every)
            return false;
    }
    return true;
}

static int count_memories(const cores *all)
{
    int memories = 0;

    for (int i = 0; i < all->count; i++) {
        int k = 0;

        while (all->core[k].group[CORES_NUMA] != all->core[i].group[CORES_NUMA])
            k++;
        memories += k == i;
    }
    return memories;
}

/* Divide on LEVEL, and say how many cores are left; -1 where there is no memory. */
static int divide_on(cores *all, int ranks, cores_level level)
{
    division d = {.all = all, .least = all->count / ranks, .level = level};
    portion whole = {.end = all->count, .ranks = ranks};
    int left = 0;

    for (int i = 0; i < all->count; i++)
        all->core[i].owner = -1;
    if (!divide(&d, &whole, CORES_NODE))
        return -1;
    for (int i = 0; i < all->count; i++)
        left += all->core[i].owner < 0;
    return left;
}

static bool is_fit(cores *all, int ranks, cores_level level)
{
    division d = {.all = all, .least = all->count / ranks};

    return fit(&d, 0, all->count, level) >= ranks && is_mixed(all, level);
}

bool cores_divide(cores *all, int ranks)
{
    bool memories = count_memories(all) > 1;
    cores_level best = CORES_NODE;
    int fewest = divide_on(all, ranks, CORES_NODE);

    for (cores_level level = CORES_PACKAGE; fewest >= 0 && level <= CORES_L3; level++) {
        int left = is_fit(all, ranks, level) ? divide_on(all, ranks, level) : INT_MAX;

        if (left < INT_MAX && (left <= fewest || (memories && level < CORES_L3))) {
            best = level;
            fewest = left;
        }
    }
    return fewest >= 0 && divide_on(all, ranks, best) >= 0;
}

void cores_trim(cores *all, int rank, int wanted)
{
    int fastest = 0;

    for (int i = 0; i < all->count; i++)
        if (all->core[i].owner == rank && all->core[i].kind > fastest)
            fastest = all->core[i].kind;
    for (int kind = fastest; kind >= 0; kind--)
        for (int i = 0; i < all->count; i++)
            if (all->core[i].owner == rank && all->core[i].kind == kind && wanted-- <= 0)
                all->core[i].owner = -1;
}
