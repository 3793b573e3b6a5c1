/* test_alltoall.c - allgather and alltoall: every rank gets something of each.
 * SPDX-License-Identifier: MIT */
#include "check_par.h"
#include "slot.h"
#include "type.h"

enum { MIB = 1 << 20, COUNTS = 6 };

/* Elements of two bytes, such that the body is along, just so, not any more, and
 * large. */
static size_t count_of(int i)
{
    size_t room = slot_size / 2;
    const size_t counts[COUNTS] = {0, 1, 13, room - 24, room, 300000};

    return counts[i];
}

/* Of what FROM has for TO. */
static uint64_t seed_of(int from, int to)
{
    return (uint64_t)(1000 * from + to);
}

/* ---- elements --------------------------------------------------------------- */

START_TEST(an_allgather_gives_everybody_all_parts)
{
    for (int i = 0; i < COUNTS; i++) {
        size_t bytes = 2 * count_of(i);
        unsigned char *part = check_alloc(bytes),
                      *data = check_alloc(bytes * (size_t)ranks);

        check_fill(part, bytes, seed_of(me, i));
        ck_ok(par_allgather(world, part, count_of(i), PAR_UINT16, data));
        for (int rank = 0; rank < ranks; rank++)
            ck_assert(
                check_is_filled(data + (size_t)rank * bytes, bytes, seed_of(rank, i)));
        ck_assert(check_is_filled(part, bytes, seed_of(me, i)));
        free(part);
        free(data);
    }
}
END_TEST

START_TEST(an_allgather_may_find_its_part_in_place)
{
    int64_t *data = check_alloc((size_t)ranks * 8000);

    check_fill(data + 1000 * me, 8000, seed_of(me, 0));
    ck_ok(par_allgather(world, data + 1000 * me, 1000, PAR_INT64, data));
    for (int rank = 0; rank < ranks; rank++)
        ck_assert(check_is_filled(data + 1000 * rank, 8000, seed_of(rank, 0)));
    free(data);
}
END_TEST

START_TEST(an_alltoall_gives_everybody_something_of_each)
{
    for (int i = 0; i < COUNTS; i++) {
        size_t bytes = 2 * count_of(i);
        unsigned char *data = check_alloc(bytes * (size_t)ranks),
                      *result = check_alloc(bytes * (size_t)ranks);

        for (int rank = 0; rank < ranks; rank++)
            check_fill(data + (size_t)rank * bytes, bytes, seed_of(me, rank));
        ck_ok(par_alltoall(world, data, result, count_of(i), PAR_UINT16));
        for (int rank = 0; rank < ranks; rank++) {
            ck_assert(
                check_is_filled(result + (size_t)rank * bytes, bytes, seed_of(rank, me)));
            ck_assert(
                check_is_filled(data + (size_t)rank * bytes, bytes, seed_of(me, rank)));
        }
        free(data);
        free(result);
    }
}
END_TEST

START_TEST(every_type_is_carried)
{
    for (int t = 0; t < TYPE_COUNT; t++) {
        if (t == PAR_OPAQUE)
            continue;

        size_t bytes = 3 * par_type_size((par_type)t), all = bytes * (size_t)ranks;
        unsigned char *data = check_alloc(all), *result = check_alloc(all);

        for (int rank = 0; rank < ranks; rank++)
            check_fill(data + (size_t)rank * bytes, bytes, seed_of(me, rank));
        ck_ok(par_alltoall(world, data, result, 3, (par_type)t));
        for (int rank = 0; rank < ranks; rank++)
            ck_assert(
                check_is_filled(result + (size_t)rank * bytes, bytes, seed_of(rank, me)));
        ck_ok(par_allgather(world, data, 3, (par_type)t, result));
        for (int rank = 0; rank < ranks; rank++)
            ck_assert(
                check_is_filled(result + (size_t)rank * bytes, bytes, seed_of(rank, 0)));
        free(data);
        free(result);
    }
}
END_TEST

START_TEST(calls_can_follow_each_other)
{
    for (int32_t i = 0; i < 500; i++) {
        int32_t mine = 100 * i + me, all[64], out[64], in[64];

        ck_ok(par_allgather(world, &mine, 1, PAR_INT32, all));
        for (int rank = 0; rank < ranks; rank++) {
            ck_assert_int_eq(all[rank], 100 * i + rank);
            out[rank] = 64 * mine + rank;
        }
        ck_ok(par_alltoall(world, out, in, 1, PAR_INT32));
        for (int rank = 0; rank < ranks; rank++)
            ck_assert_int_eq(in[rank], 64 * (100 * i + rank) + me);
    }
}
END_TEST

/* ---- objects ---------------------------------------------------------------- */

static const size_t sizes[] = {0, 100, 5000, 100000, 2 * MIB};

enum { SIZES = sizeof sizes / sizeof *sizes };

/* What FROM has for TO: longer or shorter by both. */
static par_part part_of(int size, int from, int to, bool filled)
{
    size_t bytes = sizes[(size + from + to) % SIZES];
    par_part part = {check_alloc(bytes), bytes};

    if (filled)
        check_fill(part.data, bytes, seed_of(from, to));
    return part;
}

static void take(par_message **message_p, int size, int from, int to)
{
    par_part part = part_of(size, from, to, false);
    par_content content;

    ck_assert_ptr_nonnull(*message_p);
    par_message_content(*message_p, &content, NULL);
    ck_assert_int_eq(content.kind, PAR_OBJECT);
    ck_assert_uint_eq(content.type, (unsigned)from);
    ck_assert_uint_eq(content.bytes, part.bytes);
    ck_ok(par_message_take(message_p, &part, 1));
    ck_assert(check_is_filled(part.data, part.bytes, seed_of(from, to)));
    free(part.data);
}

static par_content content_of(int from)
{
    return (par_content){.kind = PAR_OBJECT, .type = (uint8_t)from};
}

/* Take what has come in any order, then end what is under way. */
static void take_all(par_message **messages, par_request **sends, int size, bool for_all)
{
    ck_assert_ptr_null(messages[me]);
    for (int i = 1; i < ranks; i++) {
        int from = (me + (size % 2 ? i : ranks - i)) % ranks;

        take(&messages[from], size, from, for_all ? 0 : me);
    }
    ck_ok(par_wait_all(sends, (size_t)ranks, NULL));
}

START_TEST(an_allgather_of_objects_gives_everybody_all)
{
    par_message *messages[64];
    par_request *sends[64];
    par_content content = content_of(me);
    par_part part = part_of(_i, me, 0, true);

    ck_ok(par_message_allgather(world, &content, &part, 1, messages, sends, NULL));
    take_all(messages, sends, _i, true);
    free(part.data);
}
END_TEST

START_TEST(an_alltoall_of_objects_gives_everybody_something_of_each)
{
    par_message *messages[64];
    par_request *sends[64];
    par_content contents[64];
    par_part parts[64];
    const par_part *lists[64];
    size_t counts[64];

    for (int rank = 0; rank < ranks; rank++) {
        contents[rank] = content_of(me);
        parts[rank] = part_of(_i, me, rank, true);
        lists[rank] = &parts[rank];
        counts[rank] = 1;
    }
    contents[me].kind = (par_kind)99; /* is not looked at */
    ck_ok(par_message_alltoall(world, contents, lists, counts, messages, sends, NULL));
    take_all(messages, sends, _i, false);
    for (int rank = 0; rank < ranks; rank++)
        free(parts[rank].data);
}
END_TEST

/* ---- bad arguments ---------------------------------------------------------- */

/* Every rank makes the same bad call, and so nobody is left behind. */
START_TEST(bad_arguments_are_refused)
{
    double x[64] = {0}, y[64];
    par_content content = {.kind = PAR_OBJECT}, wrong = {.kind = (par_kind)9};
    par_message *messages[64];
    par_request *sends[64];

#define both_fail(error, data, result, count, type)                       \
    do {                                                                  \
        ck_fails(error, par_allgather(world, data, count, type, result)); \
        ck_fails(error, par_alltoall(world, data, result, count, type));  \
    } while (0)

    both_fail(PAR_ERR_ARG, NULL, y, 1, PAR_DOUBLE);
    both_fail(PAR_ERR_ARG, x, NULL, 1, PAR_DOUBLE);
    both_fail(PAR_ERR_SIZE, x, y, (size_t)-1, PAR_DOUBLE);
    both_fail(PAR_ERR_SIZE, x, y, SIZE_MAX / 8 + 2, PAR_DOUBLE);
    both_fail(PAR_ERR_TYPE, x, y, 1, PAR_OPAQUE);
    both_fail(PAR_ERR_TYPE, x, y, 1, (par_type)-1);
    ck_fails(PAR_ERR_ARG, par_allgather(NULL, x, 1, PAR_DOUBLE, y));
    ck_fails(PAR_ERR_ARG, par_alltoall(NULL, x, y, 1, PAR_DOUBLE));

    ck_fails(PAR_ERR_ARG,
             par_message_allgather(NULL, &content, NULL, 0, messages, sends, NULL));
    ck_fails(PAR_ERR_ARG,
             par_message_allgather(world, NULL, NULL, 0, messages, sends, NULL));
    ck_fails(PAR_ERR_ARG,
             par_message_allgather(world, &wrong, NULL, 0, messages, sends, NULL));
    ck_fails(PAR_ERR_ARG,
             par_message_allgather(world, &content, NULL, 0, NULL, sends, NULL));
    ck_fails(PAR_ERR_ARG,
             par_message_allgather(world, &content, NULL, 0, messages, NULL, NULL));
    ck_fails(PAR_ERR_ARG,
             par_message_alltoall(NULL, NULL, NULL, NULL, messages, sends, NULL));
    ck_fails(PAR_ERR_ARG,
             par_message_alltoall(world, NULL, NULL, NULL, messages, sends, NULL));
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, an_allgather_gives_everybody_all_parts);
    check_add(suite, an_allgather_may_find_its_part_in_place);
    check_add(suite, an_alltoall_gives_everybody_something_of_each);
    check_add(suite, every_type_is_carried);
    check_add(suite, calls_can_follow_each_other);
    check_add_each(suite, SIZES, an_allgather_of_objects_gives_everybody_all);
    check_add_each(suite, SIZES,
                   an_alltoall_of_objects_gives_everybody_something_of_each);
    check_add(suite, bad_arguments_are_refused);
}

const check_program program = {.name = "alltoall", .add = add};
