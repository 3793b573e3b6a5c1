/* test_type.c - what is known of each par_type.
 * SPDX-License-Identifier: MIT */
#include <complex.h>

#include "check_par.h"
#include "type.h"

static const struct {
    par_type type;
    size_t size;
    const char *name;
} types[] = {
    {PAR_BYTE, 1, "byte"},
    {PAR_CHAR, 1, "char"},
    {PAR_BOOL, sizeof(bool), "bool"},
    {PAR_INT8, 1, "int8"},
    {PAR_INT16, 2, "int16"},
    {PAR_INT32, 4, "int32"},
    {PAR_INT64, 8, "int64"},
    {PAR_UINT8, 1, "uint8"},
    {PAR_UINT16, 2, "uint16"},
    {PAR_UINT32, 4, "uint32"},
    {PAR_UINT64, 8, "uint64"},
    {PAR_FLOAT, sizeof(float), "float"},
    {PAR_DOUBLE, sizeof(double), "double"},
    {PAR_COMPLEX_FLOAT, sizeof(float complex), "complex float"},
    {PAR_COMPLEX_DOUBLE, sizeof(double complex), "complex double"},
    {PAR_OPAQUE, 1, "opaque"},
    {PAR_DOUBLE_INDEX, 16, "par_double_index"},
    {PAR_INT64_INDEX, 16, "par_int64_index"},
};

enum { COUNT = sizeof types / sizeof *types };

static const par_type none[] = {(par_type)-1, (par_type)COUNT, (par_type)255,
                                (par_type)INT32_MAX};

START_TEST(every_type_has_its_size_and_name)
{
    ck_assert_int_eq(TYPE_COUNT, COUNT);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(types[i].type, i);
        ck_assert_uint_eq(par_type_size(types[i].type), types[i].size);
        ck_assert_str_eq(par_type_name(types[i].type), types[i].name);
    }
}
END_TEST

START_TEST(a_number_that_is_no_type_has_no_size)
{
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        ck_assert_uint_eq(par_type_size(none[i]), 0);
        ck_assert_str_eq(par_type_name(none[i]), "unknown type");
    }
}
END_TEST

START_TEST(all_types_but_opaque_are_plain)
{
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(type_is_plain(types[i].type), types[i].type != PAR_OPAQUE);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert(!type_is_plain(none[i]));
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, every_type_has_its_size_and_name);
    check_add(suite, a_number_that_is_no_type_has_no_size);
    check_add(suite, all_types_but_opaque_are_plain);
}

const check_program program = {.name = "type", .add = add, .alone = true};
