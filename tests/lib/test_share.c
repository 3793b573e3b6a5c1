/* test_share.c - who gets which CPUs, on made-up machines.
 * SPDX-License-Identifier: MIT
 *
 * Every policy for 1 rank to twice as many as there are cores, and for machines made
 * at random, must keep what its description promises. Those are the same in every run;
 * PAR_TEST_SEED=n makes others, and whatever fails prints its seed.
 */
#include <stdio.h>
#include <string.h>

#include "check_par.h"
#include "share.h"

static const char laptop[] = CHECK_MACHINES "/laptop.xml";
static const char container[] = CHECK_MACHINES "/container.xml";

static const char *const machines[] = {
    laptop,
    container,
    "pack:1 [numa] l3:1 core:16 pu:1",
    "pack:1 [numa] l3:1 core:16 pu:2",
    "pack:2 [numa] l3:4 core:8 pu:1",
    "pack:2 [numa] l3:4 core:8 pu:2",
    "pack:2 group:4 [numa] l3:2 core:8 pu:1",
    "pack:2 group:4 [numa] l3:2 core:8 pu:2",
    "pack:1 [numa] l3:1 core:72 pu:1",
    "pack:2 [numa] l3:2 core:4 pu:2(indexes=16*2:1*16)", /* siblings are n and n + 16 */
    "pack:2 l3:1 group:2 [numa] core:5 pu:2",            /* memories within a cache */
    "pack:3 [numa] core:3 pu:1",                         /* no L3 at all */
    "pack:4 core:1 pu:1",
};

enum { MACHINES = sizeof machines / sizeof *machines, RANKS_MAX = 600 };

/* ---- a sharing, and what is said of it if it is wrong ---------------------- */

/* What a CPU is part of. A cache counts as one for each memory and package. */
typedef enum part {
    CPU,
    CORE,
    KIND,
    PACKAGE,
    NUMA,
    L3,
    PARTS,
} part;

static struct {
    const char *name; /* of the machine */
    machine *machine;
    mask allowed;
    int *in[PARTS]; /* of each CPU of the machine: the number of its part, from 0 on */
    int parts[PARTS];
    int count; /* of ranks */
    policy how;
    share_claim *claims;
    place *places;
} now;

static bool are_together(const machine_cpu *a, const machine_cpu *b, part p)
{
    switch (p) {
    case CPU:
        return a == b;
    case CORE:
        return a->core == b->core;
    case KIND:
        return a->kind == b->kind;
    default:
        return a->package == b->package && (p == PACKAGE || a->numa == b->numa) &&
               (p != L3 || a->l3 == b->l3);
    }
}

/* Only allowed CPUs are parts of anything. */
static void find_parts(part p)
{
    int *in = check_alloc((size_t)now.machine->cpus * sizeof *in), n = 0;

    for (int i = 0; i < now.machine->cpus; i++) {
        int k = 0;

        while (k < i && (!now.machine->cpu[k].allowed ||
                         !are_together(&now.machine->cpu[k], &now.machine->cpu[i], p)))
            k++;
        in[i] = k < i ? in[k] : n;
        n += k == i && now.machine->cpu[i].allowed;
    }
    now.in[p] = in;
    now.parts[p] = n;
}

static void look_at_machine(const char *name)
{
    now.name = name;
    now.allowed = machine_allowed(now.machine);
    for (part p = 0; p < PARTS; p++) {
        free(now.in[p]);
        find_parts(p);
    }
}

static void take(const char *name)
{
    free(now.machine);
    now.machine = place_machine(name, false);
    ck_assert_msg(now.machine != NULL, "%s cannot be read", name);
    look_at_machine(name);
}

/* COUNT ranks that may go anywhere, and nobody has placed. */
static void claim(int count, int threads)
{
    ck_assert_int_le(count, RANKS_MAX);
    now.count = count;
    memset(now.claims, 0, (size_t)count * sizeof *now.claims);
    for (int i = 0; i < count; i++) {
        now.claims[i].rank = i;
        now.claims[i].threads = threads;
        now.claims[i].have = now.claims[i].room = now.allowed;
    }
}

static void share_by(policy how, const char *list)
{
    now.how = how;
    ck_ok(share_out(now.machine, now.claims, now.count, how, list, now.places));
}

static void share(policy how)
{
    share_by(how, NULL);
}

static char *describe(int i)
{
    static char text[1024];
    int used =
        snprintf(text, sizeof text, "%s, %s, %d ranks, %d threads: rank %d on ", now.name,
                 policy_name(now.how), now.count, now.claims[i].threads, i);

    mask_text(&now.places[i].mask, text + used, sizeof text - (size_t)used);
    return text;
}

#define ck_place(i, fact) ck_assert_msg(fact, "%s: not %s", describe(i), #fact)

/* ---- what can be counted on a machine -------------------------------------- */

static bool has(const mask *m, int i)
{
    return mask_has(m, now.machine->cpu[i].os);
}

/* How many CPUs of M each part P has. */
static void count_in(const mask *m, part p, int *cpus)
{
    memset(cpus, 0, (size_t)now.parts[p] * sizeof *cpus);
    for (int i = 0; i < now.machine->cpus; i++)
        if (now.machine->cpu[i].allowed && has(m, i))
            cpus[now.in[p][i]]++;
}

/* How many parts P the CPUs of M are in. */
static int count(const mask *m, part p)
{
    int cpus[512], n = 0;

    ck_assert_int_le(now.parts[p], 512);
    count_in(m, p, cpus);
    for (int k = 0; k < now.parts[p]; k++)
        n += cpus[k] > 0;
    return n;
}

static int cores_in(const mask *m)
{
    return count(m, CORE);
}

/* The allowed CPUs of the part K of those that P is. */
static mask cpus_of(part p, int k)
{
    mask m = {{0}};

    for (int i = 0; i < now.machine->cpus; i++)
        if (now.machine->cpu[i].allowed && now.in[p][i] == k)
            mask_add(&m, now.machine->cpu[i].os);
    return m;
}

/* The fewest and the most of something. */
typedef struct span {
    int least, most;
} span;

static const span nothing = {1 << 30, -1};

static void extend(span *s, int value)
{
    s->least = value < s->least ? value : s->least;
    s->most = value > s->most ? value : s->most;
}

/* How many ranks there are on each part. */
static span ranks_on(part p)
{
    int ranks_there[512] = {0}, cpus[512];
    span s = nothing;

    for (int i = 0; i < now.count; i++) {
        count_in(&now.places[i].mask, p, cpus);
        for (int k = 0; k < now.parts[p]; k++)
            ranks_there[k] += cpus[k] > 0;
    }
    for (int k = 0; k < now.parts[p]; k++)
        extend(&s, ranks_there[k]);
    return s;
}

/* On how many parts each rank is. */
static span parts_of_ranks(part p)
{
    span s = nothing;

    for (int i = 0; i < now.count; i++)
        extend(&s, count(&now.places[i].mask, p));
    return s;
}

/* ---- what holds for all policies ------------------------------------------- */

static void check_inside(void)
{
    for (int i = 0; i < now.count; i++) {
        ck_place(i, now.places[i].rank == i);
        ck_place(i, mask_next(&now.places[i].mask, -1) >= 0);
        ck_place(i, mask_inside(&now.places[i].mask, &now.allowed));
        ck_place(i, now.places[i].bound ==
                        !mask_equal(&now.places[i].mask, &now.claims[i].have));
        ck_place(i, !strncmp(now.places[i].why, policy_name(now.how),
                             strlen(policy_name(now.how))));
    }
}

static void check_disjoint(part p)
{
    ck_assert_msg(ranks_on(p).most <= 1, "%s ... : %d ranks on one", describe(0),
                  ranks_on(p).most);
}

static void check_even(part p)
{
    span on = ranks_on(p);

    ck_assert_msg(on.most <= on.least + 1, "%s ...: %d to %d ranks on one", describe(0),
                  on.least, on.most);
}

/* All that is allowed of a part, or nothing. */
static void check_whole(part p)
{
    int all[512], here[512];

    count_in(&now.allowed, p, all);
    for (int i = 0; i < now.count; i++) {
        count_in(&now.places[i].mask, p, here);
        for (int k = 0; k < now.parts[p]; k++)
            ck_place(i, !here[k] || here[k] == all[k]);
    }
}

/* ---- auto -------------------------------------------------------------------- */

/* How many ranks of LEAST cores fit into the parts, none into two; 0 where a part lacks
 * a kind of cores that there is. */
static int fit(part p, int least)
{
    int ranks_there = 0;

    for (int k = 0; k < now.parts[p]; k++) {
        mask group = cpus_of(p, k);

        if (count(&group, KIND) < now.parts[KIND])
            return 0;
        ranks_there += cores_in(&group) / least;
    }
    return ranks_there;
}

static int memories(void)
{
    int n = 0;

    for (int i = 0; i < now.machine->cpus; i++) {
        int k = 0;

        while (k < i && (!now.machine->cpu[k].allowed ||
                         now.machine->cpu[k].numa != now.machine->cpu[i].numa))
            k++;
        n += k == i && now.machine->cpu[i].allowed;
    }
    return n;
}

static bool have_same_size(part p)
{
    span s = nothing;

    for (int k = 0; k < now.parts[p]; k++) {
        mask group = cpus_of(p, k);

        extend(&s, cores_in(&group));
    }
    return s.least == s.most;
}

/* Where all ranks can have their least share in one part, they have. */
static void check_local(part p, int least)
{
    if (fit(p, least) >= now.count)
        for (int i = 0; i < now.count; i++)
            ck_place(i, count(&now.places[i].mask, p) == 1);
}

/* Of each kind all have as many as the others, but for one, if all are in one group. */
static void check_kinds(void)
{
    for (int kind = 0; kind < now.parts[KIND] && now.parts[L3] == 1; kind++) {
        mask of_kind = cpus_of(KIND, kind);
        span s = nothing;

        for (int i = 0; i < now.count; i++) {
            mask mine = mask_and(&now.places[i].mask, &of_kind);

            extend(&s, cores_in(&mine));
        }
        ck_assert_msg(s.most <= s.least + 1, "%s ...: %d to %d of kind %d", describe(0),
                      s.least, s.most, kind);
    }
}

static void check_shares(void)
{
    int all = cores_in(&now.allowed), least = all / now.count;
    span s = parts_of_ranks(CORE);
    mask used = {{0}};

    ck_assert_int_gt(least, 0);
    check_disjoint(CORE);
    check_whole(CORE);
    ck_assert_msg(s.least >= least && s.most <= least + 1, "%s ...: %d to %d cores of %d",
                  describe(0), s.least, s.most, all);
    /* Memories before all cores, all cores before caches. */
    if (memories() > 1 || all % now.count == 0) {
        check_local(PACKAGE, least);
        check_local(NUMA, least);
    }
    if (all % now.count == 0)
        check_local(L3, least);
    check_kinds();
    for (int i = 0; i < now.count; i++)
        used = mask_or(&used, &now.places[i].mask);
    ck_assert_msg(cores_in(&used) == all || memories() > 1,
                  "%s ...: %d of %d cores are used", describe(0), cores_in(&used), all);
    /* No more ranks in one memory than in another, if those are alike. */
    if (have_same_size(NUMA) && fit(NUMA, least) >= now.count)
        check_even(NUMA);
}

static void check_auto(void)
{
    share(POLICY_AUTO);
    check_inside();
    if (now.count <= cores_in(&now.allowed)) {
        check_shares();
        return;
    }
    for (int i = 0; i < now.count; i++) {
        ck_place(i, mask_equal(&now.places[i].mask, &now.allowed));
        ck_place(i, strstr(now.places[i].why, "not bound") != NULL);
    }
}

/* Each rank has THREADS cores, or its whole share if that is less. */
static void check_auto_with_threads(int threads)
{
    place *shares = check_alloc((size_t)now.count * sizeof *shares);

    share(POLICY_AUTO);
    memcpy(shares, now.places, (size_t)now.count * sizeof *shares);
    claim(now.count, threads);
    share(POLICY_AUTO);
    check_inside();
    for (int i = 0; i < now.count && now.count <= cores_in(&now.allowed); i++) {
        int whole = cores_in(&shares[i].mask);

        ck_place(i, mask_inside(&now.places[i].mask, &shares[i].mask));
        ck_place(i, cores_in(&now.places[i].mask) == (threads < whole ? threads : whole));
    }
    free(shares);
}

/* ---- the others ---------------------------------------------------------------- */

static void check_cores(void)
{
    int all = cores_in(&now.allowed);

    share(POLICY_CORE);
    check_inside();
    check_whole(CORE);
    ck_assert_int_eq(parts_of_ranks(CORE).most, 1);
    check_even(CORE);
    if (now.count <= all)
        check_disjoint(CORE);
}

static void check_hwthreads(void)
{
    int cpus[512];
    span each = nothing;

    share(POLICY_HWTHREAD);
    check_inside();
    ck_assert_int_eq(parts_of_ranks(CPU).most, 1);
    check_even(CORE);
    if (now.count <= now.parts[CORE])
        check_disjoint(CORE);
    count_in(&now.allowed, CORE, cpus);
    for (int k = 0; k < now.parts[CORE]; k++)
        extend(&each, cpus[k]);
    if (each.least == each.most && now.count <= now.parts[CPU])
        check_disjoint(CPU);
}

static void check_groups(policy how, part p)
{
    share(how);
    check_inside();
    check_whole(p);
    ck_assert_int_eq(parts_of_ranks(p).most, 1);
    check_even(p);
    if (now.count <= now.parts[p])
        check_disjoint(p);
}

/* Slots of THREADS cores each: disjoint as long as there are some. */
static void check_slots(policy how, int threads)
{
    int all = cores_in(&now.allowed);

    claim(now.count, threads);
    share(how);
    check_inside();
    check_whole(CORE);
    for (int i = 0; i < now.count; i++)
        ck_place(i, cores_in(&now.places[i].mask) == (threads < all ? threads : all));
    if ((int64_t)now.count * threads <= all)
        check_disjoint(CORE);
}

static void check_all_policies(void)
{
    int most = 2 * cores_in(&now.allowed);

    for (int ranks_here = 1; ranks_here <= most; ranks_here++) {
        claim(ranks_here, 0);
        check_auto();
        check_cores();
        check_hwthreads();
        check_groups(POLICY_PACKAGE, PACKAGE);
        check_groups(POLICY_NUMA, NUMA);
        check_groups(POLICY_L3, L3);
        for (int threads = 1; threads <= 3; threads++) {
            claim(ranks_here, 0);
            check_auto_with_threads(threads);
            check_slots(POLICY_COMPACT, threads);
            check_slots(POLICY_SCATTER, threads);
        }
    }
}

START_TEST(every_policy_keeps_its_promises_for_any_number_of_ranks)
{
    take(machines[_i]);
    check_all_policies();
}
END_TEST

/* ---- at random ------------------------------------------------------------------ */

static uint64_t seed(void)
{
    const char *given = getenv("PAR_TEST_SEED");

    return given ? strtoull(given, NULL, 10) : 1;
}

static int below(uint64_t *state, int n)
{
    ck_assert_int_gt(n, 0);
    return (int)(check_next(state) % (uint64_t)n);
}

/* A machine of any shape, with holes, and maybe kinds of cores. */
static void make_any(uint64_t *state, char *name, size_t size)
{
    char shape[128];
    int kinds = below(state, 3) ? 1 : 1 + below(state, 3), holes = below(state, 3);
    bool any = false;

    snprintf(shape, sizeof shape, "pack:%d group:%d [numa] l3:%d core:%d pu:%d",
             1 + below(state, 3), 1 + below(state, 3), 1 + below(state, 3),
             1 + below(state, 5), 1 + below(state, 3));
    take(shape);
    for (int i = 0; i < now.machine->cpus; i++) {
        machine_cpu *cpu = &now.machine->cpu[i];

        cpu->kind = cpu->thread ? now.machine->cpu[i - 1].kind : below(state, kinds);
        cpu->allowed = !holes || below(state, 1 + 2 * holes) > 0;
        any |= cpu->allowed;
    }
    if (!any)
        now.machine->cpu[0].allowed = 1;
    look_at_machine(name);
    snprintf(name, size, "%s (allowed ", shape);
    mask_text(&now.allowed, name + strlen(name), size - strlen(name));
}

START_TEST(every_policy_keeps_its_promises_on_any_machine)
{
    uint64_t first = seed() + (uint64_t)_i, state = first;
    char name[512];
    int ranks_here;

    for (int round = 0; round < 40; round++) {
        make_any(&state, name, sizeof name - 64);
        snprintf(name + strlen(name), 64, "), seed %llu", (unsigned long long)first);
        ranks_here = 1 + below(&state, 2 * cores_in(&now.allowed));
        claim(ranks_here, 0);
        check_auto();
        check_cores();
        check_groups(POLICY_PACKAGE, PACKAGE);
        check_groups(POLICY_NUMA, NUMA);
        check_groups(POLICY_L3, L3);
        check_auto_with_threads(1 + below(&state, 6));
        check_slots(POLICY_COMPACT, 1 + below(&state, 6));
        check_slots(POLICY_SCATTER, 1 + below(&state, 6));
    }
}
END_TEST

/* ---- examples --------------------------------------------------------------------- */

/* The ranks are on the CPUs that TEXT lists for them. */
static void check_masks(const char *text)
{
    ck_assert_int_eq(policy_list_length(text), now.count);
    for (int i = 0; i < now.count; i++) {
        mask expected = policy_list_entry(text, i);

        ck_assert_msg(mask_equal(&now.places[i].mask, &expected), "%s, not as in %s",
                      describe(i), text);
    }
}

static void check_example(const char *shape, int count, int threads, policy how,
                          const char *masks)
{
    take(shape);
    claim(count, threads);
    share(how);
    check_masks(masks);
}

START_TEST(fast_and_slow_cores_are_shared_evenly)
{
    check_example(laptop, 4, 0, POLICY_AUTO,
                  "0,1,32,34:8,9,36,38:16,17,40,42:24,25,44,46");
    check_example(laptop, 3, 0, POLICY_AUTO,
                  "0,1,8,9,32,34:16,17,36,38,40:24,25,42,44,46");
    check_example(laptop, 4, 1, POLICY_AUTO, "0,1:8,9:16,17:24,25");
}
END_TEST

START_TEST(ranks_are_spread_over_memories_and_stay_within_one)
{
    check_example("pack:2 [numa] core:4 pu:1", 2, 0, POLICY_AUTO, "0-3:4-7");
    check_example("pack:2 [numa] core:4 pu:1", 3, 0, POLICY_AUTO, "0-1:2-3:4-6");
    check_example("pack:2 [numa] core:3 pu:1", 4, 0, POLICY_AUTO, "0-1:2:3-4:5");
    check_example("pack:2 [numa] core:6 pu:1", 3, 0, POLICY_AUTO, "0-3:4-7:8-11");
    check_example("pack:2 [numa] l3:4 core:2 pu:1", 12, 0, POLICY_AUTO,
                  "0:1:2:3:4-5:6-7:8:9:10:11:12-13:14-15");
}
END_TEST

START_TEST(compact_fills_up_and_scatter_goes_far_apart)
{
    static const char shape[] = "pack:2 [numa] l3:2 core:2 pu:1";

    check_example(shape, 4, 0, POLICY_COMPACT, "0:1:2:3");
    check_example(shape, 4, 0, POLICY_SCATTER, "0:4:2:6");
    check_example(shape, 8, 0, POLICY_SCATTER, "0:4:2:6:1:5:3:7");
    check_example(shape, 2, 2, POLICY_COMPACT, "0-1:2-3");
    check_example(shape, 2, 2, POLICY_SCATTER, "0-1:4-5");
    check_example(shape, 3, 0, POLICY_CORE, "0:2:4");
    check_example(shape, 3, 0, POLICY_NUMA, "0-3:0-3:4-7");
    check_example(shape, 1, 0, POLICY_L3, "0-1");
}
END_TEST

START_TEST(hardware_threads_come_after_cores)
{
    static const char shape[] = "pack:1 [numa] core:2 pu:2(indexes=2*2:1*2)";

    check_example(shape, 2, 0, POLICY_AUTO, "0,2:1,3");
    check_example(shape, 2, 0, POLICY_HWTHREAD, "0:1");
    check_example(shape, 1, 2, POLICY_HWTHREAD, "0-1");
    check_example(shape, 1, 3, POLICY_HWTHREAD, "0-2");
    check_example(shape, 3, 0, POLICY_HWTHREAD, "0:2:1");
    check_example(shape, 4, 0, POLICY_HWTHREAD, "0:2:1:3");
}
END_TEST

START_TEST(each_rank_gets_what_is_listed_for_it)
{
    take("pack:1 [numa] core:4 pu:1");
    claim(3, 0);
    share_by(POLICY_LIST, "0-1:3:1,2+3:0");
    check_masks("0-1:3:1-3");
    ck_assert_int_eq(now.places[1].bound, 1);
}
END_TEST

START_TEST(a_list_that_does_not_fit_the_node_is_refused)
{
    take(container); /* CPUs 2-5 of 0-7 */
    claim(3, 0);
    ck_fails(PAR_ERR_ARG,
             share_out(now.machine, now.claims, 3, POLICY_LIST, "2:3:4,6", now.places));
    ck_detail("\"2:3:4,6\"");
    ck_detail("no CPU 6");
    ck_detail("2-5");
    ck_fails(PAR_ERR_ARG,
             share_out(now.machine, now.claims, 3, POLICY_LIST, "2:3", now.places));
    ck_detail("CPUs for 2 ranks");
    ck_detail("3 ranks");
}
END_TEST

/* ---- who has been placed by somebody else --------------------------------------------
 */

static void choose(int i, const char *cpus, const char *why)
{
    now.claims[i].chosen = true;
    now.claims[i].have = policy_list_entry(cpus, 0);
    snprintf(now.claims[i].why, PLACE_WHY, "%s", why);
}

START_TEST(what_somebody_has_chosen_is_kept)
{
    take(machines[2]);
    claim(3, 0);
    for (int i = 0; i < 3; i++)
        choose(i, "0", "kept: a reason");
    share(POLICY_DEFAULT);
    check_masks("0:0:0");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(now.places[i].bound, 0);
        ck_assert_str_eq(now.places[i].why, "kept: a reason");
    }
}
END_TEST

START_TEST(the_others_share_what_is_left)
{
    take(machines[2]);
    claim(3, 0);
    choose(1, "0-3", "kept: a reason");
    share(POLICY_DEFAULT);
    check_masks("4-9:0-3:10-15");
    choose(1, "0-15", "kept: a reason");
    share(POLICY_DEFAULT);
    check_masks("0-7:0-15:8-15");
}
END_TEST

START_TEST(a_policy_that_is_asked_for_moves_all)
{
    take(machines[2]);
    claim(2, 0);
    for (int i = 0; i < 2; i++)
        choose(i, "0", "kept: a reason");
    share(POLICY_AUTO);
    check_masks("0-7:8-15");
    share(POLICY_PACKAGE);
    check_masks("0-15:0-15");
    share(POLICY_NONE);
    check_masks("0:0");
    ck_assert_str_eq(now.places[0].why, "none: as it was started");
}
END_TEST

START_TEST(ranks_stay_within_the_room_that_they_have_together)
{
    take(machines[2]);
    claim(2, 0);
    now.claims[0].room = policy_list_entry("4-5", 0);
    now.claims[1].room = policy_list_entry("6-7", 0);
    share(POLICY_DEFAULT);
    check_masks("4-5:6-7");
    now.claims[0].room = now.claims[1].room = policy_list_entry("3", 0);
    share(POLICY_DEFAULT);
    check_masks("3:3");
    ck_assert_str_eq(now.places[0].why, "auto: not bound, 2 ranks on 1 core");
}
END_TEST

START_TEST(a_default_that_is_replaced_is_told)
{
    take(machines[2]);
    claim(1, 0);
    now.claims[0].have = policy_list_entry("0", 0);
    snprintf(now.claims[0].why, PLACE_WHY, "mpirun's default");
    share(POLICY_DEFAULT);
    check_masks("0-15");
    ck_assert_int_eq(now.places[0].bound, 1);
    ck_assert_str_eq(now.places[0].why,
                     "auto: 16 of 16 cores, 1 rank; mpirun's default was CPU 0");
}
END_TEST

START_TEST(a_long_list_of_cpus_ends_with_dots)
{
    take("pack:1 core:32 pu:2");
    claim(1, 0);
    now.claims[0].have = (mask){{UINT64_C(0x5555555555555555)}};
    snprintf(now.claims[0].why, PLACE_WHY, "mpirun's default");
    share(POLICY_DEFAULT);
    ck_assert_str_eq(now.places[0].why, "auto: 32 of 32 cores, 1 rank; mpirun's default "
                                        "was CPU 0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,"
                                        "30,32,...");
    for (int i = 1; i < now.machine->cpus; i += 2)
        now.machine->cpu[i].allowed = 0;
    ck_fails(PAR_ERR_ARG,
             share_out(now.machine, now.claims, 1, POLICY_LIST, "1", now.places));
    ck_detail("no CPU 1 on this node, but 0,2,4,6,");
    ck_detail("38,40,...");
}
END_TEST

START_TEST(without_a_machine_all_stay)
{
    take(machines[2]);
    claim(2, 0);
    choose(1, "1-2", "kept: a reason");
    ck_ok(share_out(NULL, now.claims, 2, POLICY_DEFAULT, NULL, now.places));
    check_masks("0-15:1-2");
    ck_ok(share_out(NULL, now.claims, 2, POLICY_CORE, NULL, now.places));
    check_masks("0-15:1-2");
    ck_assert_str_eq(now.places[1].why, "as it was started: the machine cannot be read");
}
END_TEST

static void add(Suite *suite)
{
    now.claims = check_alloc(RANKS_MAX * sizeof *now.claims);
    now.places = check_alloc(RANKS_MAX * sizeof *now.places);
    check_add_each(suite, MACHINES,
                   every_policy_keeps_its_promises_for_any_number_of_ranks);
    check_add_each(suite, 10, every_policy_keeps_its_promises_on_any_machine);
    check_add(suite, fast_and_slow_cores_are_shared_evenly);
    check_add(suite, ranks_are_spread_over_memories_and_stay_within_one);
    check_add(suite, compact_fills_up_and_scatter_goes_far_apart);
    check_add(suite, hardware_threads_come_after_cores);
    check_add(suite, each_rank_gets_what_is_listed_for_it);
    check_add(suite, a_list_that_does_not_fit_the_node_is_refused);
    check_add(suite, what_somebody_has_chosen_is_kept);
    check_add(suite, the_others_share_what_is_left);
    check_add(suite, a_policy_that_is_asked_for_moves_all);
    check_add(suite, ranks_stay_within_the_room_that_they_have_together);
    check_add(suite, a_default_that_is_replaced_is_told);
    check_add(suite, a_long_list_of_cpus_ends_with_dots);
    check_add(suite, without_a_machine_all_stay);
}

const check_program program = {.name = "share", .add = add, .alone = true};
