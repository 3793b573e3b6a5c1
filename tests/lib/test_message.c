/* test_message.c - messages whose type and size are not known beforehand.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "check_par.h"
#include "slot.h"
#include "type.h"

enum { MAX_PARTS = 6, MIB = 1 << 20 };

static const uint64_t shape_2x3[] = {2, 3}, shape_100x200x3[] = {100, 200, 3},
                      shape_empty[] = {4, 0};

/* What is sent: parts and description are made from their lengths. */
typedef struct letter {
    par_content content; /* but for its extra */
    size_t bytes[MAX_PARTS];
    size_t part_count;
} letter;

/* The last rank; that of a lone rank is itself. */
static int last(void)
{
    return ranks - 1;
}

/* ---- a letter goes and comes ----------------------------------------------- */

/* Parts as long as those of L, filled or not. */
static void make_parts(const letter *l, bool filled, par_part *parts)
{
    for (size_t i = 0; i < l->part_count; i++) {
        parts[i] = (par_part){check_alloc(l->bytes[i]), l->bytes[i]};
        if (filled)
            check_fill(parts[i].data, parts[i].bytes, 1000 + i);
    }
}

static void free_parts(const letter *l, par_part *parts)
{
    for (size_t i = 0; i < l->part_count; i++)
        free(parts[i].data);
}

static size_t total_bytes(const letter *l)
{
    size_t sum = 0;

    for (size_t i = 0; i < l->part_count; i++)
        sum += l->bytes[i];
    return sum;
}

static void send_letter(const letter *l, int dest, int tag)
{
    par_part parts[MAX_PARTS];
    par_content content = l->content;
    void *extra = check_alloc(content.extra_bytes);

    check_fill(extra, content.extra_bytes, 999);
    content.extra = extra;
    make_parts(l, true, parts);
    ck_ok(par_message_send(world, &content, parts, l->part_count, dest, tag, NULL));
    /* They may be reused now. */
    memset(extra, 0, content.extra_bytes);
    free(extra);
    free_parts(l, parts);
}

static void check_content(const letter *l, const par_message *message)
{
    const par_content *sent = &l->content;
    par_content got;

    par_message_content(message, &got, NULL);
    ck_assert_int_eq(got.kind, sent->kind);
    ck_assert_uint_eq(got.type, sent->type);
    ck_assert_uint_eq(got.variant, sent->variant);
    ck_assert_uint_eq(got.dims, sent->dims);
    for (unsigned d = 0; sent->kind == PAR_ARRAY && sent->dims > 1 && d < sent->dims; d++)
        ck_assert_uint_eq(got.shape[d], sent->shape[d]);
    ck_assert_uint_eq(got.extra_bytes, sent->extra_bytes);
    ck_assert_int_eq(got.part_bytes != NULL, l->part_count > 1);
    ck_assert(check_is_filled(got.extra, got.extra_bytes, 999));
    ck_assert_uint_eq(got.bytes, total_bytes(l));
    ck_assert_uint_eq(got.part_count, l->part_count > 1 ? l->part_count : 1);
    for (size_t i = 0; got.part_bytes && i < l->part_count; i++)
        ck_assert_uint_eq(got.part_bytes[i], l->bytes[i]);
}

static void check_status(const letter *l, const par_message *message, int source, int tag)
{
    bool array = l->content.kind == PAR_ARRAY;
    par_content content;
    par_status status;

    par_message_content(message, &content, &status);
    ck_assert_int_eq(status.source, source);
    ck_assert_int_eq(status.tag, tag);
    ck_assert_int_eq(status.type, array ? (par_type)l->content.type : PAR_OPAQUE);
    ck_assert_uint_eq(status.count, total_bytes(l) / par_type_size(status.type));
}

static void take_letter(const letter *l, par_message **message_p)
{
    par_part parts[MAX_PARTS];
    const void *body = par_message_body(*message_p);

    make_parts(l, false, parts);
    if (body && l->part_count == 1)
        ck_assert(check_is_filled(body, l->bytes[0], 1000));
    ck_ok(par_message_take(message_p, parts, l->part_count));
    ck_assert_ptr_null(*message_p);
    for (size_t i = 0; i < l->part_count; i++)
        ck_assert_msg(check_is_filled(parts[i].data, parts[i].bytes, 1000 + i),
                      "part %zu is damaged", i);
    free_parts(l, parts);
}

static par_message *receive(int source, int tag)
{
    par_message *message = NULL;

    ck_ok(par_message_receive(world, source, tag, &message));
    ck_assert_ptr_nonnull(message);
    return message;
}

static void receive_letter(const letter *l, int source, int tag)
{
    par_message *message = receive(source, tag);

    check_content(l, message);
    check_status(l, message, 0, tag);
    take_letter(l, &message);
}

/* ---- what can be sent ------------------------------------------------------ */

#define ARRAY(t, d, s)                                            \
    {                                                             \
        .kind = PAR_ARRAY, .type = (t), .dims = (d), .shape = (s) \
    }
#define OBJECT(extra_length)                                                         \
    {                                                                                \
        .kind = PAR_OBJECT, .type = 201, .variant = 3, .extra_bytes = (extra_length) \
    }

static const letter letters[] = {
    {ARRAY(PAR_DOUBLE, 1, NULL), {80}, 1},
    {ARRAY(PAR_DOUBLE, 1, NULL), {8 * MIB}, 1},
    {ARRAY(PAR_CHAR, 1, NULL), {0}, 1},
    {ARRAY(PAR_COMPLEX_FLOAT, 0, NULL), {8}, 1},
    {ARRAY(PAR_INT16, 2, shape_2x3), {12}, 1},
    {ARRAY(PAR_UINT8, 3, shape_100x200x3), {60000}, 1},
    {ARRAY(PAR_UINT32, 2, shape_empty), {0}, 1},
    {{.kind = PAR_ARRAY,
      .type = PAR_OPAQUE,
      .dims = 2,
      .shape = shape_2x3,
      .variant = 77,
      .extra_bytes = 20},
     {6 * 24},
     1},
    {{.kind = PAR_ARRAY, .type = PAR_OPAQUE, .dims = 1, .extra_bytes = 20}, {50000}, 1},
    {OBJECT(0), {0}, 0},
    {OBJECT(0), {0}, 1},
    {OBJECT(0), {33}, 1},
    {OBJECT(0), {70001}, 1},
    {OBJECT(13), {0}, 0},
    {OBJECT(13), {33}, 1},
    /* parts, some of them empty, along and apart */
    {OBJECT(0), {5, 0, 7}, 3},
    {OBJECT(3), {0, 0, 0, 0}, 4},
    {OBJECT(3), {0, 5, 0, 0, 9, 0}, 6},
    {OBJECT(3), {3, 100000, 0, 1, 7 * MIB + 1, 0}, 6},
    {OBJECT(50), {0, 0, 100000, 0, 0, 0}, 6},
    /* descriptions too long to go along */
    {OBJECT(5000), {0}, 0},
    {OBJECT(5000), {0}, 1},
    {OBJECT(5000), {10}, 1},
    {OBJECT(3 * MIB + 1), {MIB}, 1},
    {OBJECT(100001), {0, 10, 0, MIB, 1, 0}, 6},
    {OBJECT(5000), {0, 0, 0}, 3},
};

enum { LETTER_COUNT = sizeof letters / sizeof *letters };

START_TEST(every_content_arrives_as_it_was_sent)
{
    if (me == 0)
        send_letter(&letters[_i], last(), 100);
    if (me == last())
        receive_letter(&letters[_i], 0, 100);
}
END_TEST

START_TEST(every_content_reaches_its_own_sender)
{
    par_message *message;

    send_letter(&letters[_i], me, 110);
    message = receive(me, 110);
    check_content(&letters[_i], message);
    check_status(&letters[_i], message, me, 110);
    take_letter(&letters[_i], &message);
}
END_TEST

START_TEST(every_content_can_be_freed_without_being_taken)
{
    par_message *message;

    if (me == 0)
        send_letter(&letters[_i], last(), 120);
    if (me == last()) {
        message = receive(0, 120);
        ck_ok(par_message_free(&message));
        ck_assert_ptr_null(message);
    }
}
END_TEST

START_TEST(every_content_can_be_put_back_and_received_again)
{
    par_message *message;

    if (me == 0)
        send_letter(&letters[_i], last(), 130);
    if (me == last()) {
        for (int i = 0; i < 3; i++) {
            message = receive(PAR_ANY_SOURCE, 130);
            check_content(&letters[_i], message);
            par_message_return(&message);
            ck_assert_ptr_null(message);
        }
        receive_letter(&letters[_i], 0, 130);
    }
}
END_TEST

/* The limit up to which all goes along with the header. */
START_TEST(descriptions_and_bodies_arrive_whole_at_the_limit)
{
    for (size_t extra = 0; extra < 3; extra++)
        for (size_t body = 0; body < 3; body++)
            for (int split = 0; split < 2; split++) {
                size_t room = slot_size - WIRE_HEADER_BYTES;
                letter l = {OBJECT(split ? 100 : room - 1 + extra),
                            {split ? room - 101 + body : body},
                            1};

                if (me == 0)
                    send_letter(&l, last(), 140);
                if (me == last())
                    receive_letter(&l, 0, 140);
            }
}
END_TEST

START_TEST(an_object_may_have_very_many_parts)
{
    enum { MANY = 20000 };
    par_content content = OBJECT(0);
    unsigned char *bytes = check_alloc(MANY);
    par_part *parts = check_alloc(MANY * sizeof *parts);
    par_message *message;

    for (size_t i = 0; i < MANY; i++)
        parts[i] = (par_part){bytes + i, i % 3 == 0};
    if (me == 0) {
        check_fill(bytes, MANY, 5);
        ck_ok(par_message_send(world, &content, parts, MANY, last(), 150, NULL));
    }
    memset(bytes, 0, MANY);
    if (me == last()) {
        unsigned char *all = check_alloc(MANY);

        message = receive(0, 150);
        ck_ok(par_message_take(&message, parts, MANY));
        check_fill(all, MANY, 5);
        for (size_t i = 0; i < MANY; i++)
            ck_assert_uint_eq(bytes[i], i % 3 == 0 ? all[i] : 0);
        free(all);
    }
    free(parts);
    free(bytes);
}
END_TEST

/* ---- started ---------------------------------------------------------------- */

START_TEST(every_content_can_be_sent_and_received_by_requests)
{
    const letter *l = &letters[_i];
    int right = (me + 1) % ranks, left = (me + ranks - 1) % ranks;
    par_content content = l->content;
    par_part parts[MAX_PARTS], list[MAX_PARTS];
    unsigned char *extra = check_alloc(content.extra_bytes);
    par_message *message = NULL;
    par_request *send, *receive;
    par_status status;

    check_fill(extra, content.extra_bytes, 999);
    content.extra = extra;
    make_parts(l, true, parts);
    memcpy(list, parts, sizeof list);
    ck_ok(par_message_receive_start(world, left, 160, &message, &receive));
    ck_ok(
        par_message_send_start(world, &content, list, l->part_count, right, 160, &send));
    /* All but the parts themselves may be reused now. */
    memset(list, 0, sizeof list);
    memset(&content, 0, sizeof content);
    memset(extra, 0, l->content.extra_bytes);
    ck_ok(par_wait(&receive, &status));
    ck_assert_ptr_nonnull(message);
    ck_assert_int_eq(status.source, left);
    ck_assert_int_eq(status.tag, 160);
    check_content(l, message);
    check_status(l, message, left, 160);
    take_letter(l, &message);
    ck_ok(par_wait(&send, NULL));
    free_parts(l, parts);
    free(extra);
}
END_TEST

START_TEST(a_started_receive_that_is_cancelled_gives_no_message)
{
    par_message *message = NULL;
    par_request *receive;
    bool cancelled;

    ck_ok(par_message_receive_start(world, PAR_ANY_SOURCE, 170, &message, &receive));
    ck_ok(par_cancel(receive, &cancelled));
    ck_assert(cancelled);
    ck_fails(PAR_ERR_CANCELLED, par_wait(&receive, NULL));
    ck_assert_ptr_null(message);
}
END_TEST

/* ---- arrays and the typed calls -------------------------------------------- */

START_TEST(what_par_send_sends_can_be_received_as_a_message)
{
    static const size_t counts[] = {0, 5, 100000};

    for (int i = 0; i < 3; i++) {
        letter l = {ARRAY(PAR_INT32, 1, NULL), {4 * counts[i]}, 1};
        par_part part;

        if (me == 0) {
            make_parts(&l, true, &part);
            ck_ok(par_send(world, part.data, counts[i], PAR_INT32, last(), 200));
            free_parts(&l, &part);
        } else if (me == last()) {
            receive_letter(&l, 0, 200);
        }
    }
}
END_TEST

START_TEST(an_array_of_any_shape_can_be_received_by_par_receive)
{
    const letter *l = &letters[_i];
    size_t count = total_bytes(l) / par_type_size((par_type)l->content.type);
    void *data = check_alloc(total_bytes(l));
    par_status status;

    if (me == 0)
        send_letter(l, last(), 210);
    if (me == last()) {
        ck_ok(
            par_receive(world, data, count, (par_type)l->content.type, 0, 210, &status));
        ck_assert_uint_eq(status.count, count);
        ck_assert_int_eq(status.type, l->content.type);
        ck_assert(check_is_filled(data, total_bytes(l), 1000));
    }
    free(data);
}
END_TEST

START_TEST(par_receive_leaves_an_object_alone)
{
    static const letter objects[] = {
        {OBJECT(0), {8}, 1}, {OBJECT(9), {100000, 5}, 2}, {OBJECT(5000), {8}, 1}};
    double x = 1.5;

    for (int i = 0; i < 3; i++) {
        if (me == 0)
            send_letter(&objects[i], last(), 220);
        if (me == last()) {
            ck_fails(PAR_ERR_TYPE, par_receive(world, &x, 1, PAR_DOUBLE, 0, 220, NULL));
            ck_detail("an object");
            ck_detail("1 double");
            ck_assert_double_eq(x, 1.5);
            receive_letter(&objects[i], 0, 220);
        }
    }
}
END_TEST

/* ---- the queue ------------------------------------------------------------- */

START_TEST(a_message_put_back_is_ahead_of_those_that_came_later)
{
    enum { COUNT = 6 };
    par_message *messages[COUNT];
    letter l = {OBJECT(0), {0}, 1};

    for (size_t i = 0; me == 0 && i < COUNT; i++) {
        l.bytes[0] = 100 + i;
        send_letter(&l, last(), 300);
    }
    if (me == 0)
        ck_ok(par_send(world, NULL, 0, PAR_BYTE, last(), 301));
    if (me != last())
        return;
    /* The last to come: by then all others wait to be received. */
    ck_ok(par_receive(world, NULL, 0, PAR_BYTE, 0, 301, NULL));
    for (int i = 0; i < COUNT; i++)
        messages[i] = receive(0, 300);
    par_message_return(&messages[3]);
    par_message_return(&messages[1]);
    par_message_return(&messages[5]);
    for (size_t i = 0; i < COUNT; i += 2) {
        l.bytes[0] = 100 + i;
        take_letter(&l, &messages[i]);
        l.bytes[0]++;
        messages[i] = i % 4 ? receive(0, 300) : receive(PAR_ANY_SOURCE, PAR_ANY_TAG);
        take_letter(&l, &messages[i]);
    }
}
END_TEST

START_TEST(bodies_can_be_taken_in_any_order)
{
    static const int order[] = {3, 0, 4, 1, 2};
    par_message *messages[5];
    par_request *requests[5];
    letter l = {ARRAY(PAR_BYTE, 1, NULL), {0}, 1};
    par_part part;

    l.bytes[0] = 300000;
    make_parts(&l, true, &part);
    for (int i = 0; me == 0 && i < 5; i++)
        ck_ok(par_send_start(world, part.data, l.bytes[0] - (size_t)i, PAR_BYTE, 1, 310,
                             &requests[i]));
    for (int i = 0; me == 1 && i < 5; i++)
        messages[i] = receive(0, 310);
    for (int i = 0; me == 1 && i < 5; i++) {
        l.bytes[0] = 300000 - (size_t)order[i];
        check_content(&l, messages[order[i]]);
        take_letter(&l, &messages[order[i]]);
    }
    for (int i = 0; me == 0 && i < 5; i++)
        ck_ok(par_wait(&requests[i], NULL));
    l.bytes[0] = 300000;
    free_parts(&l, &part);
}
END_TEST

START_TEST(a_message_taken_out_is_nobody_elses)
{
    par_message *message;
    bool found;

    ck_ok(par_send(world, "x", 1, PAR_CHAR, me, 320));
    message = receive(me, 320);
    ck_ok(par_probe_now(world, me, 320, NULL, &found));
    ck_assert(!found);
    par_message_return(&message);
    ck_ok(par_probe_now(world, me, 320, NULL, &found));
    ck_assert(found);
    ck_ok(par_receive(world, (char[1]){0}, 1, PAR_CHAR, me, 320, NULL));
}
END_TEST

START_TEST(a_message_put_back_goes_to_a_receive_that_waits)
{
    par_message *message;
    par_request *request;
    bool done;
    char got = 0;

    ck_ok(par_send(world, "x", 1, PAR_CHAR, me, 330));
    message = receive(me, 330);
    ck_ok(par_receive_start(world, &got, 1, PAR_CHAR, me, 330, &request));
    ck_ok(par_test(&request, NULL, &done));
    ck_assert(!done);
    par_message_return(&message);
    ck_ok(par_wait(&request, NULL));
    ck_assert_int_eq(got, 'x');
}
END_TEST

/* ---- looking --------------------------------------------------------------- */

/* Wait until a message is there, one way or the other. */
static par_status probe(int source, int tag, bool wait)
{
    par_status status;
    bool found = false;

    if (wait)
        ck_ok(par_probe(world, source, tag, &status));
    while (!wait && !found)
        ck_ok(par_probe_now(world, source, tag, &status, &found));
    return status;
}

START_TEST(a_probe_sees_what_has_arrived_and_takes_nothing)
{
    static const int asked[][2] = {
        {0, 400}, {PAR_ANY_SOURCE, 400}, {0, PAR_ANY_TAG}, {PAR_ANY_SOURCE, PAR_ANY_TAG}};
    letter l = {ARRAY(PAR_FLOAT, 1, NULL), {40000}, 1};

    if (me == 0)
        send_letter(&l, last(), 400);
    if (me != last())
        return;
    for (int i = 0; i < 4; i++) {
        par_status status = probe(asked[i][0], asked[i][1], _i);

        ck_assert_int_eq(status.source, 0);
        ck_assert_int_eq(status.tag, 400);
        ck_assert_int_eq(status.type, PAR_FLOAT);
        ck_assert_uint_eq(status.count, 10000);
    }
    receive_letter(&l, 0, 400);
}
END_TEST

START_TEST(a_probe_of_what_is_not_there_says_so_and_leaves_the_status)
{
    par_status status = {.source = 91, .count = 93};
    bool found = true;

    ck_ok(par_send(world, NULL, 0, PAR_BYTE, me, 410));
    ck_ok(par_probe_now(world, me, 411, &status, &found));
    ck_assert(!found);
    ck_assert_int_eq(status.source, 91);
    ck_assert_uint_eq(status.count, 93);
    ck_ok(par_receive(world, NULL, 0, PAR_BYTE, me, 410, NULL));
}
END_TEST

/* ---- bad arguments --------------------------------------------------------- */

START_TEST(parts_of_other_lengths_are_refused_and_the_message_lives_on)
{
    static const letter l = {OBJECT(0), {10, 20}, 2};
    char room[64];
    const par_part swapped[] = {{room, 20}, {room, 10}}, one[] = {{room, 30}},
                   longer[] = {{room, 10}, {room, 21}},
                   more[] = {{room, 10}, {room, 20}, {room, 0}};
    par_message *message, *before;

    send_letter(&l, me, 500);
    before = message = receive(me, 500);
    ck_fails(PAR_ERR_SIZE, par_message_take(&message, swapped, 2));
    ck_detail("30 bytes");
    ck_fails(PAR_ERR_SIZE, par_message_take(&message, one, 1));
    ck_fails(PAR_ERR_SIZE, par_message_take(&message, longer, 2));
    ck_fails(PAR_ERR_SIZE, par_message_take(&message, more, 3));
    ck_fails(PAR_ERR_SIZE, par_message_take(&message, NULL, 0));
    ck_assert_ptr_eq(message, before);
    take_letter(&l, &message);
}
END_TEST

static void refuse_content(par_error error, par_content content, const par_part *parts,
                           size_t count, const char *detail)
{
    ck_fails(error, par_message_send(world, &content, parts, count, me, 510, NULL));
    ck_detail(detail);
}

START_TEST(a_content_that_nobody_could_understand_is_refused)
{
    char x[64] = {0};
    const par_part part[] = {{x, 16}, {x, 8}}, none[] = {{NULL, 16}},
                   huge[] = {{x, SIZE_MAX}, {x, SIZE_MAX}};
    const uint64_t two[] = {2, 2}, wraps[] = {UINT64_C(1) << 63, 2};
    par_content content = ARRAY(PAR_DOUBLE, 1, NULL);

    ck_fails(PAR_ERR_ARG, par_message_send(world, NULL, part, 1, me, 510, NULL));
    refuse_content(PAR_ERR_ARG, content, NULL, 1, "NULL");
    refuse_content(PAR_ERR_ARG, content, none, 1, "NULL");
    refuse_content(PAR_ERR_SIZE, content, huge, 2, "bytes");
    refuse_content(PAR_ERR_ARG, content, part, 2, "one part");
    content.extra_bytes = 3;
    refuse_content(PAR_ERR_ARG, content, part, 1, "NULL");
    content.extra = x;
    refuse_content(PAR_ERR_ARG, content, part, 1, "extra");

    content = (par_content){.kind = (par_kind)2};
    refuse_content(PAR_ERR_ARG, content, part, 1, "kind 2");
    content = (par_content)ARRAY(TYPE_COUNT, 1, NULL);
    refuse_content(PAR_ERR_TYPE, content, part, 1, "type 18");

    content = (par_content)ARRAY(PAR_DOUBLE, 0, NULL);
    refuse_content(PAR_ERR_ARG, content, part, 1, "shape");
    content = (par_content)ARRAY(PAR_DOUBLE, 2, NULL);
    refuse_content(PAR_ERR_ARG, content, part, 1, "shape");
    content = (par_content)ARRAY(PAR_DOUBLE, 2, two);
    refuse_content(PAR_ERR_ARG, content, part, 1, "shape");
    content = (par_content)ARRAY(PAR_DOUBLE, 2, wraps);
    refuse_content(PAR_ERR_ARG, content, NULL, 0, "shape");
    content = (par_content)ARRAY(PAR_DOUBLE, 65, wraps);
    refuse_content(PAR_ERR_ARG, content, part, 1, "65");
    content = (par_content)ARRAY(PAR_COMPLEX_DOUBLE, 1, NULL);
    refuse_content(PAR_ERR_ARG, content, part + 1, 1, "complex double");
}
END_TEST

START_TEST(ranks_and_tags_are_checked_as_in_par_send)
{
    par_content content = OBJECT(0);
    par_message *message = NULL;
    par_request *request = NULL;
    par_status status;
    bool found;

    ck_fails(PAR_ERR_RANK, par_message_send(world, &content, NULL, 0, ranks, 520, NULL));
    ck_fails(PAR_ERR_RANK, par_message_send(world, &content, NULL, 0, -1, 520, NULL));
    ck_fails(PAR_ERR_TAG, par_message_send(world, &content, NULL, 0, me, -1, NULL));
    ck_fails(PAR_ERR_ARG, par_message_send(NULL, &content, NULL, 0, me, 520, NULL));
    ck_fails(PAR_ERR_RANK, par_message_receive(world, ranks, 520, &message));
    ck_fails(PAR_ERR_RANK, par_message_receive(world, -2, 520, &message));
    ck_fails(PAR_ERR_TAG, par_message_receive(world, me, -2, &message));
    ck_fails(PAR_ERR_ARG, par_message_receive(NULL, me, 520, &message));
    ck_fails(PAR_ERR_ARG, par_message_receive(world, me, 520, NULL));
    ck_fails(PAR_ERR_RANK, par_probe(world, ranks, 520, &status));
    ck_fails(PAR_ERR_TAG, par_probe(world, me, -2, &status));
    ck_fails(PAR_ERR_ARG, par_probe(NULL, me, 520, &status));
    ck_fails(PAR_ERR_RANK, par_probe_now(world, ranks, 520, NULL, &found));
    ck_fails(PAR_ERR_TAG, par_probe_now(world, me, -2, NULL, &found));
    ck_fails(PAR_ERR_ARG, par_probe_now(NULL, me, 520, NULL, &found));
    ck_fails(PAR_ERR_ARG, par_probe_now(world, me, 520, NULL, NULL));
    ck_fails(PAR_ERR_RANK,
             par_message_send_start(world, &content, NULL, 0, ranks, 520, &request));
    ck_fails(PAR_ERR_TAG,
             par_message_send_start(world, &content, NULL, 0, me, -1, &request));
    ck_fails(PAR_ERR_ARG,
             par_message_send_start(world, NULL, NULL, 0, me, 520, &request));
    ck_fails(PAR_ERR_ARG,
             par_message_send_start(world, &content, NULL, 0, me, 520, NULL));
    ck_fails(PAR_ERR_RANK,
             par_message_receive_start(world, ranks, 520, &message, &request));
    ck_fails(PAR_ERR_TAG, par_message_receive_start(world, me, -2, &message, &request));
    ck_fails(PAR_ERR_ARG, par_message_receive_start(world, me, 520, NULL, &request));
    ck_fails(PAR_ERR_ARG, par_message_receive_start(world, me, 520, &message, NULL));
    ck_assert_ptr_null(message);
    ck_assert_ptr_null(request);
}
END_TEST

START_TEST(no_message_can_be_freed_and_put_back_but_not_taken)
{
    par_message *none = NULL;

    ck_ok(par_message_free(&none));
    par_message_return(&none);
    ck_fails(PAR_ERR_ARG, par_message_take(&none, NULL, 0));
    ck_assert_ptr_null(none);
}
END_TEST

static void add(Suite *suite)
{
    check_add_each(suite, LETTER_COUNT, every_content_arrives_as_it_was_sent);
    check_add_each(suite, LETTER_COUNT, every_content_reaches_its_own_sender);
    check_add_each(suite, LETTER_COUNT, every_content_can_be_freed_without_being_taken);
    check_add_each(suite, LETTER_COUNT, every_content_can_be_put_back_and_received_again);
    check_add_each(suite, LETTER_COUNT,
                   every_content_can_be_sent_and_received_by_requests);
    check_add(suite, a_started_receive_that_is_cancelled_gives_no_message);
    check_add(suite, descriptions_and_bodies_arrive_whole_at_the_limit);
    check_add(suite, an_object_may_have_very_many_parts);
    check_add_from(suite, 2, what_par_send_sends_can_be_received_as_a_message);
    check_add_each(suite, 7, an_array_of_any_shape_can_be_received_by_par_receive);
    check_add(suite, par_receive_leaves_an_object_alone);
    check_add(suite, a_message_put_back_is_ahead_of_those_that_came_later);
    check_add_from(suite, 2, bodies_can_be_taken_in_any_order);
    check_add(suite, a_message_taken_out_is_nobody_elses);
    check_add(suite, a_message_put_back_goes_to_a_receive_that_waits);
    check_add_each(suite, 2, a_probe_sees_what_has_arrived_and_takes_nothing);
    check_add(suite, a_probe_of_what_is_not_there_says_so_and_leaves_the_status);
    check_add(suite, parts_of_other_lengths_are_refused_and_the_message_lives_on);
    check_add(suite, a_content_that_nobody_could_understand_is_refused);
    check_add(suite, ranks_and_tags_are_checked_as_in_par_send);
    check_add(suite, no_message_can_be_freed_and_put_back_but_not_taken);
}

const check_program program = {.name = "message", .add = add};
