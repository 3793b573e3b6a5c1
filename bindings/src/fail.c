/* fail.c - the end of a job that has failed, and what a rank says and goes on.
 * SPDX-License-Identifier: MIT */
#include "fail.h"

#include <stdlib.h>

#include "arguments.h"
#include "errors.h"

/* TEXT with its null characters escaped, which C would take for its end. */
static PyObject *without_nulls(PyObject *text)
{
    PyObject *null = PyUnicode_FromOrdinal(0), *escaped = PyUnicode_FromString("\\x00");
    PyObject *result =
        null && escaped ? PyUnicode_Replace(text, null, escaped, -1) : NULL;

    Py_XDECREF(null);
    Py_XDECREF(escaped);
    return result;
}

/* VALUE, None or absent for none, as UTF-8 that lives as long as *KEPT_P, which is the
 * caller's. What cannot be said in it, such as half of a pair of surrogates, is escaped.
 */
static int text_of(PyObject *value, const char **text_p, PyObject **kept_p)
{
    PyObject *text;

    *text_p = NULL;
    *kept_p = NULL;
    if (!value || value == Py_None)
        return 0;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "text is %R: it must be a string", value);
        return -1;
    }
    text = without_nulls(value);
    *kept_p = text ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;
    Py_XDECREF(text);
    *text_p = *kept_p ? PyBytes_AsString(*kept_p) : NULL;
    return *text_p ? 0 : -1;
}

/* Why the job ends where nobody says so, in ROOM of that many BYTES. A job of one rank is
 * seen by its status alone: NULL. */
static const char *name_status(const core_state *state, int code, char *room,
                               size_t bytes)
{
    int status = code & 0xff; /* all that the system lets through */

    if (!par_initialized() || par_size(state->world) == 1)
        return NULL;
    snprintf(room, bytes, "aborts the job with status %d",
             status ? status : EXIT_FAILURE);
    return room;
}

PyObject *fail_abort(PyObject *module, PyObject *const *args, Py_ssize_t count,
                     PyObject *keywords)
{
    static const signature s = {"abort", 2, 0, {"code", "text"}};
    PyObject *v[ARGUMENTS_MAX], *kept;
    const char *text;
    char room[64];
    int code;

    if (arguments_sort(&s, args, count, keywords, v) < 0 ||
        arguments_int(state_of(module), v[0], "code", 1, &code) < 0 ||
        text_of(v[1], &text, &kept) < 0)
        return NULL;
    if (!text)
        text = name_status(state_of(module), code, room, sizeof room);
    errors_flush();
    par_abort(code, text);
}

/* _abort_later(code, text, seconds) */
PyObject *fail_abort_later(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    PyObject *kept;
    const char *text;
    double seconds;
    int code;

    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "_abort_later takes code, text and seconds");
        return NULL;
    }
    seconds = PyFloat_AsDouble(args[2]);
    if ((seconds == -1 && PyErr_Occurred()) ||
        arguments_int(state_of(module), args[0], "code", 1, &code) < 0 ||
        text_of(args[1], &text, &kept) < 0)
        return NULL;
    errors_flush();
    Py_BEGIN_ALLOW_THREADS par_abort_later(code, text, seconds);
    Py_END_ALLOW_THREADS Py_XDECREF(kept);
    Py_RETURN_NONE;
}

/* _say(text) */
PyObject *fail_say(PyObject *Py_UNUSED(module), PyObject *value)
{
    PyObject *kept;
    const char *text;

    if (text_of(value, &text, &kept) < 0)
        return NULL;
    if (text)
        par_say(text);
    Py_XDECREF(kept);
    Py_RETURN_NONE;
}

/* What of Python's own handles crashes, faulthandler, lies where Python does. */
PyObject *fail_crash_after_python(PyObject *Py_UNUSED(module),
                                  PyObject *Py_UNUSED(ignored))
{
    par_crash_before((const void *)(uintptr_t)Py_Initialize);
    Py_RETURN_NONE;
}
