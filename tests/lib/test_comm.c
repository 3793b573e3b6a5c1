/* test_comm.c - start and end of the job, each in a job of its own.
 * SPDX-License-Identifier: MIT
 *
 * A test starts this program again, in a role, without mpirun or on some ranks;
 * it looks at the exit status, which is not 0 if a check has failed there, and
 * shows what has been printed.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agree.h"
#include "check_job.h"
#include "check_par.h"
#include "slot.h"
#include "use_mpi.h"

/* ---- roles: what happens in the job ---------------------------------------- */

static void begin(const par_options *options)
{
    ck_ok(par_init(NULL, NULL, options, &world));
    me = par_rank(world);
    ranks = par_size(world);
}

/* Everybody sends BYTES to the right and gets as much from the left. */
static void exchange(size_t bytes)
{
    unsigned char *out = check_alloc(bytes), *in = check_alloc(bytes);
    int left = (me + ranks - 1) % ranks;
    par_request *send;

    check_fill(out, bytes, (uint64_t)me);
    ck_ok(par_send_start(world, out, bytes, PAR_BYTE, (me + 1) % ranks, 1, &send));
    ck_ok(par_receive(world, in, bytes, PAR_BYTE, left, 1, NULL));
    ck_ok(par_wait(&send, NULL));
    ck_assert(check_is_filled(in, bytes, (uint64_t)left));
    free(out);
    free(in);
}

static int mpi_state(int ask(int *flag))
{
    int flag;

    ck_assert_int_eq(ask(&flag), MPI_SUCCESS);
    return flag;
}

/* The rank that the detail begins with has the error; the others hear of it. */
static void check_who_says_it(par_error err)
{
    const char *number = getenv("OMPI_COMM_WORLD_RANK");
    long first = 0;

    ck_assert_int_eq(sscanf(par_error_detail(), "rank %ld: ", &first), 1);
    ck_fails(!number || strtol(number, NULL, 10) == first ? PAR_ERR_ARG
                                                          : PAR_ERR_ELSEWHERE,
             err);
}

static int play_facts(void)
{
    int rank, size;
    char host[256] = "";
    double before = par_time();

    ck_assert(!par_initialized());
    begin(NULL);
    ck_assert(par_initialized());
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    ck_assert_int_eq(par_rank(world), rank);
    ck_assert_int_eq(par_size(world), size);
    ck_assert_int_eq(par_rank(NULL), -1);
    ck_assert_int_eq(par_size(NULL), -1);
    ck_assert_int_eq(par_max_tag(), INT_MAX);
    gethostname(host, sizeof host - 1);
    ck_assert_str_eq(par_hostname(), host);
    ck_assert_double_ge(par_time(), before);
    exchange(100000);
    ck_ok(par_finalize());
    return 0;
}

/* What a call says outside of the job; HERE names which side. */
static void expect_no_job(const char *here)
{
    char x = 0;
    par_content content = {.kind = PAR_OBJECT};
    par_message *message = NULL;
    par_request *request = NULL;
    par_status status;
    bool found;

#define ck_no_job(call)                \
    do {                               \
        ck_fails(PAR_ERR_STATE, call); \
        ck_detail(here);               \
    } while (0)

    ck_assert(!par_initialized());
    ck_assert_int_eq(par_rank(world), -1);
    ck_assert_int_eq(par_size(world), -1);
    ck_no_job(par_send(world, &x, 1, PAR_CHAR, 0, 1));
    ck_no_job(par_receive(world, &x, 1, PAR_CHAR, 0, 1, NULL));
    ck_no_job(par_probe(world, 0, 1, &status));
    ck_no_job(par_probe_now(world, 0, 1, &status, &found));
    ck_no_job(par_send_start(world, &x, 1, PAR_CHAR, 0, 1, &request));
    ck_no_job(par_receive_start(world, &x, 1, PAR_CHAR, 0, 1, &request));
    ck_no_job(par_event_start(world, &request));
    ck_no_job(par_message_send(world, &content, NULL, 0, 0, 1, NULL));
    ck_no_job(par_message_receive(world, 0, 1, &message));
    ck_no_job(par_message_send_start(world, &content, NULL, 0, 0, 1, &request));
    ck_no_job(par_message_receive_start(world, 0, 1, &message, &request));
    ck_no_job(par_barrier(world));
    ck_no_job(par_broadcast(world, &x, 1, PAR_CHAR, 0));
    ck_no_job(par_scatter(world, &x, &x, 1, PAR_CHAR, 0));
    ck_no_job(par_gather(world, &x, 1, PAR_CHAR, &x, 0));
    ck_no_job(par_reduce(world, &x, &x, 1, PAR_INT8, PAR_SUM, 0));
    ck_no_job(par_message_broadcast(world, &content, NULL, 0, 0, &message));
    ck_no_job(par_message_scatter(world, &content, NULL, NULL, 0, &message));
    ck_no_job(par_message_gather(world, &content, NULL, 0, 0, &message, NULL));
    ck_no_job(par_barrier(NULL));
    ck_no_job(par_barrier_start(world, &request));
    ck_no_job(par_task_start(world, NULL, NULL, &request));
}

static int play_outside(void)
{
    par_comm *kept, *again = NULL;

    expect_no_job("par_init");
    ck_ok(par_finalize());
    ck_fails(PAR_ERR_ARG, par_init(NULL, NULL, NULL, NULL));
    begin(NULL);
    kept = world;
    exchange(10);
    for (int i = 0; i < 3; i++)
        ck_ok(par_finalize());
    world = kept;
    expect_no_job("par_finalize");
    ck_fails(PAR_ERR_STATE, par_init(NULL, NULL, NULL, &again));
    ck_assert_ptr_null(again);
    ck_ok(par_finalize());
    world = NULL;
    return 0;
}

static int play_twice(void)
{
    static const par_options wrong = {.inline_bytes = 5};
    par_comm *again = NULL;

    begin(NULL);
    ck_ok(par_init(NULL, NULL, &wrong, &again)); /* looks at no option */
    ck_assert_ptr_eq(again, world);
    ck_ok(par_finalize());
    ck_assert(par_initialized());
    exchange(100000);
    ck_ok(par_finalize());
    ck_assert(!par_initialized());
    ck_assert(mpi_state(MPI_Finalized));
    return 0;
}

static int play_join(void)
{
    int level;

    MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level);
    begin(NULL);
    exchange(100000);
    ck_ok(par_finalize());
    ck_assert(!par_initialized());
    /* Its owner goes on. */
    ck_assert(!mpi_state(MPI_Finalized));
    ck_assert_int_eq(MPI_Barrier(MPI_COMM_WORLD), MPI_SUCCESS);
    ck_fails(PAR_ERR_STATE, par_init(NULL, NULL, NULL, &world));
    ck_assert_int_eq(MPI_Finalize(), MPI_SUCCESS);
    return 0;
}

static int play_join_and_forget(void)
{
    int level;

    MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level);
    begin(NULL);
    exchange(10);
    ck_assert_int_eq(MPI_Finalize(), MPI_SUCCESS);
    expect_no_job("par_finalize");
    ck_ok(par_finalize());
    return 0;
}

static int play_join_in_vain(void)
{
    static const par_options wrong = {.inline_bytes = 17};
    int level;

    MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level);
    check_who_says_it(par_init(NULL, NULL, &wrong, &world));
    ck_assert(!mpi_state(MPI_Finalized));
    ck_assert_int_eq(MPI_Barrier(MPI_COMM_WORLD), MPI_SUCCESS);
    ck_assert_int_eq(MPI_Finalize(), MPI_SUCCESS);
    return 0;
}

/* The ranks come to their ends at different times. */
static int play_forget(void)
{
    begin(NULL);
    exchange(100000);
    usleep(100000 * (unsigned)me);
    return 0;
}

static int play_forget_twice(void)
{
    begin(NULL);
    begin(NULL);
    exchange(10);
    exit(0);
}

/* A message that nobody receives is nobody's problem. */
static int play_unreceived(void)
{
    begin(NULL);
    for (int i = 0; i < 100; i++)
        ck_ok(par_send(world, &i, 1, PAR_INT32, (me + 1) % ranks, i));
    ck_ok(par_finalize());
    return 0;
}

/* Nobody waits for these; they end before the job does. */
static int play_background(void)
{
    enum { COUNT = 2000000 };
    static unsigned char data[COUNT];
    par_request *request;

    begin(NULL);
    if (me == 0)
        check_fill(data, COUNT, 5);
    for (int i = 0; i < 50; i++)
        ck_ok(par_barrier_start(world, &request));
    ck_ok(par_broadcast_start(world, data, COUNT, PAR_BYTE, 0, &request));
    if (me == ranks - 1)
        ck_ok(par_finalize());
    else
        return 0;
    ck_assert(check_is_filled(data, COUNT, 5));
    return 0;
}

/* The last rank starts fewer than others: on one communicator, and more on another. */
static int play_uneven(void)
{
    par_comm *other;
    par_request *request;

    begin(NULL);
    ck_ok(par_duplicate(world, &other));
    ck_ok(par_barrier_start(me == ranks - 1 ? world : other, &request));
    ck_fails(PAR_ERR_MISMATCH, par_finalize());
    ck_detail("lacks");
    ck_assert(par_initialized());
    return 0; /* and so it is tried again */
}

/* A thread of its own for a communicator is more than this MPI bears. */
static int play_join_one_thread(void)
{
    par_request *request = NULL;
    int level;

    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
    begin(NULL);
    if (level < MPI_THREAD_SERIALIZED) {
        ck_fails(PAR_ERR_MPI, par_barrier_start(world, &request));
        ck_detail("MPI_THREAD_SERIALIZED");
        ck_assert_ptr_null(request);
    }
    ck_ok(par_barrier(world));
    ck_ok(par_finalize());
    MPI_Finalize();
    return level < MPI_THREAD_SERIALIZED ? 0 : 5;
}

static int play_exit_3(void)
{
    char x;

    begin(NULL);
    if (me == ranks - 1)
        return 3;
    ck_ok(par_receive(world, &x, 1, PAR_CHAR, ranks - 1, 1, NULL)); /* never comes */
    return 0;
}

static int play_abort_7(void)
{
    char x;

    begin(NULL);
    if (me == ranks - 1)
        par_abort(7, NULL);
    ck_ok(par_receive(world, &x, 1, PAR_CHAR, ranks - 1, 1, NULL));
    return 0;
}

static int play_abort_0(void)
{
    begin(NULL);
    ck_ok(par_barrier(world));
    par_abort(0, NULL);
}

static int play_abort_512(void)
{
    begin(NULL);
    par_abort(512, NULL);
}

static int play_abort_outside(void)
{
    par_abort(9, NULL);
}

static void be_no_rank(int number, int size)
{
    par_comm *none = NULL;
    double x = 0;

    ck_assert(!par_initialized());
    ck_fails(PAR_ERR_STATE, par_send(world, &x, 1, PAR_DOUBLE, me, 1));
    ck_detail("made by fork");
    ck_detail("exec");
    ck_fails(PAR_ERR_STATE, par_barrier(world));
    ck_fails(PAR_ERR_STATE, par_init(NULL, NULL, NULL, &none));
    ck_detail("made by fork");
    ck_ok(par_finalize());
    ck_assert_int_eq(par_rank(world), number);
    ck_assert_int_eq(par_size(world), size);
}

/* A child made by fork is no rank, however it ends. */
static int play_fork(void)
{
    int number, size;

    begin(NULL);
    number = me;
    size = ranks;
    for (int code = 0; code <= 3; code += 3) {
        int status;
        pid_t child = fork();

        if (!child) {
            be_no_rank(number, size);
            exit(code);
        }
        ck_assert_int_gt(child, 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), code);
        exchange(100000);
    }
    ck_ok(par_finalize());
    return 0;
}

/* Messages around the limit, whatever it is. */
static int play_sizes(void)
{
    begin(NULL);
    for (size_t bytes = slot_size - 40; bytes < slot_size + 8; bytes++)
        exchange(bytes);
    exchange(0);
    exchange(3000000);
    ck_ok(par_finalize());
    return 0;
}

static int refuse(size_t inline_bytes, const char *detail, const char *more)
{
    par_options options = {.inline_bytes = inline_bytes};
    par_comm *none = NULL;

    check_who_says_it(par_init(NULL, NULL, &options, &none));
    ck_detail(detail);
    ck_detail(more);
    ck_assert_ptr_null(none);
    ck_assert(!par_initialized());
    ck_ok(par_finalize());
    ck_fails(PAR_ERR_STATE, par_init(NULL, NULL, NULL, &none));
    return 0;
}

static int play_refuse_17(void)
{
    return refuse(17, "inline_bytes is 17", "1024");
}

static int play_notice_17(void)
{
    return refuse(2048, "inline_bytes is 17", "1024");
}

static int play_refuse_2048(void)
{
    return refuse(2048, "2048", "differs between ranks");
}

static int play_refuse_4096(void)
{
    return refuse(4096, "2048", "differs between ranks");
}

static int play_old_wire(void)
{
    return refuse(0, "0.1.0 (messages of version 161) on 0-1",
                  "9.9 (messages of version 200) on 2");
}

static int play_new_wire(void)
{
    agree_here = (agree_versions){.wire = 200, .par = "9.9"};
    return play_old_wire();
}

static char heard[4096];

static void hear(const char *text)
{
    ck_assert_str_eq(heard, "");
    snprintf(heard, sizeof heard, "%s", text);
}

/* Two ranks run Python 3.11; the third, whose language is another, hears nothing. */
static int play_hear_of_versions(void)
{
    par_options options = {.warn = hear, .language = "Python 3.11"};

    begin(&options);
    if (me == 0)
        ck_assert_str_eq(heard, "the versions of the interpreter differ between ranks: "
                                "Python 3.11 on 0-1, Python 3.12 on 2; pickles and "
                                "functions of one may not work in the other");
    else
        ck_assert_str_eq(heard, "");
    ck_ok(par_finalize());
    return 0;
}

static int play_be_newer(void)
{
    par_options options = {.warn = hear, .language = "Python 3.12"};

    begin(&options);
    ck_assert_str_eq(heard, "");
    ck_ok(par_finalize());
    return 0;
}

/* Rank 1 takes neither a message, nor part in a collective call; rank 0 waits neither for
 * a receive nor for a send. */
static void leave_over(void)
{
    static double x[3];
    static par_request *receive, *send; /* for ever */

    if (me == 0) {
        ck_ok(par_send(world, x, 3, PAR_DOUBLE, 1, 8));
        ck_ok(par_receive_start(world, x, 1, PAR_DOUBLE, PAR_ANY_SOURCE, 5, &receive));
        ck_ok(par_send_start(world, x, 0, PAR_DOUBLE, 0, 6, &send));
        ck_ok(par_broadcast(world, x, 2, PAR_DOUBLE, 0));
    }
}

static int play_leave_over(void)
{
    par_options options = {.leftovers = PAR_LEFTOVERS_ERROR, .warn = hear};

    begin(&options);
    leave_over();
    ck_fails(me ? PAR_ERR_ELSEWHERE : PAR_ERR_LEFTOVERS, par_finalize());
    ck_detail("rank 0: ");
    ck_assert(!par_initialized());
    if (me == 0)
        ck_assert_str_eq(
            heard,
            "the job ends, and leaves over:\n"
            "    1 message under tag 6, 0 double: from rank 0 to 0\n"
            "    1 message under tag 8, 3 double: from rank 0 to 1\n"
            "    1 receive that waits still under tag 5: from any rank to 0\n"
            "    1 request that nobody has waited for: of rank 0\n"
            "    rank 1: collective call 0, which is broadcast(2 double, root 0) on "
            "rank 0, is missing here: all ranks must make the same calls\n"
            "(PAR_LEFTOVERS=error makes it an error, PAR_LEFTOVERS=off says "
            "nothing)");
    else
        ck_assert_str_eq(heard, "");
    return 0;
}

static int play_leave_over_silently(void)
{
    begin(NULL);
    leave_over();
    ck_ok(par_finalize());
    return 0;
}

static const check_role roles[] = {
    {"facts", play_facts},
    {"outside", play_outside},
    {"twice", play_twice},
    {"join", play_join},
    {"join-in-vain", play_join_in_vain},
    {"join-and-forget", play_join_and_forget},
    {"forget", play_forget},
    {"forget-twice", play_forget_twice},
    {"unreceived", play_unreceived},
    {"background", play_background},
    {"uneven", play_uneven},
    {"join-one-thread", play_join_one_thread},
    {"exit-3", play_exit_3},
    {"abort-7", play_abort_7},
    {"abort-0", play_abort_0},
    {"abort-512", play_abort_512},
    {"abort-outside", play_abort_outside},
    {"fork", play_fork},
    {"sizes", play_sizes},
    {"refuse-17", play_refuse_17},
    {"notice-17", play_notice_17},
    {"refuse-2048", play_refuse_2048},
    {"refuse-4096", play_refuse_4096},
    {"old-wire", play_old_wire},
    {"new-wire", play_new_wire},
    {"hear-of-versions", play_hear_of_versions},
    {"be-newer", play_be_newer},
    {"leave-over", play_leave_over},
    {"leave-over-silently", play_leave_over_silently},
};

static int play(const char *role)
{
    return check_play(roles, sizeof roles / sizeof *roles, role);
}

/* ---- tests ----------------------------------------------------------------- */

START_TEST(a_rank_knows_itself_and_its_job)
{
    check_job_ends_well(0, "facts");
    check_job_ends_well(1, "facts");
    check_job_ends_well(3, "facts");
}
END_TEST

START_TEST(a_check_that_fails_in_a_job_is_seen_here)
{
    check_job_ends(1, 0, "refuse-2048");
    ck_assert_ptr_nonnull(strstr(check_output, "rank"));
    check_job_ends(2, 0, "nobody");
}
END_TEST

START_TEST(outside_of_the_job_every_call_says_so)
{
    check_job_ends_well(0, "outside");
    check_job_ends_well(2, "outside");
}
END_TEST

START_TEST(two_inits_are_matched_by_two_finalizes)
{
    check_job_ends_well(0, "twice");
    check_job_ends_well(2, "twice");
}
END_TEST

START_TEST(an_mpi_of_somebody_else_is_joined_and_left_running)
{
    check_job_ends_well(0, "join");
    check_job_ends_well(2, "join");
    check_job_ends_well(2, "join-in-vain");
}
END_TEST

START_TEST(an_mpi_of_somebody_else_may_be_gone_at_exit)
{
    check_job_ends_well(2, "join-and-forget");
}
END_TEST

START_TEST(a_job_that_is_never_finalized_ends_well_all_the_same)
{
    check_job_ends_well(0, "forget");
    check_job_ends_well(3, "forget");
    check_job_ends_well(2, "forget-twice");
}
END_TEST

START_TEST(messages_that_nobody_received_do_not_matter_in_the_end)
{
    check_job_ends_well(1, "unreceived");
    check_job_ends_well(2, "unreceived");
}
END_TEST

START_TEST(collective_calls_under_way_end_before_the_job)
{
    check_job_ends_well(0, "background");
    check_job_ends_well(3, "background");
}
END_TEST

START_TEST(collective_calls_that_cannot_end_are_an_error_in_the_end)
{
    check_job_ends(1, 2, "uneven");
    ck_assert_ptr_nonnull(strstr(check_output, "the job cannot end"));
    check_job_ends(1, 3, "uneven");
}
END_TEST

START_TEST(an_mpi_for_one_thread_has_no_calls_in_the_background)
{
    check_job_ends_well(2, "join-one-thread");
}
END_TEST

START_TEST(a_rank_that_exits_with_a_status_ends_the_job_with_it)
{
    check_job_ends(3, 0, "exit-3");
    check_job_ends(3, 3, "exit-3");
}
END_TEST

START_TEST(an_abort_ends_the_job_with_its_status)
{
    check_job_ends(7, 0, "abort-7");
    check_job_ends(7, 3, "abort-7");
    check_job_ends(1, 2, "abort-0");
    check_job_ends(1, 0, "abort-512");
    check_job_ends(1, 2, "abort-512");
    check_job_ends(9, 0, "abort-outside");
}
END_TEST

START_TEST(a_child_made_by_fork_does_not_end_the_job)
{
    check_job_ends_well(0, "fork");
    check_job_ends_well(2, "fork");
}
END_TEST

START_TEST(every_inline_limit_carries_messages_of_all_sizes)
{
    static const char *const settings[] = {"PAR_INLINE=1024", "PAR_INLINE=65536",
                                           "PAR_INLINE=1048576", "PAR_WAIT=sleep",
                                           "PAR_WAIT=spin"};

    check_roles_end(EXIT_SUCCESS, 2, "sizes", NULL, settings[_i]);
}
END_TEST

START_TEST(a_wrong_option_is_refused_on_every_rank)
{
    check_job_ends_well(0, "refuse-17");
    check_job_ends_well(2, "refuse-17");
    check_roles_end(EXIT_SUCCESS, 1, "notice-17", "refuse-17", "");
}
END_TEST

START_TEST(versions_whose_messages_differ_are_refused_on_every_rank)
{
    check_roles_end(EXIT_SUCCESS, 2, "old-wire", "new-wire", "");
}
END_TEST

START_TEST(versions_that_differ_are_told_of_by_one_rank)
{
    check_roles_end(EXIT_SUCCESS, 2, "hear-of-versions", "be-newer", "");
}
END_TEST

START_TEST(what_is_left_over_is_listed_by_one_rank)
{
    check_roles_end(EXIT_SUCCESS, 2, "leave-over", NULL, "");
    check_roles_end(EXIT_SUCCESS, 2, "leave-over-silently", NULL, "");
    ck_assert_str_eq(check_output, "");
    check_roles_end(EXIT_SUCCESS, 2, "leave-over-silently", NULL, "PAR_LEFTOVERS=warn");
    ck_assert_ptr_nonnull(strstr(check_output, "par: the job ends"));
    ck_assert_ptr_null(strstr(strstr(check_output, "job ends") + 1, "job ends"));
    ck_assert_ptr_nonnull(strstr(check_output, "1 message under tag 8, 3 double"));
    ck_assert_ptr_nonnull(strstr(check_output, "from rank 0 to 1"));
}
END_TEST

START_TEST(options_that_differ_are_refused_on_every_rank)
{
    check_roles_end(EXIT_SUCCESS, 2, "refuse-2048", "refuse-4096", "");
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_rank_knows_itself_and_its_job);
    check_add(suite, a_check_that_fails_in_a_job_is_seen_here);
    check_add(suite, outside_of_the_job_every_call_says_so);
    check_add(suite, two_inits_are_matched_by_two_finalizes);
    check_add(suite, an_mpi_of_somebody_else_is_joined_and_left_running);
    check_add(suite, an_mpi_of_somebody_else_may_be_gone_at_exit);
    check_add(suite, a_job_that_is_never_finalized_ends_well_all_the_same);
    check_add(suite, messages_that_nobody_received_do_not_matter_in_the_end);
    check_add(suite, collective_calls_under_way_end_before_the_job);
    check_add(suite, collective_calls_that_cannot_end_are_an_error_in_the_end);
    check_add(suite, an_mpi_for_one_thread_has_no_calls_in_the_background);
    check_add(suite, a_rank_that_exits_with_a_status_ends_the_job_with_it);
    check_add(suite, an_abort_ends_the_job_with_its_status);
    check_add(suite, a_child_made_by_fork_does_not_end_the_job);
    check_add_each(suite, 5, every_inline_limit_carries_messages_of_all_sizes);
    check_add(suite, a_wrong_option_is_refused_on_every_rank);
    check_add(suite, versions_whose_messages_differ_are_refused_on_every_rank);
    check_add(suite, versions_that_differ_are_told_of_by_one_rank);
    check_add(suite, what_is_left_over_is_listed_by_one_rank);
    check_add(suite, options_that_differ_are_refused_on_every_rank);
}

const check_program program = {.name = "comm", .add = add, .alone = true, .play = play};
