/* array.h - what the files that know NumPy share; the one that includes it.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_ARRAY_H
#define PYPAR_ARRAY_H

#include "codec.h"

/* NumPy keeps its functions in a static table, once for the process; array.c has it. */
#define PY_ARRAY_UNIQUE_SYMBOL pypar_numpy
#ifndef ARRAY_IMPORTS
#define NO_IMPORT_ARRAY
#endif
#define NPY_NO_DEPRECATED_API NPY_1_23_API_VERSION
#define NPY_TARGET_VERSION NPY_1_23_API_VERSION
#include <numpy/arrayobject.h>

/* An array has arrived, so NumPy must be here; false with an exception. */
bool array_need_numpy(core_state *state);

/* The dtype of the array that CONTENT describes; a new reference, NULL with an
 * exception. */
PyArray_Descr *array_descr(core_state *state, const par_content *content);

/* An array, not filled yet, of DESCR, which is stolen, for CONTENT; NULL with an
 * exception. */
PyArrayObject *array_make(core_state *state, const par_content *content,
                          PyArray_Descr *descr);

#endif
