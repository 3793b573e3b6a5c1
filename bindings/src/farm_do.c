/* farm_do.c - a task of a pool, done.
 * SPDX-License-Identifier: MIT
 *
 * Whatever comes of a task is its result: also what its function raises, and that its
 * arguments cannot be decoded or its result cannot be sent.
 */
#include "farm.h"

#include "errors.h"

/* ---- functions ---------------------------------------------------------- */

int farm_sweep(farm *self)
{
    uint64_t number;

    while ((number = par_pool_dropped(self->pool))) {
        PyObject *key = PyLong_FromUnsignedLongLong(number);
        int failed = key ? PyDict_DelItem(self->shared, key) : -1;

        Py_XDECREF(key);
        if (failed && !PyErr_ExceptionMatches(PyExc_KeyError)) /* it was never decoded */
            return -1;
        PyErr_Clear();
    }
    return 0;
}

static PyObject *decode_shared(farm *self, uint64_t number, PyObject *key)
{
    const par_message *message = par_pool_shared(self->pool, number);
    codec_in in = {0};
    PyObject *object;

    if (!message) {
        PyErr_Format(self->state->error,
                     "rank %d: a task names %llu, which is not shared", self->state->rank,
                     (unsigned long long)number);
        return NULL;
    }
    par_message_content(message, &in.content, NULL);
    in.body = par_message_body(message);
    object = codec_read(self->state, &in);
    if (object && PyDict_SetItem(self->shared, key, object) < 0)
        Py_CLEAR(object);
    return object;
}

/* What is shared as NUMBER, a new reference; NULL with an exception. */
static PyObject *get_shared(farm *self, uint64_t number)
{
    PyObject *key = PyLong_FromUnsignedLongLong(number), *object = NULL;

    if (key && farm_sweep(self) == 0) {
        object = Py_XNewRef(PyDict_GetItemWithError(self->shared, key));
        if (!object && !PyErr_Occurred())
            object = decode_shared(self, number, key);
    }
    Py_XDECREF(key);
    return object;
}

/* ---- calls -------------------------------------------------------------- */

static PyObject *call_star(PyObject *function, PyObject *item)
{
    PyObject *args = PySequence_Tuple(item);
    PyObject *result = args ? PyObject_Call(function, args, NULL) : NULL;

    Py_XDECREF(args);
    return result;
}

static PyObject *call_each(PyObject *function, PyObject *items, bool star)
{
    PyObject *results = PyList_New(PyList_GET_SIZE(items));

    for (Py_ssize_t i = 0; results && i < PyList_GET_SIZE(results); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        PyObject *result =
            star ? call_star(function, item) : PyObject_CallOneArg(function, item);

        if (result)
            PyList_SET_ITEM(results, i, result);
        else
            Py_CLEAR(results);
    }
    return results;
}

static bool is_named(PyObject *object)
{
    return PyTuple_Check(object) && PyTuple_GET_SIZE(object) == 2 &&
           PyTuple_Check(PyTuple_GET_ITEM(object, 0)) &&
           PyDict_Check(PyTuple_GET_ITEM(object, 1));
}

static PyObject *call(core_state *state, PyObject *function, farm_call how,
                      PyObject *object)
{
    if (how == FARM_ONE)
        return PyObject_CallOneArg(function, object);
    if (how == FARM_ARGS && PyTuple_Check(object))
        return PyObject_Call(function, object, NULL);
    if (how == FARM_NAMED && is_named(object))
        return PyObject_Call(function, PyTuple_GET_ITEM(object, 0),
                             PyTuple_GET_ITEM(object, 1));
    if ((how == FARM_EACH || how == FARM_STAR) && PyList_Check(object))
        return call_each(function, object, how == FARM_STAR);
    PyErr_Format(state->error, "rank %d: a task is damaged or of another version",
                 state->rank);
    return NULL;
}

/* What TASK's function returns; NULL with an exception. */
static PyObject *carry_out(farm *self, par_pool_task *task)
{
    codec_in in = {.message_p = par_pool_task_message(task)};
    farm_call how;
    PyObject *function, *object = NULL, *result = NULL;

    par_message_content(*in.message_p, &in.content, NULL);
    in.body = par_message_body(*in.message_p);
    how = in.content.variant >> FARM_CALL_SHIFT;
    in.content.variant &= FARM_CODEC_MASK;

    function = get_shared(self, par_pool_task_shared(task));
    if (function)
        object = codec_read(self->state, &in);
    if (object && farm_begin_call() == 0)
        result = call(self->state, function, how, object);
    Py_XDECREF(object);
    Py_XDECREF(function);
    return result;
}

/* ---- answers ------------------------------------------------------------ */

/* What on_error makes of ERROR, while it is handled as in an except clause; NULL with an
 * exception. */
static PyObject *ask_on_error(farm *self, PyObject *error)
{
    PyObject *before = PyErr_GetHandledException(), *object;

    PyErr_SetHandledException(error);
    object = PyObject_CallOneArg(self->on_error, error);
    PyErr_SetHandledException(before);
    Py_XDECREF(before);
    return object;
}

/* What is said of ERROR where it cannot be sent itself: never NULL. */
static PyObject *describe(PyObject *error)
{
    PyObject *text = PyUnicode_FromFormat("%s: %S", Py_TYPE(error)->tp_name, error);

    PyErr_Clear();
    return text ? text : Py_NewRef(Py_None);
}

/* End *TASK_P with OBJECT: 1; 0 with an exception if it cannot be sent, and the task
 * lives on; -1 with another one. */
static int answer(farm *self, par_pool_task **task_p, int status, PyObject *object)
{
    codec_out out;
    par_error err = PAR_OK;
    int failed = codec_encode(self->state, object, &out);

    if (!failed)
        err = par_pool_answer(self->pool, task_p, status, &out.content, out.parts,
                              out.part_count);
    codec_release(&out);
    if (failed)
        return 0;
    if (!err)
        return 1;
    errors_raise(self->state, err);
    return err == PAR_ERR_ARG || err == PAR_ERR_TYPE || err == PAR_ERR_SIZE ? 0 : -1;
}

/* The same with ERROR. */
static int answer_error(farm *self, par_pool_task **task_p, PyObject *error)
{
    PyObject *object = ask_on_error(self, error);
    int answered = object ? answer(self, task_p, FARM_RAISED, object) : 0;

    Py_XDECREF(object);
    if (answered)
        return answered;
    PyErr_Clear();
    object = describe(error);
    answered = answer(self, task_p, FARM_RAISED, object);
    Py_DECREF(object);
    return answered;
}

/* End *TASK_P with the exception that is set. */
static int answer_failed(farm *self, par_pool_task **task_p)
{
    PyObject *error = errors_take();
    bool interrupted =
        self->rank && PyErr_GivenExceptionMatches(error, PyExc_KeyboardInterrupt);
    int answered = answer_error(self, task_p, error);

    if (answered == 1 && interrupted) { /* which is not for the task alone */
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        answered = -1;
    }
    Py_DECREF(error);
    return answered;
}

static int leave_given_up(farm *self, par_pool_task **task_p, PyObject *result)
{
    Py_XDECREF(result);
    *task_p = NULL;
    PyErr_SetNone(self->state->interrupted);
    return -1;
}

int farm_do(farm *self, par_pool_task **task_p, bool *given_up_p)
{
    farm_doing here;
    PyObject *result;
    int answered = 0;

    farm_begin(&here, self, *task_p);
    result = carry_out(self, *task_p);
    farm_end(&here);
    *given_up_p = here.is_given_up;
    if (here.is_given_up)
        return leave_given_up(self, task_p, result);
    if (result)
        answered = answer(self, task_p, FARM_RETURNED, result);
    Py_XDECREF(result);
    if (!answered)
        answered = answer_failed(self, task_p);
    return answered == 1 ? 0 : -1;
}
