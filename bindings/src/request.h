/* request.h - an operation under way as a Python object.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_REQUEST_H
#define PYPAR_REQUEST_H

#include "codec.h"

typedef struct request {
    PyObject_HEAD
    core_state *state;
    const char *what;
    par_request *par;             /* NULL once it has ended */
    int users;                    /* threads inside libpar with PAR, or ending it */
    codec_out *out;               /* what a send sends, until its end */
    struct background_call *call; /* of a collective call; else NULL */
    PyObject *buffer;             /* what a receive receives into; may be NULL */
    par_message *message;         /* what it has received */
    PyObject *result;             /* after the end: this, or an exception; never both */
    PyObject *exception;
    PyObject *status; /* of a receive, after the end */
} request;

/* A request of WHAT, a constant string, that has nothing under way yet; NULL with an
 * exception. */
request *request_new(core_state *state, const char *what);

/* As Comm's methods of these names. COPY: the object may change at once. */
PyObject *request_isend(core_state *state, par_comm *par, PyObject *object,
                        PyObject *dest, PyObject *tag, bool copy);
PyObject *request_ireceive(core_state *state, par_comm *par, PyObject *source,
                           PyObject *tag, PyObject *buffer);

#endif
