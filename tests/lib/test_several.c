/* test_several.c - waiting for one, some or all of several requests; events.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <pthread.h>
#include <unistd.h>

#include "check_par.h"

enum { COUNT = 8 };

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

/* COUNT receives of one number each, tag by tag. */
static void start_receives(par_request **requests, int64_t *numbers, int tag)
{
    for (int i = 0; i < COUNT; i++) {
        numbers[i] = -1;
        ck_ok(par_receive_start(world, &numbers[i], 1, PAR_INT64, left(), tag + i,
                                &requests[i]));
    }
}

static void send_number(int64_t number, int tag)
{
    ck_ok(par_send(world, &number, 1, PAR_INT64, right(), tag));
}

static par_request *new_event(void)
{
    par_request *event = NULL;

    ck_ok(par_event_start(world, &event));
    ck_assert_ptr_nonnull(event);
    return event;
}

static void end_event(par_request **event_p)
{
    ck_ok(par_event_set(*event_p));
    ck_ok(par_wait(event_p, NULL));
    ck_assert_ptr_null(*event_p);
}

/* ---- any ------------------------------------------------------------------- */

START_TEST(wait_any_ends_the_one_that_is_done)
{
    static const int order[COUNT] = {5, 0, 7, 2, 1, 6, 3, 4};
    par_request *requests[COUNT];
    int64_t numbers[COUNT];
    par_status status;
    size_t index;

    start_receives(requests, numbers, 100);
    for (int i = 0; i < COUNT; i++) {
        send_number(order[i], 100 + order[i]);
        ck_ok(par_wait_any(requests, COUNT, &index, &status));
        ck_assert_uint_eq(index, (size_t)order[i]);
        ck_assert_ptr_null(requests[index]);
        ck_assert_int_eq(numbers[index], order[i]);
        ck_assert_int_eq(status.tag, 100 + order[i]);
        ck_assert_int_eq(status.source, left());
        ck_ok(par_barrier(world)); /* or the left one gets ahead */
    }
    ck_ok(par_wait_any(requests, COUNT, &index, &status));
    ck_assert_uint_eq(index, COUNT);
}
END_TEST

START_TEST(wait_any_gives_the_place_of_one_that_failed)
{
    par_request *requests[COUNT];
    int64_t numbers[COUNT];
    par_status status = {.count = 93};
    size_t index = 99;
    bool cancelled;

    start_receives(requests, numbers, 110);
    ck_ok(par_send(world, &(double){1.5}, 1, PAR_DOUBLE, right(), 113));
    ck_fails(PAR_ERR_TYPE, par_wait_any(requests, COUNT, &index, &status));
    ck_detail("1 double");
    ck_assert_uint_eq(index, 3);
    ck_assert_ptr_null(requests[3]);
    ck_assert_uint_eq(status.count, 93);
    ck_ok(par_receive(world, &(double){0}, 1, PAR_DOUBLE, left(), 113, NULL));

    for (size_t i = 0; i < COUNT; i++) {
        if (i == 3)
            continue;
        ck_ok(par_cancel(requests[i], &cancelled));
        ck_assert(cancelled);
        ck_fails(PAR_ERR_CANCELLED, par_wait_any(requests, COUNT, &index, NULL));
        ck_assert_uint_eq(index, i);
    }
}
END_TEST

START_TEST(wait_any_of_none_gives_their_number)
{
    par_request *none[3] = {NULL, NULL, NULL};
    size_t index = 99;

    ck_ok(par_wait_any(none, 3, &index, NULL));
    ck_assert_uint_eq(index, 3);
    ck_ok(par_wait_any(NULL, 0, &index, NULL));
    ck_assert_uint_eq(index, 0);
}
END_TEST

/* ---- some ------------------------------------------------------------------ */

START_TEST(wait_some_gives_all_places_that_are_done_and_ends_none)
{
    par_request *requests[COUNT];
    int64_t numbers[COUNT];
    size_t places[COUNT], done = 0;

    start_receives(requests, numbers, 200);
    send_number(6, 206);
    send_number(1, 201);
    send_number(4, 204); /* the last to come: then all three are there */
    while (done < 3)
        ck_ok(par_wait_some(requests, COUNT, -1, places, &done));
    ck_assert_uint_eq(done, 3);
    ck_assert_uint_eq(places[0], 1);
    ck_assert_uint_eq(places[1], 4);
    ck_assert_uint_eq(places[2], 6);
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(requests[places[i]]);
        ck_ok(par_wait(&requests[places[i]], NULL));
        ck_assert_int_eq(numbers[places[i]], (int64_t)places[i]);
    }
    ck_ok(par_barrier(world)); /* or the left one gets ahead */
    for (int i = 0; i < COUNT; i++)
        if (requests[i])
            send_number(i, 200 + i);
    ck_ok(par_wait_all(requests, COUNT, NULL));
}
END_TEST

START_TEST(wait_some_counts_what_failed)
{
    par_request *request;
    size_t place, done;
    int64_t number;

    ck_ok(par_receive_start(world, &number, 1, PAR_INT64, left(), 210, &request));
    ck_ok(par_send(world, &(double){1.5}, 1, PAR_DOUBLE, right(), 210));
    ck_ok(par_wait_some(&request, 1, -1, &place, &done));
    ck_assert_uint_eq(done, 1);
    ck_fails(PAR_ERR_TYPE, par_wait(&request, NULL));
    ck_ok(par_receive(world, &(double){0}, 1, PAR_DOUBLE, left(), 210, NULL));
}
END_TEST

START_TEST(wait_some_gives_up_when_the_time_has_passed)
{
    static const double times[] = {0, 0.001, 0.05};
    par_request *event = new_event();
    size_t place, done;

    for (int i = 0; i < 3; i++) {
        double start = par_time();

        done = 99;
        ck_ok(par_wait_some(&event, 1, times[i], &place, &done));
        ck_assert_uint_eq(done, 0);
        ck_assert_double_ge(par_time() - start, times[i]);
        ck_assert_ptr_nonnull(event);
    }
    end_event(&event);
}
END_TEST

START_TEST(wait_some_of_none_does_not_wait)
{
    par_request *none[3] = {NULL, NULL, NULL};
    size_t places[3], done = 99;

    ck_ok(par_wait_some(none, 3, -1, places, &done));
    ck_assert_uint_eq(done, 0);
    done = 99;
    ck_ok(par_wait_some(NULL, 0, -1, NULL, &done));
    ck_assert_uint_eq(done, 0);
}
END_TEST

/* ---- all ------------------------------------------------------------------- */

START_TEST(wait_all_ends_all)
{
    enum { SIZE = 50000 };
    par_request *requests[2 * COUNT] = {NULL};
    par_status statuses[2 * COUNT];
    unsigned char *out = check_alloc(SIZE), *in[COUNT];

    check_fill(out, SIZE, (uint64_t)me);
    for (int i = 0; i < COUNT; i++) {
        in[i] = check_alloc(SIZE);
        ck_ok(par_send_start(world, out, SIZE - (size_t)i, PAR_BYTE, right(), 300 + i,
                             &requests[i]));
        ck_ok(par_receive_start(world, in[i], SIZE, PAR_BYTE, left(), 300 + i,
                                &requests[2 * COUNT - 1 - i]));
    }
    ck_ok(par_wait_all(requests, 2 * COUNT, statuses));
    for (int i = 0; i < COUNT; i++) {
        ck_assert_ptr_null(requests[i]);
        ck_assert_ptr_null(requests[COUNT + i]);
        ck_assert_int_eq(statuses[2 * COUNT - 1 - i].tag, 300 + i);
        ck_assert_uint_eq(statuses[2 * COUNT - 1 - i].count, (size_t)(SIZE - i));
        ck_assert(check_is_filled(in[i], (size_t)(SIZE - i) / 8 * 8, (uint64_t)left()));
        free(in[i]);
    }
    free(out);
}
END_TEST

START_TEST(wait_all_ends_all_even_if_some_fail)
{
    par_request *requests[COUNT];
    par_status statuses[COUNT];
    int64_t numbers[COUNT];
    bool cancelled;

    for (int i = 0; i < COUNT; i++)
        statuses[i].tag = 93;
    start_receives(requests, numbers, 310);
    ck_ok(par_cancel(requests[5], &cancelled));
    ck_assert(cancelled);
    for (int i = 0; i < COUNT; i++)
        if (i == 2)
            ck_ok(par_send(world, &(double){1.5}, 1, PAR_DOUBLE, right(), 310 + i));
        else if (i != 5)
            send_number(i, 310 + i);
    ck_fails(PAR_ERR_TYPE, par_wait_all(requests, COUNT, statuses));
    for (int i = 0; i < COUNT; i++) {
        bool failed = i == 2 || i == 5;

        ck_assert_ptr_null(requests[i]);
        ck_assert_int_eq(numbers[i], failed ? -1 : i);
        ck_assert_int_eq(statuses[i].tag, failed ? 93 : 310 + i);
    }
    ck_ok(par_receive(world, &(double){0}, 1, PAR_DOUBLE, left(), 312, NULL));
}
END_TEST

START_TEST(wait_all_of_none_does_not_wait)
{
    par_request *none[3] = {NULL, NULL, NULL};

    ck_ok(par_wait_all(none, 3, NULL));
    ck_ok(par_wait_all(NULL, 0, NULL));
}
END_TEST

/* ---- events ---------------------------------------------------------------- */

START_TEST(an_event_is_done_when_it_is_set)
{
    par_request *event = new_event();
    bool done = true;

    ck_ok(par_test(&event, NULL, &done));
    ck_assert(!done);
    ck_ok(par_event_set(event));
    ck_ok(par_event_set(event)); /* it is done already */
    ck_ok(par_test(&event, NULL, &done));
    ck_assert(done);
    ck_assert_ptr_null(event);
}
END_TEST

static void *set_soon(void *event)
{
    usleep(20000);
    ck_ok(par_event_set(event));
    return NULL;
}

START_TEST(an_event_set_by_a_thread_wakes_who_waits_for_several)
{
    par_request *requests[COUNT];
    int64_t numbers[COUNT];
    size_t places[COUNT], done;
    pthread_t thread;

    start_receives(requests, numbers, 400);
    send_number(3, 403);
    ck_ok(par_wait(&requests[3], NULL));
    requests[3] = new_event();
    ck_assert_int_eq(pthread_create(&thread, NULL, set_soon, requests[3]), 0);
    ck_ok(par_wait_some(requests, COUNT, -1, places, &done));
    ck_assert_uint_eq(done, 1);
    ck_assert_uint_eq(places[0], 3);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_ok(par_wait(&requests[3], NULL));
    ck_ok(par_barrier(world)); /* or the left one gets ahead */
    for (int i = 0; i < COUNT; i++)
        if (i != 3)
            send_number(i, 400 + i);
    ck_ok(par_wait_all(requests, COUNT, NULL));
}
END_TEST

START_TEST(an_event_can_be_called_back_until_it_is_set)
{
    par_request *event = new_event();
    bool cancelled = false;

    ck_ok(par_cancel(event, &cancelled));
    ck_assert(cancelled);
    ck_ok(par_event_set(event)); /* too late to matter */
    ck_fails(PAR_ERR_CANCELLED, par_wait(&event, NULL));

    event = new_event();
    ck_ok(par_event_set(event));
    ck_ok(par_cancel(event, &cancelled));
    ck_assert(!cancelled);
    ck_ok(par_wait(&event, NULL));
}
END_TEST

START_TEST(what_is_no_event_cannot_be_set)
{
    int64_t number;
    par_request *request;

    ck_ok(par_receive_start(world, &number, 1, PAR_INT64, left(), 410, &request));
    ck_fails(PAR_ERR_ARG, par_event_set(request));
    ck_detail("par_event_start");
    send_number(5, 410);
    ck_ok(par_wait(&request, NULL));
    ck_assert_int_eq(number, 5);
    ck_fails(PAR_ERR_ARG, par_event_set(NULL));
}
END_TEST

/* ---- bad arguments --------------------------------------------------------- */

START_TEST(no_place_for_the_answer_is_refused)
{
    par_request *event = new_event();
    size_t place, done;
    bool cancelled;

    ck_fails(PAR_ERR_ARG, par_wait_any(NULL, 1, &place, NULL));
    ck_fails(PAR_ERR_ARG, par_wait_any(&event, 1, NULL, NULL));
    ck_fails(PAR_ERR_ARG, par_wait_some(NULL, 1, 0, &place, &done));
    ck_fails(PAR_ERR_ARG, par_wait_some(&event, 1, 0, NULL, &done));
    ck_fails(PAR_ERR_ARG, par_wait_some(&event, 1, 0, &place, NULL));
    ck_fails(PAR_ERR_ARG, par_wait_all(NULL, 1, NULL));
    ck_fails(PAR_ERR_ARG, par_event_start(world, NULL));
    ck_fails(PAR_ERR_ARG, par_event_start(NULL, &event));
    ck_fails(PAR_ERR_ARG, par_cancel(NULL, &cancelled));
    ck_assert_ptr_nonnull(event);
    end_event(&event);
}
END_TEST

START_TEST(a_time_that_is_none_is_refused)
{
    par_request *event = new_event();
    size_t place, done;

    ck_fails(PAR_ERR_ARG, par_wait_some(&event, 1, (double)NAN, &place, &done));
    end_event(&event);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, wait_any_ends_the_one_that_is_done);
    check_add(suite, wait_any_gives_the_place_of_one_that_failed);
    check_add(suite, wait_any_of_none_gives_their_number);
    check_add(suite, wait_some_gives_all_places_that_are_done_and_ends_none);
    check_add(suite, wait_some_counts_what_failed);
    check_add(suite, wait_some_gives_up_when_the_time_has_passed);
    check_add(suite, wait_some_of_none_does_not_wait);
    check_add(suite, wait_all_ends_all);
    check_add(suite, wait_all_ends_all_even_if_some_fail);
    check_add(suite, wait_all_of_none_does_not_wait);
    check_add(suite, an_event_is_done_when_it_is_set);
    check_add(suite, an_event_set_by_a_thread_wakes_who_waits_for_several);
    check_add(suite, an_event_can_be_called_back_until_it_is_set);
    check_add(suite, what_is_no_event_cannot_be_set);
    check_add(suite, no_place_for_the_answer_is_refused);
    check_add(suite, a_time_that_is_none_is_refused);
}

const check_program program = {.name = "several", .add = add};
