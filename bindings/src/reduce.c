/* reduce.c - joining what all ranks have: reduce, allreduce, scan, exscan.
 * SPDX-License-Identifier: MIT */
#include "arguments.h"
#include "collective.h"
#include "comm.h"
#include "errors.h"

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

/* What a call of this family does with its arguments. */
typedef enum family {
    REDUCE,
    ALLREDUCE,
    SCAN,
    EXSCAN,
} family;

/* Whether this rank gets a result. */
static bool has_result(family f, par_comm *par, int root)
{
    return f == REDUCE ? par_rank(par) == root : f != EXSCAN || par_rank(par) > 0;
}

static par_error join(family f, par_comm *par, const void *data, void *to, size_t count,
                      par_type type, par_op op, int root)
{
    switch (f) {
    case REDUCE:
        return par_reduce(par, data, to, count, type, op, root);
    case ALLREDUCE:
        return par_allreduce(par, data, to, count, type, op);
    case SCAN:
        return par_scan(par, data, to, count, type, op);
    default:
        return par_exscan(par, data, to, count, type, op);
    }
}

static PyObject *join_arrays(family f, core_state *state, par_comm *par, PyObject *array,
                             par_op op, int root)
{
    size_t count;
    par_type type;
    PyObject *room = array_like(array), *result;
    void *data = array_data(array, &count, &type);

    if (!room)
        return NULL;
    if (errors_raise_if(state, join(f, par, data, array_data(room, &count, &type), count,
                                    type, op, root)))
        result = NULL;
    else
        result = Py_NewRef(has_result(f, par, root) ? room : Py_None);
    Py_DECREF(room);
    return result;
}

/* ALL, the ranks' objects in their order, joined as far as this rank's result goes;
 * steals ALL. */
static PyObject *fold(family f, par_comm *par, PyObject *all, PyObject *op)
{
    PyObject *module = PyImport_ImportModule("pypar.fold"), *part = NULL, *result = NULL;
    Py_ssize_t end = f == SCAN ? par_rank(par) + 1 : par_rank(par);

    if (module)
        part = f == SCAN || f == EXSCAN ? PyList_GetSlice(all, 0, end) : Py_NewRef(all);
    if (part)
        result = PyObject_CallMethod(module, "fold", "OO", part, op);
    Py_XDECREF(part);
    Py_XDECREF(module);
    Py_DECREF(all);
    return result;
}

/* Objects, and arrays whose elements C doesn't know: joined by Python. */
static PyObject *join_objects(family f, core_state *state, par_comm *par,
                              PyObject *object, PyObject *op, PyObject *root_value,
                              int root)
{
    PyObject *all = f == REDUCE ? collective_gather(state, par, object, root_value)
                                : collective_allgather(state, par, object);

    if (!all || has_result(f, par, root))
        return all ? fold(f, par, all, op) : NULL;
    Py_DECREF(all);
    Py_RETURN_NONE;
}

static PyObject *run(family f, core_state *state, par_comm *par, PyObject *object,
                     PyObject *op, PyObject *root_value)
{
    PyObject *array, *result;
    int number, root;

    if (get_op(state, op, &number) < 0 ||
        collective_get_root(state, par, root_value, &root) < 0)
        return NULL;
    array = number ? array_for_reduce(object) : Py_NewRef(Py_None);
    if (!array)
        return NULL;
    result = array == Py_None ? join_objects(f, state, par, object, op, root_value, root)
                              : join_arrays(f, state, par, array, ops[number - 1], root);
    Py_DECREF(array);
    return result;
}

PyObject *collective_reduce(core_state *state, par_comm *par, PyObject *object,
                            PyObject *op, PyObject *root)
{
    return run(REDUCE, state, par, object, op, root);
}

PyObject *collective_allreduce(core_state *state, par_comm *par, PyObject *object,
                               PyObject *op)
{
    return run(ALLREDUCE, state, par, object, op, NULL);
}

PyObject *collective_scan(core_state *state, par_comm *par, PyObject *object,
                          PyObject *op, bool exclusive)
{
    return run(exclusive ? EXSCAN : SCAN, state, par, object, op, NULL);
}
