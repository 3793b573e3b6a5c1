/* test_collective.c - barrier, broadcast, scatter, gather; calls that differ.
 * SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_par.h"
#include "slot.h"
#include "type.h"

enum { MIB = 1 << 20, COUNTS = 6 };

/* Elements, such that the body is along, just so, not any more, and large. */
static size_t count_of(int i, par_type type)
{
    size_t room = slot_size / par_type_size(type);
    const size_t counts[COUNTS] = {0, 1, 13, room - 8, room, 300000};

    return counts[i];
}

/* A seed that differs between ranks and calls. */
static uint64_t seed_of(int rank, int root)
{
    return (uint64_t)(1000 * rank + root);
}

/* ---- barrier --------------------------------------------------------------- */

START_TEST(nobody_leaves_a_barrier_before_all_have_come)
{
    for (int late = 0; late < ranks; late++) {
        double came, left, others_came;

        if (me == late)
            usleep(20000);
        came = par_time();
        ck_ok(par_barrier(world));
        left = par_time(); /* one clock for all ranks of a host */
        for (int root = 0; root < ranks; root++) {
            others_came = came;
            ck_ok(par_broadcast(world, &others_came, 1, PAR_DOUBLE, root));
            ck_assert_double_le(others_came, left);
        }
    }
}
END_TEST

START_TEST(barriers_can_follow_each_other)
{
    for (int i = 0; i < 1000; i++)
        ck_ok(par_barrier(world));
}
END_TEST

/* ---- broadcast ------------------------------------------------------------- */

START_TEST(a_broadcast_reaches_all_from_every_root)
{
    for (int root = 0; root < ranks; root++)
        for (int i = 0; i < COUNTS; i++) {
            size_t bytes = count_of(i, PAR_INT64) * 8;
            int64_t *data = check_alloc(bytes);

            if (me == root)
                check_fill(data, bytes, seed_of(i, root));
            ck_ok(par_broadcast(world, data, bytes / 8, PAR_INT64, root));
            ck_assert(check_is_filled(data, bytes, seed_of(i, root)));
            free(data);
        }
}
END_TEST

START_TEST(a_broadcast_carries_every_type)
{
    for (int t = 0; t < TYPE_COUNT; t++) {
        if (t == PAR_OPAQUE)
            continue;

        size_t bytes = 9 * par_type_size((par_type)t);
        unsigned char data[9 * 16] = {0};

        if (me == ranks - 1)
            check_fill(data, bytes, (uint64_t)t);
        ck_ok(par_broadcast(world, data, 9, (par_type)t, ranks - 1));
        ck_assert(check_is_filled(data, bytes, (uint64_t)t));
    }
}
END_TEST

/* ---- scatter and gather ---------------------------------------------------- */

START_TEST(a_scatter_hands_everybody_their_part)
{
    for (int root = 0; root < ranks; root++)
        for (int i = 0; i < COUNTS; i++) {
            size_t count = count_of(i, PAR_INT32), bytes = 4 * count;
            unsigned char *data = me == root ? check_alloc(bytes * (size_t)ranks) : NULL;
            unsigned char *part = check_alloc(bytes);

            for (int rank = 0; data && rank < ranks; rank++)
                check_fill(data + (size_t)rank * bytes, bytes, seed_of(rank, root));
            ck_ok(par_scatter(world, data, part, count, PAR_INT32, root));
            ck_assert(check_is_filled(part, bytes, seed_of(me, root)));
            free(data);
            free(part);
        }
}
END_TEST

START_TEST(a_gather_collects_the_parts_in_rank_order)
{
    for (int root = 0; root < ranks; root++)
        for (int i = 0; i < COUNTS; i++) {
            size_t count = count_of(i, PAR_UINT16), bytes = 2 * count;
            unsigned char *data = me == root ? check_alloc(bytes * (size_t)ranks) : NULL;
            unsigned char *part = check_alloc(bytes);

            check_fill(part, bytes, seed_of(me, root));
            ck_ok(par_gather(world, part, count, PAR_UINT16, data, root));
            for (int rank = 0; data && rank < ranks; rank++)
                ck_assert(check_is_filled(data + (size_t)rank * bytes, bytes,
                                          seed_of(rank, root)));
            free(data);
            free(part);
        }
}
END_TEST

START_TEST(the_root_may_scatter_and_gather_in_place)
{
    for (int root = 0; root < ranks; root++) {
        int64_t *data = check_alloc((size_t)ranks * 8000), *part = data + 1000 * me;

        for (int rank = 0; me == root && rank < ranks; rank++)
            check_fill(data + 1000 * rank, 8000, seed_of(rank, root));
        ck_ok(par_scatter(world, data, part, 1000, PAR_INT64, root));
        ck_assert(check_is_filled(part, 8000, seed_of(me, root)));
        for (size_t i = 0; i < 1000; i++)
            part[i] = ~part[i];
        ck_ok(par_gather(world, part, 1000, PAR_INT64, data, root));
        for (int rank = 0; me == root && rank < ranks; rank++) {
            for (size_t i = 0; i < 1000; i++)
                data[1000 * rank + (int)i] = ~data[1000 * rank + (int)i];
            ck_assert(check_is_filled(data + 1000 * rank, 8000, seed_of(rank, root)));
        }
        free(data);
    }
}
END_TEST

START_TEST(scatter_and_gather_carry_every_type)
{
    for (int t = 0; t < TYPE_COUNT; t++) {
        if (t == PAR_OPAQUE)
            continue;

        size_t bytes = 3 * par_type_size((par_type)t), all = bytes * (size_t)ranks;
        unsigned char part[3 * 16], *data = check_alloc(all);

        if (me == 0)
            check_fill(data, all, (uint64_t)t);
        ck_ok(par_scatter(world, data, part, 3, (par_type)t, 0));
        memset(data, 0, all);
        ck_ok(par_gather(world, part, 3, (par_type)t, data, 0));
        if (me == 0)
            ck_assert(check_is_filled(data, all, (uint64_t)t));
        free(data);
    }
}
END_TEST

/* ---- objects --------------------------------------------------------------- */

/* Objects of RANK: its number is the encoding; description and parts by seed. */
static const struct {
    size_t extra, bytes[3], parts;
} shapes[] = {
    {0, {0}, 0},       {0, {100}, 1},  {10, {0, 20, 30}, 3}, {10, {0, 50000, 3}, 3},
    {0, {3 * MIB}, 1}, {9000, {0}, 0}, {9000, {10}, 1},      {9000, {1, 100000}, 2},
};

enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct object {
    par_content content;
    par_part parts[3];
    size_t count;
} object;

static object object_of(int shape, int rank, bool filled)
{
    object o = {.count = shapes[shape].parts,
                .content = {.kind = PAR_OBJECT, .type = (uint8_t)(rank + 1)}};
    void *extra = check_alloc(shapes[shape].extra);

    check_fill(extra, shapes[shape].extra, seed_of(rank, 3));
    o.content.extra = extra;
    o.content.extra_bytes = shapes[shape].extra;
    for (size_t i = 0; i < o.count; i++) {
        o.parts[i].bytes = shapes[shape].bytes[i];
        o.parts[i].data = check_alloc(o.parts[i].bytes);
        if (filled)
            check_fill(o.parts[i].data, o.parts[i].bytes, seed_of(rank, (int)i));
    }
    return o;
}

static void free_object(object *o)
{
    free((void *)(uintptr_t)o->content.extra);
    for (size_t i = 0; i < o->count; i++)
        free(o->parts[i].data);
}

/* MESSAGE is the object of that shape and rank; end it. */
static void take_object(par_message **message_p, int shape, int rank)
{
    object expected = object_of(shape, rank, true), got = object_of(shape, rank, false);
    par_content content;
    par_status status;

    ck_assert_ptr_nonnull(*message_p);
    par_message_content(*message_p, &content, &status);
    ck_assert_int_eq(content.kind, PAR_OBJECT);
    ck_assert_uint_eq(content.type, (unsigned)rank + 1);
    ck_assert_uint_eq(content.extra_bytes, expected.content.extra_bytes);
    if (content.extra_bytes)
        ck_assert_mem_eq(content.extra, expected.content.extra, content.extra_bytes);
    ck_ok(par_message_take(message_p, got.parts, got.count));
    ck_assert_ptr_null(*message_p);
    for (size_t i = 0; i < got.count; i++)
        ck_assert(check_is_filled(got.parts[i].data, got.parts[i].bytes,
                                  seed_of(rank, (int)i)));
    free_object(&expected);
    free_object(&got);
}

static par_message *const unset = (par_message *)(void *)&world;

START_TEST(a_broadcast_object_reaches_all_from_every_root)
{
    for (int root = 0; root < ranks; root++) {
        object o = object_of(_i, root, true);
        par_message *message = unset;

        if (me == root) {
            ck_ok(par_message_broadcast(world, &o.content, o.parts, o.count, root,
                                        &message));
            ck_assert_ptr_null(message);
        } else {
            ck_ok(par_message_broadcast(world, NULL, NULL, 0, root, &message));
            take_object(&message, _i, root);
        }
        free_object(&o);
    }
}
END_TEST

/* Who hands it on to others may drop it, or look at it late. */
START_TEST(a_broadcast_object_reaches_those_behind_one_that_drops_it)
{
    for (int root = 0; root < ranks; root++)
        for (int dropper = 0; dropper < ranks; dropper++) {
            object o = object_of(_i, root, true);
            par_message *message = NULL;

            ck_ok(par_message_broadcast(world, &o.content, o.parts, o.count, root,
                                        &message));
            if (me == dropper)
                ck_ok(par_message_free(&message));
            else if (me != root)
                take_object(&message, _i, root);
            ck_assert_ptr_null(message);
            free_object(&o);
        }
}
END_TEST

START_TEST(a_scatter_of_objects_hands_everybody_theirs)
{
    for (int root = 0; root < ranks; root++) {
        object *objects = check_alloc((size_t)ranks * sizeof *objects);
        par_content *contents = check_alloc((size_t)ranks * sizeof *contents);
        const par_part **parts = check_alloc((size_t)ranks * sizeof *parts);
        size_t *counts = check_alloc((size_t)ranks * sizeof *counts);
        par_message *message = unset;

        for (int rank = 0; me == root && rank < ranks; rank++) {
            objects[rank] = object_of((_i + rank) % SHAPES, rank, true);
            contents[rank] = objects[rank].content;
            parts[rank] = objects[rank].parts;
            counts[rank] = objects[rank].count;
        }
        /* The root's own is not looked at. */
        contents[root].kind = (par_kind)99;
        if (me == root) {
            ck_ok(par_message_scatter(world, contents, parts, counts, root, &message));
            ck_assert_ptr_null(message);
        } else {
            ck_ok(par_message_scatter(world, NULL, NULL, NULL, root, &message));
            take_object(&message, (_i + me) % SHAPES, me);
        }
        for (int rank = 0; me == root && rank < ranks; rank++)
            free_object(&objects[rank]);
        free(objects);
        free(contents);
        free(parts);
        free(counts);
    }
}
END_TEST

START_TEST(a_gather_of_objects_collects_all_of_them)
{
    for (int root = 0; root < ranks; root++) {
        object o = object_of((_i + me) % SHAPES, me, true);
        par_message **messages = NULL;

        if (me == root)
            messages = check_alloc((size_t)ranks * sizeof *messages);
        if (me == root)
            messages[root] = unset;
        ck_ok(par_message_gather(world, &o.content, o.parts, o.count, root, messages,
                                 NULL));
        if (me == root)
            ck_assert_ptr_null(messages[root]);
        for (int rank = ranks - 1; me == root && rank >= 0; rank--)
            if (rank != root)
                take_object(&messages[rank], (_i + rank) % SHAPES, rank);
        free(messages);
        free_object(&o);
    }
}
END_TEST

/* ---- side by side ---------------------------------------------------------- */

START_TEST(collectives_and_messages_never_meet)
{
    int64_t got = -1, number;
    par_status status;
    par_request *receive;

    ck_ok(par_receive_start(world, &got, 1, PAR_INT64, PAR_ANY_SOURCE, PAR_ANY_TAG,
                            &receive));
    for (int i = 0; i < 100; i++) {
        int64_t sum = 0, parts[64];

        number = i;
        ck_ok(par_broadcast(world, &number, 1, PAR_INT64, i % ranks));
        ck_ok(par_reduce(world, &number, &sum, 1, PAR_INT64, PAR_SUM, i % ranks));
        ck_ok(par_gather(world, &number, 1, PAR_INT64, parts, i % ranks));
        if (me == i % ranks)
            ck_assert_int_eq(sum, (int64_t)i * ranks);
    }
    number = 77;
    ck_ok(par_send(world, &number, 1, PAR_INT64, (me + 1) % ranks, 0));
    ck_ok(par_wait(&receive, &status));
    ck_assert_int_eq(got, 77);
    ck_assert_int_eq(status.source, (me + ranks - 1) % ranks);
    ck_assert_int_eq(status.tag, 0);
}
END_TEST

/* Roots run ahead of the others by as many calls as they like. */
START_TEST(calls_that_overtake_each_other_are_kept_apart)
{
    for (int64_t i = 0; i < 2000; i++) {
        int64_t number = i + me * 10000, all[64];

        ck_ok(par_broadcast(world, &number, 1, PAR_INT64, 0));
        ck_assert_int_eq(number, i);
        number = i + me;
        ck_ok(par_gather(world, &number, 1, PAR_INT64, all, ranks - 1));
        for (int rank = 0; me == ranks - 1 && rank < ranks; rank++)
            ck_assert_int_eq(all[rank], i + rank);
    }
}
END_TEST

/* ---- differing calls ------------------------------------------------------- */

typedef par_error one_call(bool odd);

/* Elements whose sender waits until they are received. */
enum { LARGE = 65536 };

static int64_t room[LARGE], large_room[64 * LARGE];

static par_error count_differs(bool odd)
{
    return par_broadcast(world, room, odd ? 3 : 2, PAR_INT64, 0);
}

static par_error large_count_differs(bool odd)
{
    return par_broadcast(world, room, odd ? 3 : LARGE, PAR_INT64, 0);
}

static par_error type_differs(bool odd)
{
    return par_broadcast(world, room, 2, odd ? PAR_DOUBLE : PAR_INT64, 0);
}

static par_error scatter_for_broadcast(bool odd)
{
    return odd ? par_scatter(world, room, room, 2, PAR_INT64, 0)
               : par_broadcast(world, room, 2, PAR_INT64, 0);
}

static par_error operation_differs(bool odd)
{
    return par_reduce(world, room, room, 2, PAR_INT64, odd ? PAR_MIN : PAR_SUM, 0);
}

static par_error gathered_count_differs(bool odd)
{
    return par_gather(world, room, odd ? 3 : 2, PAR_INT64, room, 0);
}

static par_error large_gathered_count_differs(bool odd)
{
    return par_gather(world, room, odd ? 3 : LARGE, PAR_INT64, large_room, 0);
}

static par_error scattered_count_differs(bool odd)
{
    return par_scatter(world, large_room, room, odd ? 3 : 2, PAR_INT64, 0);
}

static par_error large_reduced_count_differs(bool odd)
{
    return par_reduce(world, room, large_room, odd ? 2 : LARGE, PAR_INT64, PAR_SUM, 0);
}

static par_error reduce_for_gather(bool odd)
{
    return odd ? par_reduce(world, room, room, 2, PAR_INT64, PAR_SUM, 0)
               : par_gather(world, room, 2, PAR_INT64, room, 0);
}

static par_error object_for_elements(bool odd)
{
    par_content content = {.kind = PAR_OBJECT};
    par_message *message = NULL;
    par_error err;

    if (!odd)
        return par_broadcast(world, room, 2, PAR_INT64, 0);
    err = par_message_broadcast(world, &content, NULL, 0, 0, &message);
    ck_ok(par_message_free(&message));
    return err;
}

static par_error allreduced_count_differs(bool odd)
{
    return par_allreduce(world, room, large_room, odd ? 3 : LARGE, PAR_INT64, PAR_SUM);
}

static par_error scan_operation_differs(bool odd)
{
    return par_scan(world, room, room, 2, PAR_INT64, odd ? PAR_MIN : PAR_SUM);
}

static par_error allgathered_count_differs(bool odd)
{
    return par_allgather(world, room, odd ? 3 : LARGE, PAR_INT64, large_room);
}

static par_error exchanged_count_differs(bool odd)
{
    static int64_t result[64 * LARGE];

    return par_alltoall(world, large_room, result, odd ? 3 : LARGE, PAR_INT64);
}

static par_error gather_for_objects(bool odd)
{
    par_content content = {.kind = PAR_OBJECT};
    par_part part = {room, sizeof room};
    par_message *messages[64];
    par_error err;

    if (odd)
        return par_gather(world, room, 2, PAR_INT64, large_room, 0);
    err = par_message_gather(world, &content, &part, 1, 0, messages, NULL);
    for (int rank = 0; me == 0 && !err && rank < ranks; rank++)
        ck_ok(par_message_free(&messages[rank]));
    return err;
}

/* What the caller joins differs as what C does. */
static par_error join_gathered(const par_join *join)
{
    par_content content = {.kind = PAR_OBJECT};
    par_part part = {room, sizeof room};
    par_message *messages[64];
    par_error err = par_message_gather(world, &content, &part, 1, 0, messages, join);

    for (int rank = 0; me == 0 && !err && rank < ranks; rank++)
        ck_ok(par_message_free(&messages[rank]));
    return err;
}

static par_error joined_operation_differs(bool odd)
{
    return join_gathered(&(par_join){PAR_JOIN_REDUCE, odd ? PAR_JOIN_FUNCTION : PAR_MAX});
}

static par_error join_for_gather(bool odd)
{
    return join_gathered(odd ? NULL : &(par_join){PAR_JOIN_REDUCE, PAR_SUM});
}

/* One rank takes another for the root, and so may wait for one that waits for it. */
static int root_of(bool odd)
{
    return odd ? me : ranks - 1;
}

static par_error broadcast_root_differs(bool odd)
{
    return par_broadcast(world, room, 2, PAR_INT64, root_of(odd));
}

static par_error large_broadcast_root_differs(bool odd)
{
    return par_broadcast(world, room, LARGE, PAR_INT64, root_of(odd));
}

static par_error scatter_root_differs(bool odd)
{
    return par_scatter(world, large_room, room, 2, PAR_INT64, root_of(odd));
}

static par_error gather_root_differs(bool odd)
{
    return par_gather(world, room, 2, PAR_INT64, large_room, root_of(odd));
}

static par_error reduce_root_differs(bool odd)
{
    return par_reduce(world, room, large_room, 2, PAR_INT64, PAR_SUM, root_of(odd));
}

static par_error object_root_differs(bool odd)
{
    par_content content = {.kind = PAR_OBJECT};
    par_part part = {room, sizeof room};
    par_message *message = NULL;
    par_error err =
        par_message_broadcast(world, &content, &part, 1, root_of(odd), &message);
    par_error passed_on = par_message_free(&message);

    return err ? err : passed_on;
}

/* Root of the one, and not of the other: each waits for the other. */
static par_error broadcast_for_gather(bool odd)
{
    return odd ? par_broadcast(world, room, 2, PAR_INT64, me == 0 ? ranks - 1 : 0)
               : par_gather(world, room, 2, PAR_INT64, large_room, 0);
}

static const struct {
    one_call *call;
    const char *odd, *others; /* as a detail has them */
} differing[] = {
    {count_differs, "broadcast(3 int64, root 0)", "broadcast(2 int64, root 0)"},
    {large_count_differs, "broadcast(3 int64, root 0)", "broadcast(65536 int64, root 0)"},
    {type_differs, "broadcast(2 double,", "broadcast(2 int64,"},
    {scattered_count_differs, "scatter(3 int64, root 0)", "scatter(2 int64, root 0)"},
    {gathered_count_differs, "gather(3 int64, root 0)", "gather(2 int64, root 0)"},
    {large_gathered_count_differs, "gather(3 int64,", "gather(65536 int64,"},
    {gather_for_objects, "gather(2 int64,", "gather of objects("},
    {joined_operation_differs, "reduce of objects(a function, root 0)",
     "reduce of objects(MAX, root 0)"},
    {join_for_gather, "gather of objects(root 0)", "reduce of objects(SUM, root 0)"},
    {operation_differs, "MIN, root 0)", "SUM, root 0)"},
    {large_reduced_count_differs, "reduce(2 int64,", "reduce(65536 int64,"},
    {object_for_elements, "broadcast of an object(root 0)", "broadcast(2 int64,"},
    {allreduced_count_differs, "(3 int64,", "(65536 int64,"},
    {scan_operation_differs, "MIN", "SUM"},
    {allgathered_count_differs, "(3 int64", "(65536 int64"},
    {exchanged_count_differs, "(3 int64", "(65536 int64"},
    {scatter_for_broadcast, "scatter(2 int64,", "broadcast(2 int64,"},
    {reduce_for_gather, "reduce(2 int64,", "gather(2 int64,"},
    {broadcast_root_differs, "broadcast(2 int64,", "broadcast(2 int64,"},
    {large_broadcast_root_differs, "broadcast(65536 int64,", "broadcast(65536 int64,"},
    {scatter_root_differs, "scatter(2 int64,", "scatter(2 int64,"},
    {gather_root_differs, "gather(2 int64,", "gather(2 int64,"},
    {reduce_root_differs, "SUM, root", "SUM, root"},
    {object_root_differs, "broadcast of an object(", "broadcast of an object("},
    {broadcast_for_gather, "broadcast(2 int64", "gather(2 int64"},
};

enum { DIFFERING = sizeof differing / sizeof *differing };

/* What this rank, which has noticed, says of it: it has met the other call itself, or
 * one who has. */
static void check_mismatch(int i, int odd)
{
    ck_detail("all ranks must make the same call");
    ck_detail("on rank ");
    ck_detail(me == odd ? differing[i].odd : differing[i].others);
    if (!strstr(par_error_detail(), "it has failed on rank"))
        ck_detail(me == odd ? differing[i].others : differing[i].odd);
}

/* What they have sent before has arrived then. */
static void hear_from_all(void)
{
    int32_t nothing = 0;

    for (int rank = 0; rank < ranks; rank++)
        ck_ok(par_send(world, &nothing, 1, PAR_INT32, rank, 7));
    for (int rank = 0; rank < ranks; rank++)
        ck_ok(par_receive(world, &nothing, 1, PAR_INT32, rank, 7, NULL));
}

/* A rank that has left its call before is told in the next one, which fails for all. */
static bool notice_later(void)
{
    par_error err = par_barrier(world);

    if (err)
        ck_fails(PAR_ERR_MISMATCH, err);
    if (err)
        ck_ok(par_barrier(world));
    return err;
}

/* Somebody notices, and nobody waits for ever. */
static void differ(int i, int odd)
{
    int32_t noticed = 0, all[64];
    par_error err = differing[i].call(me == odd);

    if (err) {
        ck_fails(PAR_ERR_MISMATCH, err);
        check_mismatch(i, odd);
        noticed = 1;
    }
    hear_from_all();
    noticed |= notice_later();
    ck_ok(par_gather(world, &noticed, 1, PAR_INT32, all, 0));
    for (int rank = 1; me == 0 && rank < ranks; rank++)
        all[0] += all[rank];
    ck_assert_msg(me || all[0] >= 1, "nobody noticed that rank %d differs", odd);
}

START_TEST(a_differing_call_is_noticed)
{
    for (int odd = 0; odd < ranks; odd++)
        if (strcmp(differing[_i].odd, differing[_i].others) || odd != root_of(false))
            differ(_i, odd);
}
END_TEST

START_TEST(a_call_that_another_one_failed_is_failed_behind_it)
{
    /* From root 0, rank 3 has its messages from rank 2. */
    par_error err = count_differs(me == 2);

    if (me < 2) {
        ck_ok(err);
    } else {
        ck_fails(PAR_ERR_MISMATCH, err);
        ck_detail(me == 2 ? "on rank 0" : "it has failed on rank 2");
    }
}
END_TEST

START_TEST(a_rank_that_cannot_take_part_fails_the_call_of_all)
{
    int64_t x = 0;

    for (int odd = 0; odd < ranks; odd++) {
        if (me == odd) {
            ck_ok(par_collective_fail(world, "the dog ate it"));
        } else {
            ck_fails(PAR_ERR_MISMATCH,
                     par_allreduce(world, &x, &x, 1, PAR_INT64, PAR_SUM));
            ck_detail("the dog ate it");
            ck_detail("allreduce(1 int64, SUM)");
        }
    }
    ck_ok(par_barrier(world));
    ck_fails(PAR_ERR_ARG, par_collective_fail(world, NULL));
}
END_TEST

/* ---- bad arguments --------------------------------------------------------- */

START_TEST(a_root_out_of_range_is_named_with_the_range)
{
    const int wrong[] = {ranks, INT_MAX, -1, INT_MIN};
    char value[32], range[32];
    int64_t x[64] = {0};
    par_content content = {.kind = PAR_OBJECT};
    par_message *message = unset;

#define ck_root(call)                 \
    do {                              \
        ck_fails(PAR_ERR_RANK, call); \
        ck_detail(value);             \
        ck_detail(range);             \
    } while (0)

    snprintf(range, sizeof range, "0 to %d", ranks - 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int root = wrong[i];

        snprintf(value, sizeof value, "root %d ", root);
        ck_root(par_broadcast(world, x, 1, PAR_INT64, root));
        ck_root(par_scatter(world, x, x, 1, PAR_INT64, root));
        ck_root(par_gather(world, x, 1, PAR_INT64, x, root));
        ck_root(par_reduce(world, x, x, 1, PAR_INT64, PAR_SUM, root));
        ck_root(par_message_broadcast(world, &content, NULL, 0, root, &message));
        ck_root(par_message_scatter(world, &content, NULL, NULL, root, &message));
        ck_root(par_message_gather(world, &content, NULL, 0, root, &message, NULL));
    }
    ck_assert_ptr_eq(message, unset);
}
END_TEST

START_TEST(no_communicator_is_refused)
{
    char x = 0;
    par_content content = {.kind = PAR_OBJECT};
    par_message *message = NULL;

    ck_fails(PAR_ERR_ARG, par_barrier(NULL));
    ck_fails(PAR_ERR_ARG, par_broadcast(NULL, &x, 1, PAR_CHAR, 0));
    ck_fails(PAR_ERR_ARG, par_scatter(NULL, &x, &x, 1, PAR_CHAR, 0));
    ck_fails(PAR_ERR_ARG, par_gather(NULL, &x, 1, PAR_CHAR, &x, 0));
    ck_fails(PAR_ERR_ARG, par_reduce(NULL, &x, &x, 1, PAR_INT8, PAR_SUM, 0));
    ck_fails(PAR_ERR_ARG, par_message_broadcast(NULL, &content, NULL, 0, 0, &message));
    ck_fails(PAR_ERR_ARG, par_message_scatter(NULL, &content, NULL, NULL, 0, &message));
    ck_fails(PAR_ERR_ARG, par_message_gather(NULL, &content, NULL, 0, 0, &message, NULL));
}
END_TEST

/* Every rank makes the same bad call, and so nobody is left behind. */
START_TEST(bad_elements_are_refused)
{
    double x = 0, y = 0;

#define all_fail(error, data, count, type)                                     \
    do {                                                                       \
        ck_fails(error, par_broadcast(world, data, count, type, 0));           \
        ck_fails(error, par_scatter(world, &y, data, count, type, 0));         \
        ck_fails(error, par_gather(world, data, count, type, &y, 0));          \
        ck_fails(error, par_reduce(world, data, &y, count, type, PAR_SUM, 0)); \
    } while (0)

    all_fail(PAR_ERR_ARG, NULL, 1, PAR_DOUBLE);
    all_fail(PAR_ERR_SIZE, &x, (size_t)-1, PAR_DOUBLE);
    all_fail(PAR_ERR_SIZE, &x, SIZE_MAX / 8 + 2, PAR_DOUBLE);
    all_fail(PAR_ERR_TYPE, &x, 1, PAR_OPAQUE);
    all_fail(PAR_ERR_TYPE, &x, 1, (par_type)-1);
    ck_fails(PAR_ERR_ARG, par_reduce(world, &x, &y, 1, PAR_DOUBLE, (par_op)-1, 0));
    ck_fails(PAR_ERR_ARG,
             par_reduce(world, &x, &y, 1, PAR_DOUBLE, (par_op)(PAR_MAXLOC + 1), 0));
    ck_detail("MAXLOC");
}
END_TEST

START_TEST(what_the_root_alone_looks_at_is_checked_there)
{
    char x[64] = {0};
    par_content content = {.kind = PAR_OBJECT}, wrong = {.kind = (par_kind)9};
    par_message *message = NULL;

    /* On one rank the others' absence hurts nobody. */
    if (ranks > 1)
        return;
    ck_fails(PAR_ERR_ARG, par_scatter(world, NULL, x, 1, PAR_CHAR, 0));
    ck_fails(PAR_ERR_ARG, par_gather(world, x, 1, PAR_CHAR, NULL, 0));
    ck_fails(PAR_ERR_ARG, par_reduce(world, x, NULL, 1, PAR_INT8, PAR_SUM, 0));
    ck_fails(PAR_ERR_ARG, par_message_broadcast(world, NULL, NULL, 0, 0, &message));
    ck_fails(PAR_ERR_ARG, par_message_broadcast(world, &wrong, NULL, 0, 0, &message));
    ck_fails(PAR_ERR_ARG, par_message_broadcast(world, &content, NULL, 0, 0, NULL));
    ck_fails(PAR_ERR_ARG, par_message_scatter(world, NULL, NULL, NULL, 0, &message));
    ck_fails(PAR_ERR_ARG, par_message_gather(world, &content, NULL, 0, 0, NULL, NULL));
    ck_fails(PAR_ERR_ARG, par_message_gather(world, &content, NULL, 0, 0, &message,
                                             &(par_join){(par_join_kind)5, PAR_SUM}));
    ck_detail("join->kind is 5: it must be from 0 to 4");
    ck_fails(PAR_ERR_ARG, par_message_gather(world, &content, NULL, 0, 0, &message,
                                             &(par_join){PAR_JOIN_REDUCE, 99}));
    ck_detail("join->op is 99: it must be a par_op, or -1 for a function");
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, nobody_leaves_a_barrier_before_all_have_come);
    check_add(suite, barriers_can_follow_each_other);
    check_add(suite, a_broadcast_reaches_all_from_every_root);
    check_add(suite, a_broadcast_carries_every_type);
    check_add(suite, a_scatter_hands_everybody_their_part);
    check_add(suite, a_gather_collects_the_parts_in_rank_order);
    check_add(suite, the_root_may_scatter_and_gather_in_place);
    check_add(suite, scatter_and_gather_carry_every_type);
    check_add_each(suite, SHAPES, a_broadcast_object_reaches_all_from_every_root);
    check_add_each(suite, SHAPES,
                   a_broadcast_object_reaches_those_behind_one_that_drops_it);
    check_add_each(suite, SHAPES, a_scatter_of_objects_hands_everybody_theirs);
    check_add_each(suite, SHAPES, a_gather_of_objects_collects_all_of_them);
    check_add(suite, collectives_and_messages_never_meet);
    check_add(suite, calls_that_overtake_each_other_are_kept_apart);
    if (ranks > 1)
        check_add_each(suite, DIFFERING, a_differing_call_is_noticed);
    if (ranks == 4)
        check_add(suite, a_call_that_another_one_failed_is_failed_behind_it);
    check_add(suite, a_rank_that_cannot_take_part_fails_the_call_of_all);
    check_add(suite, a_root_out_of_range_is_named_with_the_range);
    check_add(suite, no_communicator_is_refused);
    check_add(suite, bad_elements_are_refused);
    check_add(suite, what_the_root_alone_looks_at_is_checked_there);
}

const check_program program = {.name = "collective", .add = add};
