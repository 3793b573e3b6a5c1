/* request.h - an operation under way as a Python object.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_REQUEST_H
#define PYPAR_REQUEST_H

#include "state.h"

/* As Comm's methods of these names. */
PyObject *request_isend(core_state *state, par_comm *par, PyObject *object,
                        PyObject *dest, PyObject *tag);
PyObject *request_ireceive(core_state *state, par_comm *par, PyObject *source,
                           PyObject *tag, PyObject *buffer);

/* Wait for sends whose Request nobody kept, before the job ends: -1 with an
 * exception. */
int request_finish_orphans(core_state *state);

#endif
