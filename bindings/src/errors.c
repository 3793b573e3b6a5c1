/* errors.c - libpar's errors as exceptions.
 * SPDX-License-Identifier: MIT */
#include "errors.h"

/* NAME, a child of PARENT and, where that helps those who catch it, of OTHER. */
static PyObject *add(PyObject *module, const char *name, const char *doc,
                     PyObject *parent, PyObject *other)
{
    char full[64];
    PyObject *bases = other ? PyTuple_Pack(2, parent, other) : PyTuple_Pack(1, parent);
    PyObject *exception;

    if (!bases)
        return NULL;
    PyOS_snprintf(full, sizeof full, "pypar.%s", name);
    exception = PyErr_NewExceptionWithDoc(full, doc, bases, NULL);
    Py_DECREF(bases);
    if (exception && PyModule_AddObjectRef(module, name, exception) < 0)
        Py_CLEAR(exception);
    return exception;
}

int errors_add(PyObject *module, core_state *state)
{
    state->error =
        add(module, "Error",
            "What goes wrong between ranks: calls of one collective that differ, a\n"
            "request that was cancelled, a call after finalize(), a failure of MPI.\n\n"
            "Its text names the rank, the value and what would be right.",
            PyExc_RuntimeError, NULL);
    if (!state->error)
        return -1;
    state->type_mismatch =
        add(module, "TypeMismatch",
            "A message holds another type than its receiver's buffer: it stays, to be\n"
            "received again. Or an operation that cannot join elements of an array's\n"
            "type.",
            state->error, PyExc_TypeError);
    if (!state->type_mismatch)
        return -1;
    state->size_mismatch =
        add(module, "SizeMismatch",
            "A message does not fit its receiver's buffer: it stays, to be received\n"
            "again.",
            state->error, PyExc_ValueError);
    if (!state->size_mismatch)
        return -1;
    state->interrupted = add(module, "_Interrupted",
                             "A task has begun, but nobody wants its result any more.",
                             PyExc_BaseException, NULL);
    return state->interrupted ? 0 : -1;
}

static PyObject *exception_of(core_state *state, par_error err)
{
    switch (err) {
    case PAR_ERR_ARG:
    case PAR_ERR_RANK:
    case PAR_ERR_TAG:
        return PyExc_ValueError;
    case PAR_ERR_TYPE:
        return state->type_mismatch;
    case PAR_ERR_SIZE:
        return state->size_mismatch;
    case PAR_ERR_MEMORY:
        return PyExc_MemoryError;
    default:
        return state->error;
    }
}

PyObject *errors_raise(core_state *state, par_error err)
{
    if (err != PAR_ERR_INTERRUPTED || !PyErr_Occurred())
        PyErr_SetString(exception_of(state, err), par_error_detail());
    return NULL;
}

int errors_raise_if(core_state *state, par_error err)
{
    if (err)
        errors_raise(state, err);
    return err ? -1 : 0;
}

PyObject *errors_take(void)
{
    PyObject *type, *value, *trace;

    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace)
        PyException_SetTraceback(value, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return value;
}

static void flush(const char *stream)
{
    PyObject *file = PySys_GetObject(stream);
    PyObject *result =
        file && file != Py_None ? PyObject_CallMethod(file, "flush", NULL) : NULL;

    Py_XDECREF(result);
    PyErr_Clear();
}

void errors_flush(void)
{
    flush("stdout");
    flush("stderr");
}

void errors_warn(const char *text)
{
    PyObject *handled = NULL;

    if (!Py_IsInitialized() || !PyGILState_Check()) {
        fprintf(stderr, "pypar: %s\n", text);
        return;
    }
    /* In `finally: finalize()` there is worse to hear of. */
    if (par_initialized())
        handled = PyErr_GetHandledException();
    if (!handled || handled == Py_None)
        PyErr_WarnEx(PyExc_RuntimeWarning, text, 1);
    Py_XDECREF(handled);
}
