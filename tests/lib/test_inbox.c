/* test_inbox.c - what comes in and is no message of par's.
 * SPDX-License-Identifier: MIT
 *
 * Rank 0 sends it through MPI where par's headers travel, on a communicator that
 * can receive nothing from then on, and so is left to par_finalize; the world goes
 * on.
 */
#include <string.h>

#include "check_par.h"
#include "comm.h"

/* A message of eight bytes as par sends it. */
static void write_message(unsigned char *to)
{
    const wire_header header = {.context = WIRE_P2P,
                                .kind = PAR_ARRAY,
                                .type = PAR_INT64,
                                .dims = 1,
                                .tag = 5,
                                .bytes = 8};

    memset(to, 0, WIRE_HEADER_BYTES + 8);
    wire_put(to, &header);
}

/* Bytes that rank 1 gets; the first of them are right. */
static const struct {
    size_t bytes;
    int damaged; /* this byte is; -1: none */
} damages[] = {
    {0, -1},                     /* nothing at all */
    {5, -1},                     /* less than a header */
    {WIRE_HEADER_BYTES, -1},     /* the body is missing */
    {WIRE_HEADER_BYTES + 7, -1}, /* not all of it */
    {WIRE_HEADER_BYTES + 9, -1}, /* too much of it */
    {WIRE_HEADER_BYTES + 8, 0},  /* another version */
    {WIRE_HEADER_BYTES + 8, 8},  /* another length */
    {WIRE_HEADER_BYTES + 8, 31}, /* another check */
};

static void send_damaged(par_comm *comm, int which)
{
    unsigned char message[64];

    write_message(message);
    if (damages[which].damaged >= 0)
        message[damages[which].damaged] ^= 0x10;
    ck_assert_int_eq(
        MPI_Send(message, (int)damages[which].bytes, MPI_BYTE, 1, 0, comm->inbox.mpi),
        MPI_SUCCESS);
}

static par_comm *duplicate(void)
{
    par_comm *comm = NULL;

    ck_ok(par_duplicate(world, &comm));
    return comm;
}

#define ck_damaged(call)              \
    do {                              \
        ck_fails(PAR_ERR_WIRE, call); \
        ck_detail("rank 0");          \
    } while (0)

/* Every way to receive says so, this time and ever after. */
static void expect_damage(par_comm *comm)
{
    int64_t number = -1;
    par_message *message = NULL;
    par_request *request;
    par_status status;
    size_t index = 99;
    bool found, done = false;

    ck_damaged(par_receive(comm, &number, 1, PAR_INT64, 0, 5, NULL));
    ck_damaged(par_receive(comm, &number, 1, PAR_INT64, PAR_ANY_SOURCE, 6, NULL));
    ck_damaged(par_message_receive(comm, 0, 5, &message));
    ck_damaged(par_probe(comm, 0, 5, &status));
    ck_damaged(par_probe_now(comm, 0, 5, &status, &found));

    ck_ok(par_receive_start(comm, &number, 1, PAR_INT64, 0, 5, &request));
    ck_damaged(par_wait(&request, NULL));
    ck_assert_ptr_null(request);
    ck_ok(par_receive_start(comm, &number, 1, PAR_INT64, 0, 5, &request));
    ck_damaged(par_test(&request, NULL, &done));
    ck_assert_ptr_null(request);
    ck_ok(par_receive_start(comm, &number, 1, PAR_INT64, 0, 5, &request));
    ck_damaged(par_wait_any(&request, 1, &index, NULL));
    ck_assert_uint_eq(index, 0);
    ck_assert_ptr_null(request);
    ck_assert_int_eq(number, -1);
    ck_assert_ptr_null(message);
}

START_TEST(what_is_no_message_of_par_is_refused)
{
    par_comm *comm = duplicate();

    if (me == 0)
        send_damaged(comm, _i);
    if (me == 1)
        expect_damage(comm);
    ck_ok(par_barrier(world));
}
END_TEST

/* And what is nearly the same does not pass for right. */
START_TEST(what_is_right_before_it_is_received)
{
    par_comm *comm = duplicate();
    unsigned char message[WIRE_HEADER_BYTES + 8];
    int64_t number = -1;

    if (me == 0) {
        write_message(message);
        MPI_Send(message, sizeof message, MPI_BYTE, 1, 0, comm->inbox.mpi);
        send_damaged(comm, _i);
    }
    if (me == 1) {
        ck_ok(par_receive(comm, &number, 1, PAR_INT64, 0, 5, NULL));
        ck_assert_int_eq(number, 0);
        expect_damage(comm);
    }
    ck_ok(par_barrier(world));
}
END_TEST

START_TEST(what_waits_already_learns_of_it)
{
    enum { COUNT = 5 };
    par_comm *comm = duplicate();
    par_request *requests[COUNT];
    int64_t numbers[COUNT];

    if (me == 1)
        for (int i = 0; i < COUNT; i++)
            ck_ok(par_receive_start(comm, &numbers[i], 1, PAR_INT64, 0, i, &requests[i]));
    ck_ok(par_barrier(world));
    if (me == 0)
        send_damaged(comm, 1);
    if (me == 1)
        ck_damaged(par_wait_all(requests, COUNT, NULL));
    for (int i = 0; me == 1 && i < COUNT; i++)
        ck_assert_ptr_null(requests[i]);
    ck_ok(par_barrier(world));
}
END_TEST

START_TEST(a_collective_call_learns_of_it)
{
    par_comm *comm = duplicate();
    int64_t number = 3;

    if (me == 0)
        send_damaged(comm, 1);
    ck_ok(par_barrier(world));
    if (me == 1)
        ck_damaged(par_broadcast(comm, &number, 1, PAR_INT64, 0));
    ck_ok(par_barrier(world));
}
END_TEST

START_TEST(sending_goes_on)
{
    par_comm *comm = duplicate();
    int64_t number = 5;

    if (me == 0)
        send_damaged(comm, 1);
    if (me == 1) {
        ck_damaged(par_receive(comm, &number, 1, PAR_INT64, 0, 5, NULL));
        ck_ok(par_send(comm, &number, 1, PAR_INT64, 0, 5));
    }
    if (me == 0) {
        number = 0;
        ck_ok(par_receive(comm, &number, 1, PAR_INT64, 1, 5, NULL));
        ck_assert_int_eq(number, 5);
    }
    ck_ok(par_barrier(world));
}
END_TEST

static void add(Suite *suite)
{
    if (ranks < 2)
        return;
    check_add_each(suite, sizeof damages / sizeof *damages,
                   what_is_no_message_of_par_is_refused);
    check_add_each(suite, sizeof damages / sizeof *damages,
                   what_is_right_before_it_is_received);
    check_add(suite, what_waits_already_learns_of_it);
    check_add(suite, a_collective_call_learns_of_it);
    check_add(suite, sending_goes_on);
}

const check_program program = {.name = "inbox", .add = add};
