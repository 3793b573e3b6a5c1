/* test_request.c - operations under way: start, test, wait, cancel.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_par.h"
#include "slot.h"

enum { MIB = 1 << 20, MANY = 100000 };

/* Everybody sends to the right and receives from the left: on one rank, from
 * oneself. */
static int right(void)
{
    return (me + 1) % ranks;
}

static int left(void)
{
    return (me + ranks - 1) % ranks;
}

static par_request *sending(const void *data, size_t count, par_type type, int tag)
{
    par_request *request = NULL;

    ck_ok(par_send_start(world, data, count, type, right(), tag, &request));
    ck_assert_ptr_nonnull(request);
    return request;
}

static par_request *receiving(void *data, size_t count, par_type type, int source,
                              int tag)
{
    par_request *request = NULL;

    ck_ok(par_receive_start(world, data, count, type, source, tag, &request));
    ck_assert_ptr_nonnull(request);
    return request;
}

/* Bring REQUEST to its end by par_test alone. */
static par_error test_to_the_end(par_request **request_p, par_status *status)
{
    bool done = false;
    par_error err = PAR_OK;

    while (!done)
        err = par_test(request_p, status, &done);
    return err;
}

/* ---- start and end --------------------------------------------------------- */

START_TEST(a_started_message_arrives)
{
    const size_t sizes[] = {0, 1, slot_size - 32, slot_size - 31, 65536, 20 * MIB};
    size_t size = sizes[_i / 2];
    unsigned char *out = check_alloc(size), *in = check_alloc(size);
    par_request *send, *receive;
    par_status status;

    check_fill(out, size, (uint64_t)me);
    receive = receiving(in, size, PAR_BYTE, left(), 100);
    send = sending(out, size, PAR_BYTE, 100);
    if (_i % 2) {
        ck_ok(par_wait(&receive, &status));
        ck_ok(par_wait(&send, NULL));
    } else {
        ck_ok(test_to_the_end(&send, NULL));
        ck_ok(test_to_the_end(&receive, &status));
    }
    ck_assert_ptr_null(send);
    ck_assert_ptr_null(receive);
    ck_assert_int_eq(status.source, left());
    ck_assert_int_eq(status.tag, 100);
    ck_assert_int_eq(status.type, PAR_BYTE);
    ck_assert_uint_eq(status.count, size);
    ck_assert(check_is_filled(in, size, (uint64_t)left()));
    free(out);
    free(in);
}
END_TEST

START_TEST(a_send_leaves_the_status)
{
    par_status status = {.source = 91, .tag = 92, .count = 93};
    par_request *send = sending(NULL, 0, PAR_BYTE, 110);

    ck_ok(par_wait(&send, &status));
    ck_assert_int_eq(status.source, 91);
    ck_assert_int_eq(status.tag, 92);
    ck_assert_uint_eq(status.count, 93);
    ck_ok(par_receive(world, NULL, 0, PAR_BYTE, left(), 110, NULL));
}
END_TEST

START_TEST(a_receive_without_a_message_is_not_done)
{
    char got = 0;
    bool done = true;
    par_request *receive = receiving(&got, 1, PAR_CHAR, left(), 120), *before = receive;

    for (int i = 0; i < 1000; i++) {
        ck_ok(par_test(&receive, NULL, &done));
        ck_assert(!done);
        ck_assert_ptr_eq(receive, before);
    }
    ck_ok(par_barrier(world)); /* the left one looked, too, before this is sent */
    ck_ok(par_send(world, "x", 1, PAR_CHAR, right(), 120));
    ck_ok(par_wait(&receive, NULL));
    ck_assert_int_eq(got, 'x');
}
END_TEST

START_TEST(no_request_is_done_already)
{
    par_request *none = NULL;
    bool answer = false;

    ck_ok(par_wait(&none, NULL));
    ck_ok(par_test(&none, NULL, &answer));
    ck_assert(answer);
}
END_TEST

/* ---- many at once ---------------------------------------------------------- */

/* How many are under way: fewer where more ranks share the cores. */
static int many(void)
{
    return ranks > 2 ? MANY / 10 : MANY;
}

/* A permutation of 0 to many() - 1. */
static void shuffle(int *order, uint64_t seed)
{
    for (int i = 0; i < many(); i++)
        order[i] = i;
    for (int i = many() - 1; i > 0; i--) {
        int j = (int)(check_next(&seed) % (uint64_t)(i + 1)), kept = order[i];

        order[i] = order[j];
        order[j] = kept;
    }
}

/* The receives are there before the sends, or after. */
START_TEST(a_hundred_thousand_can_be_under_way_and_end_in_any_order)
{
    static par_request *sends[MANY], *receives[MANY];
    static int64_t out[MANY], in[MANY];
    static int order[MANY];

    for (int i = 0; i < many(); i++)
        out[i] = (int64_t)me * MANY + i;
    for (int turn = 0; turn < 2; turn++) {
        if (turn == _i) {
            shuffle(order, 1);
            for (int i = 0; i < many(); i++)
                receives[order[i]] =
                    receiving(&in[order[i]], 1, PAR_INT64, left(), 1000 + order[i]);
        } else {
            for (int i = 0; i < many(); i++)
                sends[i] = sending(&out[i], 1, PAR_INT64, 1000 + i);
        }
        ck_ok(par_barrier(world));
    }
    shuffle(order, 2);
    for (int i = 0; i < many(); i++)
        ck_ok(par_wait(&receives[order[i]], NULL));
    shuffle(order, 3);
    for (int i = 0; i < many(); i++)
        ck_ok(test_to_the_end(&sends[order[i]], NULL));
    for (int i = 0; i < many(); i++)
        ck_assert_int_eq(in[i], (int64_t)left() * MANY + i);
}
END_TEST

START_TEST(large_ones_can_pass_each_other)
{
    enum { COUNT = 20, SIZE = 300000 };
    unsigned char *out[COUNT], *in[COUNT];
    par_request *sends[COUNT], *receives[COUNT];

    for (int i = 0; i < COUNT; i++) {
        out[i] = check_alloc(SIZE);
        in[i] = check_alloc(SIZE);
        check_fill(out[i], SIZE, (uint64_t)(100 * me + i));
        sends[i] = sending(out[i], SIZE, PAR_BYTE, 200 + i);
    }
    for (int i = COUNT - 1; i >= 0; i--)
        receives[i] = receiving(in[i], SIZE, PAR_BYTE, left(), 200 + i);
    for (int i = 0; i < COUNT; i++) {
        int other = i * 7 % COUNT;

        ck_ok(par_wait(&receives[other], NULL));
        ck_assert(check_is_filled(in[other], SIZE, (uint64_t)(100 * left() + other)));
        ck_ok(par_wait(&sends[COUNT - 1 - other], NULL));
    }
    for (int i = 0; i < COUNT; i++) {
        free(out[i]);
        free(in[i]);
    }
}
END_TEST

START_TEST(requests_go_on_while_another_call_waits)
{
    unsigned char *out = check_alloc(4 * MIB), *in = check_alloc(4 * MIB);
    par_request *send, *receive;

    check_fill(out, 4 * MIB, (uint64_t)me);
    send = sending(out, 4 * MIB, PAR_BYTE, 210);
    receive = receiving(in, 4 * MIB, PAR_BYTE, left(), 210);
    /* The left one says that it is done with ours, but who looks after it? */
    if (me % 2)
        ck_ok(par_wait(&receive, NULL));
    ck_ok(par_barrier(world));
    if (me % 2 == 0)
        ck_ok(par_wait(&receive, NULL));
    ck_ok(par_wait(&send, NULL));
    ck_assert(check_is_filled(in, 4 * MIB, (uint64_t)left()));
    free(out);
    free(in);
}
END_TEST

/* ---- who gets what --------------------------------------------------------- */

START_TEST(receives_are_served_in_the_order_in_which_they_were_started)
{
    static const int asked[][2] = {{0, 300},
                                   {PAR_ANY_SOURCE, 300},
                                   {0, 300},
                                   {0, PAR_ANY_TAG},
                                   {PAR_ANY_SOURCE, -1}};
    par_request *receives[5];
    int64_t numbers[5] = {0};

    if (me == ranks - 1)
        for (int i = 0; i < 5; i++)
            receives[i] = receiving(&numbers[i], 1, PAR_INT64, asked[i][0], asked[i][1]);
    /* Ordinary messages: a collective's own must not meet them. */
    ck_ok(par_barrier(world));
    for (int64_t n = 1; me == 0 && n <= 5; n++)
        ck_ok(par_send(world, &n, 1, PAR_INT64, ranks - 1, 300));
    for (int i = 4; me == ranks - 1 && i >= 0; i--) {
        ck_ok(par_wait(&receives[i], NULL));
        ck_assert_int_eq(numbers[i], i + 1);
    }
}
END_TEST

START_TEST(a_waiting_receive_gets_what_another_refused)
{
    static const size_t counts[] = {2, 20000};

    for (int i = 0; i < 2; i++) {
        size_t count = counts[i];
        int64_t *out = check_alloc(8 * count), *in = check_alloc(8 * count),
                small[1] = {7};
        double wrong[2] = {7, 7};
        par_request *of_type, *of_size, *fits, *send;
        par_status status;

        of_type = receiving(wrong, 2, PAR_DOUBLE, left(), 310);
        of_size = receiving(small, 1, PAR_INT64, left(), PAR_ANY_TAG);
        fits = receiving(in, count, PAR_INT64, left(), 310);
        ck_ok(par_barrier(world));
        check_fill(out, 8 * count, (uint64_t)me);
        send = sending(out, count, PAR_INT64, 310);
        ck_ok(par_wait(&fits, &status));
        ck_assert_uint_eq(status.count, count);
        ck_assert(check_is_filled(in, 8 * count, (uint64_t)left()));
        ck_fails(PAR_ERR_SIZE, par_wait(&of_size, NULL));
        ck_fails(PAR_ERR_TYPE, par_wait(&of_type, NULL));
        ck_assert_ptr_null(of_size);
        ck_assert_ptr_null(of_type);
        ck_assert_int_eq(small[0], 7);
        ck_assert_double_eq(wrong[0], 7);
        ck_ok(par_wait(&send, NULL));
        free(out);
        free(in);
    }
}
END_TEST

START_TEST(a_receive_that_does_not_fit_leaves_the_message)
{
    double sent[2] = {1.5, 2.5}, got[2] = {0, 0};
    par_status status = {.count = 93};
    par_request *receive;
    bool done = false;

    receive = receiving(got, 1, PAR_DOUBLE, left(), 320);
    ck_ok(par_send(world, sent, 2, PAR_DOUBLE, right(), 320));
    ck_fails(PAR_ERR_SIZE, test_to_the_end(&receive, &status));
    ck_detail("2 double");
    ck_detail("1 double");
    ck_detail("tag 320");
    ck_assert_ptr_null(receive);
    ck_assert_uint_eq(status.count, 93);
    ck_assert_double_eq(got[0], 0);

    receive = receiving(got, 2, PAR_FLOAT, left(), 320);
    ck_fails(PAR_ERR_TYPE, par_wait(&receive, &status));
    ck_assert_ptr_null(receive);
    receive = receiving(got, 2, PAR_DOUBLE, left(), 320);
    ck_ok(par_test(&receive, &status, &done));
    ck_assert(done);
    ck_assert_uint_eq(status.count, 2);
    ck_assert_double_eq(got[1], 2.5);
}
END_TEST

/* ---- calling back ---------------------------------------------------------- */

static bool cancel(par_request **request_p)
{
    bool cancelled;

    ck_ok(par_cancel(*request_p, &cancelled));
    if (cancelled)
        ck_fails(PAR_ERR_CANCELLED, par_wait(request_p, NULL));
    return cancelled;
}

START_TEST(a_cancelled_receive_loses_no_message)
{
    int64_t before = 7, got = 0, sent = me;
    par_request *receive = receiving(&before, 1, PAR_INT64, left(), 400);

    ck_assert(cancel(&receive));
    receive = receiving(&before, 1, PAR_INT64, PAR_ANY_SOURCE, PAR_ANY_TAG);
    ck_assert(cancel(&receive));
    ck_ok(par_barrier(world));
    ck_ok(par_send(world, &sent, 1, PAR_INT64, right(), 400));
    ck_ok(par_receive(world, &got, 1, PAR_INT64, left(), 400, NULL));
    ck_assert_int_eq(got, left());
    ck_assert_int_eq(before, 7);
}
END_TEST

/* The message comes before, while or after the receive is called back. */
START_TEST(a_race_of_message_and_cancel_loses_no_message)
{
    enum { ROUNDS = 2000 };

    for (int64_t round = 0; round < ROUNDS; round++) {
        int64_t in = -1;
        size_t count = round % 50 ? 1 : 1000;
        int64_t *out = check_alloc(8 * count), *room = check_alloc(8 * 1000);
        par_request *receive = receiving(room, 1000, PAR_INT64, left(), 410), *send;

        out[0] = round;
        send = sending(out, count, PAR_INT64, 410);
        for (int64_t spin = 0; spin < round % 40; spin++) {
            bool done;

            ck_ok(par_test(&send, NULL, &done));
        }
        if (cancel(&receive))
            ck_ok(par_receive(world, room, 1000, PAR_INT64, left(), 410, NULL));
        else
            ck_ok(par_wait(&receive, NULL));
        in = room[0];
        ck_assert_int_eq(in, round);
        ck_ok(par_wait(&send, NULL));
        free(out);
        free(room);
    }
}
END_TEST

START_TEST(a_send_cannot_be_called_back)
{
    static const size_t sizes[] = {1, 100000};

    for (int i = 0; i < 2; i++) {
        unsigned char *out = check_alloc(sizes[i]), *in = check_alloc(sizes[i]);
        par_request *send, *receive;

        check_fill(out, sizes[i], 3);
        send = sending(out, sizes[i], PAR_BYTE, 420);
        ck_assert(!cancel(&send));
        receive = receiving(in, sizes[i], PAR_BYTE, left(), 420);
        ck_ok(par_wait(&send, NULL));
        ck_ok(par_wait(&receive, NULL));
        ck_assert(check_is_filled(in, sizes[i], 3));
        free(out);
        free(in);
    }
}
END_TEST

START_TEST(a_receive_that_has_its_message_cannot_be_called_back)
{
    char got = 0;
    par_request *receive;

    ck_ok(par_send(world, "x", 1, PAR_CHAR, me, 430));
    receive = receiving(&got, 1, PAR_CHAR, me, 430);
    ck_assert(!cancel(&receive));
    ck_ok(par_wait(&receive, NULL));
    ck_assert_int_eq(got, 'x');
}
END_TEST

/* ---- bad arguments --------------------------------------------------------- */

START_TEST(bad_arguments_start_nothing)
{
    char x = 0;
    par_request *const before = (par_request *)(void *)&x;
    par_request *request = before;

#define both_fail(error, comm, data, count, type, rank, tag)                           \
    do {                                                                               \
        ck_fails(error, par_send_start(comm, data, count, type, rank, tag, &request)); \
        ck_fails(error,                                                                \
                 par_receive_start(comm, data, count, type, rank, tag, &request));     \
    } while (0)

    both_fail(PAR_ERR_ARG, NULL, &x, 1, PAR_CHAR, 0, 1);
    both_fail(PAR_ERR_RANK, world, &x, 1, PAR_CHAR, ranks, 1);
    both_fail(PAR_ERR_RANK, world, &x, 1, PAR_CHAR, -2, 1);
    both_fail(PAR_ERR_TAG, world, &x, 1, PAR_CHAR, 0, -2);
    both_fail(PAR_ERR_ARG, world, NULL, 1, PAR_CHAR, 0, 1);
    both_fail(PAR_ERR_TYPE, world, &x, 1, PAR_OPAQUE, 0, 1);
    both_fail(PAR_ERR_TYPE, world, &x, 1, (par_type)-1, 0, 1);
    both_fail(PAR_ERR_SIZE, world, &x, (size_t)-1, PAR_CHAR, 0, 1);
    ck_fails(PAR_ERR_RANK, par_send_start(world, &x, 1, PAR_CHAR, -1, 1, &request));
    ck_fails(PAR_ERR_TAG, par_send_start(world, &x, 1, PAR_CHAR, 0, -1, &request));
    ck_assert_ptr_eq(request, before);
    ck_fails(PAR_ERR_ARG, par_send_start(world, &x, 1, PAR_CHAR, 0, 1, NULL));
    ck_detail("request_p");
    ck_fails(PAR_ERR_ARG, par_receive_start(world, &x, 1, PAR_CHAR, 0, 1, NULL));
    ck_detail("request_p");
}
END_TEST

START_TEST(no_place_for_the_answer_is_refused)
{
    char got = 0;
    bool answer;
    par_request *receive = receiving(&got, 1, PAR_CHAR, me, 500);

    ck_fails(PAR_ERR_ARG, par_test(&receive, NULL, NULL));
    ck_fails(PAR_ERR_ARG, par_cancel(receive, NULL));
    ck_fails(PAR_ERR_ARG, par_wait(NULL, NULL));
    ck_fails(PAR_ERR_ARG, par_test(NULL, NULL, &answer));
    ck_fails(PAR_ERR_ARG, par_cancel(NULL, &answer));
    ck_assert(cancel(&receive));
}
END_TEST

static void add(Suite *suite)
{
    check_add_each(suite, 12, a_started_message_arrives);
    check_add(suite, a_send_leaves_the_status);
    check_add(suite, a_receive_without_a_message_is_not_done);
    check_add(suite, no_request_is_done_already);
    check_add_each(suite, 2, a_hundred_thousand_can_be_under_way_and_end_in_any_order);
    check_add(suite, large_ones_can_pass_each_other);
    check_add(suite, requests_go_on_while_another_call_waits);
    check_add(suite, receives_are_served_in_the_order_in_which_they_were_started);
    check_add(suite, a_waiting_receive_gets_what_another_refused);
    check_add(suite, a_receive_that_does_not_fit_leaves_the_message);
    check_add(suite, a_cancelled_receive_loses_no_message);
    check_add(suite, a_race_of_message_and_cancel_loses_no_message);
    check_add(suite, a_send_cannot_be_called_back);
    check_add(suite, a_receive_that_has_its_message_cannot_be_called_back);
    check_add(suite, bad_arguments_start_nothing);
    check_add(suite, no_place_for_the_answer_is_refused);
}

const check_program program = {.name = "request", .add = add};
