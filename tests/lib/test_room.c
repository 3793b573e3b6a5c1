/* test_room.c - memory for large bodies.
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_par.h"

enum { MIB = 1 << 20, MANY = 100, THREADS = 4 };

/* What other tests have left here for the next: one that leaves it no place. */
static void drop_all(void)
{
    void *largest = par_alloc((size_t)128 * MIB);

    par_free(largest);
    ck_assert_ptr_eq(par_alloc((size_t)128 * MIB), largest);
    free(largest);
}

START_TEST(what_is_large_is_used_again)
{
    unsigned char *first, *second;

    drop_all();
    first = par_alloc(3 * MIB);
    memset(first, 1, 3 * MIB);
    par_free(first);
    second = par_alloc(4 * MIB - 1);
    ck_assert_ptr_eq(second, first);
    ck_assert_uint_eq((uintptr_t)second % (2 * MIB), 0);
    memset(second, 2, 4 * MIB - 1);
    par_free(second);
}
END_TEST

START_TEST(what_is_in_use_is_not_given_twice)
{
    unsigned char *all[MANY];

    drop_all();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            all[i] = par_alloc(MIB);
            ck_assert_ptr_nonnull(all[i]);
            memset(all[i], i, MIB);
        }
        for (int i = 0; i < MANY; i++) {
            ck_assert_int_eq(all[i][0], i);
            ck_assert_int_eq(all[i][MIB - 1], i);
            par_free(all[i]);
        }
    }
}
END_TEST

START_TEST(no_more_than_128_mib_is_held_back)
{
    void *one = par_alloc((size_t)129 * MIB), *two;

    par_free(one);
    one = par_alloc((size_t)100 * MIB);
    two = par_alloc((size_t)60 * MIB);
    ck_assert_ptr_nonnull(one);
    ck_assert_ptr_nonnull(two);
    par_free(one);
    par_free(two); /* there is no room for both: the first goes */
    ck_assert_ptr_eq(par_alloc((size_t)60 * MIB), two);
    free(two);
}
END_TEST

START_TEST(a_small_one_is_not_put_where_a_large_one_was)
{
    void *large, *small;

    drop_all();
    large = par_alloc((size_t)64 * MIB);
    par_free(large);
    small = par_alloc(MIB);
    ck_assert_ptr_ne(small, large);
    par_free(small);
}
END_TEST

START_TEST(small_ones_and_none_are_fine)
{
    void *none = par_alloc(0);

    ck_assert_ptr_nonnull(none);
    par_free(none);
    par_free(par_alloc(100));
    par_free(NULL);
    free(par_alloc(2 * MIB));
}
END_TEST

START_TEST(more_than_there_is_gives_null)
{
    volatile size_t bytes = SIZE_MAX;

    ck_assert_ptr_null(par_alloc(bytes));
    ck_assert_ptr_null(par_alloc(bytes / 2));
}
END_TEST

static void *take_and_give(void *unused)
{
    for (int i = 0; i < 2000; i++) {
        size_t bytes = (size_t)(1 + i % 5) * MIB;
        unsigned char *room = par_alloc(bytes);

        if (!room)
            return &take_and_give;
        room[0] = room[bytes - 1] = (unsigned char)i;
        if (room[0] != (unsigned char)i)
            return &take_and_give;
        par_free(room);
    }
    return unused;
}

START_TEST(threads_and_children_may_take_and_give)
{
    pthread_t threads[THREADS];
    void *failed;
    int status;

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_give, NULL), 0);
    for (int i = 0; i < 20; i++) {
        pid_t child;

        fflush(NULL);
        child = fork();
        if (child == 0) {
            alarm(120); /* it would wait for ever */
            _exit(take_and_give(NULL) ? 1 : 0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
    }
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, what_is_large_is_used_again);
    check_add(suite, what_is_in_use_is_not_given_twice);
    check_add(suite, no_more_than_128_mib_is_held_back);
    check_add(suite, a_small_one_is_not_put_where_a_large_one_was);
    check_add(suite, small_ones_and_none_are_fine);
    check_add(suite, more_than_there_is_gives_null);
    check_add(suite, threads_and_children_may_take_and_give);
}

const check_program program = {"room", add, .alone = true};
