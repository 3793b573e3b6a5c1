/* hang.c - waits that last too long, or for ever, are told of.
 * SPDX-License-Identifier: MIT */
#include "hang.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "census.h"
#include "deadlock.h"
#include "lock.h"
#include "outbox.h"
#include "wait.h"
#include "words.h"

enum { MS = 1000 * 1000, FIRST_NS = 50 * MS, STEP_NS = 5 * MS };

enum { STATUS = 86 }; /* of a job that has ended by a deadlock */

enum { SECONDS_DEFAULT = 60, SECONDS_MAX = 100000000 };

/* What becomes of a deadlock. */
typedef enum deadlock_choice {
    DEADLOCK_ABORT, /* tell of it, and end the job */
    DEADLOCK_REPORT,
    DEADLOCK_OFF,
} deadlock_choice;

static struct {
    deadlock_choice deadlock;
    double hang_seconds; /* 0: no report */
} options;

static _Atomic int64_t next_step;
static bool told_of_hang, told_of_deadlock;

/* ---- choices ------------------------------------------------------------ */

static par_error choose_deadlock(deadlock_choice *choice_p)
{
    static const char *const names[] = {
        [DEADLOCK_ABORT] = "abort", [DEADLOCK_REPORT] = "report", [DEADLOCK_OFF] = "off"};
    const char *text = getenv("PAR_DEADLOCK");

    *choice_p = DEADLOCK_ABORT;
    for (int i = 0; text && i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(text, names[i]) == 0) {
            *choice_p = (deadlock_choice)i;
            return PAR_OK;
        }
    return !text ? PAR_OK
                 : error_set(PAR_ERR_ARG,
                             "PAR_DEADLOCK is \"%s\": it must be abort, report or off",
                             text);
}

par_error hang_configure(void)
{
    const char *text = getenv("PAR_HANG_SECONDS");
    char *end = NULL;
    double seconds = SECONDS_DEFAULT;

    if (text) {
        seconds = strtod(text, &end);
        if (end == text || *end || !(seconds >= 0 && seconds <= SECONDS_MAX))
            return error_set(PAR_ERR_ARG,
                             "PAR_HANG_SECONDS is \"%s\": it must be a number of seconds "
                             "up to %d, or 0 for no report",
                             text, SECONDS_MAX);
    }
    options.hang_seconds = seconds;
    return choose_deadlock(&options.deadlock);
}

/* ---- words -------------------------------------------------------------- */

/* The job ends now, with a report: what would become of a rank that SIGTERM wakes, and
 * of those that its end then wakes, would hide it. */
static void expect_end(void)
{
    words_fail();
    signal(SIGTERM, SIG_DFL);
}

/* One report of a job is enough: the lowest rank's, of those that begin one. */
static void leave_hang_to(int reporter)
{
    told_of_hang = true;
    if (reporter < comm_next(NULL)->rank)
        census_cancel_hang();
}

/* So it is where several deadlocks are found at about the same time: each of the reports
 * has the lines of all ranks. A job that goes on may come to another one later. */
static void leave_deadlock_to(int reporter)
{
    told_of_deadlock |= options.deadlock == DEADLOCK_ABORT;
    if (reporter < comm_next(NULL)->rank)
        census_cancel_deadlock();
}

static void hear_tell(int source, bool of_deadlock)
{
    if (of_deadlock && options.deadlock == DEADLOCK_ABORT)
        expect_end();
    if (source == comm_next(NULL)->rank)
        return;
    if (of_deadlock)
        leave_deadlock_to(source);
    else
        leave_hang_to(source);
}

static void hear(par_comm *comm, int source, const word *w, const void *rest,
                 size_t bytes)
{
    if (w->kind < WORD_TELL)
        deadlock_hear(comm, source, w, rest, bytes);
    else if (comm == comm_next(NULL))
        census_hear(source, w, rest, bytes);
    if (w->kind == WORD_TELL)
        hear_tell(source, w->yes);
}

static void hear_all(void)
{
    const word *w;
    const void *rest;
    size_t bytes;
    int source;

    outbox_sweep();
    for (par_comm *comm = comm_next(NULL); comm; comm = comm_next(comm))
        while ((w = ask_next(comm, &source, &rest, &bytes)))
            hear(comm, source, w, rest, bytes);
}

/* ---- what is to be told -------------------------------------------------- */

static void look_for_deadlock(int64_t now)
{
    const bool *in;

    if (options.deadlock == DEADLOCK_OFF || census_is_under_way() ||
        !deadlock_step(now, &in) || told_of_deadlock)
        return;
    told_of_deadlock = true;
    census_begin(in, options.deadlock == DEADLOCK_ABORT, 0, now);
}

static bool is_service(const watch_wait *wait)
{
    watch_account account = {0};

    if (wait->tell)
        wait->tell(wait->what, &account);
    free(account.edges);
    return account.is_service;
}

static void look_for_hang(int64_t now)
{
    double waited = 0;

    if (!options.hang_seconds || told_of_hang || census_is_under_way())
        return;
    for (list_node *node = watch_waits.next; node != &watch_waits; node = node->next) {
        const watch_wait *wait = LIST_OF(node, watch_wait, node);
        double seconds = 1e-9 * (double)(now - wait->since);

        if (seconds > waited && !is_service(wait))
            waited = seconds;
    }
    if (waited < options.hang_seconds)
        return;
    told_of_hang = true;
    census_begin(NULL, false, waited, now);
}

/* Needs the lock. True: the job is to end. */
static bool step(int64_t now)
{
    hear_all();
    look_for_deadlock(now);
    look_for_hang(now);
    census_answer(now);
    census_look(now);
    return census_step(now) == CENSUS_DEADLOCK && options.deadlock == DEADLOCK_ABORT;
}

static void end_job(void)
{
    par_abort(STATUS, NULL);
}

void hang_chore(int64_t waited_ns)
{
    int64_t now;
    bool ends = false;

    if (waited_ns < FIRST_NS)
        return;
    now = wait_now_ns();
    if (now < next_step)
        return;
    lock_take();
    if (now >= next_step) {
        next_step = now + STEP_NS;
        ends = step(now);
    }
    lock_give();
    if (ends)
        end_job();
}
