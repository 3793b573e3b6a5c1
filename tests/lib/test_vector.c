/* test_vector.c - scatterv, gatherv, allgatherv, alltoallv, reduce_scatter: parts of
 * differing length.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check_par.h"
#include "slot.h"
#include "type.h"
#include "vector.h"

enum { MOST = 64, TURNS = 30, GAP = 0xEE };

/* How many elements of four bytes FROM has for TO in TURN: none, few, such that the
 * body is along, just so, not any more, and many. All ranks know all. */
static size_t count_of(int turn, int from, int to)
{
    size_t room = slot_size / 4;
    const size_t counts[] = {0, 0, 1, 2, 13, room - 16, room - 12, room, 30000};
    uint64_t noise = (uint64_t)((turn * MOST + from) * MOST + to);

    check_next(&noise);
    return counts[check_next(&noise) % (sizeof counts / sizeof *counts)];
}

static uint64_t seed_of(int from, int to)
{
    return (uint64_t)(1000 * from + to);
}

/* ---- layouts -------------------------------------------------------------- */

/* Where the parts of all ranks lie in DATA, which they have for this one or it for
 * them. */
typedef struct layout {
    size_t counts[MOST], displs[MOST];
    bool tight; /* one behind the other, so that no displs need be given */
    size_t bytes;
    unsigned char *data;
} layout;

/* COUNTS are there. In every other turn the parts lie in an order of their own, with
 * gaps between them. */
static void lay_out(layout *l, int turn)
{
    int first = turn / 2 % ranks;
    size_t at = 0;

    l->tight = turn % 2 == 0;
    for (int n = 0; n < ranks; n++) {
        int rank = l->tight ? n : (first + ranks - n) % ranks;

        at += l->tight ? 0 : (size_t)(turn + rank) % 4;
        l->displs[rank] = at;
        at += l->counts[rank];
    }
    l->bytes = 4 * (at + 3);
    l->data = check_alloc(l->bytes);
    memset(l->data, GAP, l->bytes);
}

static const size_t *displs_of(const layout *l)
{
    return l->tight ? NULL : l->displs;
}

static unsigned char *part_at(const layout *l, int rank)
{
    return l->data + 4 * l->displs[rank];
}

/* This rank's for each, or for DEST alone and the same everywhere. */
static layout outgoing(int turn)
{
    layout l = {0};

    for (int rank = 0; rank < ranks; rank++)
        l.counts[rank] = count_of(turn, me, rank);
    lay_out(&l, turn);
    for (int rank = 0; rank < ranks; rank++)
        check_fill(part_at(&l, rank), 4 * l.counts[rank], seed_of(me, rank));
    return l;
}

/* Room for what each rank has for TO. */
static layout incoming(int turn, int to)
{
    layout l = {0};

    for (int rank = 0; rank < ranks; rank++)
        l.counts[rank] = count_of(turn, rank, to);
    lay_out(&l, turn);
    return l;
}

/* Each rank's part for TO is in its place, and nothing between them has been touched. */
static void check_arrived(layout *l, int to)
{
    for (int rank = 0; rank < ranks; rank++) {
        ck_assert(
            check_is_filled(part_at(l, rank), 4 * l->counts[rank], seed_of(rank, to)));
        if (l->counts[rank])
            memset(part_at(l, rank), GAP, 4 * l->counts[rank]);
    }
    for (size_t i = 0; i < l->bytes; i++)
        ck_assert_uint_eq(l->data[i], GAP);
    free(l->data);
}

/* ---- parts of any length ------------------------------------------------------ */

START_TEST(a_scatterv_gives_each_rank_its_part)
{
    for (int turn = 0; turn < TURNS; turn++) {
        int root = turn % ranks;
        size_t count = count_of(turn, root, me);
        unsigned char *part = check_alloc(4 * count);
        layout l = outgoing(turn);

        if (me == root)
            ck_ok(par_scatterv(world, l.data, l.counts, displs_of(&l), part, count,
                               PAR_INT32, root));
        else
            ck_ok(par_scatterv(world, NULL, NULL, NULL, part, count, PAR_INT32, root));
        ck_assert(check_is_filled(part, 4 * count, seed_of(root, me)));
        free(part);
        free(l.data);
    }
}
END_TEST

START_TEST(a_gatherv_gives_the_root_each_part)
{
    for (int turn = 0; turn < TURNS; turn++) {
        int root = turn % ranks;
        size_t count = count_of(turn, me, root);
        unsigned char *part = check_alloc(4 * count);
        layout l = incoming(turn, root);

        check_fill(part, 4 * count, seed_of(me, root));
        if (me == root) {
            ck_ok(par_gatherv(world, part, count, PAR_INT32, l.data, l.counts,
                              displs_of(&l), root));
            check_arrived(&l, root);
        } else {
            ck_ok(par_gatherv(world, part, count, PAR_INT32, NULL, NULL, NULL, root));
            free(l.data);
        }
        free(part);
    }
}
END_TEST

START_TEST(an_allgatherv_gives_everybody_each_part)
{
    for (int turn = 0; turn < TURNS; turn++) {
        size_t count = count_of(turn, me, 0);
        unsigned char *part = check_alloc(4 * count);
        layout l = incoming(turn, 0);

        check_fill(part, 4 * count, seed_of(me, 0));
        ck_ok(par_allgatherv(world, part, count, PAR_INT32, l.data, l.counts,
                             displs_of(&l)));
        check_arrived(&l, 0);
        free(part);
    }
}
END_TEST

START_TEST(an_alltoallv_gives_everybody_its_part_of_each)
{
    for (int turn = 0; turn < TURNS; turn++) {
        layout out = outgoing(turn), in = incoming(turn, me);

        ck_ok(par_alltoallv(world, out.data, out.counts, displs_of(&out), in.data,
                            in.counts, displs_of(&in), PAR_INT32));
        check_arrived(&in, me);
        free(out.data);
    }
}
END_TEST

START_TEST(every_type_is_carried)
{
    for (int t = 0; t < TYPE_COUNT; t++) {
        par_type type = (par_type)t;
        size_t size = par_type_size(type), counts[MOST];
        unsigned char part[3 * 16] = {0}, data[MOST * 3 * 16] = {0};

        if (!type_is_plain(type))
            continue;
        for (int rank = 0; rank < ranks; rank++)
            counts[rank] = (size_t)(rank + 1) % 4;
        check_fill(part, counts[me] * size, seed_of(me, 0));
        ck_ok(par_allgatherv(world, part, counts[me], type, data, counts, NULL));
        for (int rank = 0, at = 0; rank < ranks; at += (int)(counts[rank++] * size))
            ck_assert(check_is_filled(data + at, counts[rank] * size, seed_of(rank, 0)));
        memset(part, 0, sizeof part);
        ck_ok(par_scatterv(world, data, counts, NULL, part, counts[me], type, 0));
        ck_assert(check_is_filled(part, counts[me] * size, seed_of(me, 0)));
    }
}
END_TEST

/* ---- in place ----------------------------------------------------------------- */

START_TEST(a_part_may_be_in_its_place_already)
{
    for (int turn = 0; turn < TURNS; turn++) {
        int root = turn % ranks;
        layout out = outgoing(turn), in = incoming(turn, root), all = incoming(turn, 0);
        unsigned char *here = part_at(&in, me), *mine = part_at(&all, me);

        if (me == root) {
            check_fill(here, 4 * in.counts[me], seed_of(me, root));
            ck_ok(par_gatherv(world, here, in.counts[me], PAR_INT32, in.data, in.counts,
                              displs_of(&in), root));
            check_arrived(&in, root);
            here = part_at(&out, me);
            ck_ok(par_scatterv(world, out.data, out.counts, displs_of(&out), here,
                               out.counts[me], PAR_INT32, root));
            ck_assert(check_is_filled(here, 4 * out.counts[me], seed_of(me, me)));
        } else {
            check_fill(here, 4 * in.counts[me], seed_of(me, root));
            ck_ok(par_gatherv(world, here, in.counts[me], PAR_INT32, NULL, NULL, NULL,
                              root));
            free(in.data);
            here = check_alloc(4 * count_of(turn, root, me));
            ck_ok(par_scatterv(world, NULL, NULL, NULL, here, count_of(turn, root, me),
                               PAR_INT32, root));
            free(here);
        }
        check_fill(mine, 4 * all.counts[me], seed_of(me, 0));
        ck_ok(par_allgatherv(world, mine, all.counts[me], PAR_INT32, all.data, all.counts,
                             displs_of(&all)));
        check_arrived(&all, 0);
        free(out.data);
    }
}
END_TEST

START_TEST(nothing_needs_no_memory)
{
    const size_t none[MOST] = {0};

    for (int root = 0; root < ranks; root++) {
        ck_ok(par_scatterv(world, NULL, none, none, NULL, 0, PAR_DOUBLE, root));
        ck_ok(par_gatherv(world, NULL, 0, PAR_DOUBLE, NULL, none, none, root));
    }
    ck_ok(par_allgatherv(world, NULL, 0, PAR_DOUBLE, NULL, none, none));
    ck_ok(par_alltoallv(world, NULL, none, NULL, NULL, none, none, PAR_DOUBLE));
    ck_ok(par_reduce_scatter(world, NULL, NULL, none, PAR_DOUBLE, PAR_SUM));
}
END_TEST

/* ---- counts that differ --------------------------------------------------------- */

/* Each rank has COUNT elements for each; but BAD of them rank WHO says it sends, or
 * expects, where WITH is on the other side. */
typedef struct dispute {
    size_t count, bad;
    int who, with;
    bool receives;
} dispute;

static int64_t out_memory[MOST * 4000], in_memory[MOST * 4000];

/* What this rank says it has for each, or expects of each, in LIST; the parts lie so
 * far apart that all fit. */
static void claim(const dispute *d, bool receives, size_t *list, size_t *displs)
{
    for (int rank = 0; rank < ranks; rank++) {
        bool bad = receives == d->receives && me == d->who && rank == d->with;

        list[rank] = bad ? d->bad : d->count;
        displs[rank] = (size_t)rank * 4000;
    }
}

typedef par_error disputed(const dispute *d);

static par_error disputed_scatterv(const dispute *d)
{
    size_t outs[MOST], ins[MOST], displs[MOST];
    int root = d->receives ? d->with : d->who;

    claim(d, false, outs, displs);
    claim(d, true, ins, displs);
    return par_scatterv(world, out_memory, outs, displs, in_memory, ins[root], PAR_INT64,
                        root);
}

static par_error disputed_gatherv(const dispute *d)
{
    size_t outs[MOST], ins[MOST], displs[MOST];
    int root = d->receives ? d->who : d->with;

    claim(d, false, outs, displs);
    claim(d, true, ins, displs);
    return par_gatherv(world, out_memory, outs[root], PAR_INT64, in_memory, ins, displs,
                       root);
}

/* Of all this rank sends to one it must say the same. */
static par_error disputed_allgatherv(const dispute *d)
{
    size_t ins[MOST], displs[MOST];
    bool bad = !d->receives && me == d->who;

    claim(d, true, ins, displs);
    return par_allgatherv(world, out_memory, bad ? d->bad : d->count, PAR_INT64,
                          in_memory, ins, displs);
}

static par_error disputed_alltoallv(const dispute *d)
{
    size_t outs[MOST], ins[MOST], displs[MOST];

    claim(d, false, outs, displs);
    claim(d, true, ins, displs);
    return par_alltoallv(world, out_memory, outs, displs, in_memory, ins, displs,
                         PAR_INT64);
}

static disputed *const all_disputed[] = {disputed_scatterv, disputed_gatherv,
                                         disputed_allgatherv, disputed_alltoallv};

enum { DISPUTED = sizeof all_disputed / sizeof *all_disputed };

/* A rank that has left a call that failed on another is told in the next one, which
 * fails for all. What they have sent before has arrived then. */
static void settle(void)
{
    int32_t nothing = 0;
    par_error err;

    for (int rank = 0; rank < ranks; rank++)
        ck_ok(par_send(world, &nothing, 1, PAR_INT32, rank, 7));
    for (int rank = 0; rank < ranks; rank++)
        ck_ok(par_receive(world, &nothing, 1, PAR_INT32, rank, 7, NULL));
    err = par_barrier(world);
    if (err)
        ck_fails(PAR_ERR_MISMATCH, err);
}

/* The receiver of the part in question names the sender and both counts, unless it has
 * heard of another's failure before; nobody waits for ever. */
static void check_dispute(disputed *call, const dispute *d)
{
    int receiver = d->receives ? d->who : d->with;
    int sender = d->receives ? d->with : d->who;
    par_error err = call(d);
    char expected[96];

    if (err)
        ck_fails(PAR_ERR_MISMATCH, err);
    if (me == receiver)
        ck_fails(PAR_ERR_MISMATCH, err);
    snprintf(expected, sizeof expected,
             "rank %d has %zu int64 for this rank, which says %zu", sender,
             d->receives ? d->count : d->bad, d->receives ? d->bad : d->count);
    if (me == receiver && !strstr(par_error_detail(), "has failed on rank"))
        ck_detail(expected);
    settle();
    ck_ok(par_barrier(world));
}

START_TEST(counts_that_differ_are_named)
{
    static const size_t pairs[][2] = {{3, 4}, {4, 3},    {3, 0},
                                      {0, 3}, {4000, 1}, {1, 4000}};

    for (int who = 0; who < ranks; who++)
        for (int with = 0; with < ranks; with++)
            for (size_t i = 0; i < 2 * sizeof pairs / sizeof *pairs; i++) {
                const size_t *pair = pairs[i / 2];
                dispute d = {pair[0], pair[1], who, with, i % 2};

                check_dispute(all_disputed[_i], &d);
            }
}
END_TEST

START_TEST(a_part_that_differs_does_not_touch_memory)
{
    const size_t counts[MOST] = {0, 100};
    int64_t mine[100], room[102];

    memset(mine, 1, sizeof mine);
    memset(room, GAP, sizeof room);
    if (me == 0) {
        const size_t displs[MOST] = {0, 1};
        size_t claimed[MOST] = {0, 90};

        ck_fails(PAR_ERR_MISMATCH,
                 par_gatherv(world, mine, 0, PAR_INT64, room, claimed, displs, 0));
        for (size_t i = 0; i < sizeof room; i++)
            ck_assert_uint_eq(((unsigned char *)room)[i], GAP);
    } else {
        par_error err =
            par_gatherv(world, mine, counts[me], PAR_INT64, NULL, NULL, NULL, 0);

        if (err)
            ck_fails(PAR_ERR_MISMATCH, err);
    }
    settle();
}
END_TEST

/* ---- reduce_scatter --------------------------------------------------------------- */

/* Elements of all magnitudes, whose sums have other bits in another order. */
static void make_elements(void *data, size_t count, par_type type, int rank)
{
    uint64_t noise = (uint64_t)rank + 1;
    double *doubles = data;
    float *floats = data;

    check_fill(data, count * par_type_size(type), seed_of(rank, 1));
    for (size_t i = 0; i < count; i++) {
        int64_t number = (int64_t)check_next(&noise) >> 12;
        int exponent = (int)(check_next(&noise) % 60);

        if (type == PAR_DOUBLE)
            doubles[i] = ldexp((double)number, exponent);
        else if (type == PAR_FLOAT)
            floats[i] = ldexpf((float)number, exponent - 60);
        else if (type == PAR_BOOL)
            ((bool *)data)[i] = number & 1;
    }
}

/* par_reduce_scatter's results are par_reduce's, in parts. */
static void compare(const size_t *counts, par_type type, par_op op, bool in_place)
{
    size_t size = par_type_size(type), total = 0, before = 0;
    unsigned char *data, *whole, *part, *room = NULL;

    for (int rank = 0; rank < ranks; rank++) {
        before += rank < me ? counts[rank] : 0;
        total += counts[rank];
    }
    data = check_alloc(total * size);
    whole = check_alloc(total * size);
    make_elements(data, total, type, me);
    ck_ok(par_reduce(world, data, whole, total, type, op, 0));
    ck_ok(par_broadcast(world, whole, total, type, 0));
    part = in_place ? data + before * size : (room = check_alloc(counts[me] * size));
    ck_ok(par_reduce_scatter(world, data, part, counts, type, op));
    if (counts[me])
        ck_assert_mem_eq(part, whole + before * size, counts[me] * size);
    free(room);
    free(data);
    free(whole);
}

START_TEST(a_reduce_scatter_gives_the_bits_of_a_reduce)
{
    for (int turn = 0; turn < TURNS; turn++) {
        size_t counts[MOST] = {0};

        for (int rank = 0; rank < ranks; rank++)
            counts[rank] = count_of(turn, rank, 0);
        compare(counts, PAR_DOUBLE, PAR_SUM, turn % 2);
        compare(counts, PAR_FLOAT, PAR_SUM, turn % 2);
        compare(counts, PAR_INT64_INDEX, PAR_MINLOC, turn % 2);
    }
}
END_TEST

START_TEST(a_reduce_scatter_joins_what_a_reduce_joins)
{
    size_t counts[MOST] = {0};
    char x[16 * MOST * 3], y[16 * MOST * 3];

    for (int rank = 0; rank < ranks; rank++)
        counts[rank] = (size_t)rank % 3;
    for (int t = 0; t < TYPE_COUNT; t++)
        for (int op = PAR_SUM; op <= PAR_MAXLOC; op++) {
            par_type type = (par_type)t;
            bool is_number = type != PAR_FLOAT && type != PAR_DOUBLE &&
                             type != PAR_COMPLEX_FLOAT && type != PAR_COMPLEX_DOUBLE;

            memset(x, 0, sizeof x);
            if (par_reduce(world, x, y, 1, type, (par_op)op, 0))
                ck_fails(PAR_ERR_TYPE,
                         par_reduce_scatter(world, x, y, counts, type, (par_op)op));
            else if (is_number || op == PAR_SUM)
                compare(counts, type, (par_op)op, false);
        }
}
END_TEST

START_TEST(a_reduce_scatter_with_differing_counts_is_noticed)
{
    for (int odd = 0; odd < ranks; odd++) {
        int64_t data[2 * MOST] = {0}, part[4];
        size_t counts[MOST] = {0};
        par_error err;

        for (int rank = 0; rank < ranks; rank++)
            counts[rank] = 2;
        if (me == odd) { /* all together as many */
            counts[0] = 3;
            counts[1] = 1;
        }
        err = par_reduce_scatter(world, data, part, counts, PAR_INT64, PAR_SUM);
        if (odd == 0 && me == 1) {
            ck_fails(PAR_ERR_MISMATCH, err);
            ck_detail("rank 0 has 1 int64 for this rank, which says 2");
        } else if (odd == 1 && me == 1) {
            ck_fails(PAR_ERR_MISMATCH, err);
            ck_detail("rank 0 has 2 int64 for this rank, which says 1");
        } else if (err) { /* else it has what it and rank 0 say */
            ck_fails(PAR_ERR_MISMATCH, err);
        }
        settle();

        counts[1] = 2;
        counts[0] = me == odd ? 1 : 2; /* all together fewer */
        err = par_reduce_scatter(world, data, part, counts, PAR_INT64, PAR_SUM);
        if (me == 0)
            ck_fails(PAR_ERR_MISMATCH, err);
        if (err)
            ck_detail("all ranks must make the same call");
        settle();
    }
}
END_TEST

/* ---- bad arguments ---------------------------------------------------------------- */

/* Every rank makes the same bad call, and so nobody is left behind. */
START_TEST(bad_lists_are_refused)
{
    double x[8] = {0}, y[8];
    size_t ones[MOST] = {0}, bad[MOST] = {0}, zeros[MOST] = {0};

    for (int rank = 0; rank < ranks; rank++)
        ones[rank] = bad[rank] = 1;

#define all_fail(error, data, counts, displs, type)                                    \
    do {                                                                               \
        if (ranks == 1)                                                                \
            ck_fails(error, par_scatterv(world, data, counts, displs, y, 1, type, 0)); \
        if (ranks == 1)                                                                \
            ck_fails(error, par_gatherv(world, y, 1, type, data, counts, displs, 0));  \
        ck_fails(error, par_allgatherv(world, y, 1, type, data, counts, displs));      \
        ck_fails(error,                                                                \
                 par_alltoallv(world, y, ones, NULL, data, counts, displs, type));     \
    } while (0)

    all_fail(PAR_ERR_ARG, x, NULL, NULL, PAR_DOUBLE);
    all_fail(PAR_ERR_ARG, NULL, ones, NULL, PAR_DOUBLE);
    all_fail(PAR_ERR_TYPE, x, ones, NULL, PAR_OPAQUE);
    all_fail(PAR_ERR_TYPE, x, ones, NULL, (par_type)-1);
    bad[ranks - 1] = (size_t)-1;
    all_fail(PAR_ERR_SIZE, x, bad, NULL, PAR_DOUBLE);
    bad[ranks - 1] = SIZE_MAX / 8;
    all_fail(PAR_ERR_SIZE, x, bad, NULL, PAR_DOUBLE);
    bad[ranks - 1] = (size_t)-1;
    all_fail(PAR_ERR_SIZE, x, ones, bad, PAR_DOUBLE);
    ck_detail("(or -1)");
    if (ranks > 1) {
        all_fail(PAR_ERR_ARG, x, ones, zeros, PAR_DOUBLE);
        ck_detail("ranks 0 and 1 overlap");
    }
    ck_fails(PAR_ERR_ARG, par_reduce_scatter(world, x, y, NULL, PAR_DOUBLE, PAR_SUM));
    ck_fails(PAR_ERR_ARG, par_reduce_scatter(world, NULL, y, ones, PAR_DOUBLE, PAR_SUM));
    ck_fails(PAR_ERR_ARG, par_reduce_scatter(world, x, NULL, ones, PAR_DOUBLE, PAR_SUM));
    ck_fails(PAR_ERR_ARG, par_reduce_scatter(world, x, y, ones, PAR_DOUBLE, (par_op)99));
    ck_fails(PAR_ERR_TYPE, par_reduce_scatter(world, x, y, ones, PAR_OPAQUE, PAR_SUM));
    bad[ranks - 1] = (size_t)-1;
    ck_fails(PAR_ERR_SIZE, par_reduce_scatter(world, x, y, bad, PAR_DOUBLE, PAR_SUM));
}
END_TEST

START_TEST(parts_to_be_read_may_overlap)
{
    size_t counts[MOST], zeros[MOST] = {0};
    int64_t same[3] = {7, 8, 9}, part[3] = {0};

    for (int rank = 0; rank < ranks; rank++)
        counts[rank] = 3;
    ck_ok(par_scatterv(world, same, counts, zeros, part, 3, PAR_INT64, ranks - 1));
    ck_assert_mem_eq(part, same, sizeof same);
}
END_TEST

START_TEST(roots_and_communicators_that_are_none_are_refused)
{
    size_t ones[MOST] = {1};
    char x = 0, y = 0;

    ck_fails(PAR_ERR_RANK, par_scatterv(world, &x, ones, NULL, &y, 1, PAR_CHAR, ranks));
    ck_fails(PAR_ERR_RANK, par_gatherv(world, &x, 1, PAR_CHAR, &y, ones, NULL, -1));
    ck_fails(PAR_ERR_ARG, par_scatterv(NULL, &x, ones, NULL, &y, 1, PAR_CHAR, 0));
    ck_fails(PAR_ERR_ARG, par_gatherv(NULL, &x, 1, PAR_CHAR, &y, ones, NULL, 0));
    ck_fails(PAR_ERR_ARG, par_allgatherv(NULL, &x, 1, PAR_CHAR, &y, ones, NULL));
    ck_fails(PAR_ERR_ARG, par_alltoallv(NULL, &x, ones, NULL, &y, ones, NULL, PAR_CHAR));
    ck_fails(PAR_ERR_ARG, par_reduce_scatter(NULL, &x, &y, ones, PAR_INT8, PAR_SUM));
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_scatterv_gives_each_rank_its_part);
    check_add(suite, a_gatherv_gives_the_root_each_part);
    check_add(suite, an_allgatherv_gives_everybody_each_part);
    check_add(suite, an_alltoallv_gives_everybody_its_part_of_each);
    check_add(suite, every_type_is_carried);
    check_add(suite, a_part_may_be_in_its_place_already);
    check_add(suite, nothing_needs_no_memory);
    check_add_each(suite, DISPUTED, counts_that_differ_are_named);
    if (ranks == 2)
        check_add(suite, a_part_that_differs_does_not_touch_memory);
    check_add(suite, a_reduce_scatter_gives_the_bits_of_a_reduce);
    check_add(suite, a_reduce_scatter_joins_what_a_reduce_joins);
    check_add_from(suite, 2, a_reduce_scatter_with_differing_counts_is_noticed);
    check_add(suite, bad_lists_are_refused);
    check_add(suite, parts_to_be_read_may_overlap);
    check_add(suite, roots_and_communicators_that_are_none_are_refused);
}

const check_program program = {.name = "vector", .add = add};
