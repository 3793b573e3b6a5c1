/* rows.c - along the first axis: a sequence in parts, arrays one behind the other.
 * SPDX-License-Identifier: MIT */
#include "rows.h"

PyObject *rows_buffer(core_state *state, PyObject *buffer)
{
    PyObject *array = array_room(state, buffer);

    if (array && PySequence_Size(array) < 0) {
        PyErr_Format(PyExc_ValueError,
                     "rank %d: the buffer has no dimension: it needs a first axis, along "
                     "which the ranks' arrays lie",
                     state->rank);
        Py_CLEAR(array);
    }
    return array;
}

/* ---- parts ---------------------------------------------------------------- */

static void share(size_t total, int size, size_t *counts)
{
    for (int i = 0; i < size; i++)
        counts[i] = total / (size_t)size + ((size_t)i < total % (size_t)size);
}

/* -1 with an exception, but for one that says what is right. */
static int read_counts(PyObject *items, Py_ssize_t total, size_t *counts)
{
    Py_ssize_t left = total;

    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items); i++) {
        Py_ssize_t count =
            PyNumber_AsSsize_t(PyTuple_GET_ITEM(items, i), PyExc_ValueError);

        if (count < 0 || count > left)
            return -1;
        counts[i] = (size_t)count;
        left -= count;
    }
    return left ? -1 : 0;
}

int rows_count(core_state *state, par_comm *par, PyObject *counts_value, Py_ssize_t total,
               size_t *counts)
{
    int size = par_size(par), failed;
    PyObject *items;

    if (!counts_value || counts_value == Py_None) {
        share((size_t)total, size, counts);
        return 0;
    }
    items = PySequence_Tuple(counts_value);
    if (!items)
        return -1;
    failed = PyTuple_GET_SIZE(items) == size ? read_counts(items, total, counts) : -1;
    if (failed && (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_ValueError)))
        PyErr_Format(PyExc_ValueError,
                     "rank %d: counts are %R: they must be %d numbers, one for each "
                     "rank, and together %zd, the length of what is parted",
                     state->rank, items, size, total);
    Py_DECREF(items);
    return failed;
}

static PyObject *cut(PyObject *object, const size_t *counts, int size)
{
    PyObject *parts = PyTuple_New(size);
    Py_ssize_t at = 0;

    for (int i = 0; parts && i < size; i++) {
        PyObject *part = PySequence_GetSlice(object, at, at + (Py_ssize_t)counts[i]);

        at += (Py_ssize_t)counts[i];
        if (part)
            PyTuple_SET_ITEM(parts, i, part);
        else
            Py_CLEAR(parts);
    }
    return parts;
}

PyObject *rows_cut(core_state *state, par_comm *par, PyObject *object,
                   PyObject *counts_value)
{
    int size = par_size(par);
    Py_ssize_t total = PySequence_Size(object);
    size_t *counts;
    PyObject *parts = NULL;

    if (total < 0)
        return NULL;
    counts = PyMem_RawMalloc((size_t)size * sizeof *counts);
    if (!counts)
        return PyErr_NoMemory();
    if (rows_count(state, par, counts_value, total, counts) == 0)
        parts = cut(object, counts, size);
    PyMem_RawFree(counts);
    return parts;
}

/* ---- one behind the other ----------------------------------------------------- */

/* What the ranks give: MESSAGES, and this rank's own. */
typedef struct given {
    par_message **messages;
    int size, here;
    codec_out own;
    Py_ssize_t *rows; /* of each */
} given;

static void refuse(core_state *state, const given *g, Py_ssize_t total, Py_ssize_t room)
{
    PyObject *list = PyList_New(g->size);

    for (int i = 0; list && i < g->size; i++) {
        PyObject *count = PyLong_FromSsize_t(g->rows[i]);

        if (count)
            PyList_SET_ITEM(list, i, count);
        else
            Py_CLEAR(list);
    }
    if (list)
        PyErr_Format(state->size_mismatch,
                     "rank %d: ranks 0 to %d give %zd rows, %R; the buffer has %zd",
                     state->rank, g->size - 1, total, list, room);
    Py_XDECREF(list);
}

static int count_rows(core_state *state, given *g, PyObject *array)
{
    Py_ssize_t total = 0;

    for (int i = 0; i < g->size; i++) {
        par_content content = g->own.content;

        if (i != g->here)
            par_message_content(g->messages[i], &content, NULL);
        g->rows[i] = array_rows(state, &content, i, array);
        if (g->rows[i] < 0)
            return -1;
        total += g->rows[i];
    }
    if (total == PySequence_Size(array))
        return 0;
    refuse(state, g, total, PySequence_Size(array));
    return -1;
}

/* Put rank I's rows into ARRAY from row AT on. */
static int put_rows(core_state *state, given *g, int i, PyObject *array, Py_ssize_t at)
{
    PyObject *part = PySequence_GetSlice(array, at, at + g->rows[i]);
    int failed = -1;

    if (part && i == g->here)
        failed = array_put(state, &g->own, "this rank's own part", part);
    else if (part)
        failed = array_receive(state, &g->messages[i], part, true);
    Py_XDECREF(part);
    return failed;
}

/* Its own part first: if that lies in the buffer already, nothing is over it yet. */
static int put_all(core_state *state, given *g, PyObject *array)
{
    Py_ssize_t at = 0;
    int failed;

    for (int i = 0; i < g->here; i++)
        at += g->rows[i];
    failed = put_rows(state, g, g->here, array, at);
    at = 0;
    for (int i = 0; !failed && i < g->size; at += g->rows[i++])
        if (i != g->here)
            failed = put_rows(state, g, i, array, at);
    return failed;
}

int rows_join(core_state *state, par_message **messages, int size, PyObject *mine,
              int here, PyObject *array)
{
    given g = {.messages = messages, .size = size, .here = here};
    int failed = codec_encode(state, mine, &g.own);

    g.rows = PyMem_RawMalloc((size_t)size * sizeof *g.rows);
    if (!failed && !g.rows) {
        PyErr_NoMemory();
        failed = -1;
    }
    failed = failed || count_rows(state, &g, array) || put_all(state, &g, array) ? -1 : 0;
    for (int i = 0; i < size; i++)
        par_message_free(&messages[i]);
    PyMem_RawFree(g.rows);
    codec_release(&g.own);
    return failed;
}
