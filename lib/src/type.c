/* type.c - what is known of each par_type.
 * SPDX-License-Identifier: MIT */
#include "type.h"

#include <complex.h>

static const struct {
    const char *name;
    size_t size;
} types[TYPE_COUNT] = {
    [PAR_BYTE] = {"byte", 1},
    [PAR_CHAR] = {"char", 1},
    [PAR_BOOL] = {"bool", sizeof(bool)},
    [PAR_INT8] = {"int8", 1},
    [PAR_INT16] = {"int16", 2},
    [PAR_INT32] = {"int32", 4},
    [PAR_INT64] = {"int64", 8},
    [PAR_UINT8] = {"uint8", 1},
    [PAR_UINT16] = {"uint16", 2},
    [PAR_UINT32] = {"uint32", 4},
    [PAR_UINT64] = {"uint64", 8},
    [PAR_FLOAT] = {"float", sizeof(float)},
    [PAR_DOUBLE] = {"double", sizeof(double)},
    [PAR_COMPLEX_FLOAT] = {"complex float", sizeof(float complex)},
    [PAR_COMPLEX_DOUBLE] = {"complex double", sizeof(double complex)},
    [PAR_OPAQUE] = {"opaque", 1},
};

size_t par_type_size(par_type type)
{
    return (unsigned)type < TYPE_COUNT ? types[type].size : 0;
}

const char *par_type_name(par_type type)
{
    return (unsigned)type < TYPE_COUNT ? types[type].name : "unknown type";
}

bool type_is_plain(par_type type)
{
    return (unsigned)type < PAR_OPAQUE;
}
