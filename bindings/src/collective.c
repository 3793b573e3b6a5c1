/* collective.c - barrier, broadcast, scatter, gather, reduce.
 * SPDX-License-Identifier: MIT */
#include "arguments.h"
#include "codec.h"
#include "comm.h"
#include "errors.h"

/* Which rank is root: what differs there begins before libpar is called. -1 with
 * an exception. */
static int get_root(core_state *state, par_comm *par, PyObject *value, int *root_p)
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

static int raise_if(core_state *state, par_error err)
{
    if (err)
        errors_raise(state, err);
    return err ? -1 : 0;
}

PyObject *comm_barrier(core_state *state, par_comm *par)
{
    if (raise_if(state, par_barrier(par)))
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
        failed = raise_if(state, par_message_broadcast(par, &out.content, out.parts,
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

    if (get_root(state, par, root, &from) < 0)
        return NULL;
    if (par_rank(par) == from)
        return broadcast_from_here(state, par, object, from);
    if (raise_if(state, par_message_broadcast(par, NULL, NULL, 0, from, &message)))
        return NULL;
    result = array_is(object) ? codec_decode_into(state, &message, object, true)
                              : codec_decode(state, &message);
    par_message_free(&message);
    return result;
}

/* ---- scatter ------------------------------------------------------------ */

/* What the root of a scatter sends, an item for each rank. */
typedef struct outs {
    codec_out *each;
    par_content *contents;
    const par_part **parts;
    size_t *part_counts;
    int encoded;
} outs;

static void outs_free(outs *o)
{
    for (int i = 0; i < o->encoded; i++)
        codec_release(&o->each[i]);
    PyMem_RawFree(o->each);
    PyMem_RawFree(o->contents);
    PyMem_RawFree((void *)o->parts);
    PyMem_RawFree(o->part_counts);
}

static int outs_make(core_state *state, outs *o, PyObject *const *items, int size)
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
    outs o = {0};
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
    failed = outs_make(state, &o, &PyTuple_GET_ITEM(items, 0), size);
    if (!failed)
        failed = raise_if(state, par_message_scatter(par, o.contents, o.parts,
                                                     o.part_counts, root, &none));
    if (!failed)
        mine = Py_NewRef(PyTuple_GET_ITEM(items, root));
    outs_free(&o);
    Py_DECREF(items);
    return mine;
}

PyObject *collective_scatter(core_state *state, par_comm *par, PyObject *objects,
                             PyObject *root)
{
    par_message *message;
    PyObject *result;
    int from;

    if (get_root(state, par, root, &from) < 0)
        return NULL;
    if (par_rank(par) == from)
        return scatter_from_here(state, par, objects, from);
    if (raise_if(state, par_message_scatter(par, NULL, NULL, NULL, from, &message)))
        return NULL;
    result = codec_decode(state, &message);
    par_message_free(&message);
    return result;
}

/* ---- gather ------------------------------------------------------------- */

/* The objects in MESSAGES, which are all ended, and MINE at ROOT. */
static PyObject *decode_all(core_state *state, par_message **messages, int size,
                            PyObject *mine, int root)
{
    PyObject *list = PyList_New(size);

    for (int i = 0; i < size; i++) {
        PyObject *item = NULL;

        if (list)
            item = i == root ? Py_NewRef(mine) : codec_decode(state, &messages[i]);
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
    if (!raise_if(state, par_message_gather(par, NULL, NULL, 0, root, messages)))
        list = decode_all(state, messages, size, object, root);
    PyMem_RawFree(messages);
    return list;
}

PyObject *collective_gather(core_state *state, par_comm *par, PyObject *object,
                            PyObject *root)
{
    codec_out out;
    int to, failed;

    if (get_root(state, par, root, &to) < 0)
        return NULL;
    if (par_rank(par) == to)
        return gather_here(state, par, object, to);
    failed = codec_encode(state, object, &out);
    if (!failed)
        failed = raise_if(state, par_message_gather(par, &out.content, out.parts,
                                                    out.part_count, to, NULL));
    codec_release(&out);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- reduce ------------------------------------------------------------- */

/* The old pypar's numbers of operations begin with 1. */
static const par_op ops[] = {PAR_MAX,  PAR_MIN, PAR_SUM, PAR_PROD, PAR_LAND,
                             PAR_BAND, PAR_LOR, PAR_BOR, PAR_LXOR, PAR_BXOR};

enum { OP_COUNT = sizeof ops / sizeof *ops };

/* Check OP; *NUMBER_P is 0 where it is a callable. */
static int get_op(core_state *state, PyObject *op, int *number_p)
{
    *number_p = 0;
    if (PyCallable_Check(op))
        return 0;
    if (!PyIndex_Check(op)) {
        PyErr_Format(PyExc_TypeError,
                     "rank %d: op is %R (%s): it must be pypar.SUM or another of these, "
                     "or a function of two arguments",
                     par_rank(state->world), op, Py_TYPE(op)->tp_name);
        return -1;
    }
    if (arguments_int(state, op, "op", 0, number_p) < 0)
        return -1;
    if (*number_p >= 1 && *number_p <= OP_COUNT)
        return 0;
    PyErr_Format(PyExc_ValueError,
                 "rank %d: op is %d: it must be from 1 (pypar.MAX) to %d (pypar.BXOR)",
                 par_rank(state->world), *number_p, OP_COUNT);
    return -1;
}

static PyObject *reduce_array(core_state *state, par_comm *par, PyObject *array,
                              par_op op, int root)
{
    size_t count;
    par_type type;
    bool here = par_rank(par) == root;
    PyObject *result = here ? array_like(array) : Py_NewRef(Py_None);
    void *data = array_data(array, &count, &type), *to = NULL;

    if (!result)
        return NULL;
    if (here)
        to = array_data(result, &count, &type);
    if (raise_if(state, par_reduce(par, data, to, count, type, op, root)))
        Py_CLEAR(result);
    return result;
}

/* Objects, and arrays whose elements C doesn't know: joined by Python, in the
 * order of the ranks. */
static PyObject *reduce_objects(core_state *state, par_comm *par, PyObject *object,
                                PyObject *op, PyObject *root)
{
    PyObject *all = collective_gather(state, par, object, root);
    PyObject *module, *result;

    if (!all || all == Py_None)
        return all;
    module = PyImport_ImportModule("pypar.fold");
    result = module ? PyObject_CallMethod(module, "fold", "OO", all, op) : NULL;
    Py_XDECREF(module);
    Py_DECREF(all);
    return result;
}

PyObject *collective_reduce(core_state *state, par_comm *par, PyObject *object,
                            PyObject *op, PyObject *root)
{
    PyObject *array, *result;
    int number, to;

    if (get_op(state, op, &number) < 0 || get_root(state, par, root, &to) < 0)
        return NULL;
    array = number ? array_for_reduce(object) : Py_NewRef(Py_None);
    if (!array)
        return NULL;
    result = array == Py_None ? reduce_objects(state, par, object, op, root)
                              : reduce_array(state, par, array, ops[number - 1], to);
    Py_DECREF(array);
    return result;
}
