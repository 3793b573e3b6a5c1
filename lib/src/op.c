/* op.c - joining elements, two by two.
 * SPDX-License-Identifier: MIT */
#include "op.h"

#include <complex.h>

#include "error.h"
#include "type.h"

static const char *const names[] = {
    [PAR_SUM] = "SUM",   [PAR_PROD] = "PROD",     [PAR_MIN] = "MIN",
    [PAR_MAX] = "MAX",   [PAR_LAND] = "LAND",     [PAR_LOR] = "LOR",
    [PAR_LXOR] = "LXOR", [PAR_BAND] = "BAND",     [PAR_BOR] = "BOR",
    [PAR_BXOR] = "BXOR", [PAR_MINLOC] = "MINLOC", [PAR_MAXLOC] = "MAXLOC",
};

const char *op_name(par_op op)
{
    return (unsigned)op < sizeof names / sizeof *names ? names[op] : NULL;
}

/* Each kernel joins a run of elements with one operation. */
#define KERNEL(name, T, expression)                                               \
    static void name(void *to, const void *left, const void *right, size_t count) \
    {                                                                             \
        T *t = to;                                                                \
        const T *l = left, *r = right;                                            \
                                                                                  \
        for (size_t i = 0; i < count; i++)                                        \
            t[i] = (T)(expression);                                               \
    }

/* Unsigned arithmetic of at least an int's width wraps without being undefined. */
#define ARITHMETIC_KERNELS(T, W)          \
    KERNEL(sum_##T, T, (W)l[i] + (W)r[i]) \
    KERNEL(prod_##T, T, (W)l[i] * (W)r[i])
#define ORDER_KERNELS(T)                          \
    KERNEL(min_##T, T, r[i] < l[i] ? r[i] : l[i]) \
    KERNEL(max_##T, T, r[i] > l[i] ? r[i] : l[i])
#define BITWISE_KERNELS(T)           \
    KERNEL(band_##T, T, l[i] & r[i]) \
    KERNEL(bor_##T, T, l[i] | r[i])  \
    KERNEL(bxor_##T, T, l[i] ^ r[i])
#define LOGICAL_KERNELS(T)            \
    KERNEL(land_##T, T, l[i] && r[i]) \
    KERNEL(lor_##T, T, l[i] || r[i])  \
    KERNEL(lxor_##T, T, !l[i] != !r[i])
/* A number that is none stays so, on whichever side it stands. */
#define REAL_ORDER_KERNELS(T)                                      \
    KERNEL(min_##T, T, l[i] != l[i] || l[i] <= r[i] ? l[i] : r[i]) \
    KERNEL(max_##T, T, l[i] != l[i] || l[i] >= r[i] ? l[i] : r[i])

/* Of a value and its index the right ones go in front of the left if their value
 * does, or if neither's does and their index is the smaller. A number that is none goes
 * in front of all others. */
#define LOCATION_KERNEL(name, T, BEFORE)                                                \
    static void name(void *to, const void *left, const void *right, size_t count)       \
    {                                                                                   \
        T *t = to;                                                                      \
        const T *l = left, *r = right;                                                  \
                                                                                        \
        for (size_t i = 0; i < count; i++)                                              \
            t[i] = BEFORE(r[i].value, l[i].value) ||                                    \
                           (!BEFORE(l[i].value, r[i].value) && r[i].index < l[i].index) \
                       ? r[i]                                                           \
                       : l[i];                                                          \
    }
#define IS_LESS(a, b) ((a) < (b) || ((a) != (a) && (b) == (b)))
#define IS_MORE(a, b) ((a) > (b) || ((a) != (a) && (b) == (b)))
#define LOCATION_KERNELS(T)                 \
    LOCATION_KERNEL(minloc_##T, T, IS_LESS) \
    LOCATION_KERNEL(maxloc_##T, T, IS_MORE)

#define INTEGER_KERNELS(T, W) \
    ARITHMETIC_KERNELS(T, W)  \
    ORDER_KERNELS(T)          \
    BITWISE_KERNELS(T)        \
    LOGICAL_KERNELS(T)

typedef float complex complex_float;
typedef double complex complex_double;

/* clang-format off */
INTEGER_KERNELS(int8_t, uint32_t)
INTEGER_KERNELS(int16_t, uint32_t)
INTEGER_KERNELS(int32_t, uint32_t)
INTEGER_KERNELS(int64_t, uint64_t)
INTEGER_KERNELS(uint8_t, uint32_t)
INTEGER_KERNELS(uint16_t, uint32_t)
INTEGER_KERNELS(uint32_t, uint32_t)
INTEGER_KERNELS(uint64_t, uint64_t)
ORDER_KERNELS(bool)
BITWISE_KERNELS(bool)
LOGICAL_KERNELS(bool)
ARITHMETIC_KERNELS(float, float)
REAL_ORDER_KERNELS(float)
ARITHMETIC_KERNELS(double, double)
REAL_ORDER_KERNELS(double)
ARITHMETIC_KERNELS(complex_float, complex_float)
ARITHMETIC_KERNELS(complex_double, complex_double)
LOCATION_KERNELS(par_double_index)
LOCATION_KERNELS(par_int64_index)
/* clang-format on */

typedef void kernel(void *to, const void *left, const void *right, size_t count);

#define ARITHMETIC_ROW(T) [PAR_SUM] = sum_##T, [PAR_PROD] = prod_##T
#define ORDER_ROW(T) [PAR_MIN] = min_##T, [PAR_MAX] = max_##T
#define BITWISE_ROW(T) [PAR_BAND] = band_##T, [PAR_BOR] = bor_##T, [PAR_BXOR] = bxor_##T
#define LOGICAL_ROW(T) [PAR_LAND] = land_##T, [PAR_LOR] = lor_##T, [PAR_LXOR] = lxor_##T
#define LOCATION_ROW(T) [PAR_MINLOC] = minloc_##T, [PAR_MAXLOC] = maxloc_##T
#define INTEGER_ROW(T) ARITHMETIC_ROW(T), ORDER_ROW(T), BITWISE_ROW(T), LOGICAL_ROW(T)

static kernel *const kernels[TYPE_COUNT][PAR_MAXLOC + 1] = {
    [PAR_BYTE] = {BITWISE_ROW(uint8_t)},
    [PAR_BOOL] = {ORDER_ROW(bool), BITWISE_ROW(bool), LOGICAL_ROW(bool)},
    [PAR_INT8] = {INTEGER_ROW(int8_t)},
    [PAR_INT16] = {INTEGER_ROW(int16_t)},
    [PAR_INT32] = {INTEGER_ROW(int32_t)},
    [PAR_INT64] = {INTEGER_ROW(int64_t)},
    [PAR_UINT8] = {INTEGER_ROW(uint8_t)},
    [PAR_UINT16] = {INTEGER_ROW(uint16_t)},
    [PAR_UINT32] = {INTEGER_ROW(uint32_t)},
    [PAR_UINT64] = {INTEGER_ROW(uint64_t)},
    [PAR_FLOAT] = {ARITHMETIC_ROW(float), ORDER_ROW(float)},
    [PAR_DOUBLE] = {ARITHMETIC_ROW(double), ORDER_ROW(double)},
    [PAR_COMPLEX_FLOAT] = {ARITHMETIC_ROW(complex_float)},
    [PAR_COMPLEX_DOUBLE] = {ARITHMETIC_ROW(complex_double)},
    [PAR_DOUBLE_INDEX] = {LOCATION_ROW(par_double_index)},
    [PAR_INT64_INDEX] = {LOCATION_ROW(par_int64_index)},
};

par_error op_check(par_op op, par_type type)
{
    if (!op_name(op))
        return error_set(PAR_ERR_ARG, "operation %d is none: they are %d (%s) to %d (%s)",
                         (int)op, PAR_SUM, names[PAR_SUM], PAR_MAXLOC, names[PAR_MAXLOC]);
    if (!type_is_plain(type))
        return error_set(PAR_ERR_TYPE, "type %d is not one of C's", (int)type);
    if (!kernels[type][op])
        return error_set(PAR_ERR_TYPE, "%s cannot join elements of %s%s", op_name(op),
                         par_type_name(type),
                         op == PAR_MINLOC || op == PAR_MAXLOC
                             ? ": it wants par_double_index or par_int64_index"
                             : "");
    return PAR_OK;
}

void op_join(par_op op, par_type type, void *to, const void *left, const void *right,
             size_t count)
{
    kernels[type][op](to, left, right, count);
}
