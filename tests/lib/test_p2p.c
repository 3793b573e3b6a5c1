/* test_p2p.c - what one rank sends, the other receives.
 * SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "check_par.h"
#include "slot.h"
#include "transfer.h"
#include "type.h"

enum { MIB = 1 << 20 };

/* Bytes of a body that just travels with its header. */
static size_t inline_body(void)
{
    return slot_size - WIRE_HEADER_BYTES;
}

/* From the rank that calls it; BYTES that depend on SEED. */
static void send_filled(size_t bytes, int dest, int tag, uint64_t seed)
{
    void *data = check_alloc(bytes);

    check_fill(data, bytes, seed);
    ck_ok(par_send(world, data, bytes, PAR_BYTE, dest, tag));
    free(data);
}

/* Receives just that. */
static void receive_filled(size_t bytes, int source, int tag, uint64_t seed)
{
    void *data = check_alloc(bytes);
    par_status status;

    ck_ok(par_receive(world, data, bytes, PAR_BYTE, source, tag, &status));
    ck_assert_uint_eq(status.count, bytes);
    ck_assert_int_eq(status.type, PAR_BYTE);
    if (source != PAR_ANY_SOURCE)
        ck_assert_int_eq(status.source, source);
    if (tag != PAR_ANY_TAG)
        ck_assert_int_eq(status.tag, tag);
    ck_assert_msg(check_is_filled(data, bytes, seed), "%zu bytes of tag %d are damaged",
                  bytes, status.tag);
    free(data);
}

/* ---- what arrives --------------------------------------------------------- */

START_TEST(every_type_arrives_as_it_was_sent)
{
    for (int t = 0; t < TYPE_COUNT; t++) {
        if (t == PAR_OPAQUE)
            continue;

        par_type type = (par_type)t;
        unsigned char data[17 * 16];
        size_t bytes = 17 * par_type_size(type);
        par_status status;

        if (me == 0) {
            check_fill(data, bytes, (uint64_t)t);
            ck_ok(par_send(world, data, 17, type, 1, 100 + t));
        } else if (me == 1) {
            ck_ok(par_receive(world, data, 17, type, 0, 100 + t, &status));
            ck_assert(check_is_filled(data, bytes, (uint64_t)t));
            ck_assert_int_eq(status.source, 0);
            ck_assert_int_eq(status.tag, 100 + t);
            ck_assert_int_eq(status.type, type);
            ck_assert_uint_eq(status.count, 17);
        }
    }
}
END_TEST

START_TEST(every_size_arrives_whole)
{
    size_t most = inline_body();
    const size_t sizes[] = {0,        1,        7,         8,       most - 1,    most,
                            most + 1, 4096 + 1, 65536 + 1, MIB + 3, 40 * MIB + 5};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (me == 0)
            send_filled(sizes[i], ranks - 1, 200, i);
        else if (me == ranks - 1)
            receive_filled(sizes[i], 0, 200, i);
    }
}
END_TEST

START_TEST(the_smallest_and_the_largest_tag_can_be_used)
{
    const int tags[] = {0, 1, 32768, par_max_tag() - 1, par_max_tag()};

    for (int i = 0; i < 5; i++) {
        if (me == 0)
            send_filled(i % 2 ? 100 : 100000, 1, tags[i], (uint64_t)i);
        else if (me == 1)
            receive_filled(i % 2 ? 100 : 100000, 0, tags[i], (uint64_t)i);
    }
}
END_TEST

START_TEST(nothing_can_be_sent_from_nowhere_to_nowhere)
{
    par_status status = {.count = 99};

    if (me == 0) {
        ck_ok(par_send(world, NULL, 0, PAR_DOUBLE, 1, 300));
    } else if (me == 1) {
        ck_ok(par_receive(world, NULL, 0, PAR_DOUBLE, 0, 300, &status));
        ck_assert_uint_eq(status.count, 0);
        ck_assert_int_eq(status.type, PAR_DOUBLE);
    }
}
END_TEST

START_TEST(a_shorter_message_leaves_the_rest_of_the_room)
{
    static const size_t lengths[] = {0, 3, 100000};

    for (int i = 0; i < 3; i++) {
        size_t length = lengths[i], room = length + 10;
        unsigned char *data = check_alloc(room);
        par_status status;

        memset(data, 0xEE, room);
        if (me == 0) {
            send_filled(length, 1, 310, 4);
        } else if (me == 1) {
            ck_ok(par_receive(world, data, room, PAR_BYTE, 0, 310, &status));
            ck_assert_uint_eq(status.count, length);
            ck_assert(check_is_filled(data, length, 4));
            for (size_t at = length; at < room; at++)
                ck_assert_uint_eq(data[at], 0xEE);
        }
        free(data);
    }
}
END_TEST

START_TEST(no_status_need_be_asked_for)
{
    int64_t number = 5;

    if (me == 0) {
        ck_ok(par_send(world, &number, 1, PAR_INT64, 1, 320));
    } else if (me == 1) {
        number = 0;
        ck_ok(par_receive(world, &number, 1, PAR_INT64, 0, 320, NULL));
        ck_assert_int_eq(number, 5);
    }
}
END_TEST

START_TEST(a_body_of_several_pieces_arrives_whole)
{
    const size_t whole_piece = transfer_piece, piece = 5000;
    const size_t sizes[] = {piece - 1, piece,         piece + 1,
                            2 * piece, 3 * piece - 1, 20 * piece + 1};

    transfer_piece = piece;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (me == 0)
            send_filled(sizes[i], 1, 330, i);
        else if (me == 1)
            receive_filled(sizes[i], 0, 330, i);
    }
    transfer_piece = whole_piece;
}
END_TEST

/* ---- from whom, and in which order ---------------------------------------- */

START_TEST(any_source_receives_from_everybody)
{
    static const size_t sizes[] = {100, 100000};

    for (int i = 0; i < 2; i++) {
        bool came[64] = {false};

        if (me)
            send_filled(sizes[i], 0, 400 + me, (uint64_t)me);
        for (int n = 1; !me && n < ranks; n++) {
            void *data = check_alloc(sizes[i]);
            par_status status;

            ck_ok(par_receive(world, data, sizes[i], PAR_BYTE, PAR_ANY_SOURCE,
                              PAR_ANY_TAG, &status));
            ck_assert_int_eq(status.tag, 400 + status.source);
            ck_assert(!came[status.source]);
            came[status.source] = true;
            ck_assert(check_is_filled(data, sizes[i], (uint64_t)status.source));
            free(data);
        }
        ck_ok(par_barrier(world)); /* or the second round's would be taken in the first */
    }
}
END_TEST

START_TEST(messages_of_a_sender_under_a_tag_keep_their_order)
{
    const size_t most = inline_body();
    int64_t numbers[1000] = {0};

    for (int64_t n = 0; n < 2000; n++) {
        /* Some with their body, some without. */
        size_t count = n % 100 == 50 ? most / 8 + 1 : (size_t)(n % 5) + 1;

        numbers[0] = n;
        if (me)
            ck_ok(par_send(world, numbers, count, PAR_INT64, 0, 410));
        for (int source = 1; !me && source < ranks; source++) {
            par_status status;

            ck_ok(par_receive(world, numbers, 1000, PAR_INT64, source, 410, &status));
            ck_assert_int_eq(numbers[0], n);
            ck_assert_uint_eq(status.count, count);
        }
    }
}
END_TEST

START_TEST(messages_of_a_sender_keep_their_order_for_any_source_and_tag)
{
    enum { EACH = 1000 };
    int64_t number, next[64] = {0};

    for (number = 0; me && number < EACH; number++)
        ck_ok(par_send(world, &number, 1, PAR_INT64, 0, 420 + (int)number % 3));
    for (int i = 0; !me && i < EACH * (ranks - 1); i++) {
        par_status status;

        ck_ok(par_receive(world, &number, 1, PAR_INT64, PAR_ANY_SOURCE, PAR_ANY_TAG,
                          &status));
        ck_assert_int_eq(number, next[status.source]++);
        ck_assert_int_eq(status.tag, 420 + (int)number % 3);
    }
}
END_TEST

START_TEST(tags_can_be_received_in_another_order)
{
    for (int i = 0; i < 100; i++) {
        if (me == 0)
            send_filled((size_t)i * 30, 1, 500 + i, (uint64_t)i);
        else if (me == 1)
            receive_filled((size_t)(99 - i) * 30, 0, 599 - i, (uint64_t)(99 - i));
    }
}
END_TEST

START_TEST(many_small_messages_wait_to_be_received)
{
    enum { MANY = 20000 };
    int64_t number;

    for (number = 0; me == 0 && number < MANY; number++)
        ck_ok(par_send(world, &number, 1, PAR_INT64, 1, 610));
    if (me == 0)
        ck_ok(par_send(world, NULL, 0, PAR_BYTE, 1, 611));
    if (me == 1)
        ck_ok(par_receive(world, NULL, 0, PAR_BYTE, 0, 611, NULL));
    for (int64_t i = 0; me == 1 && i < MANY; i++) {
        ck_ok(par_receive(world, &number, 1, PAR_INT64, 0, 610, NULL));
        ck_assert_int_eq(number, i);
    }
}
END_TEST

START_TEST(a_small_message_is_gone_before_it_is_received)
{
    int right = (me + 1) % ranks, left = (me + ranks - 1) % ranks;

    /* Everybody sends first. */
    send_filled(inline_body(), right, 620, (uint64_t)me);
    receive_filled(inline_body(), left, 620, (uint64_t)left);
}
END_TEST

START_TEST(everybody_can_talk_to_everybody)
{
    for (int round = 0; round < 200; round++) {
        size_t bytes = (size_t)round * 19 % inline_body();

        for (int rank = 0; rank < ranks; rank++)
            send_filled(bytes, rank, 630 + round % 2, (uint64_t)(round * 64 + me));
        for (int rank = 0; rank < ranks; rank++)
            receive_filled(bytes, rank, 630 + round % 2, (uint64_t)(round * 64 + rank));
    }
}
END_TEST

/* ---- to oneself ----------------------------------------------------------- */

START_TEST(a_message_to_oneself_of_any_size_never_waits)
{
    const size_t sizes[] = {0, 1, inline_body(), inline_body() + 1, 20 * MIB};

    for (uint64_t i = 0; i < 5; i++)
        send_filled(sizes[i], me, 700, i);
    for (uint64_t i = 0; i < 5; i++)
        receive_filled(sizes[i], me, 700, i);
    send_filled(5, me, 701, 9);
    receive_filled(5, PAR_ANY_SOURCE, PAR_ANY_TAG, 9);
}
END_TEST

START_TEST(a_message_to_oneself_that_does_not_fit_stays)
{
    double sent = 2.5, got;
    int64_t wrong;

    ck_ok(par_send(world, &sent, 1, PAR_DOUBLE, me, 710));
    ck_fails(PAR_ERR_TYPE, par_receive(world, &wrong, 1, PAR_INT64, me, 710, NULL));
    ck_fails(PAR_ERR_SIZE, par_receive(world, NULL, 0, PAR_DOUBLE, me, 710, NULL));
    ck_ok(par_receive(world, &got, 1, PAR_DOUBLE, me, 710, NULL));
    ck_assert_double_eq(got, sent);
}
END_TEST

/* ---- what does not fit ---------------------------------------------------- */

START_TEST(a_receive_of_the_wrong_type_leaves_the_message)
{
    double sent = 1.5, got = 0;
    int64_t wrong = 77;

    if (me == 0) {
        ck_ok(par_send(world, &sent, 1, PAR_DOUBLE, 1, 42));
    } else if (me == 1) {
        ck_fails(PAR_ERR_TYPE, par_receive(world, &wrong, 1, PAR_INT64, 0, 42, NULL));
        ck_detail("double");
        ck_detail("int64");
        ck_detail("rank 0");
        ck_detail("tag 42");
        ck_assert_int_eq(wrong, 77);
        ck_ok(par_receive(world, &got, 1, PAR_DOUBLE, 0, 42, NULL));
        ck_assert_double_eq(got, sent);
    }
}
END_TEST

START_TEST(a_receive_that_is_too_small_leaves_the_message)
{
    static const size_t counts[] = {8, 100000}; /* its body along, and apart */

    for (int i = 0; i < 2; i++) {
        size_t count = counts[i];
        int32_t *data = check_alloc(count * sizeof *data);
        char text[32];

        if (me == 0) {
            check_fill(data, count * sizeof *data, 6);
            ck_ok(par_send(world, data, count, PAR_INT32, 1, 800));
        } else if (me == 1) {
            data[0] = 77;
            ck_fails(PAR_ERR_SIZE,
                     par_receive(world, data, count - 1, PAR_INT32, 0, 800, NULL));
            snprintf(text, sizeof text, "%zu int32", count);
            ck_detail(text);
            snprintf(text, sizeof text, "%zu int32", count - 1);
            ck_detail(text);
            ck_assert_int_eq(data[0], 77);
            ck_fails(PAR_ERR_SIZE, par_receive(world, NULL, 0, PAR_INT32, PAR_ANY_SOURCE,
                                               PAR_ANY_TAG, NULL));
            ck_ok(par_receive(world, data, count, PAR_INT32, 0, 800, NULL));
            ck_assert(check_is_filled(data, count * sizeof *data, 6));
        }
        free(data);
    }
}
END_TEST

START_TEST(a_message_that_does_not_fit_keeps_its_place)
{
    double real = 1.5;
    int64_t whole = 6;

    if (me == 0) {
        ck_ok(par_send(world, &real, 1, PAR_DOUBLE, 1, 810));
        ck_ok(par_send(world, &whole, 1, PAR_INT64, 1, 810));
    } else if (me == 1) {
        real = 0, whole = 0;
        ck_fails(PAR_ERR_TYPE, par_receive(world, &whole, 1, PAR_INT64, 0, 810, NULL));
        ck_ok(par_receive(world, &real, 1, PAR_DOUBLE, 0, PAR_ANY_TAG, NULL));
        ck_ok(par_receive(world, &whole, 1, PAR_INT64, 0, 810, NULL));
        ck_assert_double_eq(real, 1.5);
        ck_assert_int_eq(whole, 6);
    }
}
END_TEST

START_TEST(a_failure_leaves_the_status)
{
    par_status status = {.source = 91, .tag = 92, .type = PAR_CHAR, .count = 93};
    char wrong;

    ck_ok(par_send(world, "text", 4, PAR_CHAR, me, 820));
    ck_fails(PAR_ERR_SIZE, par_receive(world, &wrong, 1, PAR_CHAR, me, 820, &status));
    ck_assert_int_eq(status.source, 91);
    ck_assert_int_eq(status.tag, 92);
    ck_assert_uint_eq(status.count, 93);
    ck_ok(par_receive(world, (char[4]){0}, 4, PAR_CHAR, me, 820, NULL));
}
END_TEST

/* ---- bad arguments -------------------------------------------------------- */

/* Both directions want the same of them. */
#define both_fail(error, data, count, type)                                   \
    do {                                                                      \
        ck_fails(error, par_send(world, data, count, type, 0, 900));          \
        ck_fails(error, par_receive(world, data, count, type, 0, 900, NULL)); \
    } while (0)

START_TEST(a_rank_out_of_range_is_named_with_the_range)
{
    const int wrong[] = {ranks, ranks + 1, INT_MAX, -2, INT_MIN};
    char value[32], range[32], x = 0;

    snprintf(range, sizeof range, "0 to %d", ranks - 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(value, sizeof value, " %d ", wrong[i]);
        ck_fails(PAR_ERR_RANK, par_send(world, &x, 1, PAR_CHAR, wrong[i], 900));
        ck_detail(value);
        ck_detail(range);
        ck_fails(PAR_ERR_RANK, par_receive(world, &x, 1, PAR_CHAR, wrong[i], 900, NULL));
        ck_detail(value);
        ck_detail(range);
    }
    ck_fails(PAR_ERR_RANK, par_send(world, &x, 1, PAR_CHAR, PAR_ANY_SOURCE, 900));
    ck_detail(" -1 ");
}
END_TEST

START_TEST(a_tag_out_of_range_is_named_with_the_range)
{
    const int wrong[] = {-2, INT_MIN};
    char value[32], range[32], x = 0;

    snprintf(range, sizeof range, "0 to %d", par_max_tag());
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(value, sizeof value, " %d ", wrong[i]);
        ck_fails(PAR_ERR_TAG, par_send(world, &x, 1, PAR_CHAR, 0, wrong[i]));
        ck_detail(value);
        ck_detail(range);
        ck_fails(PAR_ERR_TAG, par_receive(world, &x, 1, PAR_CHAR, 0, wrong[i], NULL));
        ck_detail(value);
        ck_detail(range);
    }
    ck_fails(PAR_ERR_TAG, par_send(world, &x, 1, PAR_CHAR, 0, PAR_ANY_TAG));
    ck_detail(" -1 ");
}
END_TEST

START_TEST(a_type_that_c_has_not_is_refused)
{
    const int wrong[] = {PAR_OPAQUE, TYPE_COUNT, 255, -1, INT_MAX};
    char x = 0;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        both_fail(PAR_ERR_TYPE, &x, 1, (par_type)wrong[i]);
    ck_detail("byte");
}
END_TEST

START_TEST(a_buffer_that_is_not_there_is_refused)
{
    both_fail(PAR_ERR_ARG, NULL, 1, PAR_CHAR);
    both_fail(PAR_ERR_ARG, NULL, 1000000, PAR_DOUBLE);
    ck_detail("NULL");
    ck_detail("1000000 double");
}
END_TEST

START_TEST(a_negative_count_is_refused)
{
    double x = 0;

    both_fail(PAR_ERR_SIZE, &x, (size_t)-1, PAR_DOUBLE);
    ck_detail("-1");
    both_fail(PAR_ERR_SIZE, &x, (size_t)-1, PAR_BYTE);
    both_fail(PAR_ERR_SIZE, &x, (size_t)INT_MIN, PAR_CHAR);
    both_fail(PAR_ERR_SIZE, &x, (size_t)PTRDIFF_MAX / sizeof x + 1, PAR_DOUBLE);
    /* would be one element if it were multiplied without care */
    both_fail(PAR_ERR_SIZE, &x, SIZE_MAX / sizeof x + 2, PAR_DOUBLE);
}
END_TEST

START_TEST(no_communicator_is_refused)
{
    char x = 0;

    ck_fails(PAR_ERR_ARG, par_send(NULL, &x, 1, PAR_CHAR, 0, 900));
    ck_detail("communicator");
    ck_fails(PAR_ERR_ARG, par_receive(NULL, &x, 1, PAR_CHAR, 0, 900, NULL));
    ck_detail("communicator");
}
END_TEST

START_TEST(a_detail_names_the_rank_that_failed)
{
    char text[32];

    ck_fails(PAR_ERR_TAG, par_send(world, NULL, 0, PAR_CHAR, 0, -9));
    snprintf(text, sizeof text, "rank %d:", me);
    ck_detail(text);
}
END_TEST

static void add(Suite *suite)
{
    check_add_from(suite, 2, every_type_arrives_as_it_was_sent);
    check_add_from(suite, 2, every_size_arrives_whole);
    check_add_from(suite, 2, the_smallest_and_the_largest_tag_can_be_used);
    check_add_from(suite, 2, nothing_can_be_sent_from_nowhere_to_nowhere);
    check_add_from(suite, 2, a_shorter_message_leaves_the_rest_of_the_room);
    check_add_from(suite, 2, no_status_need_be_asked_for);
    check_add_from(suite, 2, a_body_of_several_pieces_arrives_whole);
    check_add_from(suite, 2, any_source_receives_from_everybody);
    check_add_from(suite, 2, messages_of_a_sender_under_a_tag_keep_their_order);
    check_add_from(suite, 2,
                   messages_of_a_sender_keep_their_order_for_any_source_and_tag);
    check_add_from(suite, 2, tags_can_be_received_in_another_order);
    check_add_from(suite, 2, many_small_messages_wait_to_be_received);
    check_add(suite, a_small_message_is_gone_before_it_is_received);
    check_add(suite, everybody_can_talk_to_everybody);
    check_add(suite, a_message_to_oneself_of_any_size_never_waits);
    check_add(suite, a_message_to_oneself_that_does_not_fit_stays);
    check_add_from(suite, 2, a_receive_of_the_wrong_type_leaves_the_message);
    check_add_from(suite, 2, a_receive_that_is_too_small_leaves_the_message);
    check_add_from(suite, 2, a_message_that_does_not_fit_keeps_its_place);
    check_add(suite, a_failure_leaves_the_status);
    check_add(suite, a_rank_out_of_range_is_named_with_the_range);
    check_add(suite, a_tag_out_of_range_is_named_with_the_range);
    check_add(suite, a_type_that_c_has_not_is_refused);
    check_add(suite, a_buffer_that_is_not_there_is_refused);
    check_add(suite, a_negative_count_is_refused);
    check_add(suite, no_communicator_is_refused);
    check_add(suite, a_detail_names_the_rank_that_failed);
}

const check_program program = {.name = "p2p", .add = add};
