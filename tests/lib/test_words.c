/* test_words.c - what ranks say before they end the job.
 * SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_job.h"
#include "check_par.h"
#include "process.h"

/* ---- roles ---------------------------------------------------------------- */

static int play_alike(void)
{
    check_begin();
    par_abort(5, "all alike");
}

/* The others are on their way for longer than one waits for those that sleep. */
static int play_busy(void)
{
    check_begin();
    if (me != 0)
        for (double end = par_time() + 0.3; par_time() < end;)
            ;
    par_abort(5, "all alike");
}

static int play_own(void)
{
    char text[128];
    int local;

    check_begin();
    snprintf(text, sizeof text, "rank %d at %p, rank 99", me, (void *)&local);
    par_abort(5, text);
}

static int play_differ(void)
{
    check_begin();
    par_abort(5, me % 2 ? "odd" : "even");
}

static int play_all_differ(void)
{
    char text[64];

    check_begin();
    snprintf(text, sizeof text, "cause %c", 'A' + me);
    par_abort(5, text);
}

static int play_one(void)
{
    check_begin();
    if (me == 1)
        par_abort(5, "only this");
    return check_wait_for_ever();
}

/* More than anybody has room for. */
static int play_long(void)
{
    size_t bytes = 200000;
    char *text = check_alloc(bytes);

    check_begin();
    memset(text, 'x', bytes - 1);
    text[0] = 'l';
    if (me == 1)
        par_abort(5, text);
    free(text);
    return check_wait_for_ever();
}

static int play_later(void)
{
    check_begin();
    if (me == 1) { /* which goes on before the time is up */
        par_abort_later(5, "in a moment", 3600);
        par_abort_later(6, "and once more", 3);
        printf("goes on\n");
        fflush(stdout);
    }
    return check_wait_for_ever();
}

static int play_exit(void)
{
    check_begin();
    if (me == 1) {
        par_abort_later(5, "first", 60);
        return 3;
    }
    return check_wait_for_ever();
}

static int play_signalled(void)
{
    check_begin();
    if (me == 1)
        par_abort(5, "the cause");
    par_abort(143, "ended by a signal");
}

static int play_silent(void)
{
    check_begin();
    if (me == 1)
        par_abort(5, NULL);
    usleep(300000);
    par_abort(143, "ended by a signal");
}

static int play_all_signalled(void)
{
    check_begin();
    par_abort(143, "ended by a signal");
}

/* Rank 1 is gone when the others speak, and mpirun has not ended them before. */
static int play_killed(void)
{
    int64_t pid = getpid();

    check_begin();
    signal(SIGTERM, SIG_IGN);
    ck_ok(par_broadcast(world, &pid, 1, PAR_INT64, 1));
    if (me == 1)
        raise(SIGKILL);
    while (!process_has_ended((int)pid))
        usleep(1000);
    par_abort(143, "ended by a signal");
}

/* ---- roles that say something and go on ------------------------------------ */

static int end_well(void)
{
    ck_ok(par_finalize());
    return 0;
}

static int play_note(void)
{
    char text[128];

    check_begin();
    snprintf(text, sizeof text, "rank %d goes on", me);
    par_say(text);
    return end_well();
}

static int play_several_notes(void)
{
    char text[128];

    check_begin();
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "note %d of %c", i, 'A' + me);
        par_say(text);
    }
    return end_well();
}

static int play_late_note(void)
{
    check_begin();
    if (me == 1)
        sleep(2);
    par_say("sooner or later");
    return end_well();
}

static int play_note_first(void)
{
    check_begin();
    par_say("goes on");
    par_abort(5, "all alike");
}

static int play_note_long_before(void)
{
    check_begin();
    par_say("goes on");
    sleep(2);
    par_abort(143, "ended by a signal");
}

static int play_note_outside(void)
{
    par_say("before the job");
    check_begin();
    fflush(NULL);
    if (fork() == 0) {
        par_say("in a child");
        _exit(0);
    }
    wait(NULL);
    ck_ok(par_finalize());
    par_say("after the job");
    return 0;
}

static const check_role roles[] = {
    {"alike", play_alike},
    {"busy", play_busy},
    {"own", play_own},
    {"differ", play_differ},
    {"all-differ", play_all_differ},
    {"one", play_one},
    {"long", play_long},
    {"later", play_later},
    {"exit", play_exit},
    {"signalled", play_signalled},
    {"silent", play_silent},
    {"all-signalled", play_all_signalled},
    {"killed", play_killed},
    {"note", play_note},
    {"several-notes", play_several_notes},
    {"late-note", play_late_note},
    {"note-first", play_note_first},
    {"note-long-before", play_note_long_before},
    {"note-outside", play_note_outside},
};

static int play(const char *role)
{
    return check_play(roles, sizeof roles / sizeof *roles, role);
}

/* ---- tests ---------------------------------------------------------------- */

START_TEST(the_same_text_of_all_ranks_is_printed_once)
{
    CHECK_JOB_SAYS(5, 4, "alike", {1, "all alike"}, {1, "[ranks 0-3 of 4 · "});
}
END_TEST

START_TEST(a_rank_that_runs_is_waited_for)
{
    CHECK_JOB_SAYS(5, 2, "busy", {1, "all alike"}, {1, "[ranks 0-1 of 2 · "});
}
END_TEST

START_TEST(texts_that_differ_in_the_own_rank_and_addresses_are_the_same)
{
    CHECK_JOB_SAYS(5, 4, "own", {1, ", rank 99"});
}
END_TEST

START_TEST(each_text_is_printed_once_with_its_ranks)
{
    CHECK_JOB_SAYS(5, 4, "differ", {1, "[ranks 0,2 of 4 · "}, {1, "[ranks 1,3 of 4 · "},
                   {1, "even"}, {1, "odd"});
}
END_TEST

START_TEST(of_many_texts_some_are_printed)
{
    CHECK_JOB_SAYS(5, 10, "all-differ", {8, "cause "},
                   {1, "each ends for a reason of its own"});
}
END_TEST

START_TEST(a_rank_that_fails_alone_is_named)
{
    check_job_ends(5, 3, "one");
    check_printed(1, "[rank 1 of 3 · ");
    check_printed(1, "only this");
    check_job_ends(5, 0, "alike");
    ck_assert_str_eq(check_output, "all alike\n");
}
END_TEST

START_TEST(a_text_may_be_long)
{
    check_job_ends(5, 2, "long");
    check_printed(1, "[rank 1 of 2 · ");
    check_printed(1, "lxxx");
}
END_TEST

START_TEST(a_rank_may_clean_up_before_the_job_ends)
{
    check_job_ends(5, 2, "later");
    check_printed(1, "in a moment");
    check_printed(1, "goes on");
    check_job_ends(5, 2, "exit");
    check_printed(1, "first");
    check_printed(0, "status 3");
}
END_TEST

START_TEST(a_signal_is_no_reason_where_there_is_one)
{
    CHECK_JOB_SAYS(5, 4, "signalled", {1, "the cause"}, {0, "signal"});
    CHECK_JOB_SAYS(5, 3, "silent", {0, "signal"});
    CHECK_JOB_SAYS(143, 4, "all-signalled", {1, "[ranks 0-3 of 4 · "},
                   {1, "ended by a signal"});
}
END_TEST

/* Ranks that a signal has reached say nothing, and would end the job at once: before the
 * others have got as far as speaking, where there are more ranks than cores. */
START_TEST(who_says_nothing_does_not_cut_others_short)
{
    CHECK_JOBS_SAY(5, 5, 8, "signalled", {1, "the cause"});
}
END_TEST

START_TEST(a_rank_that_is_killed_is_named_by_the_others)
{
    CHECK_JOB_SAYS(128 + SIGKILL, 3, "killed", {1, "[rank 1 of 3 · "},
                   {1, "has ended without a word"}, {0, "ended by a signal"});
}
END_TEST

START_TEST(who_goes_on_may_say_something_together_with_others)
{
    CHECK_JOB_SAYS(EXIT_SUCCESS, 4, "note", {1, "[ranks 0-3 of 4 · "}, {1, "goes on\n"});
}
END_TEST

START_TEST(no_note_is_lost)
{
    check_job_ends_well(3, "several-notes");
    check_printed(60, "note ");
    CHECK_JOB_SAYS(EXIT_SUCCESS, 2, "late-note", {2, "sooner or later\n"},
                   {1, "[rank 0 of 2 · "}, {1, "[rank 1 of 2 · "});
    CHECK_JOB_SAYS(5, 4, "note-first", {1, "goes on\n"}, {1, "all alike\n"},
                   {2, "[ranks 0-3 of 4 · "});
}
END_TEST

START_TEST(a_note_is_no_reason_why_a_job_ends)
{
    CHECK_JOB_SAYS(143, 3, "note-long-before", {1, "goes on\n"},
                   {1, "ended by a signal\n"});
}
END_TEST

START_TEST(a_note_needs_no_job)
{
    check_job_ends(EXIT_SUCCESS, 0, "note");
    ck_assert_str_eq(check_output, "rank 0 goes on\n");
    check_job_ends_well(1, "note-outside");
    check_printed(1, "before the job\nin a child\nafter the job\n");
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, the_same_text_of_all_ranks_is_printed_once);
    check_add(suite, a_rank_that_runs_is_waited_for);
    check_add(suite, texts_that_differ_in_the_own_rank_and_addresses_are_the_same);
    check_add(suite, each_text_is_printed_once_with_its_ranks);
    check_add(suite, of_many_texts_some_are_printed);
    check_add(suite, a_rank_that_fails_alone_is_named);
    check_add(suite, a_text_may_be_long);
    check_add(suite, a_rank_may_clean_up_before_the_job_ends);
    check_add(suite, a_signal_is_no_reason_where_there_is_one);
    check_add(suite, who_says_nothing_does_not_cut_others_short);
    check_add(suite, a_rank_that_is_killed_is_named_by_the_others);
    check_add(suite, who_goes_on_may_say_something_together_with_others);
    check_add(suite, no_note_is_lost);
    check_add(suite, a_note_is_no_reason_why_a_job_ends);
    check_add(suite, a_note_needs_no_job);
}

const check_program program = {"words", add, .alone = true, .play = play};
