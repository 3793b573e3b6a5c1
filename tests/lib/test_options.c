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
    par_options chosen = {.inline_bytes = 1, .wait = PAR_WAIT_SPIN};

    ck_ok(choose(NULL, NULL, NULL, &chosen));
    ck_assert_uint_eq(chosen.inline_bytes, 4032);
    ck_assert_int_eq(chosen.wait, PAR_WAIT_AUTO);
    chosen = (par_options){.inline_bytes = 1, .wait = PAR_WAIT_SPIN};
    ck_ok(choose(NULL, NULL, &zero, &chosen));
    ck_assert_uint_eq(chosen.inline_bytes, 4032);
    ck_assert_int_eq(chosen.wait, PAR_WAIT_AUTO);
}
END_TEST

START_TEST(the_program_chooses)
{
    static const size_t right[] = {1024, 1025, 8192, 1048576};

    for (int i = 0; i < 4; i++) {
        par_options options = {.inline_bytes = right[i], .wait = (par_wait_mode)(i % 3)},
                    chosen;

        ck_ok(choose(NULL, NULL, &options, &chosen));
        ck_assert_uint_eq(chosen.inline_bytes, right[i]);
        ck_assert_int_eq(chosen.wait, i % 3);
    }
}
END_TEST

START_TEST(the_environment_wins)
{
    static const par_options options = {.inline_bytes = 2048, .wait = PAR_WAIT_SPIN};
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
    static const par_options wrong = {.inline_bytes = 5, .wait = (par_wait_mode)77};
    par_options chosen;

    ck_ok(choose("2048", "auto", &wrong, &chosen));
    ck_assert_uint_eq(chosen.inline_bytes, 2048);
    ck_assert_int_eq(chosen.wait, PAR_WAIT_AUTO);
}
END_TEST

START_TEST(a_choice_out_of_range_is_named_with_the_range)
{
    par_options options = {.inline_bytes = 1023}, chosen;

    ck_fails(PAR_ERR_ARG, choose(NULL, NULL, &options, &chosen));
    ck_detail("inline_bytes is 1023");
    ck_detail("1024 to 1048576");
    options.inline_bytes = 1048577;
    ck_fails(PAR_ERR_ARG, choose(NULL, NULL, &options, &chosen));
    ck_detail("1048577");
    options.inline_bytes = SIZE_MAX;
    ck_fails(PAR_ERR_ARG, choose(NULL, NULL, &options, &chosen));

    options = (par_options){.wait = (par_wait_mode)3};
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

START_TEST(leftovers_are_chosen_likewise)
{
    par_options options = {.leftovers = PAR_LEFTOVERS_WARN}, chosen;

    unsetenv("PAR_LEFTOVERS");
    ck_ok(choose(NULL, NULL, NULL, &chosen));
    ck_assert_int_eq(chosen.leftovers, PAR_LEFTOVERS_OFF);
    ck_ok(choose(NULL, NULL, &options, &chosen));
    ck_assert_int_eq(chosen.leftovers, PAR_LEFTOVERS_WARN);
    setenv("PAR_LEFTOVERS", "error", 1);
    ck_ok(choose(NULL, NULL, &options, &chosen));
    ck_assert_int_eq(chosen.leftovers, PAR_LEFTOVERS_ERROR);
    setenv("PAR_LEFTOVERS", "yes", 1);
    ck_fails(PAR_ERR_ARG, choose(NULL, NULL, NULL, &chosen));
    ck_detail("PAR_LEFTOVERS is \"yes\": it must be off, warn or error");
    unsetenv("PAR_LEFTOVERS");
    options.leftovers = (par_leftovers)3;
    ck_fails(PAR_ERR_ARG, choose(NULL, NULL, &options, &chosen));
    ck_detail("leftovers is 3");
}
END_TEST

/* ---- places ----------------------------------------------------------------- */

static par_error choose_place(const char *bind, const char *threads,
                              const par_options *options, par_options *chosen)
{
    unsetenv("PAR_INLINE");
    unsetenv("PAR_WAIT");
    unsetenv("PAR_BIND");
    unsetenv("PAR_THREADS_PER_RANK");
    if (bind)
        ck_assert_int_eq(setenv("PAR_BIND", bind, 1), 0);
    if (threads)
        ck_assert_int_eq(setenv("PAR_THREADS_PER_RANK", threads, 1), 0);
    return options_choose(options, chosen);
}

START_TEST(of_places_nothing_is_chosen_unless_asked)
{
    par_options chosen = {.bind = "core", .threads_per_rank = 3};

    ck_ok(choose_place(NULL, NULL, NULL, &chosen));
    ck_assert_ptr_null(chosen.bind);
    ck_assert_int_eq(chosen.threads_per_rank, 0);
}
END_TEST

START_TEST(the_program_chooses_places_and_the_environment_wins)
{
    static const char *const right[] = {"auto",    "none",     "core",       "hwthread",
                                        "l3",      "numa",     "package",    "compact",
                                        "scatter", "0",        "0-3:4-7",    "0,2:1,3",
                                        "0+2:1+3", "8191:0-8", "0-1,4-5+7:3"};
    par_options chosen;

    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        par_options options = {.bind = right[i], .threads_per_rank = (int)i + 1};

        ck_ok(choose_place(NULL, NULL, &options, &chosen));
        ck_assert_str_eq(chosen.bind, right[i]);
        ck_assert_int_eq(chosen.threads_per_rank, (int)i + 1);
        options = (par_options){.bind = "nonsense", .threads_per_rank = -1};
        ck_ok(choose_place(right[i], "8192", &options, &chosen));
        ck_assert_str_eq(chosen.bind, right[i]);
        ck_assert_int_eq(chosen.threads_per_rank, 8192);
    }
}
END_TEST

START_TEST(a_policy_that_makes_no_sense_is_quoted_with_all_that_do)
{
    static const char *const wrong[] = {"",    "AUTO",  "cores",  " core",
                                        "0-",  "-1",    "3-1",    "0,",
                                        ":",   "0:",    ":0",     "0::1",
                                        "0;1", "0-1-2", "8192",   "1 ",
                                        "0x1", "0,,1",  "none:0", "99999999999999999999"};
    par_options options = {0}, chosen;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_fails(PAR_ERR_ARG, choose_place(wrong[i], NULL, NULL, &chosen));
        ck_detail("PAR_BIND is \"");
        ck_detail(wrong[i]);
        ck_detail("scatter or a list of CPUs");
        options.bind = wrong[i];
        ck_fails(PAR_ERR_ARG, choose_place(NULL, NULL, &options, &chosen));
        ck_detail("bind is \"");
    }
}
END_TEST

START_TEST(a_number_of_threads_out_of_range_is_quoted_with_the_range)
{
    static const char *const wrong[] = {"", "0", "-1", "8193", "2 ", "two", "1.5"};
    par_options options = {.threads_per_rank = 8193}, chosen;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_fails(PAR_ERR_ARG, choose_place(NULL, wrong[i], NULL, &chosen));
        ck_detail("PAR_THREADS_PER_RANK is \"");
        ck_detail(wrong[i]);
        ck_detail("1 to 8192");
    }
    ck_fails(PAR_ERR_ARG, choose_place(NULL, NULL, &options, &chosen));
    ck_detail("threads_per_rank is 8193");
    options.threads_per_rank = -1;
    ck_fails(PAR_ERR_ARG, choose_place(NULL, NULL, &options, &chosen));
    ck_detail("threads_per_rank is -1: it must be from 0 to 8192");
}
END_TEST

START_TEST(memory_is_bound_where_that_is_asked_for)
{
    par_options options = {.bind_memory = true}, chosen;

    unsetenv("PAR_BIND_MEMORY");
    ck_ok(choose_place(NULL, NULL, NULL, &chosen));
    ck_assert(!chosen.bind_memory);
    ck_ok(choose_place(NULL, NULL, &options, &chosen));
    ck_assert(chosen.bind_memory);
    setenv("PAR_BIND_MEMORY", "0", 1);
    ck_ok(choose_place(NULL, NULL, &options, &chosen));
    ck_assert(!chosen.bind_memory);
    setenv("PAR_BIND_MEMORY", "1", 1);
    ck_ok(choose_place(NULL, NULL, NULL, &chosen));
    ck_assert(chosen.bind_memory);
    setenv("PAR_BIND_MEMORY", "yes", 1);
    ck_fails(PAR_ERR_ARG, choose_place(NULL, NULL, NULL, &chosen));
    ck_detail("PAR_BIND_MEMORY is \"yes\": it must be 0 or 1");
    unsetenv("PAR_BIND_MEMORY");
}
END_TEST

START_TEST(a_report_is_asked_for_by_the_program_or_the_environment)
{
    static const char *const words[] = {"0", "1", "all", "json"};
    par_options options = {.report = PAR_REPORT_ALL}, chosen;

    unsetenv("PAR_REPORT");
    ck_ok(options_choose(NULL, &chosen));
    ck_assert_int_eq(chosen.report, PAR_REPORT_NONE);
    ck_ok(options_choose(&options, &chosen));
    ck_assert_int_eq(chosen.report, PAR_REPORT_ALL);
    for (int form = 0; form < 4; form++) {
        ck_assert_int_eq(setenv("PAR_REPORT", words[form], 1), 0);
        ck_ok(options_choose(&options, &chosen));
        ck_assert_int_eq(chosen.report, form);
    }
    ck_assert_int_eq(setenv("PAR_REPORT", "yes", 1), 0);
    ck_fails(PAR_ERR_ARG, options_choose(NULL, &chosen));
    ck_detail("PAR_REPORT is \"yes\": it must be 0, 1, all or json");
    unsetenv("PAR_REPORT");
    options.report = (par_report_form)4;
    ck_fails(PAR_ERR_ARG, options_choose(&options, &chosen));
    ck_detail("report is 4: it must be from 0 to 3");
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, without_choices_the_defaults_hold);
    check_add(suite, the_program_chooses);
    check_add(suite, the_environment_wins);
    check_add(suite, the_environment_wins_over_what_is_wrong_too);
    check_add(suite, a_choice_out_of_range_is_named_with_the_range);
    check_add(suite, leftovers_are_chosen_likewise);
    check_add(suite, an_environment_that_makes_no_sense_is_quoted);
    check_add(suite, of_places_nothing_is_chosen_unless_asked);
    check_add(suite, the_program_chooses_places_and_the_environment_wins);
    check_add(suite, a_policy_that_makes_no_sense_is_quoted_with_all_that_do);
    check_add(suite, a_number_of_threads_out_of_range_is_quoted_with_the_range);
    check_add(suite, memory_is_bound_where_that_is_asked_for);
    check_add(suite, a_report_is_asked_for_by_the_program_or_the_environment);
}

const check_program program = {.name = "options", .add = add, .alone = true};
