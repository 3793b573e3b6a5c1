/* background.h - collective calls that a communicator's own thread makes.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_BACKGROUND_H
#define PYPAR_BACKGROUND_H

#include "comm.h"

typedef struct background_call background_call;

/* Start SELF's method NAME, a constant string, with the arguments of a call by
 * METH_FASTCALL | METH_KEYWORDS: a Request, or NULL with an exception. */
PyObject *background_start(comm *self, const char *name, PyObject *const *args,
                           Py_ssize_t count, PyObject *keywords);

/* What CALL, which is over, has returned; NULL with the exception it has raised. */
PyObject *background_result(background_call *call);

/* Free CALL, which is over or has not been started, or is NULL. An exception that
 * nobody has asked for is shown. */
void background_free(background_call *call);

/* The interpreter is about to end, which calls under way need: wait for them. Where they
 * don't end the job does. */
void background_end(core_state *state);

#endif
