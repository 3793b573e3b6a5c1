/* rows.h - along the first axis: a sequence in parts, arrays one behind the other.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_ROWS_H
#define PYPAR_ROWS_H

#include "codec.h"

/* BUFFER as an array with a first axis, which can be written to; a new reference. NULL
 * with an exception. */
PyObject *rows_buffer(core_state *state, PyObject *buffer);

/* Write to COUNTS, one for each rank, how TOTAL rows are parted: as COUNTS_VALUE says,
 * a sequence, or where that is NULL or None in equal parts, the first ones one longer.
 * -1 with an exception. */
int rows_count(core_state *state, par_comm *par, PyObject *counts_value, Py_ssize_t total,
               size_t *counts);

/* OBJECT, a sequence, cut so into a part for each rank: a tuple. NULL with an
 * exception. */
PyObject *rows_cut(core_state *state, par_comm *par, PyObject *object,
                   PyObject *counts_value);

/* Put what MESSAGES hold, which are all ended, and MINE at place HERE into ARRAY, one
 * behind the other; if they don't fill it, they don't touch it. -1 with an exception. */
int rows_join(core_state *state, par_message **messages, int size, PyObject *mine,
              int here, PyObject *array);

#endif
