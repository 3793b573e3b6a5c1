/* request.h - an operation under way as a Python object.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_REQUEST_H
#define PYPAR_REQUEST_H

#include "codec.h"

/* As Comm's methods of these names. COPY: the object may change at once. */
PyObject *request_isend(core_state *state, par_comm *par, PyObject *object,
                        PyObject *dest, PyObject *tag, bool copy);
PyObject *request_ireceive(core_state *state, par_comm *par, PyObject *source,
                           PyObject *tag, PyObject *buffer);

/* Let the send PAR of OUT go on, whose memory becomes the request's; OUT may be
 * released as ever. */
void request_leave(core_state *state, par_request *par, codec_out *out);

/* Wait for sends whose Request nobody kept, before the job ends: -1 with an
 * exception. */
int request_finish_orphans(core_state *state);

#endif
