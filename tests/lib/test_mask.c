/* test_mask.c - a set of CPUs, by the kernel's numbers.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_par.h"
#include "mask.h"

static mask parse(const char *text)
{
    mask m;
    const char *end = mask_parse(&m, text, "");

    ck_assert_msg(end && !*end, "\"%s\" is no mask", text);
    return m;
}

static const struct {
    const char *text, *canonical;
    int count;
} masks[] = {
    {"0", "0", 1},         {"0-3,8", "0-3,8", 5},      {"8,0-3", "0-3,8", 5},
    {"1,2,3", "1-3", 3},   {"5+3", "3,5", 2},          {"62-65", "62-65", 4},
    {"63,64", "63-64", 2}, {"0-8191", "0-8191", 8192}, {"8191", "8191", 1},
    {"3-3", "3", 1},       {"0,2,4,6", "0,2,4,6", 4},
};

START_TEST(a_mask_is_read_counted_and_written)
{
    mask m = parse(masks[_i].text);
    char text[64];

    ck_assert_int_eq(mask_count(&m), masks[_i].count);
    ck_assert_uint_eq(mask_text(&m, text, sizeof text), strlen(masks[_i].canonical));
    ck_assert_str_eq(text, masks[_i].canonical);
}
END_TEST

START_TEST(its_cpus_come_in_order)
{
    static const int expected[] = {0, 5, 63, 64, 127, 128, 8191};
    mask m = parse("8191,128,127,64,63,5,0");
    int cpu = -1;

    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        cpu = mask_next(&m, cpu);
        ck_assert_int_eq(cpu, expected[i]);
        ck_assert(mask_has(&m, cpu));
        ck_assert(!mask_has(&m, cpu + 2));
    }
    ck_assert_int_eq(mask_next(&m, cpu), -1);
}
END_TEST

START_TEST(an_empty_mask_has_nothing)
{
    mask none = {{0}};
    char text[4] = "xxx";

    ck_assert_int_eq(mask_count(&none), 0);
    ck_assert_int_eq(mask_next(&none, -1), -1);
    ck_assert_uint_eq(mask_text(&none, text, sizeof text), 0);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(a_cpu_beyond_all_masks_is_left_out)
{
    mask m = {{0}};

    mask_add(&m, -1);
    mask_add(&m, MASK_CPUS);
    ck_assert_int_eq(mask_count(&m), 0);
    ck_assert(!mask_has(&m, -1));
    ck_assert(!mask_has(&m, MASK_CPUS));
}
END_TEST

START_TEST(masks_are_compared_and_joined)
{
    mask a = parse("0-3,100"), b = parse("2-5,100"), both = parse("2-3,100");
    mask any = parse("0-5,100"), rest = parse("0-1"), got;

    got = mask_and(&a, &b);
    ck_assert(mask_equal(&got, &both));
    got = mask_or(&a, &b);
    ck_assert(mask_equal(&got, &any));
    got = mask_without(&a, &b);
    ck_assert(mask_equal(&got, &rest));
    ck_assert(mask_inside(&both, &a) && mask_inside(&a, &a));
    ck_assert(!mask_inside(&a, &b) && !mask_equal(&a, &b));
}
END_TEST

START_TEST(a_text_that_is_too_long_is_cut)
{
    mask m = parse("0,2,4,6,8,10");
    char text[16];

    for (size_t size = 1; size < sizeof text; size++) {
        memset(text, 'x', sizeof text);
        ck_assert_uint_eq(mask_text(&m, text, size), strlen("0,2,4,6,8,10"));
        ck_assert_uint_eq(strlen(text), size <= 12 ? size - 1 : 12);
        ck_assert_int_eq(strncmp(text, "0,2,4,6,8,10", strlen(text)), 0);
        ck_assert_int_eq(text[size], 'x');
    }
}
END_TEST

START_TEST(what_is_no_mask_is_refused)
{
    static const char *const wrong[] = {"",    ",",   "1,",  "-1", "2-1",  "1-",    "a",
                                        "1 2", "1;2", "1:2", "+1", "8192", "0-8192"};
    mask m;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!mask_parse(&m, wrong[i], ""), "\"%s\"", wrong[i]);
}
END_TEST

START_TEST(reading_ends_where_it_is_told_to)
{
    const char *text = "1-2:3";
    mask m;

    ck_assert_ptr_eq(mask_parse(&m, text, ":;"), text + 3);
    ck_assert_int_eq(mask_count(&m), 2);
}
END_TEST

static void add(Suite *suite)
{
    check_add_each(suite, sizeof masks / sizeof *masks,
                   a_mask_is_read_counted_and_written);
    check_add(suite, its_cpus_come_in_order);
    check_add(suite, an_empty_mask_has_nothing);
    check_add(suite, a_cpu_beyond_all_masks_is_left_out);
    check_add(suite, masks_are_compared_and_joined);
    check_add(suite, a_text_that_is_too_long_is_cut);
    check_add(suite, what_is_no_mask_is_refused);
    check_add(suite, reading_ends_where_it_is_told_to);
}

const check_program program = {.name = "mask", .add = add, .alone = true};
