/* errors.h - libpar's errors as exceptions.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_ERRORS_H
#define PYPAR_ERRORS_H

#include "state.h"

/* Raise the exception for ERR, with libpar's detail as its text; always NULL.
 * A wait that a signal's handler ended has its exception set already. */
PyObject *errors_raise(core_state *state, par_error err);

/* Raise the exception for ERR, if it is one: -1 then, else 0. */
int errors_raise_if(core_state *state, par_error err);

/* The exception that is set, with its traceback, which is not set any more then. */
PyObject *errors_take(void);

/* Flush Python's output: what has been printed must not die with the job. */
void errors_flush(void);

/* par_options.warn: a RuntimeWarning; a line on stderr where the interpreter is gone. An
 * exception is set where warnings are errors. */
void errors_warn(const char *text);

#endif
