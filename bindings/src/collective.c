/* collective.c - barrier, broadcast, scatter, gather.
 * SPDX-License-Identifier: MIT */
#include "collective.h"

#include "arguments.h"
#include "comm.h"
#include "errors.h"
#include "rows.h"

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

/* "TypeError: it is ...", without this rank in front of what is. */
static PyObject *describe(core_state *state, PyObject *type, PyObject *value)
{
    PyObject *said = PyObject_Str(value), *prefix = NULL, *text = NULL;

    if (said)
        prefix = PyUnicode_FromFormat("rank %d: ", state->rank);
    if (prefix)
        Py_SETREF(said, PyObject_CallMethod(said, "removeprefix", "O", prefix));
    if (prefix && said)
        text = PyUnicode_FromFormat("%s: %U", ((PyTypeObject *)type)->tp_name, said);
    Py_XDECREF(prefix);
    Py_XDECREF(said);
    return text;
}

/* The others are in the call already, or will be: they learn why this rank is not. */
static void give_up(core_state *state, par_comm *par)
{
    PyObject *type, *value, *trace, *text;
    const char *why;

    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    text = describe(state, type, value);
    why = text ? PyUnicode_AsUTF8(text) : NULL;
    if (!why)
        PyErr_Clear();
    par_collective_fail(par, why ? why : "an exception that cannot be shown");
    Py_XDECREF(text);
    PyErr_Restore(type, value, trace);
}

int collective_encode(core_state *state, par_comm *par, PyObject *object, codec_out *out)
{
    int failed = codec_encode(state, object, out);

    if (failed)
        give_up(state, par);
    return failed;
}

/* ---- broadcast ---------------------------------------------------------- */

static PyObject *broadcast_from_here(core_state *state, par_comm *par, PyObject *object,
                                     int root)
{
    codec_out out;
    par_message *none;
    int failed = collective_encode(state, par, object, &out);

    if (!failed)
        failed =
            errors_raise_if(state, par_message_broadcast(par, &out.content, out.parts,
                                                         out.part_count, root, &none));
    codec_release(&out);
    return failed ? NULL : Py_NewRef(object);
}

PyObject *collective_broadcast(core_state *state, par_comm *par, PyObject *object,
                               PyObject *root, PyObject *vanilla)
{
    par_message *message;
    PyObject *result;
    int from, is_vanilla = vanilla ? PyObject_IsTrue(vanilla) : 0;

    if (is_vanilla < 0 || collective_get_root(state, par, root, &from) < 0)
        return NULL;
    if (par_rank(par) == from)
        return broadcast_from_here(state, par, object, from);
    if (errors_raise_if(state, par_message_broadcast(par, NULL, NULL, 0, from, &message)))
        return NULL;
    result = codec_decode_for(state, &message, array_is(object) ? object : NULL, true,
                              is_vanilla);
    par_message_free(&message);
    return result;
}

/* ---- scatter ------------------------------------------------------------ */

bool collective_is_cut(PyObject *objects, PyObject *counts, PyObject *buffer)
{
    return collective_is_given(counts) ||
           (collective_is_given(buffer) && array_is(objects));
}

void collective_outs_free(collective_outs *o)
{
    for (int i = 0; i < o->encoded; i++)
        codec_release(&o->each[i]);
    PyMem_RawFree(o->each);
    PyMem_RawFree(o->contents);
    PyMem_RawFree((void *)o->parts);
    PyMem_RawFree(o->part_counts);
}

static int outs_make(core_state *state, collective_outs *o, PyObject *const *items,
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

int collective_outs_make(core_state *state, collective_outs *o, par_comm *par,
                         PyObject *const *items)
{
    int failed = outs_make(state, o, items, par_size(par));

    if (failed)
        give_up(state, par);
    return failed;
}

PyObject *collective_items(core_state *state, par_comm *par, const char *function,
                           PyObject *objects, PyObject *counts, bool cut)
{
    PyObject *items =
        cut ? rows_cut(state, par, objects, counts) : PySequence_Tuple(objects);

    if (items && !cut && PyTuple_GET_SIZE(items) != par_size(par)) {
        PyErr_Format(PyExc_ValueError,
                     "rank %d: %s has %zd objects: it must have %d, one for each rank",
                     par_rank(par), function, PyTuple_GET_SIZE(items), par_size(par));
        Py_CLEAR(items);
    }
    if (!items)
        give_up(state, par);
    return items;
}

/* The root's own ITEM, which OUT would send: in BUFFER where that is given; a part of
 * an array would change with it. */
static PyObject *scatter_to_here(core_state *state, PyObject *item, const codec_out *out,
                                 PyObject *buffer, bool cut)
{
    PyObject *room;
    int failed;

    if (!collective_is_given(buffer))
        return cut && array_is(item) ? PyObject_CallMethod(item, "copy", NULL)
                                     : Py_NewRef(item);
    room = array_room(state, buffer);
    failed = room ? array_put(state, out, "this rank's own part", room) : -1;
    Py_XDECREF(room);
    return failed ? NULL : Py_NewRef(buffer);
}

/* Before anybody is told of the call. */
static int check_buffer(core_state *state, PyObject *buffer)
{
    PyObject *room = collective_is_given(buffer) ? array_room(state, buffer) : NULL;

    Py_XDECREF(room);
    return collective_is_given(buffer) && !room ? -1 : 0;
}

static PyObject *scatter_from_here(core_state *state, par_comm *par, PyObject *objects,
                                   int root, PyObject *buffer, PyObject *counts)
{
    int failed;
    par_message *none;
    collective_outs o = {0};
    bool cut = collective_is_cut(objects, counts, buffer);
    PyObject *items = collective_items(state, par, "scatter", objects, counts, cut);
    PyObject *mine = NULL;

    if (!items)
        return NULL;
    failed = collective_outs_make(state, &o, par, &PyTuple_GET_ITEM(items, 0));
    if (!failed)
        failed = errors_raise_if(state, par_message_scatter(par, o.contents, o.parts,
                                                            o.part_counts, root, &none));
    if (!failed)
        mine = scatter_to_here(state, PyTuple_GET_ITEM(items, root), &o.each[root],
                               buffer, cut);
    collective_outs_free(&o);
    Py_DECREF(items);
    return mine;
}

PyObject *collective_scatter(core_state *state, par_comm *par, PyObject *objects,
                             PyObject *root, PyObject *buffer, PyObject *counts)
{
    par_message *message;
    PyObject *result;
    int from;

    if (collective_get_root(state, par, root, &from) < 0 ||
        check_buffer(state, buffer) < 0)
        return NULL;
    if (par_rank(par) == from)
        return scatter_from_here(state, par, objects, from, buffer, counts);
    if (errors_raise_if(state,
                        par_message_scatter(par, NULL, NULL, NULL, from, &message)))
        return NULL;
    result = collective_is_given(buffer)
                 ? codec_decode_into(state, &message, buffer, true)
                 : codec_decode(state, &message);
    par_message_free(&message);
    return result;
}

/* ---- gather ------------------------------------------------------------- */

int collective_get_room(core_state *state, PyObject *buffer, PyObject **room_p)
{
    *room_p = collective_is_given(buffer) ? rows_buffer(state, buffer) : NULL;
    return collective_is_given(buffer) && !*room_p ? -1 : 0;
}

static PyObject *decode_all(core_state *state, par_message **messages, int size,
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

PyObject *collective_take_all(core_state *state, par_message **messages, int size,
                              PyObject *mine, int here, PyObject *buffer, PyObject *room)
{
    if (!room)
        return decode_all(state, messages, size, mine, here);
    return rows_join(state, messages, size, mine, here, room) < 0 ? NULL
                                                                  : Py_NewRef(buffer);
}

static PyObject *gather_here(core_state *state, par_comm *par, PyObject *object, int root,
                             PyObject *buffer, const par_join *join)
{
    int size = par_size(par);
    par_message **messages;
    PyObject *result = NULL, *room;

    if (collective_get_room(state, buffer, &room) < 0)
        return NULL;
    messages = PyMem_RawCalloc((size_t)size, sizeof(*messages));
    if (!messages)
        PyErr_NoMemory();
    else if (!errors_raise_if(
                 state, par_message_gather(par, NULL, NULL, 0, root, messages, join)))
        result = collective_take_all(state, messages, size, object, root, buffer, room);
    PyMem_RawFree(messages);
    Py_XDECREF(room);
    return result;
}

static PyObject *gather(core_state *state, par_comm *par, PyObject *object,
                        PyObject *root, PyObject *buffer, const par_join *join)
{
    codec_out out;
    int to, failed;

    if (collective_get_root(state, par, root, &to) < 0)
        return NULL;
    if (par_rank(par) == to)
        return gather_here(state, par, object, to, buffer, join);
    failed = collective_encode(state, par, object, &out);
    if (!failed)
        failed =
            errors_raise_if(state, par_message_gather(par, &out.content, out.parts,
                                                      out.part_count, to, NULL, join));
    codec_release(&out);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *collective_gather(core_state *state, par_comm *par, PyObject *object,
                            PyObject *root, PyObject *buffer)
{
    return gather(state, par, object, root, buffer, NULL);
}

PyObject *collective_gather_to_join(core_state *state, par_comm *par, PyObject *object,
                                    PyObject *root, const par_join *join)
{
    return gather(state, par, object, root, NULL, join);
}
