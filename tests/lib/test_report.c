/* test_report.c - where the ranks are, asked of a running job.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "affinity.h"
#include "check_par.h"
#include "check_report.h"
#include "node.h"

/* What rank 0 got of COMM; NULL elsewhere. */
static char *told(par_comm *comm, par_report_form form)
{
    char *text = "before";

    ck_ok(par_place_report(comm, form, &text));
    ck_assert_int_eq(text != NULL, par_rank(comm) == 0);
    return text;
}

START_TEST(rank_0_gets_the_text_and_the_others_nothing)
{
    static const par_report_form forms[] = {PAR_REPORT_SHORT, PAR_REPORT_ALL,
                                            PAR_REPORT_JSON};

    for (int i = 0; i < 3; i++) {
        char *text = told(world, forms[i]), *again = told(world, forms[i]);

        if (text) {
            ck_assert_uint_gt(strlen(text), 40);
            ck_assert_int_eq(strncmp(text, again, 8), 0);
        }
        free(text);
        free(again);
    }
}
END_TEST

START_TEST(every_rank_has_its_line_with_its_own_reason)
{
    place mine = node_place();
    char why[PLACE_WHY], *all = NULL, *text;

    memcpy(why, mine.why, sizeof why);
    if (me == 0)
        all = check_alloc((size_t)ranks * sizeof why);
    ck_ok(par_gather(world, why, sizeof why, PAR_BYTE, all, 0));
    text = told(world, PAR_REPORT_ALL);
    for (int r = 0; text && r < ranks; r++) {
        char begin[16];

        snprintf(begin, sizeof begin, "\n  %d ", r);
        ck_in(begin, text);
        ck_in(all + (size_t)r * sizeof why, text);
        ck_in(par_hostname(), text);
    }
    free(text);
    free(all);
}
END_TEST

/* A CPU that is not the whole of this rank's place. */
static int other_cpu(const place *mine)
{
    mask allowed = machine_allowed(node_machine());
    int cpu = mask_next(&allowed, -1);

    return mask_count(&mine->mask) == 1 && mask_has(&mine->mask, cpu)
               ? mask_next(&allowed, cpu)
               : cpu;
}

START_TEST(ranks_that_have_moved_are_shown_where_they_are)
{
    place mine = node_place();
    int cpu = other_cpu(&mine);
    mask there = {{0}};
    char *text, expected[PLACE_WHY + 64];

    if (cpu < 0) /* the machine has no other */
        return;
    mask_add(&there, cpu);
    ck_assert_int_eq(affinity_set(&mine.mask, &there), 0);
    text = told(world, PAR_REPORT_JSON);
    ck_assert_int_eq(affinity_set(&there, &mine.mask), 0);
    if (text) {
        ck_assert_int_eq(times_in(text, "\"why\": \"moved since: "), ranks);
        snprintf(expected, sizeof expected,
                 "{\"rank\": 0, \"uses\": 1, \"bound\": false, \"why\": \"moved since: "
                 "%.150s",
                 mine.why);
        ck_in(expected, text);
        snprintf(expected, sizeof expected, ", \"cpus\": [%d], ", cpu);
        ck_in(expected, text);
    }
    free(text);
    text = told(world, PAR_REPORT_ALL);
    if (text)
        ck_not_in("moved since", text);
    free(text);
}
END_TEST

START_TEST(a_communicator_has_its_own_ranks_alone)
{
    par_comm *half;
    char *text, first[64];

    ck_ok(par_split(world, me % 2, -me, &half)); /* in another order than in the world */
    text = told(half, PAR_REPORT_SHORT);
    snprintf(first, sizeof first, "%d rank%s on 1 node\n", par_size(half),
             par_size(half) == 1 ? "" : "s");
    if (text)
        ck_assert_msg(strncmp(text, first, strlen(first)) == 0, "%s%s", first, text);
    free(text);
    ck_ok(par_comm_free(&half));
}
END_TEST

START_TEST(wrong_arguments_are_refused_and_the_job_goes_on)
{
    char *text = "before";

    ck_fails(PAR_ERR_ARG, par_place_report(world, PAR_REPORT_SHORT, NULL));
    ck_fails(PAR_ERR_ARG, par_place_report(world, (par_report_form)4, &text));
    ck_detail("form is 4: it must be from 1 to 3");
    ck_fails(PAR_ERR_ARG, par_place_report(world, (par_report_form)-1, &text));
    ck_fails(PAR_ERR_ARG, par_place_report(world, PAR_REPORT_NONE, &text));
    ck_fails(PAR_ERR_ARG, par_place_report(NULL, PAR_REPORT_SHORT, &text));
    ck_assert_str_eq(text, "before");
    free(told(world, PAR_REPORT_SHORT));
}
END_TEST

START_TEST(the_json_of_a_host_with_odd_letters_is_one_text)
{
    made m = made_begin();
    int box = made_machine(&m, "pack:1 core:2 pu:1");
    char *text;

    made_rank(&m, "a\"\\\n", 0, box, "0-1", "kept: \"by\tme\"");
    text = made_json(&m);
    ck_in("{\"host\": \"a\\\"\\\\\\u000a0\", \"like\": 0, ", text);
    ck_in("\"why\": \"kept: \\\"by\\u0009me\\\"\", \"cpus\": [0, 1]", text);
    ck_assert_int_eq(lines_in(text), 1);
    free(text);
    made_free(&m);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, rank_0_gets_the_text_and_the_others_nothing);
    check_add(suite, every_rank_has_its_line_with_its_own_reason);
    check_add(suite, ranks_that_have_moved_are_shown_where_they_are);
    check_add(suite, a_communicator_has_its_own_ranks_alone);
    check_add(suite, wrong_arguments_are_refused_and_the_job_goes_on);
    check_add(suite, the_json_of_a_host_with_odd_letters_is_one_text);
}

const check_program program = {.name = "report", .add = add};
