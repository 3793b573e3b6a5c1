/* test_pool_million.c - a million tasks: none is lost, and none takes memory for good.
 * SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/resource.h>

#include "check_pool.h"

enum { MILLION = 1000000, WINDOW = 1000, SPARE_KIB = 4096 };

static par_pool *pool;

static long peak_kib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static uint64_t next_number(uint64_t number)
{
    return number + 1;
}

/* All but the last WINDOW are handed in before the first result of those is looked at. */
static void check_window(int channel, uint64_t begin, uint64_t end, unsigned char *seen)
{
    check_result result;

    for (uint64_t i = begin; i < end; i++) {
        check_submit(pool, channel, i);
        if (i < WINDOW)
            continue;
        ck_assert(check_collect(pool, channel, NULL, &result));
        seen[result.number - 1]++;
    }
}

/* Half of them, and the other half: the peak of memory is that of the first. */
static void hand_out(void)
{
    unsigned char *seen = check_alloc(MILLION);
    check_result result;
    int channel;
    long half;

    memset(seen, 0, MILLION);
    ck_ok(par_pool_channel_open(pool, false, NULL, &channel));
    check_window(channel, 0, MILLION / 2, seen);
    half = peak_kib();
    check_window(channel, MILLION / 2, MILLION, seen);
    while (check_collect(pool, channel, NULL, &result))
        seen[result.number - 1]++;
    ck_assert_int_lt(peak_kib() - half, SPARE_KIB);
    for (size_t i = 0; i < MILLION; i++)
        ck_assert_uint_eq(seen[i], 1);
    free(seen);
}

static long early_kib; /* of a worker that has done some */

static uint64_t do_one(uint64_t number)
{
    if (number == MILLION / 4)
        early_kib = peak_kib();
    return next_number(number);
}

START_TEST(a_million_tasks_are_done_once_each_and_leave_no_memory)
{
    int64_t mine = 0, all;

    ck_ok(par_pool_open(world, NULL, &pool));
    if (me) {
        mine = (int64_t)check_serve(pool, do_one);
        if (early_kib)
            ck_assert_int_lt(peak_kib() - early_kib, SPARE_KIB);
    } else {
        hand_out();
        ck_ok(par_pool_stop(pool, false));
    }
    ck_ok(par_pool_close(&pool));
    ck_ok(par_allreduce(world, &mine, &all, 1, PAR_INT64, PAR_SUM));
    ck_assert_int_eq(all, MILLION);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_million_tasks_are_done_once_each_and_leave_no_memory);
}

const check_program program = {.name = "pool_million", .add = add};
