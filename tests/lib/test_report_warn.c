/* test_report_warn.c - what the report warns of, and what it doesn't.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_par.h"
#include "check_report.h"

/* The warnings about one node with ranks on these lists of CPUs. */
static char *warn(const char *description, int count, const char *const *cpus)
{
    made m = made_begin();
    int box = made_machine(&m, description);
    char *text;

    for (int i = 0; i < count; i++)
        made_rank(&m, "a", 0, box, cpus[i], "kept");
    text = made_warnings(&m);
    made_free(&m);
    return text;
}

#define WARN(description, ...)                                                       \
    warn((description), (int)(sizeof(const char *[]){__VA_ARGS__} / sizeof(char *)), \
         (const char *const[]){__VA_ARGS__})

/* ---- cores -------------------------------------------------------------------- */

START_TEST(ranks_that_can_have_a_core_each_are_fine)
{
    char *texts[] = {
        WARN("pack:1 core:4 pu:1", "0", "1", "2", "3"),
        WARN("pack:1 core:4 pu:1", "0-3", "0-3", "0-3", "0-3"),
        WARN("pack:1 core:4 pu:1", "0-3", "0-2", "0-1", "0"), /* only one way to do it */
        WARN("pack:2 core:2 pu:2", "0-3", "0-3", "4-7", "4-7"),
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert_str_eq(texts[i], "");
        free(texts[i]);
    }
}
END_TEST

START_TEST(two_ranks_on_one_core_are_named)
{
    char *text = WARN("pack:1 core:4 pu:2", "0-1", "2-3", "2-3", "4-7");

    ck_assert_str_eq(text,
                     "shared-core: ranks 1-2 of a0 share core 1: 2 ranks on 1 core, "
                     "on hyperthreads of their own\n");
    free(text);
}
END_TEST

START_TEST(more_ranks_than_cores_take_turns)
{
    char *text = WARN("pack:1 core:2 pu:1", "0-1", "0-1", "0-1");

    ck_assert_str_eq(text,
                     "shared-core: ranks 0-2 of a0 take turns on cores 0-1: 3 ranks "
                     "on 2 cores\n");
    free(text);
}
END_TEST

START_TEST(a_rank_with_cores_to_spare_is_not_blamed)
{
    char *text = WARN("pack:1 core:8 pu:1", "0-7", "2,3", "2,3", "2,3", "0-7");

    ck_assert_str_eq(text,
                     "shared-core: ranks 1-3 of a0 take turns on cores 2-3: 3 ranks "
                     "on 2 cores\n");
    free(text);
}
END_TEST

START_TEST(two_groups_of_too_many_ranks_are_two_warnings)
{
    char *text = WARN("pack:2 core:2 pu:1", "0", "0,1", "0-1", "2", "2,3", "2-3");

    ck_assert_int_eq(lines_in(text), 2);
    ck_in("ranks 0-2 of a0 take turns on cores 0-1", text);
    ck_in("ranks 3-5 of a0 take turns on cores 2-3", text);
    free(text);
}
END_TEST

START_TEST(ranks_with_one_and_the_same_cpu_get_the_cure)
{
    char *text = WARN("pack:1 core:4 pu:1", "0", "0", "0", "0");

    ck_in("shared-core: ranks 0-3 of a0 have one CPU together, 0,", text);
    ck_in("srun --overcommit", text);
    ck_in("PAR_BIND=auto", text);
    free(text);
    text = WARN("pack:1 core:1 pu:1", "0", "0"); /* which is all there is */
    ck_in("ranks 0-1 of a0 take turns on core 0", text);
    free(text);
}
END_TEST

/* Whether some of the ranks have together fewer UNITS than they want: by trying all. */
static bool is_crowded(const mask *units, const int *wants, int count)
{
    for (unsigned some = 1; some < 1U << count; some++) {
        mask together = {{0}};
        int wanted = 0;

        for (int i = 0; i < count; i++)
            if (some >> i & 1) {
                together = mask_or(&together, &units[i]);
                wanted += wants[i];
            }
        if (mask_count(&together) < wanted)
            return true;
    }
    return false;
}

/* Some ranks, no more than 7, on 8 CPUs, each of which uses THREADS or more but less than
 * twice as many, and may run on the more CPUs. */
static int draw_ranks(made *m, uint64_t *state, mask *units, int *wants, int threads)
{
    int box = made_machine(m, "pack:1 core:8 pu:1");
    int count = 1 + (int)(check_next(state) % 7);

    for (int i = 0; i < count; i++) {
        uint64_t bits = check_next(state) & 0xff;
        place *p = &made_rank(m, "a", 0, box, "0", "kept")->place;

        if (threads == 1)
            bits &= check_next(state) & check_next(state);
        p->mask = units[i] = (mask){{bits ? bits : 1}};
        p->cpus = wants[i] = threads + (int)(check_next(state) % (uint64_t)threads);
    }
    return count;
}

/* Each is to be the case at times. */
static void check_warnings(uint64_t seed, int threads, const char *kind)
{
    uint64_t state = seed;
    int crowded = 0, rounds = 200;

    for (int round = 0; round < rounds; round++) {
        made m = made_begin();
        mask units[8];
        int wants[8], count = draw_ranks(&m, &state, units, wants, threads);
        bool expected = is_crowded(units, wants, count);
        char *text = made_warnings(&m);

        crowded += expected;
        ck_assert_msg(expected == (times_in(text, kind) > 0), "seed %d, round %d: %s",
                      (int)seed, round, text);
        free(text);
        made_free(&m);
    }
    ck_assert_int_gt(crowded, rounds / 10);
    ck_assert_int_lt(crowded, rounds - rounds / 10);
}

START_TEST(a_warning_comes_if_and_only_if_some_ranks_have_too_few_cores)
{
    check_warnings(7 + (uint64_t)_i, 1, "shared-core: ");
}
END_TEST

/* ---- threads, time, memory ------------------------------------------------------ */

START_TEST(more_threads_than_a_rank_has_a_use_for)
{
    made m = made_begin();
    int box = made_machine(&m, "pack:1 core:8 pu:1");
    char *text;

    for (int i = 0; i < 4; i++) {
        report_rank *r = made_rank(&m, "a", 0, box, i % 2 ? "4-7" : "0-3", "kept");

        r->place.cpus = 2;
        r->threads = i == 3 ? 2 : 8;
    }
    text = made_warnings(&m);
    ck_assert_str_eq(text, "threads: ranks 0-2 of a0 may start 24 threads "
                           "(OMP_NUM_THREADS) with a use for 6\n");
    free(text);
    made_free(&m);
}
END_TEST

/* The warnings about ranks on a node of 4 cores with 2 hardware threads each that have
 * these CPUs, and have been told to have these threads. */
static char *warn_of_told(int count, const char *const *cpus, const int *threads)
{
    made m = made_begin();
    int box = made_machine(&m, "pack:1 core:4 pu:2");
    char *text;

    for (int i = 0; i < count; i++) {
        report_rank *r = made_rank(&m, "a", 0, box, cpus[i], "kept");

        r->place.cpus = r->threads = threads[i];
    }
    text = made_warnings(&m);
    made_free(&m);
    return text;
}

START_TEST(ranks_that_are_told_to_have_more_threads_than_cpus_together)
{
    static const struct {
        int count;
        const char *cpus[4];
        int threads[4];
        const char *ranks, *rest; /* of the warning; NULL: none */
    } cases[] = {
        {2, {"0-7", "0-7"}, {8, 8}, "0-1", "16 threads"},
        {2, {"0-7", "0-7"}, {4, 4}, NULL, NULL}, /* hyperthreads, as they were told */
        {2, {"0-7", "0-7"}, {7, 1}, NULL, NULL},
        {3, {"0-7", "0-3", "0-3"}, {4, 3, 2}, "1-2", "5 threads"},
        {3, {"0-7", "0-3", "4-7"}, {4, 3, 2}, "0-2", "9 threads"},
        {2, {"0-1", "2-3"}, {2, 2}, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = warn_of_told(cases[i].count, cases[i].cpus, cases[i].threads);

        if (cases[i].ranks) {
            char expected[64];

            snprintf(expected, sizeof expected, "threads: ranks %s of a0 may start %s (",
                     cases[i].ranks, cases[i].rest);
            ck_in(expected, text);
        }
        ck_assert_int_eq(times_in(text, "threads: "), cases[i].ranks != NULL);
        free(text);
    }
}
END_TEST

START_TEST(threads_are_warned_of_if_and_only_if_some_ranks_have_too_few_cpus)
{
    check_warnings(7 + (uint64_t)_i, 2, "threads: ");
}
END_TEST

START_TEST(too_many_ranks_are_not_too_many_threads)
{
    static const char *const cpus[] = {"0-7", "0", "0", "0"};
    static const int threads[] = {3, 1, 1, 1};
    char *text = warn_of_told(4, cpus, threads);

    ck_in("shared-core: ranks 1-3 of a0 ", text);
    ck_assert_int_eq(lines_in(text), 1);
    free(text);
}
END_TEST

START_TEST(each_rank_is_warned_of_its_threads_once)
{
    made m = made_begin();
    int box = made_machine(&m, "pack:1 core:4 pu:1");
    char *text;

    for (int i = 0; i < 3; i++) {
        report_rank *r = made_rank(&m, "a", 0, box, i < 2 ? "0-1" : "2-3", "kept");

        r->place.cpus = 2;
        r->threads = 4;
    }
    text = made_warnings(&m);
    ck_in("threads: ranks 0-1 of a0 may start 8 threads (OMP_NUM_THREADS, "
          "PAR_THREADS_PER_RANK or --cpus-per-task) on 2 CPUs\n",
          text);
    ck_in(
        "threads: rank 2 of a0 may start 4 threads (OMP_NUM_THREADS) with a use for 2\n",
        text);
    ck_assert_int_eq(lines_in(text), 2);
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(less_time_than_cpus)
{
    made m = made_begin();
    int box = made_machine(&m, "pack:1 core:4 pu:1");
    report_rank *first = made_rank(&m, "a", 0, box, "0-3", "kept");
    report_rank *second = made_rank(&m, "a", 0, box, "0-3", "kept");
    char *text;

    first->place.quota = second->place.quota = 2; /* as much as there is */
    text = made_warnings(&m);
    ck_assert_str_eq(text, "");
    free(text);
    first->place.quota = second->place.quota = 0.75;
    text = made_warnings(&m);
    ck_assert_str_eq(text,
                     "quota: ranks 0-1 of a0 may run on 4 CPUs, but a control group "
                     "grants them the time of 1.5: beyond that the kernel stops "
                     "them\n");
    free(text);
    made_free(&m);
}
END_TEST

START_TEST(memory_far_away_matters_if_it_is_much)
{
    static const struct {
        uint64_t near, far; /* MiB */
        bool told;
    } cases[] = {{1, 8, false}, {1000, 20, false}, {100, 200, true}, {0, 16, true}};
    made m = made_begin();
    int box = made_machine(&m, "pack:2 [numa] core:4 pu:1");
    report_rank *r = made_rank(&m, "a", 0, box, "0-3", "kept");

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text;

        r->near = cases[i].near << 20;
        r->far = cases[i].far << 20;
        text = made_warnings(&m);
        ck_assert_int_eq(*text != '\0', cases[i].told);
        if (cases[i].near == 100)
            ck_in(
                "remote-memory: rank 0 of a0 has 200 of 300 MiB of memory at other NUMA "
                "nodes",
                text);
        free(text);
    }
    made_free(&m);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, ranks_that_can_have_a_core_each_are_fine);
    check_add(suite, two_ranks_on_one_core_are_named);
    check_add(suite, more_ranks_than_cores_take_turns);
    check_add(suite, a_rank_with_cores_to_spare_is_not_blamed);
    check_add(suite, two_groups_of_too_many_ranks_are_two_warnings);
    check_add(suite, ranks_with_one_and_the_same_cpu_get_the_cure);
    check_add_each(suite, 5,
                   a_warning_comes_if_and_only_if_some_ranks_have_too_few_cores);
    check_add(suite, more_threads_than_a_rank_has_a_use_for);
    check_add(suite, ranks_that_are_told_to_have_more_threads_than_cpus_together);
    check_add_each(suite, 2,
                   threads_are_warned_of_if_and_only_if_some_ranks_have_too_few_cpus);
    check_add(suite, too_many_ranks_are_not_too_many_threads);
    check_add(suite, each_rank_is_warned_of_its_threads_once);
    check_add(suite, less_time_than_cpus);
    check_add(suite, memory_far_away_matters_if_it_is_much);
}

const check_program program = {.name = "report_warn", .add = add, .alone = true};
