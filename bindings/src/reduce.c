/* reduce.c - joining what all ranks have: reduce, allreduce, scan, exscan,
 * reduce_scatter.
 * SPDX-License-Identifier: MIT */
#include "arguments.h"
#include "collective.h"
#include "comm.h"
#include "errors.h"
#include "rows.h"

/* The old pypar's numbers of operations begin with 1. */
static const par_op ops[] = {PAR_MAX,  PAR_MIN,  PAR_SUM,    PAR_PROD,
                             PAR_LAND, PAR_BAND, PAR_LOR,    PAR_BOR,
                             PAR_LXOR, PAR_BXOR, PAR_MAXLOC, PAR_MINLOC};

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
                     state->rank, op, Py_TYPE(op)->tp_name);
        return -1;
    }
    if (arguments_int(state, op, "op", 0, number_p) < 0)
        return -1;
    if (*number_p >= 1 && *number_p <= OP_COUNT)
        return 0;
    PyErr_Format(PyExc_ValueError,
                 "rank %d: op is %d: it must be from 1 (pypar.MAX) to %d (pypar.MINLOC)",
                 state->rank, *number_p, OP_COUNT);
    return -1;
}

/* A call of this family. What its caller has not given is NULL. */
typedef struct call {
    par_join_kind family;
    core_state *state;
    par_comm *par;
    PyObject *object, *op, *root_value, *buffer, *counts;
    int number; /* of the operation; 0 where it is a callable */
    int root;
    PyObject *room; /* the buffer as an array, owned; NULL where it is not needed */
} call;

/* Whether this rank gets a result. */
static bool has_result(const call *c)
{
    if (c->family == PAR_JOIN_REDUCE)
        return par_rank(c->par) == c->root;
    return c->family != PAR_JOIN_EXSCAN || par_rank(c->par) > 0;
}

/* As deliver, for arrays that would be sent as objects. */
static PyObject *deliver_object(const call *c, PyObject *result)
{
    PyObject *module = PyImport_ImportModule("pypar.alike"), *filled = NULL;

    if (module)
        filled = PyObject_CallMethod(module, "fill", "OO", c->room, result);
    Py_XDECREF(module);
    Py_DECREF(result);
    if (!filled)
        return NULL;
    Py_DECREF(filled);
    return Py_NewRef(c->buffer);
}

/* RESULT in the caller's buffer, if there is one; steals it. */
static PyObject *deliver(const call *c, PyObject *result)
{
    codec_out out;
    int failed;

    if (!result || !c->room)
        return result;
    if (array_is(result) && !array_check(result))
        return deliver_object(c, result);
    failed = codec_encode(c->state, result, &out) ||
             array_put(c->state, &out, "the result", c->room);
    codec_release(&out);
    Py_DECREF(result);
    return failed ? NULL : Py_NewRef(c->buffer);
}

/* ---- arrays ----------------------------------------------------------------- */

/* COUNTS are those of a reduce_scatter, in elements. */
static par_error join(const call *c, PyObject *array, void *to, const size_t *counts)
{
    par_op op = ops[c->number - 1];
    size_t count;
    par_type type;
    void *data = array_data(array, &count, &type);

    switch (c->family) {
    case PAR_JOIN_REDUCE:
        return par_reduce(c->par, data, to, count, type, op, c->root);
    case PAR_JOIN_ALLREDUCE:
        return par_allreduce(c->par, data, to, count, type, op);
    case PAR_JOIN_SCAN:
        return par_scan(c->par, data, to, count, type, op);
    case PAR_JOIN_EXSCAN:
        return par_exscan(c->par, data, to, count, type, op);
    default:
        return par_reduce_scatter(c->par, data, to, counts, type, op);
    }
}

/* Join into the buffer itself where that can be, else into a new array of ROWS rows, all
 * if negative, which have COUNT elements. */
static PyObject *join_into(const call *c, PyObject *array, Py_ssize_t rows, size_t count,
                           const size_t *counts)
{
    bool into_room = c->room && array_can_take(c->room, array, count);
    PyObject *to = into_room ? Py_NewRef(c->room) : array_like(array, rows);
    PyObject *result = NULL;
    size_t to_count;
    par_type type;

    if (!to)
        return NULL;
    if (!errors_raise_if(c->state,
                         join(c, array, array_data(to, &to_count, &type), counts)))
        result = Py_NewRef(into_room ? c->buffer : has_result(c) ? to : Py_None);
    Py_DECREF(to);
    return into_room ? result : deliver(c, result);
}

static PyObject *join_arrays(const call *c, PyObject *array)
{
    size_t count;
    par_type type;

    array_data(array, &count, &type);
    return join_into(c, array, -1, count, NULL);
}

/* This rank's rows of the arrays joined. */
static PyObject *join_and_part(const call *c, PyObject *array)
{
    int size = par_size(c->par);
    Py_ssize_t total = PySequence_Size(array), mine;
    size_t *counts, elements;
    par_type type;
    PyObject *result = NULL;

    if (total < 0)
        return NULL;
    counts = PyMem_RawMalloc((size_t)size * sizeof *counts);
    if (!counts)
        return PyErr_NoMemory();
    if (rows_count(c->state, c->par, c->counts, total, counts) == 0) {
        mine = (Py_ssize_t)counts[par_rank(c->par)];
        array_data(array, &elements, &type);
        for (int i = 0; total && i < size; i++)
            counts[i] *= elements / (size_t)total;
        result = join_into(c, array, mine, counts[par_rank(c->par)], counts);
    }
    PyMem_RawFree(counts);
    return result;
}

/* ---- objects ----------------------------------------------------------------- */

/* By number: the operator that joins objects, where it is one of Python's. */
static const binaryfunc operators[OP_COUNT + 1] = {
    [3] = PyNumber_Add, [4] = PyNumber_Multiply, [6] = PyNumber_And,
    [8] = PyNumber_Or,  [10] = PyNumber_Xor,
};

static PyObject *join_two(const call *c, PyObject *left, PyObject *right)
{
    return c->number ? operators[c->number](left, right)
                     : PyObject_CallFunctionObjArgs(c->op, left, right, NULL);
}

/* The first END of ALL, from left to right. */
static PyObject *fold_here(const call *c, PyObject *all, Py_ssize_t end)
{
    PyObject *result = Py_NewRef(PyList_GET_ITEM(all, 0));

    for (Py_ssize_t i = 1; result && i < end; i++)
        Py_SETREF(result, join_two(c, result, PyList_GET_ITEM(all, i)));
    return result;
}

/* Whether NumPy joins ALL: alike on all ranks, for one array among them is enough. */
static bool are_arrays(const call *c, PyObject *all)
{
    par_op op = c->number ? ops[c->number - 1] : PAR_MINLOC;

    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(all); i++)
        if (array_is(PyList_GET_ITEM(all, i)))
            return op != PAR_MINLOC && op != PAR_MAXLOC;
    return false;
}

static PyObject *fold_arrays(const call *c, PyObject *all, Py_ssize_t end)
{
    PyObject *module = PyImport_ImportModule("pypar.fold"), *result = NULL;

    if (module)
        result = PyObject_CallMethod(module, "fold_arrays", "OOn", all, c->op, end);
    Py_XDECREF(module);
    return result;
}

static PyObject *fold_there(const call *c, PyObject *all, Py_ssize_t end)
{
    PyObject *module = PyImport_ImportModule("pypar.fold"), *part = NULL, *result = NULL;

    if (module)
        part = PyList_GetSlice(all, 0, end);
    if (part)
        result = PyObject_CallMethod(module, "fold", "OO", part, c->op);
    Py_XDECREF(part);
    Py_XDECREF(module);
    return result;
}

/* ALL, the ranks' objects in their order, joined as far as this rank's result goes, None
 * where it has none; steals ALL. */
static PyObject *fold(const call *c, PyObject *all)
{
    Py_ssize_t end = PyList_GET_SIZE(all);
    PyObject *result;

    if (c->family == PAR_JOIN_SCAN || c->family == PAR_JOIN_EXSCAN)
        end = par_rank(c->par) + (c->family == PAR_JOIN_SCAN);
    if (are_arrays(c, all))
        result = fold_arrays(c, all, end);
    else if (!end)
        result = Py_NewRef(Py_None);
    else if (!c->number || operators[c->number])
        result = fold_here(c, all, end);
    else
        result = fold_there(c, all, end);
    Py_DECREF(all);
    return result;
}

/* What this rank's result is made of: a list. */
static PyObject *collect(const call *c)
{
    par_join join = {c->family, c->number ? (int)ops[c->number - 1] : PAR_JOIN_FUNCTION};

    if (c->family == PAR_JOIN_REDUCE)
        return collective_gather_to_join(c->state, c->par, c->object, c->root_value,
                                         &join);
    if (c->family == PAR_JOIN_REDUCE_SCATTER)
        return collective_exchange_to_join(c->state, c->par, c->object, c->counts, &join);
    return collective_allgather_to_join(c->state, c->par, c->object, &join);
}

/* Objects, and arrays whose elements C doesn't know: joined by Python. */
static PyObject *join_objects(const call *c)
{
    PyObject *all = collect(c);

    if (!all || all == Py_None)
        return all;
    all = fold(c, all);
    return has_result(c) ? deliver(c, all) : all;
}

/* ---- the calls ----------------------------------------------------------------- */

static PyObject *run_checked(const call *c)
{
    PyObject *array = c->number
                          ? array_for_reduce(c->state, c->object, ops[c->number - 1])
                          : Py_NewRef(Py_None);
    PyObject *result;

    if (!array)
        return NULL;
    if (array == Py_None)
        result = join_objects(c);
    else if (c->family == PAR_JOIN_REDUCE_SCATTER)
        result = join_and_part(c, array);
    else
        result = join_arrays(c, array);
    Py_DECREF(array);
    return result;
}

static PyObject *run(call c)
{
    PyObject *result;

    if (get_op(c.state, c.op, &c.number) < 0 ||
        collective_get_root(c.state, c.par, c.root_value, &c.root) < 0)
        return NULL;
    if (collective_is_given(c.buffer) && has_result(&c) &&
        !(c.room = array_room(c.state, c.buffer)))
        return NULL;
    result = run_checked(&c);
    Py_XDECREF(c.room);
    return result;
}

PyObject *collective_reduce(core_state *state, par_comm *par, PyObject *object,
                            PyObject *op, PyObject *root, PyObject *buffer)
{
    return run((call){.family = PAR_JOIN_REDUCE,
                      .state = state,
                      .par = par,
                      .object = object,
                      .op = op,
                      .root_value = root,
                      .buffer = buffer});
}

static PyObject *run_everywhere(par_join_kind family, core_state *state, par_comm *par,
                                PyObject *object, PyObject *op, PyObject *buffer,
                                PyObject *counts)
{
    return run((call){.family = family,
                      .state = state,
                      .par = par,
                      .object = object,
                      .op = op,
                      .buffer = buffer,
                      .counts = counts});
}

PyObject *collective_allreduce(core_state *state, par_comm *par, PyObject *object,
                               PyObject *op, PyObject *buffer)
{
    return run_everywhere(PAR_JOIN_ALLREDUCE, state, par, object, op, buffer, NULL);
}

PyObject *collective_scan(core_state *state, par_comm *par, PyObject *object,
                          PyObject *op, PyObject *buffer, bool exclusive)
{
    return run_everywhere(exclusive ? PAR_JOIN_EXSCAN : PAR_JOIN_SCAN, state, par, object,
                          op, buffer, NULL);
}

PyObject *collective_reduce_scatter(core_state *state, par_comm *par, PyObject *object,
                                    PyObject *op, PyObject *counts, PyObject *buffer)
{
    return run_everywhere(PAR_JOIN_REDUCE_SCATTER, state, par, object, op, buffer,
                          counts);
}
