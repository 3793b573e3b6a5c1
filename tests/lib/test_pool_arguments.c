/* test_pool_arguments.c - what each call of a pool says of bad arguments.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>

#include "check_pool.h"

static par_pool *pool;
static int channel;
static par_part part = {(char[]){"abc"}, 3};
static par_content bytes = {.kind = PAR_ARRAY, .type = PAR_BYTE, .dims = 1};

/* A pool, with a channel of this rank's. */
static void set_up(void)
{
    ck_ok(par_pool_open(world, NULL, &pool));
    ck_ok(par_pool_channel_open(pool, false, NULL, &channel));
}

static void tear_down(void)
{
    check_result result;

    ck_assert(!check_collect(pool, channel, NULL, &result)); /* nothing was submitted */
    ck_ok(par_pool_close(&pool));
}

/* Rank 0 alone looks at them, before the others are needed. */
static void check_options(par_pool_options options, const char *detail)
{
    par_pool *none = NULL;

    if (me)
        return;
    ck_fails(PAR_ERR_ARG, par_pool_open(world, &options, &none));
    ck_detail(detail);
    ck_assert_ptr_null(none);
}

START_TEST(options_are_times)
{
    check_options((par_pool_options){.ahead = -1}, "ahead and local are -1 and 0");
    check_options((par_pool_options){.local = -0.5}, "ahead and local are 0 and -0.5");
    check_options((par_pool_options){.ahead = NAN}, "ahead and local are nan and 0");
    check_options((par_pool_options){.local = HUGE_VAL}, "ahead and local are 0 and inf");
}
END_TEST

START_TEST(without_a_pool_nothing_goes)
{
    par_pool_task *task = NULL;
    par_pool_result *result;
    par_pool_turn turn;
    uint64_t number;
    bool cancelled;
    int other;

    ck_fails(PAR_ERR_ARG, par_pool_open(NULL, NULL, &pool));
    ck_detail("the communicator is NULL");
    ck_fails(PAR_ERR_ARG, par_pool_open(world, NULL, NULL));
    ck_detail("pool_p is NULL");
    ck_ok(par_pool_close(NULL));
    pool = NULL;
    ck_ok(par_pool_close(&pool));
    ck_fails(PAR_ERR_ARG, par_pool_stop(NULL, false));
    ck_detail("the pool is NULL");
    ck_fails(PAR_ERR_ARG, par_pool_share(NULL, &bytes, &part, 1, &number));
    ck_fails(PAR_ERR_ARG, par_pool_forget(NULL, 1));
    ck_fails(PAR_ERR_ARG, par_pool_channel_open(NULL, false, NULL, &other));
    ck_fails(PAR_ERR_ARG, par_pool_channel_close(NULL, 0));
    ck_fails(PAR_ERR_ARG, par_pool_submit(NULL, 0, 0, &bytes, &part, 1, NULL, &number));
    ck_fails(PAR_ERR_ARG, par_pool_cancel(NULL, 1, &cancelled));
    ck_fails(PAR_ERR_ARG, par_pool_wait(NULL, 0, 1, &result, NULL, &turn));
    ck_fails(PAR_ERR_ARG, par_pool_take(NULL, &task));
    ck_fails(PAR_ERR_ARG, par_pool_answer(NULL, &task, 0, &bytes, &part, 1));
    ck_detail("the pool is NULL");
}
END_TEST

START_TEST(where_an_answer_goes_is_not_null)
{
    par_pool_task *task = NULL;
    par_pool_result *result;
    par_pool_turn turn;

    set_up();
    ck_fails(PAR_ERR_ARG, par_pool_share(pool, &bytes, &part, 1, NULL));
    ck_detail("shared_p is NULL");
    ck_fails(PAR_ERR_ARG, par_pool_channel_open(pool, false, NULL, NULL));
    ck_detail("channel_p is NULL");
    ck_fails(PAR_ERR_ARG,
             par_pool_submit(pool, channel, 0, &bytes, &part, 1, NULL, NULL));
    ck_detail("task_p is NULL");
    ck_fails(PAR_ERR_ARG, par_pool_cancel(pool, 1, NULL));
    ck_detail("cancelled_p is NULL");
    ck_fails(PAR_ERR_ARG, par_pool_wait(pool, channel, 1, NULL, NULL, &turn));
    ck_detail("result_p is NULL");
    ck_fails(PAR_ERR_ARG, par_pool_wait(pool, channel, 1, &result, NULL, NULL));
    ck_detail("turn_p is NULL");
    ck_fails(PAR_ERR_ARG, par_pool_take(pool, NULL));
    ck_detail("task_p is NULL");
    ck_fails(PAR_ERR_ARG, par_pool_answer(pool, NULL, 0, &bytes, &part, 1));
    ck_detail("the task is NULL");
    ck_fails(PAR_ERR_ARG, par_pool_answer(pool, &task, 0, &bytes, &part, 1));
    ck_detail("the task is NULL");
    tear_down();
}
END_TEST

START_TEST(numbers_are_those_that_were_given)
{
    static const int wrong[] = {-1, 1, 1000};
    char text[64];
    par_pool_result *result;
    par_pool_turn turn;
    uint64_t shared, task;
    bool cancelled = true;

    set_up();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(text, sizeof text, "rank %d: channel %d is not open", me, wrong[i]);
        ck_fails(PAR_ERR_ARG, par_pool_channel_close(pool, wrong[i]));
        ck_detail(text);
        ck_fails(PAR_ERR_ARG,
                 par_pool_submit(pool, wrong[i], 0, &bytes, &part, 1, NULL, &task));
        ck_detail(text);
        ck_fails(PAR_ERR_ARG, par_pool_wait(pool, wrong[i], 1, &result, NULL, &turn));
        ck_detail(text);
    }
    ck_ok(par_pool_share(pool, &bytes, &part, 1, &shared));
    ck_fails(PAR_ERR_ARG, par_pool_forget(pool, shared + 1));
    ck_fails(PAR_ERR_ARG, par_pool_forget(pool, 0));
    ck_detail("has not shared anything as 0");
    ck_ok(par_pool_forget(pool, shared));
    ck_fails(PAR_ERR_ARG,
             par_pool_submit(pool, channel, shared, &bytes, &part, 1, NULL, &task));
    ck_detail("or has forgotten it");
    ck_assert_ptr_null(par_pool_shared(pool, 0));
    ck_ok(par_pool_cancel(pool, 0, &cancelled)); /* as one that is done */
    ck_assert(!cancelled);
    tear_down();
}
END_TEST

START_TEST(contents_and_times_are_looked_at)
{
    par_content wrong = {.kind = PAR_ARRAY, .type = 99, .dims = 1};
    par_pool_result *result;
    par_pool_turn turn;
    uint64_t number;

    set_up();
    ck_fails(PAR_ERR_ARG, par_pool_wait(pool, channel, NAN, &result, NULL, &turn));
    ck_detail("seconds is not a number");
    ck_fails(PAR_ERR_ARG,
             par_pool_submit(pool, channel, 0, NULL, &part, 1, NULL, &number));
    ck_fails(PAR_ERR_ARG,
             par_pool_submit(pool, channel, 0, &bytes, NULL, 1, NULL, &number));
    ck_fails(PAR_ERR_TYPE,
             par_pool_submit(pool, channel, 0, &wrong, &part, 1, NULL, &number));
    ck_fails(PAR_ERR_ARG, par_pool_share(pool, NULL, &part, 1, &number));
    ck_fails(PAR_ERR_TYPE, par_pool_share(pool, &wrong, &part, 1, &number));
    tear_down();
}
END_TEST

/* An answer that is refused is none. */
START_TEST(a_task_lives_on_until_it_is_answered)
{
    par_pool_task *task;
    check_result result;

    set_up();
    if (me == 0) {
        check_submit(pool, channel, 5);
        ck_ok(par_pool_take(pool, &task));
        ck_fails(PAR_ERR_ARG, par_pool_answer(pool, &task, 0, NULL, NULL, 0));
        ck_assert_ptr_nonnull(task);
        ck_fails(PAR_ERR_STATE, par_pool_close(&pool));
        ck_detail("taken here and not been answered: 1");
        ck_ok(par_pool_answer(pool, &task, 0, &bytes, &(par_part){"12345678", 8}, 1));
        ck_assert(check_collect(pool, channel, NULL, &result));
    }
    tear_down();
}
END_TEST

START_TEST(rank_0_alone_stops_it_and_tasks_alone_submit_then)
{
    uint64_t task;

    set_up();
    if (me) {
        ck_fails(PAR_ERR_RANK, par_pool_stop(pool, false));
        ck_detail("cannot stop the pool: rank 0 can");
    } else {
        ck_ok(par_pool_stop(pool, false));
        ck_ok(par_pool_stop(pool, true));
        ck_fails(PAR_ERR_STATE,
                 par_pool_submit(pool, channel, 0, &bytes, &part, 1, NULL, &task));
        ck_detail("has been stopped: only tasks may submit others");
    }
    tear_down();
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, options_are_times);
    check_add(suite, without_a_pool_nothing_goes);
    check_add(suite, where_an_answer_goes_is_not_null);
    check_add(suite, numbers_are_those_that_were_given);
    check_add(suite, contents_and_times_are_looked_at);
    check_add(suite, a_task_lives_on_until_it_is_answered);
    check_add(suite, rank_0_alone_stops_it_and_tasks_alone_submit_then);
}

const check_program program = {.name = "pool_arguments", .add = add};
