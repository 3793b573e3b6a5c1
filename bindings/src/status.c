/* status.c - what has been received.
 * SPDX-License-Identifier: MIT */
#include "status.h"

#include "codec.h"

#include <stddef.h>
#include <structmember.h>

typedef struct status {
    PyObject_HEAD
    int source, tag, error;
    Py_ssize_t length, size;
} status;

/* Of LENGTH elements of SIZE bytes. */
static PyObject *status_new(core_state *state, int source, int tag, Py_ssize_t length,
                            Py_ssize_t size)
{
    status *self = PyObject_New(status, state->status_type);

    if (!self)
        return NULL;
    self->source = source;
    self->tag = tag;
    self->error = 0;
    self->length = length;
    self->size = size;
    return (PyObject *)self;
}

PyObject *status_of(core_state *state, const par_status *came)
{
    return status_new(state, came->source, came->tag, (Py_ssize_t)came->count,
                      (Py_ssize_t)par_type_size(came->type));
}

/* The size of an element is NumPy's to say, where C doesn't know it. */
PyObject *status_of_message(core_state *state, const par_message *message)
{
    par_content content;
    par_status came;
    Py_ssize_t size = 1;

    par_message_content(message, &content, &came);
    if (content.kind == PAR_ARRAY)
        size = array_item_size(state, &content);
    if (size < 0)
        return NULL;
    return status_new(state, came.source, came.tag, (Py_ssize_t)content.bytes / size,
                      size);
}

static void status_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *status_bytes(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSsize_t(((status *)self)->length * ((status *)self)->size);
}

static PyObject *status_repr(PyObject *object)
{
    status *self = (status *)object;

    return PyUnicode_FromFormat(
        "pypar.Status(source=%d, tag=%d, error=%d, length=%zd, size=%zd)", self->source,
        self->tag, self->error, self->length, self->size);
}

static PyMemberDef members[] = {
    {"source", T_INT, offsetof(status, source), READONLY, "rank of the sender"},
    {"tag", T_INT, offsetof(status, tag), READONLY, "the sender's tag"},
    {"error", T_INT, offsetof(status, error), READONLY, "0: errors are exceptions"},
    {"length", T_PYSSIZET, offsetof(status, length), READONLY,
     "elements received; for an object, the bytes it travelled in"},
    {"size", T_PYSSIZET, offsetof(status, size), READONLY, "bytes of one element"},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef methods[] = {
    {"bytes", status_bytes, METH_NOARGS,
     "bytes($self)\n--\n\nHow many bytes were received: length times size."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What a message that has been received, or probed, is."},
    {Py_tp_dealloc, status_dealloc},
    {Py_tp_repr, status_repr},
    {Py_tp_members, members},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "pypar.Status",
    .basicsize = sizeof(status),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int status_add(PyObject *module, core_state *state)
{
    state->status_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return state->status_type ? PyModule_AddType(module, state->status_type) : -1;
}
