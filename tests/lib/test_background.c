/* test_background.c - collective calls that are started and go on beside the program.
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_par.h"
#include "par_mpi.h"

static int right(void)
{
    return (me + 1) % ranks;
}

static int left(void)
{
    return (me + ranks - 1) % ranks;
}

static int64_t sum_of_ranks(void)
{
    return (int64_t)ranks * (ranks - 1) / 2;
}

static void wait_all(par_request **requests, size_t count)
{
    ck_ok(par_wait_all(requests, count, NULL));
    for (size_t i = 0; i < count; i++)
        ck_assert_ptr_null(requests[i]);
}

/* ---- results --------------------------------------------------------------- */

START_TEST(each_call_gives_what_it_gives_when_waited_for)
{
    int root = ranks - 1;
    size_t n = (size_t)ranks;
    int64_t mine = me + 10, all = -1, one = -1, part = -1,
            broadcast = me == root ? 7 : -1;
    int64_t *parts = check_alloc(n * sizeof *parts),
            *whole = check_alloc(n * sizeof *parts);
    int64_t *gathered = check_alloc(n * sizeof *parts),
            *swapped = check_alloc(n * sizeof *parts);
    par_request *requests[8];

    for (int r = 0; r < ranks; r++)
        parts[r] = 100 * me + r;
    ck_ok(par_barrier_start(world, &requests[0]));
    ck_ok(par_broadcast_start(world, &broadcast, 1, PAR_INT64, root, &requests[1]));
    ck_ok(par_scatter_start(world, parts, &part, 1, PAR_INT64, root, &requests[2]));
    ck_ok(par_gather_start(world, &mine, 1, PAR_INT64, gathered, root, &requests[3]));
    ck_ok(par_allgather_start(world, &mine, 1, PAR_INT64, whole, &requests[4]));
    ck_ok(par_alltoall_start(world, parts, swapped, 1, PAR_INT64, &requests[5]));
    ck_ok(
        par_reduce_start(world, &mine, &one, 1, PAR_INT64, PAR_SUM, root, &requests[6]));
    ck_ok(par_allreduce_start(world, &mine, &all, 1, PAR_INT64, PAR_MAX, &requests[7]));
    wait_all(requests, 8);

    ck_assert_int_eq(broadcast, 7);
    ck_assert_int_eq(part, 100 * root + me);
    ck_assert_int_eq(all, ranks - 1 + 10);
    ck_assert_int_eq(one, me == root ? sum_of_ranks() + 10 * ranks : -1);
    for (int r = 0; r < ranks; r++) {
        ck_assert_int_eq(gathered[r], me == root ? r + 10 : 0);
        ck_assert_int_eq(whole[r], r + 10);
        ck_assert_int_eq(swapped[r], 100 * r + me);
    }
    free(parts);
    free(whole);
    free(gathered);
    free(swapped);
}
END_TEST

enum { MANY = 300 };

START_TEST(hundreds_are_under_way_on_two_communicators)
{
    static int64_t mine[2][MANY], all[2][MANY];
    static par_request *requests[2][MANY];
    par_comm *comms[2] = {world, NULL};

    ck_ok(par_duplicate(world, &comms[1]));
    for (int i = 0; i < MANY; i++)
        for (int c = 0; c < 2; c++) {
            mine[c][i] = me + i + c;
            ck_ok(par_allreduce_start(comms[c], &mine[c][i], &all[c][i], 1, PAR_INT64,
                                      PAR_SUM, &requests[c][i]));
        }
    for (int i = MANY - 1; i >= 0; i--)
        for (int c = 0; c < 2; c++) {
            ck_ok(par_wait(&requests[c][i], NULL));
            ck_assert_int_eq(all[c][i], sum_of_ranks() + (int64_t)(i + c) * ranks);
        }
    ck_ok(par_comm_free(&comms[1]));
}
END_TEST

START_TEST(large_ones_arrive_whole)
{
    size_t count = 3000000;
    unsigned char *data = check_alloc(count);
    par_request *request;

    for (int root = 0; root < ranks; root++) {
        if (me == root)
            check_fill(data, count, (uint64_t)root);
        ck_ok(par_broadcast_start(world, data, count, PAR_BYTE, root, &request));
        ck_ok(par_wait(&request, NULL));
        ck_assert(check_is_filled(data, count, (uint64_t)root));
    }
    free(data);
}
END_TEST

/* ---- order ----------------------------------------------------------------- */

static void split_and_free(void)
{
    par_comm *comm;

    ck_ok(par_split(world, me % 2, 0, &comm));
    ck_ok(par_comm_free(&comm));
    ck_ok(par_split_node(world, &comm));
    ck_ok(par_comm_free(&comm));
}

static void to_mpi(void)
{
    MPI_Comm mpi;

    ck_ok(par_to_mpi(world, &mpi));
    MPI_Comm_free(&mpi);
}

static void take_all(par_message **messages)
{
    for (int r = 0; r < ranks; r++)
        ck_ok(par_message_free(&messages[r]));
}

/* The NTH of the calls that wait, each with another root. */
static bool call_blocking(int nth)
{
    static const par_content nothing = {.kind = PAR_OBJECT, .part_count = 0};
    int64_t mine = me, one;
    size_t n = (size_t)ranks;
    int64_t *parts = check_alloc(n * sizeof *parts),
            *whole = check_alloc(n * sizeof *parts);
    par_message **messages = check_alloc(n * sizeof(par_message *)), *message = NULL;
    par_request **sends = check_alloc(n * sizeof(par_request *));
    par_content *contents = check_alloc(n * sizeof *contents);
    const par_part **lists = check_alloc(n * sizeof(par_part *));
    size_t *counts = check_alloc(n * sizeof *counts);
    bool more = true;

    for (int r = 0; r < ranks; r++)
        contents[r] = nothing;
    switch (nth) {
    case 0:
        ck_ok(par_barrier(world));
        break;
    case 1:
        ck_ok(par_broadcast(world, &one, 1, PAR_INT64, 0));
        break;
    case 2:
        ck_ok(par_scatter(world, parts, &one, 1, PAR_INT64, 0));
        break;
    case 3:
        ck_ok(par_gather(world, &mine, 1, PAR_INT64, parts, 0));
        break;
    case 4:
        ck_ok(par_reduce(world, &mine, &one, 1, PAR_INT64, PAR_SUM, 0));
        break;
    case 5:
        ck_ok(par_allreduce(world, &mine, &one, 1, PAR_INT64, PAR_SUM));
        ck_assert_int_eq(one, sum_of_ranks());
        break;
    case 6:
        ck_ok(par_scan(world, &mine, &one, 1, PAR_INT64, PAR_SUM));
        break;
    case 7:
        ck_ok(par_exscan(world, &mine, &one, 1, PAR_INT64, PAR_SUM));
        break;
    case 8:
        ck_ok(par_allgather(world, &mine, 1, PAR_INT64, whole));
        break;
    case 9:
        ck_ok(par_alltoall(world, parts, whole, 1, PAR_INT64));
        break;
    case 10:
        ck_ok(par_message_broadcast(world, &nothing, NULL, 0, 0, &message));
        ck_ok(par_message_free(&message));
        break;
    case 11:
        ck_ok(par_message_scatter(world, contents, lists, counts, 0, &message));
        ck_ok(par_message_free(&message));
        break;
    case 12:
        ck_ok(par_message_gather(world, &nothing, NULL, 0, 0, messages, NULL));
        if (me == 0)
            take_all(messages);
        break;
    case 13:
        ck_ok(par_message_allgather(world, &nothing, NULL, 0, messages, sends, NULL));
        take_all(messages);
        wait_all(sends, n);
        break;
    case 14:
        ck_ok(
            par_message_alltoall(world, contents, lists, counts, messages, sends, NULL));
        take_all(messages);
        wait_all(sends, n);
        break;
    case 15:
        split_and_free();
        break;
    case 16:
        to_mpi();
        break;
    case 17:
        ck_ok(par_collective_fail(world, "a test"));
        break;
    default:
        more = false;
    }
    free(parts);
    free(whole);
    free(messages);
    free(sends);
    free(contents);
    free(lists);
    free(counts);
    return more;
}

/* Were a call to overtake those that were started before it, ranks would meet in
 * different calls: which is an error. Ranks come at different times. */
START_TEST(calls_that_wait_keep_their_place_among_the_others)
{
    for (int nth = 0;; nth++) {
        int64_t mine = me, all[3] = {-1, -1, -1};
        par_request *requests[3];
        bool more;

        if (nth % ranks == me)
            usleep(2000);
        for (int i = 0; i < 3; i++)
            ck_ok(par_allreduce_start(world, &mine, &all[i], 1, PAR_INT64, PAR_SUM,
                                      &requests[i]));
        more = call_blocking(nth);
        if (more)
            for (int i = 0; i < 3; i++) /* over, though nobody has waited for them */
                ck_assert_int_eq(all[i], sum_of_ranks());
        wait_all(requests, 3);
        if (!more)
            break;
    }
}
END_TEST

static par_error receive_text(void *text)
{
    return par_receive(world, text, 8, PAR_CHAR, left(), 50, NULL);
}

START_TEST(communicators_do_not_wait_for_each_other)
{
    par_comm *other;
    par_request *slow, *quick;
    char text[8] = "";
    bool done;

    ck_ok(par_duplicate(world, &other));
    ck_ok(par_task_start(world, receive_text, text, &slow));
    ck_ok(par_barrier_start(other, &quick));
    ck_ok(par_wait(&quick, NULL));
    ck_ok(par_test(&slow, NULL, &done));
    ck_assert(!done);
    ck_ok(par_barrier(other)); /* neither does it wait for the world's */
    ck_ok(par_send(world, "late", 5, PAR_CHAR, right(), 50));
    ck_ok(par_wait(&slow, NULL));
    ck_assert_str_eq(text, "late");
    ck_ok(par_comm_free(&other));
}
END_TEST

/* A file that one rank makes when it has what it wants: the others look at nothing
 * else meanwhile, and at no clock. */
static void flag_path(char *path, size_t size)
{
    static int flags;
    int64_t pid = getpid();

    ck_ok(par_broadcast(world, &pid, 1, PAR_INT64, 0));
    snprintf(path, size, "/tmp/par-background-%lld-%d", (long long)pid, flags++);
}

START_TEST(they_go_on_while_the_program_computes)
{
    size_t count = 5000000;
    unsigned char *data = check_alloc(count);
    volatile unsigned long computed = 0;
    char path[64];
    par_request *request;

    flag_path(path, sizeof path);
    if (me == 0)
        check_fill(data, count, 99);
    ck_ok(par_broadcast_start(world, data, count, PAR_BYTE, 0, &request));
    if (me == ranks - 1) {
        FILE *flag;

        ck_ok(par_wait(&request, NULL));
        flag = fopen(path, "w");
        ck_assert_ptr_nonnull(flag);
        fclose(flag);
    } else {
        while (access(path, F_OK))
            computed++;
        ck_ok(par_wait(&request, NULL));
    }
    ck_assert(check_is_filled(data, count, 99));
    ck_ok(par_barrier(world));
    if (me == 0)
        unlink(path);
    free(data);
}
END_TEST

/* ---- errors ---------------------------------------------------------------- */

START_TEST(the_error_of_a_call_comes_from_its_wait_with_its_detail)
{
    int64_t data[4] = {0}, all = -1, mine = me;
    char start[64];
    par_request *requests[2];

    ck_ok(par_broadcast_start(world, data, me ? 2 : 4, PAR_INT64, 0, &requests[0]));
    ck_ok(par_allreduce_start(world, &mine, &all, 1, PAR_INT64, PAR_SUM, &requests[1]));
    ck_fails(PAR_ERR_ARG, par_send(NULL, NULL, 0, PAR_BYTE, 0, 0)); /* another detail */
    if (me) {
        ck_fails(PAR_ERR_MISMATCH, par_wait(&requests[0], NULL));
        ck_detail("broadcast(4 int64, root 0)");
        ck_detail("broadcast(2 int64, root 0)");
        snprintf(start, sizeof start, "rank %d: collective call", me);
        ck_assert_int_eq(strncmp(par_error_detail(), start, strlen(start)), 0);
    } else {
        ck_ok(par_wait(&requests[0], NULL));
    }
    ck_ok(par_wait(&requests[1], NULL));
    ck_assert_int_eq(all, sum_of_ranks());
}
END_TEST

START_TEST(every_rank_learns_that_calls_differ)
{
    int64_t data = me, all;
    par_request *request;

    ck_ok(par_allreduce_start(world, &data, &all, 1, PAR_INT64, me ? PAR_SUM : PAR_MAX,
                              &request));
    if (ranks == 1) {
        ck_ok(par_wait(&request, NULL));
    } else {
        ck_fails(PAR_ERR_MISMATCH, par_wait(&request, NULL));
        ck_detail("allreduce(1 int64");
    }
}
END_TEST

static par_error do_nothing(void *unused)
{
    (void)unused;
    return PAR_OK;
}

START_TEST(roots_that_differ_are_an_error_of_the_wait)
{
    int64_t data = me;
    int64_t *all = check_alloc((size_t)ranks * sizeof *all);
    par_request *request;

    ck_ok(par_gather_start(world, &data, 1, PAR_INT64, all, me, &request));
    if (ranks == 1) {
        ck_ok(par_wait(&request, NULL));
    } else {
        ck_fails(PAR_ERR_MISMATCH, par_wait(&request, NULL));
        ck_detail("root");
    }
    free(all);
}
END_TEST

START_TEST(what_is_wrong_in_any_case_is_refused_at_once)
{
    char x;
    par_request *request = NULL;

    ck_fails(PAR_ERR_RANK, par_broadcast_start(world, &x, 1, PAR_CHAR, ranks, &request));
    ck_detail("root");
    ck_fails(PAR_ERR_RANK, par_gather_start(world, &x, 1, PAR_CHAR, &x, -1, &request));
    ck_fails(PAR_ERR_ARG, par_barrier_start(NULL, &request));
    ck_fails(PAR_ERR_ARG, par_barrier_start(world, NULL));
    ck_detail("request_p");
    ck_fails(PAR_ERR_ARG, par_task_start(world, NULL, NULL, &request));
    ck_detail("run");
    ck_assert_ptr_null(request);
    ck_ok(par_barrier_start(world, &request));
    ck_ok(par_wait(&request, NULL));
}
END_TEST

START_TEST(other_arguments_are_refused_by_the_wait)
{
    par_request *request;

    ck_ok(par_broadcast_start(world, NULL, 1, PAR_INT64, 0, &request));
    ck_fails(PAR_ERR_ARG, par_wait(&request, NULL));
    ck_ok(par_broadcast_start(world, NULL, 0, (par_type)77, 0, &request));
    ck_fails(PAR_ERR_TYPE, par_wait(&request, NULL));
}
END_TEST

/* ---- requests -------------------------------------------------------------- */

START_TEST(they_are_waited_for_among_others)
{
    int64_t got = -1, mine = me, all = -1;
    par_request *requests[3] = {NULL};
    size_t places[3], place, done = 0;

    ck_ok(par_receive_start(world, &got, 1, PAR_INT64, left(), 60, &requests[0]));
    ck_ok(par_allreduce_start(world, &mine, &all, 1, PAR_INT64, PAR_SUM, &requests[2]));
    ck_ok(par_wait_some(requests, 3, 120, places, &done));
    ck_assert_uint_eq(done, 1);
    ck_assert_uint_eq(places[0], 2);
    ck_ok(par_wait_any(requests, 3, &place, NULL));
    ck_assert_uint_eq(place, 2);
    ck_assert_ptr_null(requests[2]);
    ck_assert_int_eq(all, sum_of_ranks());

    ck_ok(par_barrier(world)); /* before it nobody sends */
    ck_ok(par_barrier_start(world, &requests[1]));
    ck_ok(par_send(world, &mine, 1, PAR_INT64, right(), 60));
    wait_all(requests, 3);
    ck_assert_int_eq(got, left());
}
END_TEST

START_TEST(they_cannot_be_called_back)
{
    par_comm *comm;
    par_request *requests[2];
    char text[8] = "";
    bool cancelled;

    ck_ok(par_duplicate(world, &comm));
    ck_ok(par_task_start(comm, receive_text, text, &requests[0]));
    ck_ok(par_barrier_start(comm, &requests[1]));
    for (int i = 0; i < 2; i++) {
        cancelled = true;
        ck_ok(par_cancel(requests[i], &cancelled));
        ck_assert(!cancelled);
        ck_fails(PAR_ERR_ARG, par_event_set(requests[i]));
    }
    ck_ok(par_barrier(world)); /* before it nobody sends */
    ck_ok(par_send(world, "come", 5, PAR_CHAR, right(), 50));
    wait_all(requests, 2);
    ck_assert_str_eq(text, "come");
    ck_ok(par_comm_free(&comm));
}
END_TEST

static bool interrupt(void *count)
{
    ++*(atomic_int *)count;
    return true;
}

START_TEST(an_interrupted_wait_leaves_them_under_way)
{
    static atomic_int asked;
    static const par_hooks hooks = {.interrupt = interrupt, .context = &asked};
    par_comm *comm;
    par_request *request;
    char text[8] = "";
    int64_t mine = me, all = -1;

    ck_ok(par_duplicate(world, &comm));
    ck_ok(par_task_start(comm, receive_text, text, &request));
    par_set_hooks(&hooks);
    ck_fails(PAR_ERR_INTERRUPTED, par_wait(&request, NULL));
    ck_assert_ptr_nonnull(request);
    /* It waits for the task first, and is not made. */
    ck_fails(PAR_ERR_INTERRUPTED, par_barrier(comm));
    par_set_hooks(NULL);
    ck_assert_int_eq(asked, 2);
    ck_ok(par_barrier(world)); /* before it nobody sends */
    ck_ok(par_send(world, "then", 5, PAR_CHAR, right(), 50));
    ck_ok(par_allreduce(comm, &mine, &all, 1, PAR_INT64, PAR_SUM));
    ck_assert_int_eq(all, sum_of_ranks());
    ck_ok(par_wait(&request, NULL));
    ck_assert_str_eq(text, "then");
    ck_ok(par_comm_free(&comm));
    asked = 0;
}
END_TEST

/* ---- tasks ----------------------------------------------------------------- */

typedef struct turn {
    int64_t *turns; /* taken so far */
    int64_t taken, sum;
    par_error error;
} turn;

static par_error take_turn(void *argument)
{
    turn *t = argument;

    t->taken = (*t->turns)++;
    ck_ok(par_allreduce(world, &t->taken, &t->sum, 1, PAR_INT64, PAR_SUM));
    ck_ok(par_barrier(world));
    if (t->error)
        par_send(world, NULL, 1, PAR_BYTE, me, 0); /* sets a detail */
    return t->error;
}

START_TEST(tasks_take_their_turns)
{
    turn turns[40];
    par_request *requests[40];
    int64_t taken = 0;

    for (int i = 0; i < 40; i++) {
        turns[i] = (turn){.turns = &taken, .error = i % 7 == 3 ? PAR_ERR_ARG : PAR_OK};
        ck_ok(par_task_start(world, take_turn, &turns[i], &requests[i]));
    }
    for (int i = 39; i >= 0; i--) {
        ck_fails(turns[i].error, par_wait(&requests[i], NULL));
        if (turns[i].error)
            ck_detail("NULL");
        ck_assert_int_eq(turns[i].taken, i);
        ck_assert_int_eq(turns[i].sum, (int64_t)i * ranks);
    }
}
END_TEST

static par_error fail_without_detail(void *unused)
{
    (void)unused;
    return PAR_ERR_CANCELLED;
}

START_TEST(the_error_of_a_task_has_no_other_detail)
{
    turn t = {.turns = &(int64_t){0}, .error = PAR_ERR_ARG};
    par_request *requests[2];

    ck_ok(par_task_start(world, take_turn, &t, &requests[0]));
    ck_ok(par_task_start(world, fail_without_detail, NULL, &requests[1]));
    ck_fails(PAR_ERR_ARG, par_wait(&requests[0], NULL));
    ck_fails(PAR_ERR_CANCELLED, par_wait(&requests[1], NULL));
    ck_assert_str_eq(par_error_detail(), "");
}
END_TEST

static par_error end_the_job(void *unused)
{
    (void)unused;
    return par_finalize();
}

START_TEST(a_task_cannot_end_the_job)
{
    par_request *request;

    ck_ok(par_task_start(world, end_the_job, NULL, &request));
    ck_fails(PAR_ERR_STATE, par_wait(&request, NULL));
    ck_detail("task");
    ck_assert(par_initialized());
}
END_TEST

START_TEST(a_task_that_is_left_goes_on)
{
    par_comm *comm;
    par_request *request, *receive;
    char text[8] = "", x;
    bool cancelled;

    ck_ok(par_duplicate(world, &comm));
    ck_ok(par_task_start(comm, receive_text, text, &request));
    ck_ok(par_task_leave(&request));
    ck_assert_ptr_null(request);
    ck_ok(par_task_leave(&request));
    ck_ok(par_task_start(world, do_nothing, NULL, &request));
    ck_ok(par_barrier(world)); /* so that it is over */
    ck_ok(par_task_leave(&request));
    ck_assert_ptr_null(request);

    ck_ok(par_receive_start(world, &x, 1, PAR_CHAR, me, 70, &receive));
    ck_fails(PAR_ERR_ARG, par_task_leave(&receive));
    ck_ok(par_cancel(receive, &cancelled));
    ck_fails(PAR_ERR_CANCELLED, par_wait(&receive, NULL));

    ck_ok(par_send(world, "left", 5, PAR_CHAR, right(), 50));
    ck_ok(par_comm_free(&comm)); /* which waits for it, and then has none under way */
    ck_assert_str_eq(text, "left");
}
END_TEST

START_TEST(a_communicator_with_some_under_way_is_not_freed)
{
    par_comm *comm;
    par_request *request;

    ck_ok(par_duplicate(world, &comm));
    ck_ok(par_barrier_start(comm, &request));
    ck_fails(PAR_ERR_ARG, par_comm_free(&comm));
    ck_detail("1 requests");
    ck_ok(par_wait(&request, NULL));
    ck_ok(par_comm_free(&comm));
    ck_assert_ptr_null(comm);
}
END_TEST

START_TEST(many_communicators_come_and_go)
{
    for (int i = 0; i < 30; i++) {
        par_comm *comm;
        par_request *request;

        ck_ok(par_duplicate(world, &comm));
        ck_ok(par_barrier_start(comm, &request));
        ck_ok(par_wait(&request, NULL));
        ck_ok(par_comm_free(&comm));
    }
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, each_call_gives_what_it_gives_when_waited_for);
    check_add(suite, hundreds_are_under_way_on_two_communicators);
    check_add(suite, large_ones_arrive_whole);
    check_add(suite, calls_that_wait_keep_their_place_among_the_others);
    check_add(suite, communicators_do_not_wait_for_each_other);
    check_add(suite, they_go_on_while_the_program_computes);
    check_add(suite, the_error_of_a_call_comes_from_its_wait_with_its_detail);
    check_add(suite, every_rank_learns_that_calls_differ);
    check_add(suite, roots_that_differ_are_an_error_of_the_wait);
    check_add(suite, what_is_wrong_in_any_case_is_refused_at_once);
    check_add(suite, other_arguments_are_refused_by_the_wait);
    check_add(suite, they_are_waited_for_among_others);
    check_add(suite, they_cannot_be_called_back);
    check_add(suite, an_interrupted_wait_leaves_them_under_way);
    check_add(suite, tasks_take_their_turns);
    check_add(suite, the_error_of_a_task_has_no_other_detail);
    check_add(suite, a_task_cannot_end_the_job);
    check_add(suite, a_task_that_is_left_goes_on);
    check_add(suite, a_communicator_with_some_under_way_is_not_freed);
    check_add(suite, many_communicators_come_and_go);
}

const check_program program = {.name = "background", .add = add};
