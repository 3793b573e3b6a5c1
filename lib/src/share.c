/* share.c - who gets which CPUs.
 * SPDX-License-Identifier: MIT */
#include "share.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cores.h"
#include "error.h"
#include "numbers.h"

/* A sharing under way. Those that get some of the cores, the movers, have numbers of
 * their own, which are the owners of cores. */
typedef struct sharing {
    const share_claim *claims;
    int count; /* of claims, and places */
    policy how;
    place *places;
    cores cores; /* those to be given away */
    int *mover;  /* their numbers among the claims */
    int movers;
} sharing;

static void keep(sharing *s, int i, const char *why)
{
    s->places[i].mask = s->claims[i].have;
    s->places[i].bound = false;
    snprintf(s->places[i].why, PLACE_WHY, "%s", why);
}

static const char *plural(int n)
{
    return n == 1 ? "" : "s";
}

/* Put the rank I on the CPUs TO, because of FORMAT. */
static __attribute__((format(printf, 4, 5))) void move(sharing *s, int i, const mask *to,
                                                       const char *format, ...)
{
    const share_claim *claim = &s->claims[i];
    place *p = &s->places[i];
    char why[PLACE_WHY / 2], had[PLACE_WHY / 4] = "";
    va_list args;

    p->mask = *to;
    p->bound = !mask_equal(to, &claim->have);
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    if (p->bound && claim->why[0])
        numbers_set(&claim->have, had, sizeof had);
    snprintf(p->why, PLACE_WHY, "%s: %s%s%.30s%s%s", policy_name(s->how), why,
             had[0] ? "; " : "", had[0] ? claim->why : "", had[0] ? " was CPU " : "",
             had);
}

/* The CPUs of the cores FIRST to END. */
static mask cpus_of(const cores *all, int first, int end)
{
    mask m = {{0}};

    for (int i = first; i < end; i++)
        cores_add(all, i, 0, INT_MAX, &m);
    return m;
}

/* ---- auto, core, hwthread: shares, and what is taken of them -------------- */

static mask share_of(const cores *all, int owner, int *count_p)
{
    mask m = {{0}};

    *count_p = 0;
    for (int i = 0; i < all->count; i++)
        if (all->core[i].owner == owner) {
            cores_add(all, i, 0, INT_MAX, &m);
            ++*count_p;
        }
    return m;
}

/* WANTED hardware threads of OWNER's share, of different cores as long as there are. */
static mask threads_of(const cores *all, int owner, int wanted)
{
    mask m = {{0}};
    int before = -1;

    for (int thread = 0; mask_count(&m) > before; thread++) {
        before = mask_count(&m);
        for (int i = 0; i < all->count && mask_count(&m) < wanted; i++)
            if (all->core[i].owner == owner)
                cores_add(all, i, thread, 1, &m);
    }
    return m;
}

static void place_in_share(sharing *s, int number)
{
    int i = s->mover[number], share, wanted = s->claims[i].threads;
    mask m = share_of(&s->cores, number, &share);

    if (s->how != POLICY_AUTO && !wanted)
        wanted = 1;
    if (s->how == POLICY_HWTHREAD) {
        m = threads_of(&s->cores, number, wanted);
        wanted = mask_count(&m);
        move(s, i, &m, "%d hardware thread%s of its %d core%s", wanted, plural(wanted),
             share, plural(share));
    } else if (wanted && wanted < share) {
        cores_trim(&s->cores, number, wanted);
        m = share_of(&s->cores, number, &wanted);
        move(s, i, &m, "%d of its %d of %d cores", wanted, share, s->cores.count);
    } else {
        move(s, i, &m, "%d of %d core%s, %d rank%s", share, s->cores.count,
             plural(s->cores.count), s->movers, plural(s->movers));
    }
}

/* More ranks than cores: one on a core, or one of its hardware threads in turn, all
 * the same, as it has been asked for. */
static void place_doubled(sharing *s, int number)
{
    int64_t ranks = s->movers, count = s->cores.count;
    int at = (int)(number * count / ranks);
    int first_there = (int)((at * ranks + count - 1) / count);
    mask m = cpus_of(&s->cores, at, at + 1);

    if (s->how == POLICY_HWTHREAD) {
        int thread = (number - first_there) % mask_count(&m);

        m = (mask){{0}};
        cores_add(&s->cores, at, thread, 1, &m);
    }
    move(s, s->mover[number], &m, "%d ranks on %d cores", s->movers, s->cores.count);
}

static par_error place_shares(sharing *s)
{
    mask all = cpus_of(&s->cores, 0, s->cores.count);
    bool is_enough = s->movers <= s->cores.count;

    if (is_enough && !cores_divide(&s->cores, s->movers))
        return error_memory(sizeof all, "shares");
    for (int number = 0; number < s->movers; number++)
        if (is_enough)
            place_in_share(s, number);
        else if (s->how != POLICY_AUTO)
            place_doubled(s, number);
        else
            move(s, s->mover[number], &all, "not bound, %d ranks on %d core%s", s->movers,
                 s->cores.count, plural(s->cores.count));
    return PAR_OK;
}

/* ---- l3, numa, package: whole groups -------------------------------------- */

static int count_groups(const cores *all, cores_level level)
{
    int groups = 0;

    for (int i = 0; i < all->count; i = cores_group_end(all, i, level))
        groups++;
    return groups;
}

/* The N ranks of a node in order on its groups in order: several on a group, or groups
 * left free, evenly. */
static void place_on_groups(sharing *s, cores_level level)
{
    int groups = count_groups(&s->cores, level), first = 0, at = 0;

    for (int number = 0; number < s->movers; number++) {
        int group = (int)((int64_t)number * groups / s->movers);
        mask m;

        for (; at < group; at++)
            first = cores_group_end(&s->cores, first, level);
        m = cpus_of(&s->cores, first, cores_group_end(&s->cores, first, level));
        move(s, s->mover[number], &m, "number %d of %d, %d rank%s", group + 1, groups,
             s->movers, plural(s->movers));
    }
}

/* ---- compact, scatter: slots of as many cores as a rank has threads -------- */

typedef struct slot {
    int first, end;
    int turn[CORES_LEVELS]; /* its place among the slots of its group, groups of
                             * theirs, ... , the finest first */
} slot;

/* Cut the cores into slots of WIDTH that cross no border of LEVEL; how many. */
static int cut(const cores *all, int width, cores_level level, slot *slots)
{
    int n = 0;

    for (int first = 0, end; first < all->count; first = end) {
        end = cores_group_end(all, first, level);
        for (; first + width <= end; first += width)
            slots[n++] = (slot){.first = first, .end = first + width};
    }
    return n;
}

/* Number the slots within each L3 group, those groups within each NUMA node, and so
 * on: who takes all firsts, then all seconds, goes as far apart as can be. */
static void number_turns(const cores *all, slot *slots, int n)
{
    int turn[CORES_LEVELS] = {0};

    for (int i = 0; i < n; i++) {
        int level = CORES_L3;

        if (i > 0) {
            const int *a = all->core[slots[i - 1].first].group;
            const int *b = all->core[slots[i].first].group;

            for (int l = CORES_L3; l > CORES_NODE; l--)
                if (a[l] != b[l])
                    level = l - 1;
            turn[level]++;
            for (int l = level + 1; l < CORES_LEVELS; l++)
                turn[l] = 0;
        }
        for (int l = 0; l < CORES_LEVELS; l++)
            slots[i].turn[CORES_L3 - l] = turn[l];
    }
}

static int compare_turns(const void *left, const void *right)
{
    const slot *a = left, *b = right;

    for (int l = 0; l < CORES_LEVELS; l++)
        if (a->turn[l] != b->turn[l])
            return a->turn[l] < b->turn[l] ? -1 : 1;
    return a->first - b->first;
}

/* In the finest groups that have enough of them for all ranks. */
static int find_slots(const sharing *s, int width, slot *slots)
{
    int n = 0;

    for (int level = CORES_L3; n < s->movers && level >= CORES_NODE; level--)
        n = cut(&s->cores, width, (cores_level)level, slots);
    if (s->how == POLICY_SCATTER) {
        number_turns(&s->cores, slots, n);
        qsort(slots, (size_t)n, sizeof *slots, compare_turns);
    }
    return n;
}

static par_error place_on_slots(sharing *s)
{
    int count = s->cores.count, width = s->claims[s->mover[0]].threads, n;
    slot *slots = calloc((size_t)count, sizeof *slots);

    if (!slots)
        return error_memory((size_t)count * sizeof *slots, "slots");
    width = width < 1 ? 1 : width < count ? width : count;
    n = find_slots(s, width, slots);
    for (int number = 0; number < s->movers; number++) {
        const slot *mine = &slots[number % n];
        mask m = cpus_of(&s->cores, mine->first, mine->end);

        move(s, s->mover[number], &m, "%d of %d cores", width, count);
    }
    free(slots);
    return PAR_OK;
}

/* ---- list ------------------------------------------------------------------ */

/* Whether TEXT lists CPUs of M for all ranks. */
static par_error check_list(const machine *m, const char *text, int ranks)
{
    int length = policy_list_length(text);
    mask allowed = machine_allowed(m);
    char there[64];

    if (length < ranks)
        return error_set(
            PAR_ERR_ARG,
            "PAR_BIND or bind is \"%s\", CPUs for %d rank%s: this node has %d "
            "ranks",
            text, length, plural(length), ranks);
    numbers_set(&allowed, there, sizeof there);
    for (int i = 0; i < length; i++) {
        mask listed = policy_list_entry(text, i);
        mask missing = mask_without(&listed, &allowed);
        int cpu = mask_next(&missing, -1);

        if (cpu >= 0 && i < ranks)
            return error_set(PAR_ERR_ARG,
                             "PAR_BIND or bind is \"%s\": this job has no CPU %d on this "
                             "node, but %s",
                             text, cpu, there);
    }
    return PAR_OK;
}

static par_error place_by_list(sharing *s, const machine *m, const char *text)
{
    par_error err = check_list(m, text, s->count);

    for (int i = 0; !err && i < s->count; i++) {
        mask listed = policy_list_entry(text, i);

        move(s, i, &listed, "the CPUs number %d of those listed", i + 1);
    }
    return err;
}

/* ---- all together ---------------------------------------------------------- */

/* Who is to be moved: all if a policy has been asked for, else those whose CPUs nobody
 * has chosen. */
static void find_movers(sharing *s, bool is_asked)
{
    for (int i = 0; i < s->count; i++)
        if (is_asked || !s->claims[i].chosen)
            s->mover[s->movers++] = i;
        else
            keep(s, i, s->claims[i].why);
}

/* What the movers may have together, and nobody else has been given. */
static mask find_usable(const sharing *s, const machine *m)
{
    mask allowed = machine_allowed(m), usable = {{0}}, taken = {{0}}, rest;

    for (int i = 0; i < s->movers; i++)
        usable = mask_or(&usable, &s->claims[s->mover[i]].room);
    usable = mask_and(&usable, &allowed);
    for (int i = 0, number = 0; i < s->count; i++)
        if (number < s->movers && s->mover[number] == i)
            number++;
        else
            taken = mask_or(&taken, &s->claims[i].have);
    rest = mask_without(&usable, &taken);
    return mask_next(&rest, -1) < 0 ? usable : rest;
}

static par_error place_movers(sharing *s)
{
    switch (s->how) {
    case POLICY_L3:
        place_on_groups(s, CORES_L3);
        return PAR_OK;
    case POLICY_NUMA:
        place_on_groups(s, CORES_NUMA);
        return PAR_OK;
    case POLICY_PACKAGE:
        place_on_groups(s, CORES_PACKAGE);
        return PAR_OK;
    case POLICY_COMPACT:
    case POLICY_SCATTER:
        return place_on_slots(s);
    default:
        return place_shares(s);
    }
}

static par_error share_cores(sharing *s, const machine *m, bool is_asked)
{
    mask usable;
    par_error err = PAR_OK;

    s->mover = calloc((size_t)s->count, sizeof *s->mover);
    if (!s->mover)
        return error_memory((size_t)s->count * sizeof *s->mover, "ranks");
    find_movers(s, is_asked);
    usable = find_usable(s, m);
    if (!cores_open(&s->cores, m, &usable))
        err = error_memory((size_t)m->cpus * sizeof(core), "cores");
    else if (!s->cores.count)
        for (int i = 0; i < s->movers; i++)
            keep(s, s->mover[i], "as it was started: there is no CPU to give");
    else if (s->movers)
        err = place_movers(s);
    cores_close(&s->cores);
    free(s->mover);
    return err;
}

par_error share_out(const machine *m, const share_claim *claims, int count, policy how,
                    const char *text, place *places)
{
    bool is_asked = how != POLICY_DEFAULT;
    sharing s = {
        .claims = claims,
        .count = count,
        .how = is_asked ? how : POLICY_AUTO,
        .places = places,
    };

    for (int i = 0; i < count; i++) {
        places[i] = (place){.rank = claims[i].rank};
        if (how == POLICY_NONE)
            keep(&s, i, "none: as it was started");
        else if (!m)
            keep(&s, i, "as it was started: the machine cannot be read");
    }
    if (how == POLICY_NONE || !m)
        return PAR_OK;
    return how == POLICY_LIST ? place_by_list(&s, m, text) : share_cores(&s, m, is_asked);
}
