/* test_threads.c - how many threads a rank can really use.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "check_par.h"
#include "threads.h"

enum { RANKS = 8 };

static machine *node;
static share_claim claims[RANKS];
static place places[RANKS];
static int count;

/* A node of 8 cores with 2 hardware threads each, 0-1, 2-3, ..., and ranks on the CPUs
 * that TEXT lists. */
static void put(const char *text)
{
    if (!node)
        node = place_machine("pack:1 [numa] core:8 pu:2", false);
    ck_assert_ptr_nonnull(node);
    memset(claims, 0, sizeof claims);
    memset(places, 0, sizeof places);
    count = policy_list_length(text);
    for (int i = 0; i < count; i++)
        places[i].mask = policy_list_entry(text, i);
}

static void check_counts(policy how, const char *expected)
{
    char text[64] = "";

    ck_ok(threads_count(node, claims, count, how, places));
    for (int i = 0; i < count; i++)
        snprintf(text + strlen(text), 8, "%s%d", i ? " " : "", (int)places[i].cpus);
    ck_assert_str_eq(text, expected);
}

START_TEST(a_core_counts_once_whatever_threads_it_has)
{
    put("0-1:2:4-7:0,2,4");
    places[3].mask = policy_list_entry("8,10,12-13", 0);
    check_counts(POLICY_AUTO, "1 1 2 3");
}
END_TEST

START_TEST(hardware_threads_count_where_they_are_asked_for)
{
    put("0-1:2:4-7");
    check_counts(POLICY_HWTHREAD, "2 1 4");
}
END_TEST

START_TEST(ranks_on_the_same_cores_have_their_part_each)
{
    put("0-15:0-15");
    check_counts(POLICY_NONE, "4 4");
    put("0-15:0-15:0-15");
    check_counts(POLICY_NONE, "2 2 2");
    put("0-7:0-3:0"); /* 1/3 + 1/2 + 1 + 1, 1/3 + 1/2, 1/3 */
    check_counts(POLICY_DEFAULT, "2 1 1");
    put("0-5:0-5:0-5");
    check_counts(POLICY_DEFAULT, "1 1 1");
}
END_TEST

START_TEST(a_rank_has_one_at_least)
{
    put("0:0:0:0");
    check_counts(POLICY_DEFAULT, "1 1 1 1");
}
END_TEST

START_TEST(a_number_that_is_asked_for_counts_as_far_as_there_are_cpus)
{
    put("0-15:0-3:0-1");
    for (int i = 0; i < count; i++)
        claims[i].threads = 3;
    check_counts(POLICY_AUTO, "3 3 2");
}
END_TEST

START_TEST(the_time_of_a_group_is_shared_by_its_ranks_and_rounded_up)
{
    put("0-7:0-7:8-15:8-15");
    claims[0].quota = claims[1].quota = 3;
    claims[0].quota_group = claims[1].quota_group = 7;
    claims[2].quota = 0.5;
    claims[2].quota_group = 8;
    check_counts(POLICY_AUTO, "2 2 1 2");
    ck_assert_double_eq(places[0].quota, 1.5);
    ck_assert_double_eq(places[2].quota, 0.5);
    ck_assert_double_eq(places[3].quota, 0);
    claims[0].threads = 8;
    check_counts(POLICY_AUTO, "2 2 1 2");
}
END_TEST

START_TEST(where_no_machine_is_known_every_cpu_is_a_core)
{
    put("0-3:2-5:7");
    ck_ok(threads_count(NULL, claims, count, POLICY_DEFAULT, places));
    ck_assert_int_eq(places[0].cpus, 3);
    ck_assert_int_eq(places[1].cpus, 3);
    ck_assert_int_eq(places[2].cpus, 1);
}
END_TEST

START_TEST(ranks_share_the_time_of_their_cpus)
{
    put("0:0:1-2:1-2:3-4:3-4:3-4");
    check_counts(POLICY_DEFAULT, "1 1 1 1 1 1 1");
    for (int i = 0; i < count; i++)
        ck_assert_double_eq_tol(threads_time(places, count, i),
                                i < 2   ? 1. / 2
                                : i < 4 ? 1
                                        : 2. / 3,
                                1e-9);
    put("0-3:4-7");
    claims[0].quota = claims[1].quota = 1.5;
    check_counts(POLICY_DEFAULT, "1 1");
    ck_assert_double_eq(threads_time(places, count, 0), 0.75);
    claims[0].quota = claims[1].quota = 2;
    check_counts(POLICY_DEFAULT, "1 1");
    ck_assert_double_eq(threads_time(places, count, 0), 1);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_core_counts_once_whatever_threads_it_has);
    check_add(suite, hardware_threads_count_where_they_are_asked_for);
    check_add(suite, ranks_on_the_same_cores_have_their_part_each);
    check_add(suite, a_rank_has_one_at_least);
    check_add(suite, a_number_that_is_asked_for_counts_as_far_as_there_are_cpus);
    check_add(suite, the_time_of_a_group_is_shared_by_its_ranks_and_rounded_up);
    check_add(suite, where_no_machine_is_known_every_cpu_is_a_core);
    check_add(suite, ranks_share_the_time_of_their_cpus);
}

const check_program program = {.name = "threads", .add = add, .alone = true};
