/* collective.c - barrier, broadcast, scatter, gather.
 * SPDX-License-Identifier: MIT */
#include "collective.h"

#include "arguments.h"
#include "comm.h"
#include "errors.h"

int collective_get_root(core_state *state, par_comm *par, PyObject *value, int *root_p)
{
    if (arguments_int(state, value, "root", 0, root_p) < 0)
        return -1;
    if (!par || !par_initialized()) {
        errors_raise(state, par_barrier(par));
        return -1;
    }
    if (*root_p >= 0 && *root_p < par_size(par))
        return 0;
    PyErr_Format(PyExc_ValueError, "rank %d: root %d is out of range: ranks are 0 to %d",
                 par_rank(par), *root_p, par_size(par) - 1);
    return -1;
}

PyObject *comm_barrier(core_state *state, par_comm *par)
{
    if (errors_raise_if(state, par_barrier(par)))
        return NULL;
    Py_RETURN_NONE;
}

/* ---- broadcast ---------------------------------------------------------- */

static PyObject *broadcast_from_here(core_state *state, par_comm *par, PyObject *object,
                                     int root)
{
    codec_out out;
    par_message *none;
    int failed = codec_encode(state, object, &out);

    if (!failed)
        failed =
            errors_raise_if(state, par_message_broadcast(par, &out.content, out.parts,
                                                         out.part_count, root, &none));
    codec_release(&out);
    return failed ? NULL : Py_NewRef(object);
}

PyObject *collective_broadcast(core_state *state, par_comm *par, PyObject *object,
                               PyObject *root)
{
    par_message *message;
    PyObject *result;
    int from;

    if (collective_get_root(state, par, root, &from) < 0)
        return NULL;
    if (par_rank(par) == from)
        return broadcast_from_here(state, par, object, from);
    if (errors_raise_if(state, par_message_broadcast(par, NULL, NULL, 0, from, &message)))
        return NULL;
    result = array_is(object) ? codec_decode_into(state, &message, object, true)
                              : codec_decode(state, &message);
    par_message_free(&message);
    return result;
}

/* ---- scatter ------------------------------------------------------------ */

void collective_outs_free(collective_outs *o)
{
    for (int i = 0; i < o->encoded; i++)
        codec_release(&o->each[i]);
    PyMem_RawFree(o->each);
    PyMem_RawFree(o->contents);
    PyMem_RawFree((void *)o->parts);
    PyMem_RawFree(o->part_counts);
}

int collective_outs_make(core_state *state, collective_outs *o, PyObject *const *items,
                         int size)
{
    size_t n = (size_t)size;

    o->each = PyMem_RawMalloc(n * sizeof *o->each);
    o->contents = PyMem_RawMalloc(n * sizeof *o->contents);
    o->parts = PyMem_RawMalloc(n * sizeof *o->parts);
    o->part_counts = PyMem_RawMalloc(n * sizeof *o->part_counts);
    if (!o->each || !o->contents || !o->parts || !o->part_counts) {
        PyErr_NoMemory();
        return -1;
    }
    for (int i = 0; i < size; i++) {
        int failed = codec_encode(state, items[i], &o->each[i]);

        o->encoded = i + 1;
        if (failed)
            return -1;
        o->contents[i] = o->each[i].content;
        o->parts[i] = o->each[i].parts;
        o->part_counts[i] = o->each[i].part_count;
    }
    return 0;
}

static PyObject *scatter_from_here(core_state *state, par_comm *par, PyObject *objects,
                                   int root)
{
    int size = par_size(par), failed;
    par_message *none;
    collective_outs o = {0};
    PyObject *items = PySequence_Tuple(objects), *mine = NULL;

    if (!items)
        return NULL;
    if (PyTuple_GET_SIZE(items) != size) {
        PyErr_Format(
            PyExc_ValueError,
            "rank %d: scatter has %zd objects: it must have %d, one for each rank", root,
            PyTuple_GET_SIZE(items), size);
        Py_DECREF(items);
        return NULL;
    }
    failed = collective_outs_make(state, &o, &PyTuple_GET_ITEM(items, 0), size);
    if (!failed)
        failed = errors_raise_if(state, par_message_scatter(par, o.contents, o.parts,
                                                            o.part_counts, root, &none));
    if (!failed)
        mine = Py_NewRef(PyTuple_GET_ITEM(items, root));
    collective_outs_free(&o);
    Py_DECREF(items);
    return mine;
}

PyObject *collective_scatter(core_state *state, par_comm *par, PyObject *objects,
                             PyObject *root)
{
    par_message *message;
    PyObject *result;
    int from;

    if (collective_get_root(state, par, root, &from) < 0)
        return NULL;
    if (par_rank(par) == from)
        return scatter_from_here(state, par, objects, from);
    if (errors_raise_if(state,
                        par_message_scatter(par, NULL, NULL, NULL, from, &message)))
        return NULL;
    result = codec_decode(state, &message);
    par_message_free(&message);
    return result;
}

/* ---- gather ------------------------------------------------------------- */

PyObject *collective_decode_all(core_state *state, par_message **messages, int size,
                                PyObject *mine, int here)
{
    PyObject *list = PyList_New(size);

    for (int i = 0; i < size; i++) {
        PyObject *item = NULL;

        if (list)
            item = i == here ? Py_NewRef(mine) : codec_decode(state, &messages[i]);
        if (item)
            PyList_SET_ITEM(list, i, item);
        else
            Py_CLEAR(list);
        par_message_free(&messages[i]);
    }
    return list;
}

static PyObject *gather_here(core_state *state, par_comm *par, PyObject *object, int root)
{
    int size = par_size(par);
    par_message **messages = PyMem_RawCalloc((size_t)size, sizeof(*messages));
    PyObject *list = NULL;

    if (!messages)
        return PyErr_NoMemory();
    if (!errors_raise_if(state, par_message_gather(par, NULL, NULL, 0, root, messages)))
        list = collective_decode_all(state, messages, size, object, root);
    PyMem_RawFree(messages);
    return list;
}

PyObject *collective_gather(core_state *state, par_comm *par, PyObject *object,
                            PyObject *root)
{
    codec_out out;
    int to, failed;

    if (collective_get_root(state, par, root, &to) < 0)
        return NULL;
    if (par_rank(par) == to)
        return gather_here(state, par, object, to);
    failed = codec_encode(state, object, &out);
    if (!failed)
        failed = errors_raise_if(state, par_message_gather(par, &out.content, out.parts,
                                                           out.part_count, to, NULL));
    codec_release(&out);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}
