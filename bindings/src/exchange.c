/* exchange.c - all ranks to all: allgather, alltoall.
 * SPDX-License-Identifier: MIT */
#include "arguments.h"
#include "collective.h"
#include "comm.h"
#include "errors.h"

/* What has come, and what is under way meanwhile. */
typedef struct traffic {
    int size;
    par_message **messages;
    par_request **sends;
} traffic;

static int traffic_make(traffic *t, par_comm *par)
{
    t->size = par_size(par);
    t->messages = PyMem_RawCalloc((size_t)t->size, sizeof(*t->messages));
    t->sends = PyMem_RawCalloc((size_t)t->size, sizeof(*t->sends));
    if (t->messages && t->sends)
        return 0;
    PyErr_NoMemory();
    return -1;
}

static void traffic_free(traffic *t)
{
    PyMem_RawFree(t->messages);
    PyMem_RawFree(t->sends);
}

typedef struct exception {
    PyObject *type, *value, *trace;
} exception;

/* Of all exceptions that are set one after the other the first counts. */
static void keep_first(exception *e)
{
    if (e->type)
        PyErr_Clear();
    else
        PyErr_Fetch(&e->type, &e->value, &e->trace);
}

/* The objects that have come, with MINE at this rank's place. Ends all that is under
 * way: the sends last, for others wait in theirs until this rank has received; and
 * even if a signal comes, for their memory is about to be freed. */
static PyObject *finish(core_state *state, par_comm *par, traffic *t, PyObject *mine)
{
    PyObject *list =
        collective_decode_all(state, t->messages, t->size, mine, par_rank(par));
    exception e = {0};
    par_error err;

    keep_first(&e);
    while ((err = par_wait_all(t->sends, (size_t)t->size, NULL)) == PAR_ERR_INTERRUPTED)
        keep_first(&e);
    if (err)
        errors_raise(state, err);
    keep_first(&e);
    if (e.type) {
        Py_CLEAR(list);
        PyErr_Restore(e.type, e.value, e.trace);
    }
    return list;
}

PyObject *collective_allgather(core_state *state, par_comm *par, PyObject *object)
{
    traffic t = {0};
    codec_out out;
    PyObject *list = NULL;

    if (!par || !par_initialized())
        return errors_raise(state, par_barrier(par));
    if (codec_encode(state, object, &out) == 0 && traffic_make(&t, par) == 0 &&
        !errors_raise_if(state,
                         par_message_allgather(par, &out.content, out.parts,
                                               out.part_count, t.messages, t.sends)))
        list = finish(state, par, &t, object);
    traffic_free(&t);
    codec_release(&out);
    return list;
}

static PyObject *alltoall(core_state *state, par_comm *par, PyObject *items)
{
    int size = par_size(par);
    collective_outs o = {0};
    traffic t = {0};
    PyObject *list = NULL;

    if (PyTuple_GET_SIZE(items) != size)
        return PyErr_Format(
            PyExc_ValueError,
            "rank %d: alltoall has %zd objects: it must have %d, one for each rank",
            par_rank(par), PyTuple_GET_SIZE(items), size);
    if (collective_outs_make(state, &o, &PyTuple_GET_ITEM(items, 0), size) == 0 &&
        traffic_make(&t, par) == 0 &&
        !errors_raise_if(state, par_message_alltoall(par, o.contents, o.parts,
                                                     o.part_counts, t.messages, t.sends)))
        list = finish(state, par, &t, PyTuple_GET_ITEM(items, par_rank(par)));
    traffic_free(&t);
    collective_outs_free(&o);
    return list;
}

PyObject *collective_alltoall(core_state *state, par_comm *par, PyObject *objects)
{
    PyObject *items, *list;

    if (!par || !par_initialized())
        return errors_raise(state, par_barrier(par));
    items = PySequence_Tuple(objects);
    list = items ? alltoall(state, par, items) : NULL;
    Py_XDECREF(items);
    return list;
}
