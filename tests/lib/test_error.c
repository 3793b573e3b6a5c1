/* test_error.c - codes, their texts, and the detail of a thread's last error.
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <string.h>

#include "check_par.h"
#include "error.h"

static const struct {
    const char *name, *text;
} errors[] = {
#define NAME_AND_TEXT(name, text) {#name, text},
    PAR_ERRORS(NAME_AND_TEXT)
#undef NAME_AND_TEXT
};

enum { ERROR_COUNT = sizeof errors / sizeof *errors };

START_TEST(success_is_zero_and_says_so)
{
    ck_assert_int_eq(PAR_OK, 0);
    ck_assert_str_eq(par_strerror(PAR_OK), "success");
}
END_TEST

START_TEST(every_error_has_its_own_text)
{
    for (int i = 0; i < ERROR_COUNT; i++) {
        const char *text = par_strerror((par_error)i);

        ck_assert_str_eq(text, errors[i].text);
        ck_assert_uint_gt(strlen(text), 0);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(text, par_strerror((par_error)j));
    }
}
END_TEST

START_TEST(a_number_that_is_no_error_is_unknown)
{
    ck_assert_str_eq(par_strerror((par_error)ERROR_COUNT), "unknown error");
    ck_assert_str_eq(par_strerror((par_error)-1), "unknown error");
    ck_assert_str_eq(par_strerror((par_error)INT32_MAX), "unknown error");
}
END_TEST

START_TEST(the_detail_is_empty_before_the_first_failure)
{
    ck_assert_str_eq(par_error_detail(), "");
}
END_TEST

START_TEST(the_detail_is_that_of_the_last_failure)
{
    ck_fails(PAR_ERR_TAG, error_set(PAR_ERR_TAG, "tag %d", -3));
    ck_assert_str_eq(par_error_detail(), "tag -3");
    ck_fails(PAR_ERR_RANK, error_set(PAR_ERR_RANK, "rank %d of %s", 7, "two"));
    ck_assert_str_eq(par_error_detail(), "rank 7 of two");
}
END_TEST

START_TEST(the_detail_names_the_rank_once_it_is_known)
{
    error_name_rank(5);
    error_set(PAR_ERR_ARG, "text");
    ck_assert_str_eq(par_error_detail(), "rank 5: text");
    error_name_rank(-1);
    error_set(PAR_ERR_ARG, "text");
    ck_assert_str_eq(par_error_detail(), "text");
}
END_TEST

START_TEST(a_detail_of_any_length_is_cut_not_overrun)
{
    char text[5000];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set(PAR_ERR_ARG, "%s", text);
    ck_assert_uint_gt(strlen(par_error_detail()), 500);
    ck_assert_uint_lt(strlen(par_error_detail()), sizeof text);
    ck_assert_int_eq(strncmp(par_error_detail(), text, strlen(par_error_detail())), 0);
}
END_TEST

START_TEST(no_memory_says_how_much_for_what)
{
    ck_fails(PAR_ERR_MEMORY, error_memory(123, "a message"));
    ck_detail("123 bytes");
    ck_detail("a message");
}
END_TEST

static void *fail_elsewhere(void *before)
{
    strcpy(before, par_error_detail());
    error_set(PAR_ERR_MPI, "the other thread's");
    return NULL;
}

START_TEST(every_thread_has_its_own_detail)
{
    char before[64] = "?";
    pthread_t thread;

    error_set(PAR_ERR_ARG, "mine");
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, before), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_str_eq(before, "");
    ck_assert_str_eq(par_error_detail(), "mine");
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, the_detail_is_empty_before_the_first_failure);
    check_add(suite, success_is_zero_and_says_so);
    check_add(suite, every_error_has_its_own_text);
    check_add(suite, a_number_that_is_no_error_is_unknown);
    check_add(suite, the_detail_is_that_of_the_last_failure);
    check_add(suite, the_detail_names_the_rank_once_it_is_known);
    check_add(suite, a_detail_of_any_length_is_cut_not_overrun);
    check_add(suite, no_memory_says_how_much_for_what);
    check_add(suite, every_thread_has_its_own_detail);
}

const check_program program = {.name = "error", .add = add, .alone = true};
