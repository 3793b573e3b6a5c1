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

/* The objects that have come, with MINE at this rank's place, as collective_take_all
 * gives them. Ends all that is under
 * way: the sends last, for others wait in theirs until this rank has received; and
 * even if a signal comes, for their memory is about to be freed. */
static PyObject *finish(core_state *state, par_comm *par, traffic *t, PyObject *mine,
                        PyObject *buffer, PyObject *room)
{
    PyObject *result = collective_take_all(state, t->messages, t->size, mine,
                                           par_rank(par), buffer, room);
    exception e = {0};
    par_error err;

    keep_first(&e);
    while ((err = par_wait_all(t->sends, (size_t)t->size, NULL)) == PAR_ERR_INTERRUPTED)
        keep_first(&e);
    if (err)
        errors_raise(state, err);
    keep_first(&e);
    if (e.type) {
        Py_CLEAR(result);
        PyErr_Restore(e.type, e.value, e.trace);
    }
    return result;
}

static PyObject *allgather(core_state *state, par_comm *par, PyObject *object,
                           PyObject *buffer, const par_join *join)
{
    traffic t = {0};
    codec_out out;
    PyObject *result = NULL, *room;

    if (!par || !par_initialized())
        return errors_raise(state, par_barrier(par));
    if (collective_get_room(state, buffer, &room) < 0)
        return NULL;
    if (collective_encode(state, par, object, &out) == 0 && traffic_make(&t, par) == 0 &&
        !errors_raise_if(state, par_message_allgather(par, &out.content, out.parts,
                                                      out.part_count, t.messages, t.sends,
                                                      join)))
        result = finish(state, par, &t, object, buffer, room);
    traffic_free(&t);
    codec_release(&out);
    Py_XDECREF(room);
    return result;
}

PyObject *collective_allgather(core_state *state, par_comm *par, PyObject *object,
                               PyObject *buffer)
{
    return allgather(state, par, object, buffer, NULL);
}

PyObject *collective_allgather_to_join(core_state *state, par_comm *par, PyObject *object,
                                       const par_join *join)
{
    return allgather(state, par, object, NULL, join);
}

/* Exchange ITEMS, one for each rank. */
static PyObject *exchange(core_state *state, par_comm *par, PyObject *items,
                          PyObject *buffer, PyObject *room, const par_join *join)
{
    collective_outs o = {0};
    traffic t = {0};
    PyObject *result = NULL;

    if (collective_outs_make(state, &o, par, &PyTuple_GET_ITEM(items, 0)) == 0 &&
        traffic_make(&t, par) == 0 &&
        !errors_raise_if(state,
                         par_message_alltoall(par, o.contents, o.parts, o.part_counts,
                                              t.messages, t.sends, join)))
        result =
            finish(state, par, &t, PyTuple_GET_ITEM(items, par_rank(par)), buffer, room);
    traffic_free(&t);
    collective_outs_free(&o);
    return result;
}

PyObject *collective_alltoall(core_state *state, par_comm *par, PyObject *objects,
                              PyObject *buffer, PyObject *counts)
{
    bool cut = collective_is_cut(objects, counts, buffer);
    PyObject *items, *room, *result;

    if (!par || !par_initialized())
        return errors_raise(state, par_barrier(par));
    if (collective_get_room(state, buffer, &room) < 0)
        return NULL;
    items = collective_items(state, par, "alltoall", objects, counts, cut);
    result = items ? exchange(state, par, items, buffer, room, NULL) : NULL;
    Py_XDECREF(items);
    Py_XDECREF(room);
    return result;
}

PyObject *collective_exchange_to_join(core_state *state, par_comm *par, PyObject *object,
                                      PyObject *counts, const par_join *join)
{
    bool cut = array_is(object) || collective_is_given(counts);
    PyObject *items = collective_items(state, par, "reduce_scatter", object, counts, cut);
    PyObject *list = items ? exchange(state, par, items, NULL, NULL, join) : NULL;

    Py_XDECREF(items);
    return list;
}
