/* job.c - start and end of the job.
 * SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agree.h"
#include "alone.h"
#include "asleep.h"
#include "background.h"
#include "call.h"
#include "crash.h"
#include "hang.h"
#include "leave.h"
#include "leftover.h"
#include "lock.h"
#include "node.h"
#include "options.h"
#include "peers.h"
#include "pool.h"
#include "report.h"
#include "request.h"
#include "say.h"
#include "wait.h"
#include "words.h"

static struct {
    int depth;              /* calls of par_init not yet matched */
    bool mpi_is_ours;       /* we started MPI, so we stop it */
    par_report_form report; /* to be printed once the job runs */
    pid_t pid;              /* a child made by fork is not the rank */
    par_comm world;
    atomic_int abort_code; /* 0 until it is certain that the job ends so */
    char hostname[256];
} job;

bool par_initialized(void)
{
    return comm_job == COMM_JOB_RUNS;
}

const char *par_hostname(void)
{
    if (!job.hostname[0] && gethostname(job.hostname, sizeof job.hostname - 1))
        snprintf(job.hostname, sizeof job.hostname, "unknown");
    return job.hostname;
}

double par_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- start -------------------------------------------------------------- */

static par_error start_mpi(int *argc, char ***argv)
{
    int started, code;
    par_error err;

    MPI_Initialized(&started);
    job.mpi_is_ours = !started;
    if (started)
        return PAR_OK;
    err = alone_prepare();
    if (err)
        return err;
    code = use_mpi_start(argc, argv);
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Init_thread");
}

static par_error check_launcher(void)
{
    char mpi[512];
    int size;

    MPI_Comm_size(MPI_COMM_WORLD, &size);
    use_mpi_describe(mpi, sizeof mpi);
    return alone_check(size, mpi);
}

/* What a rank that waits long does for others, and for itself. */
static void do_chores(int64_t waited_ns)
{
    request_fetch_chore();
    call_clear_urgent();
    hang_chore(waited_ns);
}

/* Ranks that end the job say why, also where they crash. */
static void open_words(MPI_Comm node)
{
    int rank, size;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    words_open(node, rank, size);
    if (size > 1)
        crash_watch();
}

/* What the ranks of a node find out together, and share. */
static par_error look_around(const par_options *chosen)
{
    MPI_Comm node;
    par_error err = node_split(MPI_COMM_WORLD, &node);

    if (err)
        return err;
    err = agree_on_outcome(node_settle(node, chosen));
    if (!err) {
        open_words(node);
        err = peers_learn();
    }
    MPI_Comm_free(&node);
    return err;
}

static par_error open_world(const par_options *options)
{
    par_options chosen;
    par_error err = options_choose(options, &chosen);

    if (!err)
        err = hang_configure();
    err = agree_on_start(err, &chosen);
    if (err)
        return err;
    slot_size = chosen.inline_bytes;
    job.report = chosen.report;
    leftover_set(chosen.leftovers, !chosen.language);
    wait_configure(chosen.wait);
    err = look_around(&chosen);
    wait_set_chore(do_chores);
    if (!err)
        err = comm_open(&job.world, MPI_COMM_WORLD);
    return err;
}

static void at_exit(int status, void *unused);
static int at_mpi_finalize(MPI_Comm self, int key, void *value, void *unused);

/* Whoever started MPI may stop it while the job goes on: MPI_Finalize begins with
 * the attributes of MPI_COMM_SELF (MPI 3.1, 8.7.1), and one of them is ours. */
static par_error follow_mpi(void)
{
    int key;
    int code = MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, at_mpi_finalize, &key, NULL);

    if (code == MPI_SUCCESS)
        code = MPI_Comm_set_attr(MPI_COMM_SELF, key, NULL);
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Comm_set_attr");
}

/* In a child made by fork: MPI and what it has opened are the parent's. The lock must
 * not stay taken by a thread that the child lacks. */
static void be_no_rank(void)
{
    lock_give();
    if (comm_job == COMM_JOB_RUNS)
        comm_job = COMM_JOB_IN_PARENT;
    job.depth = 0;
}

par_error par_init(int *argc, char ***argv, const par_options *options,
                   par_comm **world_p)
{
    static bool registered;
    int rank;
    par_error err;

    if (!world_p)
        return error_set(PAR_ERR_ARG, "world_p is NULL: it is where the world goes");
    if (comm_job == COMM_JOB_OVER)
        return error_set(PAR_ERR_STATE, "the job is over: MPI cannot start again");
    if (comm_job == COMM_JOB_IN_PARENT)
        return comm_check_job();
    if (job.depth) {
        job.depth++;
        *world_p = &job.world;
        return PAR_OK;
    }

    asleep_before_mpi();
    err = start_mpi(argc, argv);
    if (err)
        return err;
    err = check_launcher();
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    error_name_rank(rank);
    job.world.is_world = true;
    if (!err)
        err = open_world(options);
    if (!err && !job.mpi_is_ours)
        err = follow_mpi();
    if (err) {
        comm_job = COMM_JOB_OVER;
        if (job.mpi_is_ours)
            MPI_Finalize();
        return err;
    }
    use_mpi_end_blocking();
    asleep_after_mpi();
    job.pid = getpid();
    job.depth = 1;
    comm_job = COMM_JOB_RUNS;
    alone_mark();
    if (!registered && !pthread_atfork(lock_take, lock_give, be_no_rank) &&
        !on_exit(at_exit, NULL))
        registered = true;
    *world_p = &job.world;
    report_print(&job.world, job.report);
    return PAR_OK;
}

/* ---- end ---------------------------------------------------------------- */

par_error par_finalize(void)
{
    par_error err, left;
    int code = MPI_SUCCESS;

    if (job.depth != 1) {
        job.depth -= job.depth > 0;
        return PAR_OK;
    }
    if (background_is_here())
        return error_set(PAR_ERR_STATE, "a task, which the end of the job waits for, "
                                        "cannot call par_finalize");
    err = pool_close_all();
    if (!err)
        err = leave_together();
    if (err)
        return err;
    for (par_comm *comm = comm_next(NULL); comm; comm = comm_next(comm))
        background_stop(comm);
    left = leftover_look();
    lock_take();
    job.depth = 0;
    comm_job = COMM_JOB_OVER;
    words_close();
    comm_close_all(&job.world);
    request_free_all();
    slot_free_all();
    use_mpi_begin_blocking();
    if (job.mpi_is_ours)
        code = MPI_Finalize();
    lock_give();
    return code == MPI_SUCCESS ? left
                               : error_set(PAR_ERR_MPI, "MPI_Finalize failed: %d", code);
}

static int at_mpi_finalize(MPI_Comm self, int key, void *value, void *unused)
{
    (void)self, (void)key, (void)value, (void)unused;
    if (!job.depth)
        return MPI_SUCCESS;
    job.depth = 1;
    return par_finalize() ? MPI_ERR_OTHER : MPI_SUCCESS;
}

/* A program that has failed must not wait for ranks that may wait for it. */
static void at_exit(int status, void *unused)
{
    char text[64];
    par_error err;

    (void)unused;
    if (!job.depth || getpid() != job.pid)
        return;
    if (job.abort_code)
        par_abort(job.abort_code, NULL);
    status &= 0xff; /* all that the system lets through */
    snprintf(text, sizeof text, "exits with status %d, which ends the job", status);
    if (status && job.world.size > 1)
        par_abort(status, text);
    job.depth = 1;
    err = par_finalize();
    if (err) /* nobody else can say it now */
        par_abort(status ? status : EXIT_FAILURE,
                  err == PAR_ERR_ELSEWHERE ? NULL : par_error_detail());
}

void par_say(const char *text)
{
    lock_take();
    if (comm_job == COMM_JOB_RUNS)
        words_note(text);
    else
        say("", text);
    lock_give();
}

/* ---- end, at once ------------------------------------------------------- */

/* The status of the job, CODE if none is certain yet. */
static int settle(int code)
{
    int none = 0;

    if (!(code & 0xff)) /* all that the system lets through */
        code = EXIT_FAILURE;
    return atomic_compare_exchange_strong(&job.abort_code, &none, code) ? code : none;
}

static _Noreturn void end(int code)
{
    int started = 0, stopped = 0;

    job.depth = 0; /* at_exit has nothing to do any more */
    MPI_Initialized(&started);
    MPI_Finalized(&stopped);
    if (started && !stopped && comm_job != COMM_JOB_IN_PARENT)
        use_mpi_abort(code);
    _exit(code);
}

_Noreturn void par_abort(int code, const char *text)
{
    code = settle(code);
    fflush(NULL); /* MPI_Abort ends this process without its exit handlers */
    end(words_say(code, text));
}

static void *end_later(void *argument)
{
    double seconds = *(double *)argument;
    time_t whole = (time_t)seconds;
    struct timespec left = {whole, (long)(1e9 * (seconds - (double)whole))};

    while (nanosleep(&left, &left) < 0)
        ;
    /* What is in the buffers of streams that others may hold locked is lost. */
    end(job.abort_code);
}

void par_abort_later(int code, const char *text, double seconds)
{
    static double limit;
    pthread_t thread;

    code = settle(code);
    limit = seconds > 0 ? seconds : 0;
    if (pthread_create(&thread, NULL, end_later, &limit))
        par_abort(code, text);
    pthread_detach(thread);
    job.abort_code = words_say(code, text);
}
