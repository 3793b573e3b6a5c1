/* test_pool_return.c - tasks that go back to rank 0, and to workers that have time.
 * SPDX-License-Identifier: MIT
 *
 * A task's number is for how many milliseconds it sleeps, or LONG: until the gate is
 * open. Rank 0 does none.
 */
#include <pthread.h>
#include <unistd.h>

#include "check_pool.h"

enum { LONG = 9998, MIDDLE = 150, DELEGATE = 9999 };

static par_pool *pool;

static uint64_t nap(uint64_t ms)
{
    if (ms == LONG)
        check_gate_pass();
    else if (ms)
        usleep((useconds_t)ms * 1000);
    return ms;
}

static void with_pool_of(check_work *work, void (*body)(int channel))
{
    int channel;

    ck_ok(par_pool_open(world, NULL, &pool));
    if (me) {
        check_serve(pool, work);
    } else {
        ck_ok(par_pool_channel_open(pool, false, NULL, &channel));
        body(channel);
        ck_ok(par_pool_stop(pool, false));
    }
    ck_ok(par_pool_close(&pool));
}

static void with_pool(void (*body)(int channel))
{
    with_pool_of(nap, body);
}

static void submit_many(int channel, int count, uint64_t ms)
{
    for (int i = 0; i < count; i++)
        check_submit(pool, channel, ms);
}

/* So many that all take very little, that workers are given many at a time. */
static void teach(int channel)
{
    check_result result;

    submit_many(channel, 5000, 0);
    while (check_collect(pool, channel, NULL, &result))
        continue;
}

/* What is behind it in its worker's queue is done by the others meanwhile. */
static void wait_for_one(int channel)
{
    enum { SHORT = 2000 };
    check_result result;

    teach(channel);
    check_submit(pool, channel, LONG);
    submit_many(channel, SHORT, 0);
    for (int i = 0; i < SHORT; i++) {
        ck_assert(check_collect(pool, channel, NULL, &result));
        ck_assert_uint_eq(result.number, 0);
    }
    check_gate_open();
    ck_assert(check_collect(pool, channel, NULL, &result));
    ck_assert_uint_eq(result.number, LONG);
    ck_assert(!check_collect(pool, channel, NULL, &result));
}

START_TEST(short_tasks_do_not_wait_behind_a_long_one)
{
    with_pool(wait_for_one);
    check_gate_close();
}
END_TEST

/* Whether all workers have some of them, as many as the others but for a few. */
static bool is_evened_out(int channel)
{
    enum { EACH = 6, SPARE = 2 };
    int count[8] = {0};
    bool even = true;
    check_result result;

    teach(channel);
    submit_many(channel, EACH * (ranks - 1), MIDDLE);
    while (check_collect(pool, channel, NULL, &result))
        count[result.worker]++;
    ck_assert_int_eq(count[0], 0);
    for (int worker = 1; worker < ranks; worker++)
        even = even && abs(count[worker] - EACH) <= SPARE;
    return even;
}

/* A worker that the machine holds up for a while has fewer: but not every time. */
static void even_out(int channel)
{
    int tries = 1;

    while (!is_evened_out(channel))
        ck_assert_int_lt(tries++, 6);
}

START_TEST(tasks_that_turn_out_long_are_evened_out)
{
    with_pool(even_out);
}
END_TEST

/* One worker after the other meets a long one, until none is left for the short. */
static void go_on(int channel)
{
    check_result result;
    uint64_t total = 0, count = 0;

    for (int round = 0; round < 3; round++) {
        teach(channel);
        submit_many(channel, 50, 0);
        check_submit(pool, channel, MIDDLE);
        submit_many(channel, 50, 0);
        submit_many(channel, ranks, MIDDLE);
        submit_many(channel, 50, 0);
        for (; check_collect(pool, channel, NULL, &result); count++)
            total += result.number;
    }
    ck_assert_uint_eq(count, 3 * (150 + 1 + (unsigned)ranks));
    ck_assert_uint_eq(total, 3 * MIDDLE * (1 + (unsigned)ranks));
}

START_TEST(none_is_lost_or_done_twice_where_they_go_back_and_forth)
{
    with_pool(go_on);
}
END_TEST

/* Rank 1 does tasks while it waits for its own, but not for long. */
static void visit(int channel)
{
    double until = par_time() + 0.3;
    par_pool_result *result;
    par_pool_task *task;
    par_pool_turn turn;
    char word;

    check_submit(pool, channel, 0);
    while (par_time() < until) {
        ck_ok(par_pool_wait(pool, channel, 0.05, &result, &task, &turn));
        par_pool_result_free(&result);
        if (task)
            check_do(pool, &task, nap);
    }
    ck_ok(par_receive(world, &word, 1, PAR_CHAR, 0, 1, NULL));
}

static void be_visited(int channel)
{
    enum { MANY = 1500 };
    check_result result;

    submit_many(channel, MANY, 1);
    for (int i = 0; i < MANY; i++)
        ck_assert(check_collect(pool, channel, NULL, &result));
    ck_ok(par_send(world, "!", 1, PAR_CHAR, 1, 1));
}

START_TEST(who_has_helped_for_a_while_keeps_no_tasks)
{
    int channel;

    ck_ok(par_pool_open(world, NULL, &pool));
    ck_ok(par_pool_channel_open(pool, false, NULL, &channel));
    if (me == 0)
        be_visited(channel);
    else if (me == 1)
        visit(channel);
    else
        check_serve(pool, nap);
    ck_ok(par_pool_close(&pool));
}
END_TEST

/* A thread that no task's is does no tasks while it waits for its own. */
static void *have_some_done(void *unused)
{
    enum { SOME = 50 };
    check_result result;
    int channel, count = 0;

    ck_ok(par_pool_channel_open(pool, false, NULL, &channel));
    for (int i = 0; i < SOME; i++)
        check_submit(pool, channel, 0);
    while (check_collect(pool, channel, NULL, &result))
        count++;
    ck_assert_int_eq(count, SOME);
    ck_ok(par_pool_channel_close(pool, channel));
    return unused;
}

static uint64_t delegate(uint64_t ms)
{
    pthread_t thread;

    if (ms != DELEGATE)
        return nap(ms);
    ck_assert_int_eq(pthread_create(&thread, NULL, have_some_done, NULL), 0);
    pthread_join(thread, NULL);
    return 0;
}

static void see_it_delegate(int channel)
{
    check_result result;

    for (int round = 0; round < 5; round++) {
        teach(channel);
        check_submit(pool, channel, DELEGATE);
        ck_assert(check_collect(pool, channel, NULL, &result));
        ck_assert(!check_collect(pool, channel, NULL, &result));
    }
}

START_TEST(a_task_may_wait_for_a_thread_that_has_others_done)
{
    with_pool_of(delegate, see_it_delegate);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, short_tasks_do_not_wait_behind_a_long_one);
    check_add(suite, tasks_that_turn_out_long_are_evened_out);
    check_add(suite, who_has_helped_for_a_while_keeps_no_tasks);
    check_add(suite, a_task_may_wait_for_a_thread_that_has_others_done);
    check_add(suite, none_is_lost_or_done_twice_where_they_go_back_and_forth);
}

const check_program program = {.name = "pool_return", .add = add};
