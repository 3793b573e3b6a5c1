/* comm.c - a communicator as a Python object.
 * SPDX-License-Identifier: MIT */
#include "comm.h"

#include "arguments.h"
#include "errors.h"
#include "request.h"

static comm *self_of(PyObject *object)
{
    return (comm *)object;
}

PyObject *comm_rank(core_state *state, par_comm *par)
{
    int rank = par_rank(par);

    return rank < 0 ? errors_raise(state, par_barrier(par)) : PyLong_FromLong(rank);
}

PyObject *comm_size(core_state *state, par_comm *par)
{
    int size = par_size(par);

    return size < 0 ? errors_raise(state, par_barrier(par)) : PyLong_FromLong(size);
}

static PyObject *get_rank(PyObject *object, void *Py_UNUSED(closure))
{
    return comm_rank(self_of(object)->state, self_of(object)->par);
}

static PyObject *get_size(PyObject *object, void *Py_UNUSED(closure))
{
    return comm_size(self_of(object)->state, self_of(object)->par);
}

static PyObject *repr(PyObject *object)
{
    comm *self = self_of(object);

    if (!par_initialized())
        return PyUnicode_FromString("<pypar.Comm, finalized>");
    return PyUnicode_FromFormat("<pypar.Comm, rank %d of %d>", par_rank(self->par),
                                par_size(self->par));
}

static PyObject *send(PyObject *object, PyObject *const *args, Py_ssize_t count,
                      PyObject *keywords)
{
    static const signature s = {"send", 3, 2, {"obj", "dest", "tag"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return p2p_send(self->state, self->par, v[0], v[1], v[2]);
}

static PyObject *receive(PyObject *object, PyObject *const *args, Py_ssize_t count,
                         PyObject *keywords)
{
    static const signature s = {
        "receive", 4, 0, {"source", "tag", "buffer", "return_status"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return p2p_receive(self->state, self->par, v[0], v[1], v[2], v[3]);
}

static PyObject *isend(PyObject *object, PyObject *const *args, Py_ssize_t count,
                       PyObject *keywords)
{
    static const signature s = {"isend", 4, 2, {"obj", "dest", "tag", "copy"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];
    int copy;

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    copy = v[3] ? PyObject_IsTrue(v[3]) : 0;
    if (copy < 0)
        return NULL;
    return request_isend(self->state, self->par, v[0], v[1], v[2], copy);
}

static PyObject *ireceive(PyObject *object, PyObject *const *args, Py_ssize_t count,
                          PyObject *keywords)
{
    static const signature s = {"ireceive", 3, 0, {"source", "tag", "buffer"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return request_ireceive(self->state, self->par, v[0], v[1], v[2]);
}

static PyObject *probe(PyObject *object, PyObject *const *args, Py_ssize_t count,
                       PyObject *keywords)
{
    static const signature s = {"probe", 2, 0, {"source", "tag"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return p2p_probe(self->state, self->par, v[0], v[1], true);
}

static PyObject *iprobe(PyObject *object, PyObject *const *args, Py_ssize_t count,
                        PyObject *keywords)
{
    static const signature s = {"iprobe", 2, 0, {"source", "tag"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return p2p_probe(self->state, self->par, v[0], v[1], false);
}

static PyObject *barrier(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    return comm_barrier(self_of(object)->state, self_of(object)->par);
}

static PyObject *broadcast(PyObject *object, PyObject *const *args, Py_ssize_t count,
                           PyObject *keywords)
{
    static const signature s = {"broadcast", 2, 0, {"obj", "root"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_broadcast(self->state, self->par, v[0] ? v[0] : Py_None, v[1]);
}

static PyObject *scatter(PyObject *object, PyObject *const *args, Py_ssize_t count,
                         PyObject *keywords)
{
    static const signature s = {"scatter", 2, 0, {"objs", "root"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_scatter(self->state, self->par, v[0] ? v[0] : Py_None, v[1]);
}

static PyObject *gather(PyObject *object, PyObject *const *args, Py_ssize_t count,
                        PyObject *keywords)
{
    static const signature s = {"gather", 2, 1, {"obj", "root"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_gather(self->state, self->par, v[0], v[1]);
}

static PyObject *reduce(PyObject *object, PyObject *const *args, Py_ssize_t count,
                        PyObject *keywords)
{
    static const signature s = {"reduce", 3, 2, {"obj", "op", "root"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_reduce(self->state, self->par, v[0], v[1], v[2]);
}

static PyGetSetDef properties[] = {
    {"rank", get_rank, NULL, "This process's number, 0 to size - 1.", NULL},
    {"size", get_size, NULL, "How many ranks there are.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define FAST(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
    {"send", FAST(send), METH_FASTCALL | METH_KEYWORDS,
     "send($self, obj, dest, tag=1)\n--\n\n"
     "Send obj, any object, to rank dest. A small one is gone at once; a large one "
     "waits until dest has begun to receive it."},
    {"receive", FAST(receive), METH_FASTCALL | METH_KEYWORDS,
     "receive($self, source=-1, tag=1, buffer=None, return_status=False)\n--\n\n"
     "Wait for an object from rank source (-1: any) under tag (-1: any).\n\n"
     "Into buffer, an array or another writable buffer, where that is given: a "
     "message that doesn't fit it raises TypeMismatch or SizeMismatch and stays, to be "
     "received again. With return_status: (object, Status)."},
    {"isend", FAST(isend), METH_FASTCALL | METH_KEYWORDS,
     "isend($self, obj, dest, tag=1, copy=False)\n--\n\n"
     "Start send and return a Request. obj must stay as it is until that is done, "
     "unless it is copied first."},
    {"ireceive", FAST(ireceive), METH_FASTCALL | METH_KEYWORDS,
     "ireceive($self, source=-1, tag=1, buffer=None)\n--\n\n"
     "Start receive and return a Request. A Request that is dropped is cancelled."},
    {"probe", FAST(probe), METH_FASTCALL | METH_KEYWORDS,
     "probe($self, source=-1, tag=1)\n--\n\n"
     "Wait until a message is there and return its Status; it stays to be received."},
    {"iprobe", FAST(iprobe), METH_FASTCALL | METH_KEYWORDS,
     "iprobe($self, source=-1, tag=1)\n--\n\n"
     "Return the Status of a message that is there, or None."},
    {"barrier", barrier, METH_NOARGS,
     "barrier($self)\n--\n\nWait until every rank has come here."},
    {"broadcast", FAST(broadcast), METH_FASTCALL | METH_KEYWORDS,
     "broadcast($self, obj=None, root=0)\n--\n\n"
     "Return root's obj on every rank. Where obj is an array elsewhere, it is filled "
     "in place and must have the type and size of root's."},
    {"scatter", FAST(scatter), METH_FASTCALL | METH_KEYWORDS,
     "scatter($self, objs=None, root=0)\n--\n\n"
     "Return to rank r the r-th of root's objs, which must be one for each rank."},
    {"gather", FAST(gather), METH_FASTCALL | METH_KEYWORDS,
     "gather($self, obj, root=0)\n--\n\n"
     "Return the list of all ranks' objs on root, None elsewhere."},
    {"reduce", FAST(reduce), METH_FASTCALL | METH_KEYWORDS,
     "reduce($self, obj, op, root=0)\n--\n\n"
     "Return all ranks' objs joined by op, in the order of the ranks, on root, None "
     "elsewhere. Arrays are joined element by element. op is pypar.SUM or another of "
     "these, or a function of two arguments."},
    {NULL, NULL, 0, NULL},
};

static void dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_Free(object);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_doc, "Ranks that exchange messages."},
    {Py_tp_dealloc, dealloc},
    {Py_tp_repr, repr},
    {Py_tp_getset, properties},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "pypar.Comm",
    .basicsize = sizeof(comm),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

static PyObject *comm_new(core_state *state, par_comm *par)
{
    comm *self = PyObject_New(comm, state->comm_type);

    if (self) {
        self->state = state;
        self->par = par;
    }
    return (PyObject *)self;
}

int comm_add(PyObject *module, core_state *state)
{
    PyObject *world;
    int failed;

    state->comm_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    if (!state->comm_type || PyModule_AddType(module, state->comm_type) < 0)
        return -1;
    world = comm_new(state, state->world);
    failed = PyModule_AddObjectRef(module, "world", world);
    Py_XDECREF(world);
    return failed;
}
