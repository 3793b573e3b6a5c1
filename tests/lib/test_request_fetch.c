/* test_request_fetch.c - large messages for receives that nobody waits for yet.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_par.h"

enum { LARGE = 1 << 20 };

static unsigned char out[LARGE], in[LARGE];

static int right(void)
{
    return (me + 1) % ranks;
}

static int left(void)
{
    return (me + ranks - 1) % ranks;
}

static void receive_later(int tag, par_message **message_p, par_request **request_p)
{
    *message_p = NULL;
    ck_ok(par_message_receive_start(world, left(), tag, message_p, request_p));
    check_fill(out, LARGE, (unsigned)me);
    memset(in, 0, LARGE);
}

static void take(par_request **request_p, par_message **message_p, size_t bytes)
{
    const par_part part = {in, bytes};

    ck_ok(par_wait(request_p, NULL));
    ck_ok(par_message_take(message_p, &part, 1));
    ck_assert(check_is_filled(in, bytes, (unsigned)left()));
}

/* All send first: each send waits for a receive that has been started. */
START_TEST(a_send_waits_for_receives_that_were_started_not_for_their_ends)
{
    par_message *message;
    par_request *request;

    receive_later(10, &message, &request);
    ck_ok(par_send(world, out, LARGE, PAR_BYTE, right(), 10));
    take(&request, &message, LARGE);
}
END_TEST

START_TEST(who_only_tests_the_send_goes_on_too)
{
    par_message *message;
    par_request *receive, *send;
    bool done = false;

    receive_later(20, &message, &receive);
    ck_ok(par_send_start(world, out, LARGE, PAR_BYTE, right(), 20, &send));
    while (!done)
        ck_ok(par_test(&send, NULL, &done));
    take(&receive, &message, LARGE);
}
END_TEST

START_TEST(many_of_them_arrive_in_order)
{
    enum { MANY = 20, EACH = LARGE / MANY };
    par_message *messages[MANY];
    par_request *requests[MANY];

    for (int i = 0; i < MANY; i++)
        receive_later(30, &messages[i], &requests[i]);
    for (int i = 0; i < MANY; i++) {
        out[0] = (unsigned char)i;
        ck_ok(par_send(world, out, EACH + (size_t)i, PAR_BYTE, right(), 30));
    }
    for (int i = 0; i < MANY; i++) {
        const par_part part = {in, EACH + (size_t)i};

        ck_ok(par_wait(&requests[i], NULL));
        ck_ok(par_message_take(&messages[i], &part, 1));
        ck_assert_int_eq(in[0], i);
    }
}
END_TEST

START_TEST(a_body_in_parts_and_a_long_description_are_put_together)
{
    static unsigned char extra[100000];
    const par_part parts[] = {{out, 300000}, {out + 300000, 0}, {out + 300000, 200000}};
    const par_content content = {
        .kind = PAR_OBJECT, .extra = extra, .extra_bytes = sizeof extra};
    const par_part rooms[] = {{in, 300000}, {NULL, 0}, {in + 300000, 200000}};
    par_message *message;
    par_request *request;
    par_content came;

    memset(extra, me, sizeof extra);
    receive_later(40, &message, &request);
    ck_ok(par_message_send(world, &content, parts, 3, right(), 40, NULL));
    ck_ok(par_wait(&request, NULL));
    par_message_content(message, &came, NULL);
    ck_assert_uint_eq(came.extra_bytes, sizeof extra);
    ck_assert_int_eq(((const unsigned char *)came.extra)[sizeof extra - 1], left());
    ck_ok(par_message_take(&message, rooms, 3));
    ck_assert(check_is_filled(in, 500000, (unsigned)left()));
}
END_TEST

/* Its body is here already: the next receive, of whichever kind, gets it from there. */
START_TEST(a_fetched_message_can_be_left_or_returned)
{
    for (int way = 0; way < 2; way++) {
        par_message *message;
        par_request *request;

        receive_later(50, &message, &request);
        ck_ok(par_send(world, out, LARGE, PAR_BYTE, right(), 50));
        ck_ok(par_barrier(world));
        if (way == 0) {
            ck_ok(par_receive_leave(&request));
            ck_assert_ptr_null(request);
        } else {
            ck_ok(par_wait(&request, NULL));
            par_message_return(&message);
        }
        ck_ok(par_receive(world, in, LARGE, PAR_BYTE, left(), 50, NULL));
        ck_assert(check_is_filled(in, LARGE, (unsigned)left()));
    }
}
END_TEST

START_TEST(a_receive_that_is_left_leaves_its_message)
{
    par_message *message;
    par_request *request;
    char got = 0;

    receive_later(60, &message, &request); /* before it has come */
    ck_ok(par_receive_leave(&request));
    ck_assert_ptr_null(request);
    ck_ok(par_receive_leave(&request)); /* there is none */
    ck_ok(par_send(world, "x", 1, PAR_CHAR, right(), 60));
    ck_ok(par_receive(world, &got, 1, PAR_CHAR, left(), 60, NULL));
    ck_assert_int_eq(got, 'x');
}
END_TEST

START_TEST(only_such_a_receive_can_be_left)
{
    par_request *receive, *send;
    char got = 0;

    ck_ok(par_receive_start(world, &got, 1, PAR_CHAR, me, 70, &receive));
    ck_fails(PAR_ERR_ARG, par_receive_leave(&receive));
    ck_ok(par_send_start(world, "x", 1, PAR_CHAR, me, 70, &send));
    ck_fails(PAR_ERR_ARG, par_receive_leave(&send));
    ck_ok(par_wait(&send, NULL));
    ck_ok(par_wait(&receive, NULL));
    ck_assert_int_eq(got, 'x');
    ck_ok(par_receive_leave(NULL));
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_send_waits_for_receives_that_were_started_not_for_their_ends);
    check_add(suite, who_only_tests_the_send_goes_on_too);
    check_add(suite, many_of_them_arrive_in_order);
    check_add(suite, a_body_in_parts_and_a_long_description_are_put_together);
    check_add(suite, a_fetched_message_can_be_left_or_returned);
    check_add(suite, a_receive_that_is_left_leaves_its_message);
    check_add(suite, only_such_a_receive_can_be_left);
}

const check_program program = {.name = "request_fetch", .add = add};
