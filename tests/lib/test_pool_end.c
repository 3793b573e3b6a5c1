/* test_pool_end.c - jobs that end while a pool is open, well or not.
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_job.h"
#include "check_pool.h"

enum errand { ECHO, EXIT, EXIT_3, KILL, FAULT, NAP };

static par_pool *pool;

/* ---- roles ---------------------------------------------------------------- */

static uint64_t work(uint64_t errand)
{
    static int *volatile nowhere = (int *)16;

    if (errand == EXIT || errand == EXIT_3)
        exit(errand == EXIT_3 ? 3 : 0); /* NOLINT(concurrency-mt-unsafe) */
    if (errand == KILL)
        raise(SIGKILL);
    if (errand == FAULT)
        *nowhere = 1;
    if (errand == NAP)
        usleep(20 * 1000);
    return errand;
}

static int begin(void)
{
    int channel;

    check_begin();
    ck_ok(par_pool_open(world, NULL, &pool));
    ck_ok(par_pool_channel_open(pool, false, NULL, &channel));
    return channel;
}

/* Rank 0 hands out COUNT tasks, with ERRAND the last, and sees what they come to; the
 * others do them. */
static void go_on(int channel, int count, enum errand errand)
{
    check_result result;

    if (me) {
        check_serve(pool, work);
        return;
    }
    for (int i = 1; i < count; i++)
        check_submit(pool, channel, NAP);
    check_submit(pool, channel, errand);
    for (int i = 0; i < count; i++)
        ck_assert(check_collect(pool, channel, NULL, &result));
}

static int play_finalize(void)
{
    go_on(begin(), 10, ECHO);
    ck_ok(par_finalize());
    return 0;
}

static int play_return(void)
{
    go_on(begin(), 10, ECHO);
    return 0;
}

/* Rank 0's own thread does tasks, and is told of the end. */
static void *serve(void *unused)
{
    check_serve(pool, work);
    return unused;
}

static int play_server(void)
{
    int channel = begin();
    pthread_t server;
    check_result result;

    if (me == 0) {
        ck_assert_int_eq(pthread_create(&server, NULL, serve, NULL), 0);
        check_submit(pool, channel, ECHO);
        ck_assert(check_collect(pool, channel, NULL, &result));
    }
    ck_ok(par_finalize());
    if (me == 0)
        pthread_join(server, NULL);
    return 0;
}

/* The others do nothing: rank 0 does all itself. */
static int play_help(void)
{
    int channel = begin();
    check_result result;

    if (me == 0) {
        for (int i = 0; i < 10; i++)
            check_submit(pool, channel, ECHO);
        for (int i = 0; i < 10; i++)
            ck_assert(check_collect(pool, channel, work, &result));
    }
    return 0;
}

static int play_unknown(void)
{
    par_pool *second;
    int channel = begin();

    ck_ok(par_pool_open(world, NULL, &second));
    if (me == 0)
        for (int i = 0; i < 10; i++) /* nobody asks what they have come to */
            check_submit(pool, channel, NAP);
    else
        check_serve(pool, work);
    return 0;
}

static int play_undone(void)
{
    int channel = begin();

    if (me == 0)
        for (int i = 0; i < 3; i++)
            check_submit(pool, channel, ECHO);
    return 0;
}

static int play_discard(void)
{
    int channel = begin();

    if (me == 0) {
        for (int i = 0; i < 3; i++)
            check_submit(pool, channel, ECHO);
        ck_fails(PAR_ERR_STATE, par_pool_close(&pool));
        ck_detail("of its tasks 3 are not done, and no rank takes any");
        ck_assert_ptr_nonnull(pool);
        ck_ok(par_pool_stop(pool, true));
    }
    ck_ok(par_pool_close(&pool));
    ck_assert_ptr_null(pool);
    ck_ok(par_finalize());
    return 0;
}

/* A task ends its rank. */
static int play_exit(void)
{
    go_on(begin(), 10, EXIT);
    return 0;
}

static int play_exit_3(void)
{
    go_on(begin(), 10, EXIT_3);
    return 0;
}

static int play_fault(void)
{
    go_on(begin(), 100, FAULT);
    return 0;
}

static int play_kill(void)
{
    go_on(begin(), 100, KILL);
    return 0;
}

/* Rank 0 ends while the others work. */
static int play_manager(void)
{
    int channel = begin();

    if (me)
        check_serve(pool, work);
    for (int i = 0; i < 100; i++)
        check_submit(pool, channel, NAP);
    raise(SIGKILL);
    return 0;
}

static int play_finalize_in_task(void);

static const check_role roles[] = {
    {"finalize", play_finalize},
    {"return", play_return},
    {"server", play_server},
    {"help", play_help},
    {"unknown", play_unknown},
    {"undone", play_undone},
    {"discard", play_discard},
    {"exit", play_exit},
    {"exit-3", play_exit_3},
    {"fault", play_fault},
    {"kill", play_kill},
    {"manager", play_manager},
    {"in-task", play_finalize_in_task},
};

/* The call fails, and the pool goes on. */
static uint64_t finalize(uint64_t number)
{
    ck_fails(PAR_ERR_STATE, par_finalize());
    ck_detail("taken here and not been answered: 1");
    return number + 1;
}

static int play_finalize_in_task(void)
{
    int channel = begin();
    check_result result;

    if (me == 0) {
        for (int i = 0; i < 4; i++)
            check_submit(pool, channel, 4);
        for (int i = 0; i < 4; i++) {
            ck_assert(check_collect(pool, channel, finalize, &result));
            ck_assert_uint_eq(result.number, 5);
        }
    } else {
        check_serve(pool, finalize);
    }
    ck_ok(par_finalize());
    return 0;
}

static int play(const char *role)
{
    return check_play(roles, sizeof roles / sizeof *roles, role);
}

/* ---- tests ---------------------------------------------------------------- */

START_TEST(the_end_of_the_job_closes_a_pool)
{
    static const char *const well[] = {"finalize", "return", "server", "unknown"};

    for (size_t i = 0; i < sizeof well / sizeof *well; i++) {
        check_job_ends_well(3, well[i]);
        check_printed(0, "leaves over");
    }
}
END_TEST

START_TEST(who_never_takes_a_task_may_leave)
{
    check_job_ends_well(0, "help");
    check_job_ends_well(3, "help");
}
END_TEST

START_TEST(tasks_that_nobody_does_are_an_error)
{
    check_job_ends(EXIT_FAILURE, 0, "undone");
    check_printed(1, "of its tasks 3 are not done, and no rank takes any");
    check_job_ends(EXIT_FAILURE, 3, "undone");
    check_printed(1, "of its tasks 3 are not done, and no rank takes any");
    check_job_ends_well(0, "discard");
    check_job_ends_well(3, "discard");
}
END_TEST

START_TEST(a_task_cannot_end_the_job)
{
    check_job_ends_well(0, "in-task");
    check_job_ends_well(3, "in-task");
}
END_TEST

START_TEST(a_rank_that_exits_in_a_task_ends_the_job)
{
    check_job_ends(EXIT_FAILURE, 3, "exit");
    check_printed(1, "tasks that have been taken here and not been answered: 1");
    check_job_ends(3, 3, "exit-3");
    check_printed(1, "exits with status 3");
}
END_TEST

START_TEST(a_rank_that_dies_in_a_task_ends_the_job)
{
    check_job_ends(128 + SIGSEGV, 3, "fault");
    check_printed(1, "SIGSEGV: ");
    check_job_ends(128 + SIGKILL, 3, "kill");
    check_printed(1, "signal 9");
    check_job_ends(128 + SIGKILL, 3, "manager");
    check_printed(1, "signal 9");
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, the_end_of_the_job_closes_a_pool);
    check_add(suite, who_never_takes_a_task_may_leave);
    check_add(suite, tasks_that_nobody_does_are_an_error);
    check_add(suite, a_task_cannot_end_the_job);
    check_add(suite, a_rank_that_exits_in_a_task_ends_the_job);
    check_add(suite, a_rank_that_dies_in_a_task_ends_the_job);
}

const check_program program = {"pool_end", add, .alone = true, .play = play};
