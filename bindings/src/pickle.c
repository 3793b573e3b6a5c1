/* pickle.c - any other object, by pickle protocol 5 with its buffers apart.
 * SPDX-License-Identifier: MIT
 *
 * The body is the pickle and then each buffer (PEP 574), a part each: arrays
 * inside an object travel from memory to memory.
 */
#include "codec.h"

enum {
    PROTOCOL = 5,
    BUFFER_MIN =
        1024, /* shorter ones stay in the pickle: a part costs more than a copy */
};

/* NAME of MODULE; NULL with an exception. */
static PyObject *import(const char *module, const char *name)
{
    PyObject *imported = PyImport_ImportModule(module);
    PyObject *function = imported ? PyObject_GetAttrString(imported, name) : NULL;

    Py_XDECREF(imported);
    return function;
}

int pickle_add(core_state *state)
{
    state->dumps = import("pickle", "dumps");
    state->loads = import("pickle", "loads");
    state->dumps_keywords = Py_BuildValue("(s)", "buffer_callback");
    state->loads_keywords = Py_BuildValue("(s)", "buffers");
    return state->dumps && state->loads && state->dumps_keywords && state->loads_keywords
               ? 0
               : -1;
}

/* ---- out ---------------------------------------------------------------- */

/* What the pickler asks of each buffer: whether it stays in the pickle. */
static PyObject *keep_buffer(PyObject *buffers, PyObject *buffer)
{
    const Py_buffer *view = PyPickleBuffer_GetBuffer(buffer);
    PyObject *raw;
    int failed;

    if (!view)
        return NULL;
    if (view->len < BUFFER_MIN || !PyBuffer_IsContiguous(view, 'A'))
        Py_RETURN_TRUE;
    raw = PyObject_CallMethod(buffer, "raw", NULL);
    failed = raw ? PyList_Append(buffers, raw) : -1;
    Py_XDECREF(raw);
    if (failed)
        return NULL;
    Py_RETURN_FALSE;
}

static PyMethodDef keep_method = {"keep_buffer", keep_buffer, METH_O, NULL};

static PyObject *dump(core_state *state, PyObject *dumps, PyObject *object,
                      PyObject *buffers)
{
    PyObject *args[3] = {object, PyLong_FromLong(PROTOCOL), NULL};
    PyObject *pickle = NULL;

    args[2] = args[1] ? PyCFunction_New(&keep_method, buffers) : NULL;
    if (args[2])
        pickle = PyObject_Vectorcall(dumps, args, 2, state->dumps_keywords);
    Py_XDECREF(args[1]);
    Py_XDECREF(args[2]);
    if (pickle && !PyBytes_CheckExact(pickle)) {
        PyErr_Format(PyExc_TypeError, "a pickler gave %R, not bytes",
                     (PyObject *)Py_TYPE(pickle));
        Py_CLEAR(pickle);
    }
    return pickle;
}

/* The plain pickler refuses what it cannot name: lambdas, local classes. */
static bool refused(core_state *Py_UNUSED(state))
{
    PyObject *error;
    bool is;

    if (PyErr_ExceptionMatches(PyExc_AttributeError) ||
        PyErr_ExceptionMatches(PyExc_TypeError))
        return true;
    PyObject *type, *value, *trace;

    PyErr_Fetch(&type, &value, &trace);
    error = import("pickle", "PicklingError");
    is = error && PyErr_GivenExceptionMatches(type, error);
    Py_XDECREF(error);
    PyErr_Clear();
    PyErr_Restore(type, value, trace);
    return is;
}

/* cloudpickle's turn, if it is installed; else the plain pickler's exception,
 * which is set, stays. */
static PyObject *dump_by_cloudpickle(core_state *state, PyObject *object,
                                     PyObject *buffers)
{
    PyObject *type, *value, *trace, *pickle;

    PyErr_Fetch(&type, &value, &trace);
    if (!state->cloud_dumps)
        state->cloud_dumps = import("cloudpickle", "dumps");
    if (!state->cloud_dumps) {
        PyErr_Clear();
        PyErr_Restore(type, value, trace);
        return NULL;
    }
    pickle = PyList_SetSlice(buffers, 0, PyList_GET_SIZE(buffers), NULL) < 0
                 ? NULL
                 : dump(state, state->cloud_dumps, object, buffers);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    return pickle;
}

static int list_parts(PyObject *pickle, PyObject *buffers, codec_out *out)
{
    Py_ssize_t count = PyList_GET_SIZE(buffers);

    out->one = (par_part){PyBytes_AS_STRING(pickle), (size_t)PyBytes_GET_SIZE(pickle)};
    if (!count)
        return 0;
    out->list = PyMem_RawMalloc((size_t)(count + 1) * sizeof *out->list);
    if (!out->list) {
        PyErr_NoMemory();
        return -1;
    }
    out->list[0] = out->one;
    for (Py_ssize_t i = 0; i < count; i++) {
        const Py_buffer *view = PyMemoryView_GET_BUFFER(PyList_GET_ITEM(buffers, i));

        out->list[i + 1] = (par_part){view->buf, (size_t)view->len};
    }
    out->parts = out->list;
    out->part_count = (size_t)count + 1;
    return 0;
}

int pickle_encode(core_state *state, PyObject *object, codec_out *out)
{
    PyObject *buffers = PyList_New(0), *pickle = NULL;

    if (buffers)
        pickle = dump(state, state->dumps, object, buffers);
    if (buffers && !pickle && refused(state))
        pickle = dump_by_cloudpickle(state, object, buffers);
    out->content = (par_content){.kind = PAR_OBJECT, .type = CODEC_PICKLE};
    out->extra = pickle;
    out->owner = buffers;
    return pickle ? list_parts(pickle, buffers, out) : -1;
}

PyObject *pickle_small(core_state *state, PyObject *object)
{
    return PyObject_CallFunction(state->dumps, "Oi", object, PROTOCOL);
}

/* ---- in ----------------------------------------------------------------- */

static PyObject *load(core_state *state, PyObject *pickle, PyObject *buffers)
{
    PyObject *args[2] = {pickle, buffers};

    return PyObject_Vectorcall(state->loads, args, 1,
                               buffers ? state->loads_keywords : NULL);
}

PyObject *pickle_read(core_state *state, const void *bytes, size_t length)
{
    PyObject *pickle =
        PyMemoryView_FromMemory((char *)(uintptr_t)bytes, (Py_ssize_t)length, PyBUF_READ);
    PyObject *object = pickle ? load(state, pickle, NULL) : NULL;

    Py_XDECREF(pickle);
    return object;
}

/* The buffers of a pickle, not filled yet, and all parts to receive into. */
typedef struct room {
    PyObject *pickle, *buffers;
    par_part *parts;
} room;

static void room_free(room *r)
{
    Py_XDECREF(r->pickle);
    Py_XDECREF(r->buffers);
    PyMem_RawFree(r->parts);
}

static size_t part_bytes(const par_content *content, size_t i)
{
    return (size_t)(content->part_bytes ? content->part_bytes[i] : content->bytes);
}

static int room_make(room *r, const par_content *content)
{
    r->parts = PyMem_RawMalloc(content->part_count * sizeof *r->parts);
    r->buffers = PyList_New((Py_ssize_t)content->part_count - 1);
    r->pickle = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)part_bytes(content, 0));
    if (!r->parts)
        PyErr_NoMemory();
    if (!r->parts || !r->buffers || !r->pickle)
        return -1;
    r->parts[0] = (par_part){PyBytes_AS_STRING(r->pickle), part_bytes(content, 0)};
    for (size_t i = 1; i < content->part_count; i++) {
        size_t bytes = part_bytes(content, i);
        PyObject *buffer = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)bytes);

        if (!buffer)
            return -1;
        PyList_SET_ITEM(r->buffers, (Py_ssize_t)i - 1, buffer);
        r->parts[i] = (par_part){PyByteArray_AS_STRING(buffer), bytes};
    }
    return 0;
}

PyObject *pickle_decode(core_state *state, codec_in *in)
{
    size_t part_count = in->content.part_count;
    room r = {0};
    PyObject *object = NULL;

    if (room_make(&r, &in->content) == 0 &&
        codec_fill(state, in, r.parts, part_count) == 0)
        object = load(state, r.pickle, part_count > 1 ? r.buffers : NULL);
    room_free(&r);
    return object;
}
