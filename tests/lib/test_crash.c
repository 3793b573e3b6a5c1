/* test_crash.c - what a rank that crashes says.
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_job.h"
#include "check_par.h"

/* ---- roles ---------------------------------------------------------------- */

/* Nothing is there. */
static void touch(void)
{
    static int *volatile nowhere = (int *)16;

    *nowhere = 1;
}

static int play_fault(void)
{
    check_begin();
    if (me == ranks - 1)
        touch();
    return check_wait_for_ever();
}

static int play_all(void)
{
    check_begin();
    touch();
    return 0;
}

static int play_abort(void)
{
    check_begin();
    if (me == 1)
        abort();
    return check_wait_for_ever();
}

static int recurse(volatile int *depth)
{
    volatile int deeper[1000] = {*depth + 1};

    return *deeper < 0 ? 0 : recurse(deeper) + *deeper;
}

static int play_stack(void)
{
    volatile int depth = 0;

    check_begin();
    if (me == 1)
        return recurse(&depth);
    return check_wait_for_ever();
}

static void *crash_in_thread(void *unused)
{
    (void)unused;
    touch();
    return NULL;
}

static int play_thread(void)
{
    pthread_t thread;

    check_begin();
    if (me == 1)
        pthread_create(&thread, NULL, crash_in_thread, NULL);
    return check_wait_for_ever();
}

static void handle(int number)
{
    (void)number;
    if (write(STDERR_FILENO, "mine\n", 5) == 5)
        _exit(9);
}

/* Somebody handles it already. */
static int play_handled(void)
{
    signal(SIGSEGV, handle);
    check_begin();
    if (me == 1)
        touch();
    return check_wait_for_ever();
}

static int play_handled_here(void)
{
    signal(SIGSEGV, handle);
    check_begin();
    par_crash_before((const void *)(uintptr_t)handle);
    if (me == 1)
        touch();
    return check_wait_for_ever();
}

static int play_handled_elsewhere(void)
{
    signal(SIGSEGV, handle);
    check_begin();
    par_crash_before((const void *)(uintptr_t)printf);
    if (me == 1)
        touch();
    return check_wait_for_ever();
}

/* A child of a rank is no rank. */
static int play_child(void)
{
    int status;
    pid_t child;

    check_begin();
    child = fork();
    if (!child)
        touch();
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
    ck_ok(par_finalize());
    return 0;
}

static const check_role roles[] = {
    {"fault", play_fault},
    {"all", play_all},
    {"abort", play_abort},
    {"stack", play_stack},
    {"thread", play_thread},
    {"handled", play_handled},
    {"handled-here", play_handled_here},
    {"handled-elsewhere", play_handled_elsewhere},
    {"child", play_child},
};

static int play(const char *role)
{
    return check_play(roles, sizeof roles / sizeof *roles, role);
}

/* ---- tests ---------------------------------------------------------------- */

START_TEST(a_fault_is_told_with_its_rank_address_and_backtrace)
{
    check_job_ends(128 + SIGSEGV, 3, "fault");
    check_printed(1, "[rank 2 of 3 · ");
    check_printed(1, "] SIGSEGV: ");
    check_printed(1, ", address 0x10\n");
    ck_assert_ptr_nonnull(strstr(check_output, "test_crash("));
    check_printed(0, "Process received signal"); /* MPI's own page */
}
END_TEST

START_TEST(a_call_of_abort_is_told)
{
    check_job_ends(128 + SIGABRT, 2, "abort");
    check_printed(1, "[rank 1 of 2 · ");
    check_printed(1, "] SIGABRT: ");
}
END_TEST

START_TEST(a_full_stack_and_a_crash_of_another_thread_are_told)
{
    check_job_ends(128 + SIGSEGV, 2, "stack");
    check_printed(1, "[rank 1 of 2 · ");
    check_job_ends(128 + SIGSEGV, 2, "thread");
    check_printed(1, "[rank 1 of 2 · ");
}
END_TEST

START_TEST(of_many_ranks_that_crash_one_gives_its_backtrace)
{
    /* mpirun may end that one first. */
    CHECK_JOB_SAYS(128 + SIGSEGV, 4, "all", {1, "libc_start_main"});
}
END_TEST

START_TEST(who_has_a_handler_keeps_it)
{
    check_job_ends(9, 2, "handled");
    check_printed(1, "mine");
    check_printed(0, "SIGSEGV");
    check_job_ends(9, 2, "handled-elsewhere");
    check_printed(0, "SIGSEGV");
}
END_TEST

START_TEST(a_handler_that_ends_the_rank_too_comes_next)
{
    check_job_ends(9, 2, "handled-here");
    check_printed(1, "SIGSEGV");
    check_printed(1, "mine");
}
END_TEST

START_TEST(a_child_made_by_fork_is_no_rank_that_crashes)
{
    check_job_ends(EXIT_SUCCESS, 2, "child");
    check_printed(0, "SIGSEGV");
}
END_TEST

START_TEST(without_other_ranks_a_crash_is_as_ever)
{
    check_roles_end(128 + SIGSEGV, 0, "fault", NULL, "");
    check_printed(0, "SIGSEGV: ");
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_fault_is_told_with_its_rank_address_and_backtrace);
    check_add(suite, a_call_of_abort_is_told);
    check_add(suite, a_full_stack_and_a_crash_of_another_thread_are_told);
    check_add(suite, of_many_ranks_that_crash_one_gives_its_backtrace);
    check_add(suite, who_has_a_handler_keeps_it);
    check_add(suite, a_handler_that_ends_the_rank_too_comes_next);
    check_add(suite, a_child_made_by_fork_is_no_rank_that_crashes);
    check_add(suite, without_other_ranks_a_crash_is_as_ever);
}

const check_program program = {"crash", add, .alone = true, .play = play};
