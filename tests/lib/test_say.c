/* test_say.c - the names of ranks in what is printed.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_par.h"
#include "say.h"

START_TEST(ranks_in_a_row_are_spelled_as_a_range)
{
    static const struct {
        int members[8], count;
        const char *spelled;
    } cases[] = {
        {{0}, 0, ""},
        {{7}, 1, "7"},
        {{0, 1}, 2, "0,1"},
        {{0, 1, 2, 5}, 4, "0-2,5"},
        {{1, 3, 4, 6, 7, 8}, 6, "1,3,4,6-8"},
        {{10, 11, 12, 13}, 4, "10-13"},
    };
    char text[64];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        say_spell(text, sizeof text, cases[i].members, cases[i].count);
        ck_assert_str_eq(text, cases[i].spelled);
    }
}
END_TEST

START_TEST(a_list_of_ranks_that_is_too_long_is_cut)
{
    int even[] = {0, 2, 4, 6, 8, 10};
    char text[8];

    for (size_t size = 1; size <= sizeof text; size++) {
        memset(text, 'x', sizeof text);
        say_spell(text, size, even, 6);
        ck_assert_uint_eq(strlen(text), size - 1);
        ck_assert_int_eq(strncmp(text, "0,2,4,6,8", size - 1), 0);
    }
}
END_TEST

/* What PRINT has written to stderr. */
static const char *printed(void print(void))
{
    static char text[1024];
    int ends[2], kept = dup(STDERR_FILENO);
    ssize_t length;

    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    print();
    dup2(kept, STDERR_FILENO); /* the last writer is gone */
    close(kept);
    length = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

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
    ck_assert_str_eq(printed(print_one), expected);
    snprintf(expected, sizeof expected, "[ranks 0-2,5 of 16 · %s] text\n",
             par_hostname());
    ck_assert_str_eq(printed(print_several), expected);
}
END_TEST

START_TEST(a_job_of_one_rank_has_no_names)
{
    say_configure(1);
    ck_assert_str_eq(printed(print_one), "no newline\none\n");
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, ranks_in_a_row_are_spelled_as_a_range);
    check_add(suite, a_list_of_ranks_that_is_too_long_is_cut);
    check_add(suite, a_line_names_rank_job_host_and_process);
    check_add(suite, a_job_of_one_rank_has_no_names);
}

const check_program program = {"say", add, .alone = true};
