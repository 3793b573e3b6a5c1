/* fail.h - the end of a job that has failed, and what a rank says and goes on.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_FAIL_H
#define PYPAR_FAIL_H

#include "state.h"

/* Methods of the module. */
PyObject *fail_abort(PyObject *module, PyObject *const *args, Py_ssize_t count,
                     PyObject *keywords);
PyObject *fail_abort_later(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *fail_say(PyObject *module, PyObject *value);
PyObject *fail_crash_after_python(PyObject *module, PyObject *ignored);

#endif
