/* test_reduce.c - reduce, allreduce, scan and exscan: what elements give, joined.
 * SPDX-License-Identifier: MIT */
#include <complex.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "check_par.h"
#include "slot.h"
#include "type.h"

enum { COUNTS = 5 };

/* Elements, such that the body is along, just so, not any more, and large. */
static size_t count_of(int i)
{
    size_t room = slot_size / sizeof(int32_t);
    const size_t counts[COUNTS] = {1, 13, room - 8, room, 300000};

    return counts[i];
}

/* A seed that differs between ranks. */
static uint64_t seed_of(int rank)
{
    return (uint64_t)(1000 * rank);
}

/* ---- the reference ---------------------------------------------------------- */

typedef float complex complex_float;
typedef double complex complex_double;

/* The reference joins one element after the other. What wraps, wraps in W. */
#define ARITHMETIC_CASES(T, W)               \
    case PAR_SUM:                            \
        return *l = (T)((W)*l + (W)r), true; \
    case PAR_PROD:                           \
        return *l = (T)((W)*l * (W)r), true;
#define ORDER_CASES                        \
    case PAR_MIN:                          \
        return *l = r < *l ? r : *l, true; \
    case PAR_MAX:                          \
        return *l = r > *l ? r : *l, true;
#define BIT_CASES(T)                   \
    case PAR_BAND:                     \
        return *l = (T)(*l & r), true; \
    case PAR_BOR:                      \
        return *l = (T)(*l | r), true; \
    case PAR_BXOR:                     \
        return *l = (T)(*l ^ r), true;
#define LOGICAL_CASES(T)                \
    case PAR_LAND:                      \
        return *l = (T)(*l && r), true; \
    case PAR_LOR:                       \
        return *l = (T)(*l || r), true; \
    case PAR_LXOR:                      \
        return *l = (T)(!*l != !r), true;

/* Join RIGHT to LEFT; false where OP cannot join such elements. */
#define REFERENCE(T, ...)                                                     \
    static bool join_##T(par_op op, void *left, const void *right, size_t at) \
    {                                                                         \
        T *l = (T *)left + at, r = ((const T *)right)[at];                    \
                                                                              \
        switch (op) {                                                         \
            __VA_ARGS__                                                       \
        default:                                                              \
            return false;                                                     \
        }                                                                     \
    }
#define INTEGER_REFERENCE(T) \
    REFERENCE(T, ARITHMETIC_CASES(T, uint64_t) ORDER_CASES BIT_CASES(T) LOGICAL_CASES(T))

/* clang-format off */
INTEGER_REFERENCE(int8_t)
INTEGER_REFERENCE(int16_t)
INTEGER_REFERENCE(int32_t)
INTEGER_REFERENCE(int64_t)
INTEGER_REFERENCE(uint8_t)
INTEGER_REFERENCE(uint16_t)
INTEGER_REFERENCE(uint32_t)
INTEGER_REFERENCE(uint64_t)
REFERENCE(bool, ORDER_CASES BIT_CASES(bool) LOGICAL_CASES(bool))
REFERENCE(float, ARITHMETIC_CASES(float, float) ORDER_CASES)
REFERENCE(double, ARITHMETIC_CASES(double, double) ORDER_CASES)
REFERENCE(complex_float, ARITHMETIC_CASES(complex_float, complex_float))
REFERENCE(complex_double, ARITHMETIC_CASES(complex_double, complex_double))
/* clang-format on */

static bool join_byte(par_op op, void *left, const void *right, size_t at)
{
    return op >= PAR_BAND && op <= PAR_BXOR && join_uint8_t(op, left, right, at);
}

/* A NaN goes in front of all numbers; of equal ones the smaller index does. */
#define LOCATION_REFERENCE(T)                                                         \
    static bool join_##T(par_op op, void *left, const void *right, size_t at)         \
    {                                                                                 \
        T *l = (T *)left + at, r = ((const T *)right)[at];                            \
        bool l_is_none = isnan((double)l->value), r_is_none = isnan((double)r.value); \
        bool same = (l_is_none && r_is_none) || l->value == r.value, r_first;         \
                                                                                      \
        if (op != PAR_MINLOC && op != PAR_MAXLOC)                                     \
            return false;                                                             \
        if (same)                                                                     \
            r_first = r.index < l->index;                                             \
        else if (l_is_none || r_is_none)                                              \
            r_first = r_is_none;                                                      \
        else                                                                          \
            r_first = op == PAR_MINLOC ? r.value < l->value : r.value > l->value;     \
        if (r_first)                                                                  \
            *l = r;                                                                   \
        return true;                                                                  \
    }

LOCATION_REFERENCE(par_double_index)
LOCATION_REFERENCE(par_int64_index)

static bool join_nothing(par_op op, void *left, const void *right, size_t at)
{
    (void)op, (void)left, (void)right, (void)at;
    return false;
}

typedef bool join(par_op op, void *left, const void *right, size_t at);

static join *const joins[] = {
    [PAR_BYTE] = join_byte,
    [PAR_CHAR] = join_nothing,
    [PAR_BOOL] = join_bool,
    [PAR_INT8] = join_int8_t,
    [PAR_INT16] = join_int16_t,
    [PAR_INT32] = join_int32_t,
    [PAR_INT64] = join_int64_t,
    [PAR_UINT8] = join_uint8_t,
    [PAR_UINT16] = join_uint16_t,
    [PAR_UINT32] = join_uint32_t,
    [PAR_UINT64] = join_uint64_t,
    [PAR_FLOAT] = join_float,
    [PAR_DOUBLE] = join_double,
    [PAR_COMPLEX_FLOAT] = join_complex_float,
    [PAR_COMPLEX_DOUBLE] = join_complex_double,
    [PAR_OPAQUE] = join_nothing,
    [PAR_DOUBLE_INDEX] = join_par_double_index,
    [PAR_INT64_INDEX] = join_par_int64_index,
};

static size_t reals_in(par_type type)
{
    return type == PAR_COMPLEX_FLOAT || type == PAR_COMPLEX_DOUBLE ? 2 : 1;
}

/* RANK's elements: any integer, but floating-point ones so small and whole that
 * every order of joining gives the same, and locations such that many are equal. */
static void make_elements(void *data, size_t count, par_type type, int rank)
{
    float *floats = data;
    double *doubles = data;
    bool *bools = data;
    par_double_index *locations = data;
    par_int64_index *integer_locations = data;
    uint64_t noise = (uint64_t)rank;

    check_fill(data, count * par_type_size(type), seed_of(rank));
    for (size_t i = 0; i < count * reals_in(type); i++) {
        int small = (int)(check_next(&noise) % 7) - 3;

        if (type == PAR_BOOL)
            bools[i] = small & 1;
        else if (type == PAR_FLOAT || type == PAR_COMPLEX_FLOAT)
            floats[i] = (float)small;
        else if (type == PAR_DOUBLE || type == PAR_COMPLEX_DOUBLE)
            doubles[i] = small;
        else if (type == PAR_DOUBLE_INDEX)
            locations[i].value = small == 3 ? (double)NAN : small;
        else if (type == PAR_INT64_INDEX)
            integer_locations[i].value = small;
    }
}

/* What the elements of ranks 0 to LAST give; false where OP cannot join TYPE. */
static bool expect(int last, void *result, size_t count, par_type type, par_op op)
{
    void *right = check_alloc(count * par_type_size(type));
    bool can = true;

    make_elements(result, count, type, 0);
    for (int rank = 1; rank <= last + 1; rank++) {
        /* One more for the answer alone, where there is but one rank. */
        void *left = rank <= last ? result : check_alloc(count * par_type_size(type));

        make_elements(right, count, type, rank);
        for (size_t i = 0; can && i < count; i++)
            can = joins[type](op, left, right, i);
        if (left != result)
            free(left);
    }
    free(right);
    return can;
}

/* Zeros of both signs are the same number. */
static bool same_numbers(const void *a, const void *b, size_t count, par_type type)
{
    if (type == PAR_FLOAT || type == PAR_COMPLEX_FLOAT) {
        for (size_t i = 0; i < count * reals_in(type); i++)
            if (((const float *)a)[i] != ((const float *)b)[i])
                return false;
        return true;
    }
    if (type == PAR_DOUBLE || type == PAR_COMPLEX_DOUBLE) {
        for (size_t i = 0; i < count * reals_in(type); i++)
            if (((const double *)a)[i] != ((const double *)b)[i])
                return false;
        return true;
    }
    return memcmp(a, b, count * par_type_size(type)) == 0;
}

/* ---- all four against it ----------------------------------------------------- */

/* One of the four: its call, with ROOT for the one that has one; the last rank whose
 * elements are in this rank's result, -1 if there is none. */
typedef struct way {
    par_error (*call)(const void *data, void *result, size_t count, par_type type,
                      par_op op, int root);
    int (*last)(int root);
} way;

static par_error call_reduce(const void *data, void *result, size_t count, par_type type,
                             par_op op, int root)
{
    return par_reduce(world, data, result, count, type, op, root);
}

static int last_of_reduce(int root)
{
    return me == root ? ranks - 1 : -1;
}

static par_error call_allreduce(const void *data, void *result, size_t count,
                                par_type type, par_op op, int root)
{
    (void)root;
    return par_allreduce(world, data, result, count, type, op);
}

static int last_of_allreduce(int root)
{
    (void)root;
    return ranks - 1;
}

static par_error call_scan(const void *data, void *result, size_t count, par_type type,
                           par_op op, int root)
{
    (void)root;
    return par_scan(world, data, result, count, type, op);
}

static int last_of_scan(int root)
{
    (void)root;
    return me;
}

static par_error call_exscan(const void *data, void *result, size_t count, par_type type,
                             par_op op, int root)
{
    (void)root;
    return par_exscan(world, data, result, count, type, op);
}

static int last_of_exscan(int root)
{
    (void)root;
    return me - 1;
}

static const way ways[] = {
    {call_reduce, last_of_reduce},
    {call_allreduce, last_of_allreduce},
    {call_scan, last_of_scan},
    {call_exscan, last_of_exscan},
};

enum { WAYS = sizeof ways / sizeof *ways };

/* What MINE, this rank's elements, give; where nothing comes out, nothing changes. */
static void check_way(const way *w, size_t count, par_type type, par_op op, int root)
{
    size_t bytes = count * par_type_size(type);
    unsigned char *mine = check_alloc(bytes), *kept = check_alloc(bytes);
    unsigned char *expected = check_alloc(bytes), *result = check_alloc(bytes);
    int last = w->last(root);

    make_elements(mine, count, type, me);
    make_elements(kept, count, type, me);
    memset(result, 0xEE, bytes);
    if (!expect(last < 0 ? 0 : last, expected, count, type, op)) {
        ck_fails(PAR_ERR_TYPE, w->call(mine, result, count, type, op, root));
        ck_detail(par_type_name(type));
        last = -1;
    } else {
        ck_ok(w->call(mine, result, count, type, op, root));
    }
    if (last < 0)
        memset(expected, 0xEE, bytes);
    ck_assert_msg(last < 0 ? !memcmp(result, expected, bytes)
                           : same_numbers(result, expected, count, type),
                  "operation %d of %zu %s is wrong, root %d", (int)op, count,
                  par_type_name(type), root);
    ck_assert_mem_eq(mine, kept, bytes);
    free(mine);
    free(kept);
    free(expected);
    free(result);
}

START_TEST(every_operation_joins_every_type_it_can)
{
    for (int type = 0; type < TYPE_COUNT; type++)
        for (int op = PAR_SUM; type != PAR_OPAQUE && op <= PAR_MAXLOC; op++)
            check_way(&ways[_i], 100, (par_type)type, (par_op)op, (type + op) % ranks);
}
END_TEST

START_TEST(every_size_is_joined_at_every_root)
{
    for (int root = 0; root < (_i ? 1 : ranks); root++)
        for (int i = 0; i < COUNTS; i++)
            check_way(&ways[_i], count_of(i), PAR_INT32, PAR_SUM, root);
}
END_TEST

START_TEST(nothing_can_be_joined)
{
    for (int root = 0; root < ranks; root++)
        ck_ok(ways[_i].call(NULL, NULL, 0, PAR_DOUBLE, PAR_MAX, root));
}
END_TEST

START_TEST(a_result_may_take_the_place_of_the_elements)
{
    static const size_t counts[] = {3, 50000};

    for (int i = 0; i < 2; i++)
        for (int root = 0; root < ranks; root++) {
            size_t bytes = counts[i] * sizeof(int64_t);
            int64_t *data = check_alloc(bytes), *expected = check_alloc(bytes);
            int last = ways[_i].last(root);

            make_elements(data, counts[i], PAR_INT64, me);
            if (last < 0)
                make_elements(expected, counts[i], PAR_INT64, me);
            else
                expect(last, expected, counts[i], PAR_INT64, PAR_SUM);
            ck_ok(ways[_i].call(data, data, counts[i], PAR_INT64, PAR_SUM, root));
            ck_assert_mem_eq(data, expected, bytes);
            free(data);
            free(expected);
        }
}
END_TEST

START_TEST(only_the_root_of_a_reduce_needs_a_result)
{
    for (int root = 0; root < ranks; root++) {
        int32_t mine = me, sum = -1;

        ck_ok(par_reduce(world, &mine, me == root ? &sum : NULL, 1, PAR_INT32, PAR_SUM,
                         root));
        ck_assert_int_eq(sum, me == root ? ranks * (ranks - 1) / 2 : -1);
    }
}
END_TEST

START_TEST(a_sum_has_the_same_bits_whatever_root_and_timing)
{
    enum { COUNT = 200, TURNS = 20 };
    double mine[COUNT], sum[COUNT], first[COUNT];
    uint64_t noise = (uint64_t)me + 1;

    /* Of all magnitudes: another order would give other bits. */
    for (int i = 0; i < COUNT; i++)
        mine[i] =
            ldexp((double)(int64_t)check_next(&noise), (int)(check_next(&noise) % 64));
    for (int turn = 0; turn < TURNS; turn++) {
        int root = turn % ranks;

        usleep((unsigned)(check_next(&noise) % 1000));
        ck_ok(par_reduce(world, mine, sum, COUNT, PAR_DOUBLE, PAR_SUM, root));
        ck_ok(par_broadcast(world, sum, COUNT, PAR_DOUBLE, root));
        if (turn == 0)
            memcpy(first, sum, sizeof sum);
        ck_assert_mem_eq(sum, first, sizeof sum);
        ck_ok(par_allreduce(world, mine, sum, COUNT, PAR_DOUBLE, PAR_SUM));
        ck_assert_mem_eq(sum, first, sizeof sum);
    }
}
END_TEST

START_TEST(what_is_no_number_is_neither_lost_in_min_nor_in_max)
{
    for (int where = 0; where < ranks; where++) {
        double mine = me == where ? (double)NAN : me, result = 0;

        ck_ok(par_reduce(world, &mine, &result, 1, PAR_DOUBLE, PAR_MIN, 0));
        ck_assert(me || isnan(result));
        ck_ok(par_reduce(world, &mine, &result, 1, PAR_DOUBLE, PAR_MAX, 0));
        ck_assert(me || isnan(result));
    }
}
END_TEST

START_TEST(of_equal_values_the_first_index_is_found)
{
    par_double_index mine = {2.5, 100 - me}, found = {0};

    ck_ok(par_allreduce(world, &mine, &found, 1, PAR_DOUBLE_INDEX, PAR_MINLOC));
    ck_assert_int_eq(found.index, 101 - ranks);
    ck_ok(par_allreduce(world, &mine, &found, 1, PAR_DOUBLE_INDEX, PAR_MAXLOC));
    ck_assert_int_eq(found.index, 101 - ranks);
    ck_assert_double_eq(found.value, 2.5);
}
END_TEST

START_TEST(what_is_no_number_is_found_by_minloc_and_maxloc)
{
    for (int where = 0; where < ranks; where++) {
        par_double_index mine = {me >= where ? (double)NAN : me, me}, found = {0};

        ck_ok(par_allreduce(world, &mine, &found, 1, PAR_DOUBLE_INDEX, PAR_MINLOC));
        ck_assert_int_eq(found.index, where);
        ck_ok(par_allreduce(world, &mine, &found, 1, PAR_DOUBLE_INDEX, PAR_MAXLOC));
        ck_assert_int_eq(found.index, where);
        ck_assert(isnan(found.value));
    }
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    double x = 0, y = 0;

#define all_fail(error, data, result, count, type, op) \
    ck_fails(error, ways[_i].call(data, result, count, type, op, 0))

    all_fail(PAR_ERR_ARG, NULL, &y, 1, PAR_DOUBLE, PAR_SUM);
    all_fail(PAR_ERR_SIZE, &x, &y, (size_t)-1, PAR_DOUBLE, PAR_SUM);
    all_fail(PAR_ERR_TYPE, &x, &y, 1, PAR_OPAQUE, PAR_SUM);
    all_fail(PAR_ERR_TYPE, &x, &y, 1, (par_type)-1, PAR_SUM);
    all_fail(PAR_ERR_ARG, &x, &y, 1, PAR_DOUBLE, (par_op)-1);
    all_fail(PAR_ERR_ARG, &x, &y, 1, PAR_DOUBLE, (par_op)(PAR_MAXLOC + 1));
    ck_detail("MAXLOC");
    /* Of a reduce, the root alone is wrong then, and on one rank that hurts nobody. */
    if (ranks == 1 || _i)
        all_fail(PAR_ERR_ARG, &x, NULL, 1, PAR_DOUBLE, PAR_SUM);
}
END_TEST

START_TEST(no_communicator_is_refused)
{
    double x = 0, y = 0;

    ck_fails(PAR_ERR_ARG, par_allreduce(NULL, &x, &y, 1, PAR_DOUBLE, PAR_SUM));
    ck_fails(PAR_ERR_ARG, par_scan(NULL, &x, &y, 1, PAR_DOUBLE, PAR_SUM));
    ck_fails(PAR_ERR_ARG, par_exscan(NULL, &x, &y, 1, PAR_DOUBLE, PAR_SUM));
}
END_TEST

static void add(Suite *suite)
{
    check_add_each(suite, WAYS, every_operation_joins_every_type_it_can);
    check_add_each(suite, WAYS, every_size_is_joined_at_every_root);
    check_add_each(suite, WAYS, nothing_can_be_joined);
    check_add_each(suite, WAYS, a_result_may_take_the_place_of_the_elements);
    check_add(suite, only_the_root_of_a_reduce_needs_a_result);
    check_add(suite, a_sum_has_the_same_bits_whatever_root_and_timing);
    check_add(suite, of_equal_values_the_first_index_is_found);
    check_add(suite, what_is_no_number_is_found_by_minloc_and_maxloc);
    check_add(suite, what_is_no_number_is_neither_lost_in_min_nor_in_max);
    check_add_each(suite, WAYS, bad_arguments_are_refused);
    check_add(suite, no_communicator_is_refused);
}

const check_program program = {.name = "reduce", .add = add};
