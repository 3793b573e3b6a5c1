/* job.c - start and end of the job.
 * SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "asleep.h"
#include "background.h"
#include "call.h"
#include "crash.h"
#include "hang.h"
#include "leave.h"
#include "lock.h"
#include "node.h"
#include "options.h"
#include "peers.h"
#include "request.h"
#include "wait.h"
#include "words.h"

static struct {
    int depth;        /* calls of par_init not yet matched */
    bool mpi_is_ours; /* we started MPI, so we stop it */
    pid_t pid;        /* a child made by fork is not the rank */
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

    MPI_Initialized(&started);
    job.mpi_is_ours = !started;
    if (started)
        return PAR_OK;
    code = use_mpi_start(argc, argv);
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Init_thread");
}

/* What all ranks must have chosen alike, as numbers; a text as its checksum. */
enum { SAME_INLINE, SAME_BIND, SAME_THREADS, SAMES };

/* Of one number in all ranks, smallest and largest. */
typedef struct span {
    long long least, most;
} span;

/* FNV-1a (Fowler, Noll, Vo). */
static long long checksum(const char *text)
{
    uint64_t sum = UINT64_C(14695981039346656037);

    for (; text && *text; text++)
        sum = (sum ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return (long long)(sum >> 2); /* so that it may be negated */
}

static par_error find_spans(const long long mine[SAMES], span spans[SAMES])
{
    long long ends[2 * SAMES];
    int code;

    for (int i = 0; i < SAMES; i++) {
        ends[2 * i] = mine[i];
        ends[2 * i + 1] = -mine[i];
    }
    code = MPI_Allreduce(MPI_IN_PLACE, ends, 2 * SAMES, MPI_LONG_LONG, MPI_MIN,
                         MPI_COMM_WORLD);
    for (int i = 0; i < SAMES; i++)
        spans[i] = (span){ends[2 * i], -ends[2 * i + 1]};
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Allreduce");
}

static par_error differs(const char *what, long long mine, span of_all)
{
    return error_set(
        PAR_ERR_ARG,
        "%s differs between ranks: %lld here, from %lld to %lld elsewhere; it "
        "must be the same everywhere",
        what, mine, of_all.least, of_all.most);
}

/* All ranks must have chosen alike, and all must learn if one has not: whose own
 * options are wrong says so by an inline limit of 0. */
static par_error agree_on(const par_options *chosen)
{
    long long mine[SAMES] = {(long long)chosen->inline_bytes, checksum(chosen->bind),
                             chosen->threads_per_rank};
    span spans[SAMES];
    par_error err = find_spans(mine, spans);

    if (err || !chosen->inline_bytes)
        return err;
    if (!spans[SAME_INLINE].least)
        return error_set(PAR_ERR_ARG, "another rank's options are out of range");
    if (spans[SAME_INLINE].least != spans[SAME_INLINE].most)
        return differs("the inline limit", mine[SAME_INLINE], spans[SAME_INLINE]);
    if (spans[SAME_THREADS].least != spans[SAME_THREADS].most)
        return differs("the number of threads per rank", mine[SAME_THREADS],
                       spans[SAME_THREADS]);
    if (spans[SAME_BIND].least != spans[SAME_BIND].most)
        return error_set(
            PAR_ERR_ARG,
            "PAR_BIND or bind differs between ranks: \"%s\" here; it must be "
            "the same everywhere",
            chosen->bind ? chosen->bind : "");
    slot_size = chosen->inline_bytes;
    return PAR_OK;
}

static par_error agree(const par_options *options, par_options *chosen)
{
    static const par_options wrong;
    par_error err = options_choose(options, chosen), agreed;

    if (!err)
        err = hang_configure();
    /* The others learn it; the detail here is of what is wrong here. */
    agreed = agree_on(err ? &wrong : chosen);
    return err ? err : agreed;
}

/* ERR is one that another rank may lack: it has one, too, then. */
static par_error fail_together(par_error err)
{
    int failed = err != PAR_OK;
    int code = MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);

    if (err)
        return err;
    if (code != MPI_SUCCESS)
        return error_mpi(code, "MPI_Allreduce");
    return failed ? error_set(PAR_ERR_ARG, "another rank's options do not fit its node")
                  : PAR_OK;
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

/* What the ranks of a node share. */
static par_error look_around(void)
{
    MPI_Comm node;
    par_error err;
    int code = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL,
                                   &node);

    if (code != MPI_SUCCESS)
        return error_mpi(code, "MPI_Comm_split_type");
    open_words(node);
    err = peers_learn(node);
    MPI_Comm_free(&node);
    return err;
}

static par_error open_world(const par_options *options)
{
    par_options chosen;
    par_error err = agree(options, &chosen);

    if (!err)
        err = fail_together(node_settle(&chosen));
    if (!err)
        err = look_around();
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
    if (job.depth) {
        job.depth++;
        *world_p = &job.world;
        return PAR_OK;
    }

    asleep_before_mpi();
    err = start_mpi(argc, argv);
    if (err)
        return err;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    error_name_rank(rank);
    job.world.is_world = true;
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
    /* A child made by fork must not find the lock taken by a thread that it lacks. */
    if (!registered && !pthread_atfork(lock_take, lock_give, lock_give) &&
        !on_exit(at_exit, NULL))
        registered = true;
    *world_p = &job.world;
    return PAR_OK;
}

/* ---- end ---------------------------------------------------------------- */

par_error par_finalize(void)
{
    par_error err;
    int code = MPI_SUCCESS;

    if (job.depth != 1) {
        job.depth -= job.depth > 0;
        return PAR_OK;
    }
    if (background_is_here())
        return error_set(PAR_ERR_STATE, "a task, which the end of the job waits for, "
                                        "cannot call par_finalize");
    err = leave_together();
    if (err)
        return err;
    for (par_comm *comm = comm_next(NULL); comm; comm = comm_next(comm))
        background_stop(comm);
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
    return code == MPI_SUCCESS ? PAR_OK
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
    if (par_finalize())
        par_abort(EXIT_FAILURE, par_error_detail()); /* nobody else can say it now */
}

/* ---- end, at once ------------------------------------------------------- */

/* The status of the job, CODE if none is certain yet. */
static int settle(int code)
{
    int none = 0;

    if (!code)
        code = EXIT_FAILURE;
    return atomic_compare_exchange_strong(&job.abort_code, &none, code) ? code : none;
}

static _Noreturn void end(int code)
{
    int started = 0, stopped = 0;

    job.depth = 0; /* at_exit has nothing to do any more */
    MPI_Initialized(&started);
    MPI_Finalized(&stopped);
    if (started && !stopped)
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
