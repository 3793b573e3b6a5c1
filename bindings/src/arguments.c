/* arguments.c - the arguments of a call, by position and by name.
 * SPDX-License-Identifier: MIT */
#include "arguments.h"

#include <limits.h>

static int index_of(const signature *s, PyObject *keyword)
{
    for (int i = 0; i < s->count; i++)
        if (PyUnicode_CompareWithASCIIString(keyword, s->names[i]) == 0)
            return i;
    PyErr_Format(PyExc_TypeError, "%s() has no argument '%U'", s->function, keyword);
    return -1;
}

static int sort_keywords(const signature *s, PyObject *const *args, PyObject *keywords,
                         PyObject **values)
{
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(keywords); k++) {
        int i = index_of(s, PyTuple_GET_ITEM(keywords, k));

        if (i < 0)
            return -1;
        if (values[i]) {
            PyErr_Format(PyExc_TypeError, "%s() has two values for '%s'", s->function,
                         s->names[i]);
            return -1;
        }
        values[i] = args[k];
    }
    return 0;
}

int arguments_sort(const signature *s, PyObject *const *args, Py_ssize_t positional,
                   PyObject *keywords, PyObject **values)
{
    if (positional > s->count) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %d arguments, not %zd",
                     s->function, s->count, positional);
        return -1;
    }
    for (int i = 0; i < s->count; i++)
        values[i] = i < positional ? args[i] : NULL;
    if (keywords && sort_keywords(s, args + positional, keywords, values) < 0)
        return -1;
    for (int i = 0; i < s->required; i++)
        if (!values[i]) {
            PyErr_Format(PyExc_TypeError, "%s() lacks its argument '%s'", s->function,
                         s->names[i]);
            return -1;
        }
    return 0;
}

static int largest(core_state *state, const char *name)
{
    static const char *const ranks[] = {"destination", "root", "source"};

    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        if (strcmp(name, ranks[i]) == 0)
            return par_size(state->world) - 1;
    if (strcmp(name, "threads") == 0)
        return PAR_MAX_THREADS;
    return strcmp(name, "tag") == 0 ? par_max_tag() : INT_MAX;
}

static int smallest(const char *name)
{
    return strcmp(name, "key") == 0 ? INT_MIN : 0;
}

int arguments_int(core_state *state, PyObject *value, const char *name, int fallback,
                  int *result_p)
{
    int overflow;
    long number;

    if (!value) {
        *result_p = fallback;
        return 0;
    }
    if (!PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError, "rank %d: %s is %R (%s): it must be an integer",
                     state->rank, name, value, Py_TYPE(value)->tp_name);
        return -1;
    }
    number = PyLong_AsLongAndOverflow(value, &overflow);
    if (number == -1 && PyErr_Occurred())
        return -1;
    if (overflow || number > INT_MAX || number < INT_MIN) {
        PyErr_Format(PyExc_ValueError, "rank %d: %s is %S: it must be from %d to %d",
                     state->rank, name, value, smallest(name), largest(state, name));
        return -1;
    }
    *result_p = (int)number;
    return 0;
}

int arguments_timeout(PyObject *value, double *seconds_p)
{
    *seconds_p = -1;
    if (!value || value == Py_None)
        return 0;
    *seconds_p = PyFloat_AsDouble(value);
    if (*seconds_p == -1 && PyErr_Occurred())
        return -1;
    if (*seconds_p >= 0)
        return 0;
    PyErr_Format(PyExc_ValueError, "timeout is %R: it must be None or at least 0", value);
    return -1;
}
