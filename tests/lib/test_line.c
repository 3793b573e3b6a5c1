/* test_line.c - an address of a program becomes a line for people.
 * SPDX-License-Identifier: MIT
 *
 * Addresses in a program that uses libpar.so: tests/failure.
 */
#define _GNU_SOURCE /* dladdr */
#include "line.h"

#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_par.h"

static const char *resolved(const char *text)
{
    static char room[PATH_MAX + 64];

    snprintf(room, sizeof room, "%s", text);
    line_resolve(room, sizeof room);
    return room;
}

START_TEST(a_line_of_another_language_stays)
{
    static const char *const texts[] = {"solve.py:6", "",         "-",
                                        "@",          "@nothing", "@one 0x10"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_str_eq(resolved(texts[i]), texts[i]);
}
END_TEST

START_TEST(of_a_program_that_does_not_know_its_lines_the_function_is_told)
{
    ck_assert_str_eq(resolved("@/no/such 0x10 main+0x4"), "main+0x4 (/no/such)");
    ck_assert_str_eq(resolved("@/no such 0x10 main+0x4"), "main+0x4 (/no such)");
}
END_TEST

START_TEST(a_text_that_is_too_long_is_cut)
{
    char text[32] = "@/a/long/path 0x10 main+0x4";

    line_resolve(text, sizeof text);
    ck_assert_str_eq(text, "main+0x4 (/a/long/path)");
    strcpy(text, "@/a/long/path 0x10 main+0x4");
    line_resolve(text, 12);
    ck_assert_str_eq(text, "main+0x4 (/");
}
END_TEST

enum { FIRST_LINE = __LINE__ };

static void stand_here(void)
{
    ck_abort_msg("it is an address, and nobody calls it");
}

enum { LAST_LINE = __LINE__ };

START_TEST(an_address_is_a_line_where_the_program_knows_its_lines)
{
    char own[PATH_MAX], text[PATH_MAX + 64];
    Dl_info here;
    int line = 0;

    ck_assert_ptr_nonnull(realpath("/proc/self/exe", own));
    ck_assert_int_ne(dladdr((void *)(uintptr_t)stand_here, &here), 0);
    snprintf(text, sizeof text, "@%s 0x%zx +0x0", own,
             (size_t)((char *)(uintptr_t)stand_here - (char *)here.dli_fbase));
    ck_assert_int_eq(sscanf(resolved(text), "test_line.c:%d", &line), 1);
    ck_assert_int_gt(line, FIRST_LINE);
    ck_assert_int_lt(line, LAST_LINE);
}
END_TEST

START_TEST(what_lies_in_the_working_directory_is_named_without_it)
{
    char file[] = __FILE__, *folder = dirname(file);
    char text[PATH_MAX], expected[PATH_MAX];

    snprintf(text, sizeof text, "@%s/no/such 0x10 main+0x4", folder);
    ck_assert_str_eq(resolved(text), "main+0x4 (no/such)");
    snprintf(text, sizeof text, "@%s2/no/such 0x10 main+0x4", folder);
    snprintf(expected, sizeof expected, "main+0x4 (%s2/no/such)", folder);
    ck_assert_str_eq(resolved(text), expected);
}
END_TEST

/* The library is part of this program, of which main's is the last line that can be told
 * from it. */
START_TEST(the_line_of_a_caller_is_an_address_of_the_program)
{
    char text[PATH_MAX], path[PATH_MAX];
    size_t offset;
    int end = 0;

    line_of_caller(text, sizeof text);
    ck_assert_int_eq(sscanf(text, "@%4095s 0x%zx %n", path, &offset, &end), 2);
    ck_assert_str_eq(path, check_path);
    ck_assert_ptr_nonnull(strstr(text + end, "+0x"));
    line_of_caller(text, 8);
    ck_assert_uint_eq(strlen(text), 7);
}
END_TEST

static void add(Suite *suite)
{
    char file[] = __FILE__;

    ck_assert_int_eq(chdir(dirname(file)), 0); /* what is printed is relative to it */
    check_add(suite, a_line_of_another_language_stays);
    check_add(suite, of_a_program_that_does_not_know_its_lines_the_function_is_told);
    check_add(suite, a_text_that_is_too_long_is_cut);
    check_add(suite, an_address_is_a_line_where_the_program_knows_its_lines);
    check_add(suite, what_lies_in_the_working_directory_is_named_without_it);
    check_add(suite, the_line_of_a_caller_is_an_address_of_the_program);
}

const check_program program = {.name = "line", .add = add, .alone = true};
