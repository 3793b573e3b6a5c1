/* test_options.c - the choices of a job: from the environment, the program, or default.
 * SPDX-License-Identifier: MIT */
#include "check_par.h"
#include "options.h"

/* What OPTIONS and the environment come to; NULL: not set. */
static par_error choose(const char *bytes, const char *wait, const par_options *options,
                        par_options *chosen)
{
    unsetenv("PAR_INLINE");
    unsetenv("PAR_WAIT");
    if (bytes)
        ck_assert_int_eq(setenv("PAR_INLINE", bytes, 1), 0);
    if (wait)
        ck_assert_int_eq(setenv("PAR_WAIT", wait, 1), 0);
    return options_choose(options, chosen);
}

START_TEST(without_choices_the_defaults_hold)
{
    static const par_options zero;
    par_options chosen = {1, PAR_WAIT_SPIN};

    ck_ok(choose(NULL, NULL, NULL, &chosen));
    ck_assert_uint_eq(chosen.inline_bytes, 4032);
    ck_assert_int_eq(chosen.wait, PAR_WAIT_AUTO);
    chosen = (par_options){1, PAR_WAIT_SPIN};
    ck_ok(choose(NULL, NULL, &zero, &chosen));
    ck_assert_uint_eq(chosen.inline_bytes, 4032);
    ck_assert_int_eq(chosen.wait, PAR_WAIT_AUTO);
}
END_TEST

START_TEST(the_program_chooses)
{
    static const size_t right[] = {1024, 1025, 8192, 1048576};

    for (int i = 0; i < 4; i++) {
        par_options options = {right[i], (par_wait_mode)(i % 3)}, chosen;

        ck_ok(choose(NULL, NULL, &options, &chosen));
        ck_assert_uint_eq(chosen.inline_bytes, right[i]);
        ck_assert_int_eq(chosen.wait, i % 3);
    }
}
END_TEST

START_TEST(the_environment_wins)
{
    static const par_options options = {2048, PAR_WAIT_SPIN};
    par_options chosen;

    ck_ok(choose("4096", "sleep", &options, &chosen));
    ck_assert_uint_eq(chosen.inline_bytes, 4096);
    ck_assert_int_eq(chosen.wait, PAR_WAIT_SLEEP);
    ck_ok(choose("1024", "auto", &options, &chosen));
    ck_assert_uint_eq(chosen.inline_bytes, 1024);
    ck_assert_int_eq(chosen.wait, PAR_WAIT_AUTO);
    ck_ok(choose("1048576", "spin", NULL, &chosen));
    ck_assert_uint_eq(chosen.inline_bytes, 1048576);
    ck_assert_int_eq(chosen.wait, PAR_WAIT_SPIN);
}
END_TEST

START_TEST(the_environment_wins_over_what_is_wrong_too)
{
    static const par_options wrong = {5, (par_wait_mode)77};
    par_options chosen;

    ck_ok(choose("2048", "auto", &wrong, &chosen));
    ck_assert_uint_eq(chosen.inline_bytes, 2048);
    ck_assert_int_eq(chosen.wait, PAR_WAIT_AUTO);
}
END_TEST

START_TEST(a_choice_out_of_range_is_named_with_the_range)
{
    par_options options = {1023, PAR_WAIT_AUTO}, chosen;

    ck_fails(PAR_ERR_ARG, choose(NULL, NULL, &options, &chosen));
    ck_detail("inline_bytes is 1023");
    ck_detail("1024 to 1048576");
    options.inline_bytes = 1048577;
    ck_fails(PAR_ERR_ARG, choose(NULL, NULL, &options, &chosen));
    ck_detail("1048577");
    options.inline_bytes = SIZE_MAX;
    ck_fails(PAR_ERR_ARG, choose(NULL, NULL, &options, &chosen));

    options = (par_options){0, (par_wait_mode)3};
    ck_fails(PAR_ERR_ARG, choose(NULL, NULL, &options, &chosen));
    ck_detail("wait is 3");
    options.wait = (par_wait_mode)-1;
    ck_fails(PAR_ERR_ARG, choose(NULL, NULL, &options, &chosen));
}
END_TEST

START_TEST(an_environment_that_makes_no_sense_is_quoted)
{
    static const char *const bytes[] = {
        "",    "abc",  " 2048",   "2048 ", "-2048",  "+2048",  "2048x",
        "2e3", "1023", "1048577", "0",     "0x1000", "2048.5", "18446744073709553664"};
    static const char *const waits[] = {"", "SPIN", "spin ", "busy", "0"};
    par_options chosen;

    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        ck_fails(PAR_ERR_ARG, choose(bytes[i], NULL, NULL, &chosen));
        ck_detail("PAR_INLINE is \"");
        ck_detail(bytes[i]);
        ck_detail("1024 to 1048576");
    }
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        ck_fails(PAR_ERR_ARG, choose(NULL, waits[i], NULL, &chosen));
        ck_detail("PAR_WAIT is \"");
        ck_detail(waits[i]);
        ck_detail("auto, spin or sleep");
    }
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, without_choices_the_defaults_hold);
    check_add(suite, the_program_chooses);
    check_add(suite, the_environment_wins);
    check_add(suite, the_environment_wins_over_what_is_wrong_too);
    check_add(suite, a_choice_out_of_range_is_named_with_the_range);
    check_add(suite, an_environment_that_makes_no_sense_is_quoted);
}

const check_program program = {.name = "options", .add = add, .alone = true};
