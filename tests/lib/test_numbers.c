/* test_numbers.c - lists of numbers and hosts as text.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_par.h"
#include "numbers.h"

START_TEST(numbers_that_follow_each_other_are_ranges)
{
    static const int numbers[] = {0, 1, 2, 5, 7, 8};
    mask set = {{0x1a7}};
    char text[64];

    ck_assert_str_eq(numbers_text(numbers, 6, text, sizeof text), "0-2,5,7-8");
    ck_assert_str_eq(numbers_text(numbers, 1, text, sizeof text), "0");
    ck_assert_str_eq(numbers_text(numbers, 0, text, sizeof text), "");
    ck_assert_str_eq(numbers_set(&set, text, sizeof text), "0-2,5,7-8");
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_in_whole_numbers)
{
    int numbers[100];
    char whole[512], text[64];

    for (int i = 0; i < 100; i++)
        numbers[i] = 3 * i;
    numbers_text(numbers, 100, whole, sizeof whole);
    for (size_t size = 16; size < sizeof text; size++) {
        size_t length;

        memset(text, 'x', sizeof text);
        numbers_text(numbers, 100, text, size);
        length = strlen(text);
        ck_assert_uint_lt(length, size);
        ck_assert_str_eq(text + length - 4, ",...");
        /* What stands before is the whole's, up to a comma. */
        ck_assert_int_eq(strncmp(text, whole, length - 3), 0);
        for (size_t at = size; at < sizeof text; at++)
            ck_assert_int_eq(text[at], 'x');
    }
}
END_TEST

START_TEST(the_last_number_needs_room_for_what_might_follow_it)
{
    static const int numbers[] = {100, 200, 300, 400, 500};
    char text[64];

    ck_assert_str_eq(numbers_text(numbers, 5, text, 24), "100,200,300,400,500");
    ck_assert_str_eq(numbers_text(numbers, 5, text, 23), "100,200,300,400,...");
}
END_TEST

START_TEST(hosts_that_are_numbered_are_ranges)
{
    static const struct {
        const char *names[6];
        int count;
        const char *text;
    } cases[] = {
        {{"a1", "a2", "a3"}, 3, "a1-a3"},
        {{"a1", "a3", "b4"}, 3, "a1,a3,b4"},
        {{"n09", "n10", "n11"}, 3, "n09-n11"},
        {{"n9", "n10"}, 2, "n9-n10"},
        {{"n09", "n9", "n10", "n010"}, 4, "n09,n9-n10,n010"},
        {{"login", "login"}, 2, "login,login"},
        {{"a1.example", "a2.example"}, 2, "a1.example,a2.example"},
        {{"7", "8"}, 2, "7-8"},
    };
    char text[64];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(numbers_names(cases[i].names, cases[i].count, text, sizeof text),
                         cases[i].text);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, numbers_that_follow_each_other_are_ranges);
    check_add(suite, what_does_not_fit_is_left_out_in_whole_numbers);
    check_add(suite, the_last_number_needs_room_for_what_might_follow_it);
    check_add(suite, hosts_that_are_numbered_are_ranges);
}

const check_program program = {.name = "numbers", .add = add, .alone = true};
