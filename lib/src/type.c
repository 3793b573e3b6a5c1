/* type.c - what is known of each par_type.
 * SPDX-License-Identifier: MIT */
#include "type.h"

#include <complex.h>

static const char *const names[TYPE_COUNT] = {
    [PAR_BYTE] = "byte",
    [PAR_CHAR] = "char",
    [PAR_BOOL] = "bool",
    [PAR_INT8] = "int8",
    [PAR_INT16] = "int16",
    [PAR_INT32] = "int32",
    [PAR_INT64] = "int64",
    [PAR_UINT8] = "uint8",
    [PAR_UINT16] = "uint16",
    [PAR_UINT32] = "uint32",
    [PAR_UINT64] = "uint64",
    [PAR_FLOAT] = "float",
    [PAR_DOUBLE] = "double",
    [PAR_COMPLEX_FLOAT] = "complex float",
    [PAR_COMPLEX_DOUBLE] = "complex double",
    [PAR_OPAQUE] = "opaque",
    [PAR_DOUBLE_INDEX] = "par_double_index",
    [PAR_INT64_INDEX] = "par_int64_index",
};

_Static_assert(sizeof(bool) == 1 && sizeof(float) == 4 && sizeof(double) == 8 &&
                   sizeof(float complex) == 8 && sizeof(double complex) == 16 &&
                   sizeof(par_double_index) == 16 && sizeof(par_int64_index) == 16,
               "type_shift says how long the types are");

size_t par_type_size(par_type type)
{
    return (unsigned)type < TYPE_COUNT ? (size_t)1 << type_shift(type) : 0;
}

const char *par_type_name(par_type type)
{
    return (unsigned)type < TYPE_COUNT ? names[type] : "unknown type";
}

bool type_is_plain(par_type type)
{
    return (unsigned)type < TYPE_COUNT && type != PAR_OPAQUE;
}

#define CONTENT(type_) [type_] = {.kind = PAR_ARRAY, .type = (type_), .dims = 1}

static const par_content contents[TYPE_COUNT] = {
    CONTENT(PAR_BYTE),         CONTENT(PAR_CHAR),          CONTENT(PAR_BOOL),
    CONTENT(PAR_INT8),         CONTENT(PAR_INT16),         CONTENT(PAR_INT32),
    CONTENT(PAR_INT64),        CONTENT(PAR_UINT8),         CONTENT(PAR_UINT16),
    CONTENT(PAR_UINT32),       CONTENT(PAR_UINT64),        CONTENT(PAR_FLOAT),
    CONTENT(PAR_DOUBLE),       CONTENT(PAR_COMPLEX_FLOAT), CONTENT(PAR_COMPLEX_DOUBLE),
    CONTENT(PAR_DOUBLE_INDEX), CONTENT(PAR_INT64_INDEX)};

const par_content *type_content(par_type type)
{
    return &contents[type];
}
