/* test_say.c - the names of ranks in what is printed.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "check_par.h"
#include "check_stderr.h"
#include "say.h"

static void print_one(void)
{
    char name[SAY_NAME_BYTES];

    say_name(name, 3, 1234);
    say(name, "no newline");
    say("", "one\n");
}

static void print_several(void)
{
    int unordered[] = {5, 0, 1, 2};

    say_of(unordered, 4, "text");
}

START_TEST(a_line_names_rank_job_host_and_process)
{
    char expected[512];

    say_configure(16);
    snprintf(expected, sizeof expected, "[rank 3 of 16 · %s · 1234] no newline\none\n",
             par_hostname());
    ck_assert_str_eq(check_stderr(print_one), expected);
    snprintf(expected, sizeof expected, "[ranks 0-2,5 of 16 · %s] text\n",
             par_hostname());
    ck_assert_str_eq(check_stderr(print_several), expected);
}
END_TEST

START_TEST(a_job_of_one_rank_has_no_names)
{
    say_configure(1);
    ck_assert_str_eq(check_stderr(print_one), "no newline\none\n");
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_line_names_rank_job_host_and_process);
    check_add(suite, a_job_of_one_rank_has_no_names);
}

const check_program program = {"say", add, .alone = true};
