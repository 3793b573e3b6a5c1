/* arguments.h - the arguments of a call, by position and by name.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_ARGUMENTS_H
#define PYPAR_ARGUMENTS_H

#include "state.h"

enum { ARGUMENTS_MAX = 6 };

typedef struct signature {
    const char *function;
    int count, required;
    const char *names[ARGUMENTS_MAX];
} signature;

/* Sort what a METH_FASTCALL | METH_KEYWORDS function was given into VALUES, one
 * of each name; NULL where it was not given. Borrowed. -1 with an exception. */
int arguments_sort(const signature *s, PyObject *const *args, Py_ssize_t positional,
                   PyObject *keywords, PyObject **values);

/* VALUE, any integer, as *RESULT_P; FALLBACK where VALUE is NULL. Whether it is in
 * range is libpar's to say, but for what no int can hold. -1 with an exception
 * that calls it NAME. */
int arguments_int(core_state *state, PyObject *value, const char *name, int fallback,
                  int *result_p);

/* VALUE, a timeout, as *SECONDS_P; negative where there is none. -1 with an exception. */
int arguments_timeout(PyObject *value, double *seconds_p);

#endif
