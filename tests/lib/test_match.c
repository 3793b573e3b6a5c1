/* test_match.c - each message meets the receive it should, in order.
 * SPDX-License-Identifier: MIT */
#include "check_par.h"
#include "match.h"

static match_table table;

/* ---- messages and receives that note what happens to them ----------------- */

typedef struct taker {
    match_receive receive;
    bool refuses;
    par_message *met; /* the last one */
} taker;

static bool take(match_receive *receive, par_message *message)
{
    taker *t = LIST_OF(receive, taker, receive);

    t->met = message;
    return !t->refuses;
}

static taker receive_in(wire_context context, int source, int tag)
{
    return (taker){
        .receive = {.context = context, .source = source, .tag = tag, .arrive = take}};
}

static taker receive_of(int source, int tag)
{
    return receive_in(WIRE_P2P, source, tag);
}

static taker refusal_of(int source, int tag)
{
    taker t = receive_of(source, tag);

    t.refuses = true;
    return t;
}

static par_message *message_in(wire_context context, int source, int tag)
{
    par_message *message = message_new(0);

    ck_assert_ptr_nonnull(message);
    message->source = source;
    message->header.context = (uint8_t)context;
    message->header.tag = tag;
    return message;
}

/* A message comes; true where a receive has taken it. */
static bool arrives(par_message *message)
{
    match_age(&table, message);
    if (match_arrive(&table, message))
        return true;
    match_keep(&table, message);
    return false;
}

static par_message *arrived(int source, int tag)
{
    par_message *message = message_in(WIRE_P2P, source, tag);

    ck_assert(!arrives(message));
    return message;
}

static bool waits(taker *t)
{
    return match_post(&table, &t->receive);
}

/* The message that a receive for SOURCE and TAG gets now; the caller's. */
static par_message *received(int source, int tag)
{
    taker t = receive_of(source, tag);

    ck_assert_msg(!waits(&t), "nothing is there for source %d, tag %d", source, tag);
    ck_assert_ptr_nonnull(t.met);
    return t.met;
}

#define ck_receives(message, source, tag)         \
    do {                                          \
        par_message *got = received(source, tag); \
                                                  \
        ck_assert_ptr_eq(got, message);           \
        free(got);                                \
    } while (0)

static void check_empty(void)
{
    ck_assert_ptr_null(match_pop(&table));
}

/* ---- a message and a receive ---------------------------------------------- */

START_TEST(a_receive_gets_a_message_that_was_there)
{
    par_message *message;

    match_init(&table);
    message = arrived(3, 7);
    ck_receives(message, 3, 7);
    check_empty();
}
END_TEST

START_TEST(a_message_goes_to_a_receive_that_waits)
{
    taker t = receive_of(3, 7);
    par_message *message = message_in(WIRE_P2P, 3, 7);

    match_init(&table);
    ck_assert(waits(&t));
    ck_assert(arrives(message));
    ck_assert_ptr_eq(t.met, message);
    free(message);
    check_empty();
}
END_TEST

START_TEST(another_source_tag_or_context_does_not_match)
{
    taker t[] = {receive_of(3, 8),
                 receive_of(4, 7),
                 receive_in(WIRE_COLLECTIVE, 3, 7),
                 receive_of(PAR_ANY_SOURCE, 8),
                 receive_of(4, PAR_ANY_TAG),
                 receive_in(WIRE_COLLECTIVE, PAR_ANY_SOURCE, PAR_ANY_TAG)};
    par_message *message;

    match_init(&table);
    message = arrived(3, 7);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        ck_assert(waits(&t[i]));
    ck_assert(!arrives(message_in(WIRE_P2P, 3, 7)));
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        ck_assert_ptr_null(t[i].met);
    ck_receives(message, 3, 7);
    free(match_pop(&table));
    check_empty();
}
END_TEST

START_TEST(any_source_and_any_tag_match_whatever_comes)
{
    static const int asked[][2] = {
        {PAR_ANY_SOURCE, 7}, {3, PAR_ANY_TAG}, {PAR_ANY_SOURCE, PAR_ANY_TAG}};

    match_init(&table);
    for (int i = 0; i < 3; i++) {
        taker t = receive_of(asked[i][0], asked[i][1]);
        par_message *message = arrived(3, 7);

        ck_receives(message, asked[i][0], asked[i][1]);
        ck_assert(waits(&t));
        message = message_in(WIRE_P2P, 3, 7);
        ck_assert(arrives(message));
        ck_assert_ptr_eq(t.met, message);
        free(message);
    }
    check_empty();
}
END_TEST

/* ---- order ---------------------------------------------------------------- */

START_TEST(the_oldest_message_is_received_first)
{
    par_message *first, *second, *third;

    match_init(&table);
    first = arrived(1, 5);
    second = arrived(0, 5);
    third = arrived(1, 5);
    ck_receives(first, 1, 5);
    ck_receives(second, PAR_ANY_SOURCE, PAR_ANY_TAG);
    ck_receives(third, PAR_ANY_SOURCE, 5);
    check_empty();
}
END_TEST

START_TEST(the_oldest_receive_is_served_first)
{
    taker exact[] = {receive_of(1, 5), receive_of(1, 5)};
    taker wild[] = {receive_of(PAR_ANY_SOURCE, 5), receive_of(1, PAR_ANY_TAG)};
    taker *order[] = {&exact[0], &wild[0], &exact[1], &wild[1]};

    match_init(&table);
    for (int i = 0; i < 4; i++)
        ck_assert(waits(order[i]));
    for (int i = 0; i < 4; i++) {
        par_message *message = message_in(WIRE_P2P, 1, 5);

        ck_assert(arrives(message));
        for (int j = 0; j < 4; j++)
            ck_assert_int_eq(order[j]->met != NULL, j <= i);
        free(message);
    }
    check_empty();
}
END_TEST

START_TEST(a_message_put_back_is_ahead_of_later_ones)
{
    par_message *first, *second, *third;

    match_init(&table);
    first = arrived(1, 5);
    second = arrived(1, 5);
    third = arrived(1, 5);
    ck_assert_ptr_eq(received(1, 5), first);
    ck_assert_ptr_eq(received(1, 5), second);
    match_keep(&table, second);
    match_keep(&table, first);
    ck_receives(first, 1, 5);
    ck_receives(second, PAR_ANY_SOURCE, PAR_ANY_TAG);
    ck_receives(third, 1, 5);
    check_empty();
}
END_TEST

START_TEST(messages_are_popped_oldest_first)
{
    par_message *messages[100];

    match_init(&table);
    for (int i = 0; i < 100; i++)
        messages[i] = arrived(i % 3, i % 7);
    for (int i = 0; i < 100; i++) {
        par_message *popped = match_pop(&table);

        ck_assert_ptr_eq(popped, messages[i]);
        free(popped);
    }
    check_empty();
}
END_TEST

/* ---- what does not take --------------------------------------------------- */

START_TEST(a_refused_message_stays_in_its_place)
{
    taker t = refusal_of(1, 5);
    par_message *first, *second;

    match_init(&table);
    first = arrived(1, 5);
    second = arrived(1, 5);
    ck_assert(!waits(&t));
    ck_assert_ptr_eq(t.met, first);
    ck_receives(first, 1, 5);
    ck_receives(second, 1, 5);
    check_empty();
}
END_TEST

START_TEST(a_message_that_one_receive_refuses_goes_to_the_next)
{
    taker refusal = refusal_of(1, 5), wild = refusal_of(PAR_ANY_SOURCE, 5),
          next = receive_of(1, 5);
    par_message *message = message_in(WIRE_P2P, 1, 5);

    match_init(&table);
    ck_assert(waits(&refusal) && waits(&wild) && waits(&next));
    ck_assert(arrives(message));
    ck_assert_ptr_eq(refusal.met, message);
    ck_assert_ptr_eq(wild.met, message);
    ck_assert_ptr_eq(next.met, message);
    free(message);
    check_empty();
}
END_TEST

START_TEST(a_receive_that_has_refused_waits_no_longer)
{
    taker refusal = refusal_of(1, 5);
    par_message *first, *second;

    match_init(&table);
    ck_assert(waits(&refusal));
    first = arrived(1, 5);
    ck_assert_ptr_eq(refusal.met, first);
    second = arrived(1, 5);
    ck_assert_ptr_eq(refusal.met, first);
    ck_receives(first, 1, 5);
    ck_receives(second, 1, 5);
    check_empty();
}
END_TEST

START_TEST(a_receive_taken_back_gets_nothing)
{
    taker gone[] = {receive_of(1, 5), receive_of(PAR_ANY_SOURCE, 5)};
    taker stays = receive_of(1, 5);
    par_message *message = message_in(WIRE_P2P, 1, 5);

    match_init(&table);
    ck_assert(waits(&gone[0]) && waits(&gone[1]) && waits(&stays));
    match_unpost(&gone[0].receive);
    match_unpost(&gone[1].receive);
    ck_assert(arrives(message));
    ck_assert_ptr_null(gone[0].met);
    ck_assert_ptr_null(gone[1].met);
    ck_assert_ptr_eq(stays.met, message);
    free(message);
}
END_TEST

START_TEST(a_message_that_is_found_stays)
{
    par_message *message;

    match_init(&table);
    ck_assert_ptr_null(match_find(&table, WIRE_P2P, PAR_ANY_SOURCE, PAR_ANY_TAG));
    message = arrived(1, 5);
    ck_assert_ptr_eq(match_find(&table, WIRE_P2P, 1, 5), message);
    ck_assert_ptr_eq(match_find(&table, WIRE_P2P, PAR_ANY_SOURCE, 5), message);
    ck_assert_ptr_eq(match_find(&table, WIRE_P2P, 1, PAR_ANY_TAG), message);
    ck_assert_ptr_null(match_find(&table, WIRE_P2P, 2, 5));
    ck_assert_ptr_null(match_find(&table, WIRE_P2P, 1, 6));
    ck_assert_ptr_null(match_find(&table, WIRE_COLLECTIVE, 1, 5));
    ck_receives(message, 1, 5);
}
END_TEST

/* ---- against a plain list ------------------------------------------------- */

/* The same, done in the simplest way: arrays in the order of age. */
enum { MODEL_ROOM = 400, MODEL_ROUNDS = 60000 };

static struct {
    par_message *messages[MODEL_ROOM];
    taker *takers[MODEL_ROOM];
    size_t message_count, taker_count;
} model;

static bool model_fits(const taker *t, const par_message *m)
{
    const match_receive *r = &t->receive;

    return r->context == m->header.context &&
           (r->source == PAR_ANY_SOURCE || r->source == m->source) &&
           (r->tag == PAR_ANY_TAG || r->tag == m->header.tag);
}

static void model_remove(void *list, size_t *count, size_t at)
{
    void **items = list;

    (*count)--;
    for (; at < *count; at++)
        items[at] = items[at + 1];
}

/* Put MESSAGE where its age belongs. */
static void model_keep(par_message *message)
{
    size_t at = model.message_count++;

    for (; at && model.messages[at - 1]->age > message->age; at--)
        model.messages[at] = model.messages[at - 1];
    model.messages[at] = message;
}

/* MESSAGE is offered to those that wait, in the model and in earnest. */
static void offer(par_message *message)
{
    taker *winner = NULL;

    for (size_t i = 0; i < model.taker_count && !winner;) {
        taker *t = model.takers[i];

        if (!model_fits(t, message)) {
            i++;
            continue;
        }
        model_remove(model.takers, &model.taker_count, i);
        if (!t->refuses)
            winner = t;
    }
    ck_assert_int_eq(match_arrive(&table, message), winner != NULL);
    if (winner) {
        ck_assert_ptr_eq(winner->met, message);
        free(message);
        return;
    }
    match_keep(&table, message);
    model_keep(message);
}

static par_message *model_first(const taker *t, size_t *at_p)
{
    for (size_t i = 0; i < model.message_count; i++)
        if (model_fits(t, model.messages[i])) {
            *at_p = i;
            return model.messages[i];
        }
    return NULL;
}

/* T is posted; a message it has taken is put back at times. */
static void ask(taker *t, bool put_back)
{
    size_t at = 0;
    par_message *expected = model_first(t, &at);

    ck_assert_int_eq(waits(t), expected == NULL);
    ck_assert_ptr_eq(t->met, expected);
    if (!expected) {
        model.takers[model.taker_count++] = t;
        return;
    }
    if (t->refuses)
        return;
    model_remove(model.messages, &model.message_count, at);
    if (put_back)
        offer(expected);
    else
        free(expected);
}

START_TEST(any_sequence_of_events_matches_as_a_plain_list_does)
{
    taker *takers = check_alloc(MODEL_ROUNDS * sizeof *takers);
    uint64_t noise = 40;

    match_init(&table);
    model.message_count = model.taker_count = 0;
    for (int round = 0; round < MODEL_ROUNDS; round++) {
        uint64_t dice = check_next(&noise);
        wire_context context = dice % 5 ? WIRE_P2P : WIRE_COLLECTIVE;
        /* Few sources and tags, so that they meet; some share a bin. */
        int source = (int)(dice >> 8) & 3, tag = ((int)(dice >> 16) & 3) * 32;
        uint64_t what = (dice >> 24) % 16;

        if (model.message_count + 1 == MODEL_ROOM || model.taker_count + 1 == MODEL_ROOM)
            what = model.taker_count + 1 == MODEL_ROOM ? 0 : 15;
        if (what < 8) {
            par_message *message = message_in(context, source, tag);

            match_age(&table, message);
            offer(message);
        } else if (what < 9 && model.taker_count) {
            size_t at = (dice >> 32) % model.taker_count;

            match_unpost(&model.takers[at]->receive);
            model_remove(model.takers, &model.taker_count, at);
        } else {
            takers[round] = receive_in(context, dice >> 40 & 3 ? source : PAR_ANY_SOURCE,
                                       dice >> 42 & 3 ? tag : PAR_ANY_TAG);
            takers[round].refuses = (dice >> 44) % 8 == 0;
            ask(&takers[round], (dice >> 48) % 8 == 0);
        }
    }
    for (size_t i = 0; i < model.message_count; i++) {
        par_message *popped = match_pop(&table);

        ck_assert_ptr_eq(popped, model.messages[i]);
        free(popped);
    }
    check_empty();
    free(takers);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_receive_gets_a_message_that_was_there);
    check_add(suite, a_message_goes_to_a_receive_that_waits);
    check_add(suite, another_source_tag_or_context_does_not_match);
    check_add(suite, any_source_and_any_tag_match_whatever_comes);
    check_add(suite, the_oldest_message_is_received_first);
    check_add(suite, the_oldest_receive_is_served_first);
    check_add(suite, a_message_put_back_is_ahead_of_later_ones);
    check_add(suite, messages_are_popped_oldest_first);
    check_add(suite, a_refused_message_stays_in_its_place);
    check_add(suite, a_message_that_one_receive_refuses_goes_to_the_next);
    check_add(suite, a_receive_that_has_refused_waits_no_longer);
    check_add(suite, a_receive_taken_back_gets_nothing);
    check_add(suite, a_message_that_is_found_stays);
    check_add(suite, any_sequence_of_events_matches_as_a_plain_list_does);
}

const check_program program = {.name = "match", .add = add, .alone = true};
