/* test_outbox.c - small messages are gone, whatever their receivers do.
 * SPDX-License-Identifier: MIT
 *
 * Rank 0 sends, and calls the others by a signal: until then they are not in the library.
 */
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "check_par.h"

enum { MOST = 3900, MOST_RANKS = 8, MINUTE = 60 * 1000 /* ms */ };

static unsigned char out[MOST], in[MOST];
static int64_t pids[MOST_RANKS];
static atomic_bool called;

static void on_call(int number)
{
    (void)number;
    called = true;
}

/* All ranks are about to begin. */
static void meet(void)
{
    struct sigaction action = {.sa_handler = on_call};
    int64_t pid = getpid();

    ck_assert_int_le(ranks, MOST_RANKS);
    called = false;
    sigaction(SIGUSR1, &action, NULL);
    ck_ok(par_allgather(world, &pid, 1, PAR_INT64, pids));
}

static void stay_away(void)
{
    for (int ms = 0; !called; ms++) {
        ck_assert_msg(ms < MINUTE, "rank 0 has waited for this rank");
        usleep(1000);
    }
}

static void call_others(void)
{
    for (int rank = 1; rank < ranks; rank++)
        ck_assert_int_eq(kill((pid_t)pids[rank], SIGUSR1), 0);
}

static void send_number(par_comm *comm, size_t bytes, int dest, int number)
{
    check_fill(out, bytes, (uint64_t)number);
    ck_ok(par_send(comm, out, bytes, PAR_BYTE, dest, 7));
}

static void receive_numbers(size_t bytes, int count)
{
    for (int i = 0; i < count; i++) {
        ck_ok(par_receive(world, in, bytes, PAR_BYTE, 0, 7, NULL));
        ck_assert(check_is_filled(in, bytes, (uint64_t)i));
    }
}

/* What Open MPI sends in its shortest way, and what it doesn't. */
static const size_t sizes[] = {0, 8, 200, 300, 1000, MOST};
enum { SIZES = sizeof sizes / sizeof *sizes };

START_TEST(they_are_gone_while_their_receivers_compute)
{
    enum { EACH = 15 };

    meet();
    if (me == 0) {
        for (int i = 0; i < EACH; i++)
            for (int rank = 1; rank < ranks; rank++)
                send_number(world, sizes[_i], rank, i);
        call_others();
    } else {
        stay_away();
        receive_numbers(sizes[_i], EACH);
    }
}
END_TEST

START_TEST(their_requests_are_done_while_their_receivers_compute)
{
    enum { COUNT = 20 };
    par_request *requests[COUNT];

    meet();
    if (me == 0) {
        for (int i = 0; i < COUNT; i++) {
            bool done = false;

            check_fill(out, sizes[_i], (uint64_t)i);
            ck_ok(par_send_start(world, out, sizes[_i], PAR_BYTE, 1, 7, &requests[i]));
            ck_ok(par_test(&requests[i], NULL, &done));
            ck_assert(done);
        }
        call_others();
    } else {
        stay_away();
        if (me == 1)
            receive_numbers(sizes[_i], COUNT);
    }
}
END_TEST

/* Too many wait for their receiver, and so does who sends them. */
START_TEST(a_flood_arrives_whole_and_in_order)
{
    enum { FLOOD = 1000 };

    meet();
    if (me == 0) {
        for (int i = 0; i < FLOOD; i++)
            send_number(world, 1000, 1, i);
    } else if (me == 1) {
        usleep(200000);
        receive_numbers(1000, FLOOD);
    }
}
END_TEST

START_TEST(others_are_served_while_one_lets_many_lie)
{
    enum { MANY = 64 };

    meet();
    if (me == 0) {
        for (int i = 0; i < MANY; i++)
            send_number(world, 1000, 1, i);
        for (int i = 0; i < MANY; i++) {
            send_number(world, 1000, 2, i);
            ck_ok(par_receive(world, NULL, 0, PAR_BYTE, 2, 8, NULL));
        }
        call_others();
    } else if (me == 1) {
        stay_away();
        receive_numbers(1000, MANY);
    } else if (me == 2) {
        for (int i = 0; i < MANY; i++) {
            ck_ok(par_receive(world, in, 1000, PAR_BYTE, 0, 7, NULL));
            ck_assert(check_is_filled(in, 1000, (uint64_t)i));
            ck_ok(par_send(world, NULL, 0, PAR_BYTE, 0, 8));
        }
        stay_away();
    }
}
END_TEST

/* What was sent on a communicator that is gone never meets the next one's. */
START_TEST(their_communicator_may_be_freed)
{
    for (int turn = 0; turn < 20; turn++) {
        par_comm *comm;

        ck_ok(par_duplicate(world, &comm));
        if (me == 0)
            for (int i = 0; i < 30; i++)
                send_number(comm, 1000, 1, i);
        if (turn % 2 && me == 1) {
            ck_ok(par_receive(comm, in, 1000, PAR_BYTE, 0, 7, NULL));
            ck_assert(check_is_filled(in, 1000, 0));
        }
        ck_ok(par_comm_free(&comm));
    }
}
END_TEST

static void add(Suite *suite)
{
    check_add_each(suite, SIZES, they_are_gone_while_their_receivers_compute);
    check_add_each(suite, SIZES, their_requests_are_done_while_their_receivers_compute);
    check_add(suite, a_flood_arrives_whole_and_in_order);
    check_add_from(suite, 3, others_are_served_while_one_lets_many_lie);
    check_add(suite, their_communicator_may_be_freed);
}

const check_program program = {.name = "outbox", .add = add};
