/* status.h - what has been received.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_STATUS_H
#define PYPAR_STATUS_H

#include "state.h"

/* A new Status of LENGTH elements of SIZE bytes from SOURCE under TAG. */
PyObject *status_new(core_state *state, int source, int tag, Py_ssize_t length,
                     Py_ssize_t size);

#endif
