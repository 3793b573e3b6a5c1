/* farm_next.c - what the tasks of a pool have come to.
 * SPDX-License-Identifier: MIT */
#include "farm.h"

#include "arguments.h"
#include "block.h"
#include "errors.h"

/* Whether CONTENT is decoded to an array. */
static bool is_array(const par_content *content)
{
    bool is_run = content->type == PAR_CHAR || content->type == PAR_BYTE;

    return content->kind == PAR_ARRAY && !(is_run && content->dims == 1);
}

/* Let an array have the memory that the body of RESULT lies in, if it has its own. -1
 * with an exception. */
static int own_body(par_pool_result *result, codec_in *in)
{
    void *memory = is_array(&in->content) ? par_pool_result_hand_over(result) : NULL;

    if (!memory)
        return 0;
    in->owner = block_own(memory);
    return in->owner ? 0 : -1;
}

/* What RESULT holds; NULL with an exception. */
static PyObject *decode_result(farm *self, par_pool_result *result)
{
    codec_in in = {.message_p = par_pool_result_message(result)};
    PyObject *object;

    par_message_content(*in.message_p, &in.content, NULL);
    in.body = par_message_body(*in.message_p);
    object = own_body(result, &in) < 0 ? NULL : codec_read(self->state, &in);
    Py_XDECREF(in.owner);
    return object;
}

/* The exception that RESULT says its task raised: VALUE, which is stolen, if it could be
 * sent. */
static PyObject *exception_of(farm *self, const par_pool_result *result, PyObject *value)
{
    PyObject *exception;

    if (PyExceptionInstance_Check(value))
        return value;
    PyErr_Format(self->state->error, "a task failed on rank %d of the farm: %S",
                 par_pool_result_worker(result), value);
    exception = errors_take();
    Py_DECREF(value);
    return exception;
}

/* (task, ok, value) of RESULT; NULL with an exception. */
static PyObject *triple(farm *self, par_pool_result *result)
{
    PyObject *value = decode_result(self, result), *task, *all = NULL;
    bool ok = value && par_pool_result_status(result) == FARM_RETURNED;

    if (!value && !PyErr_ExceptionMatches(PyExc_Exception))
        return NULL; /* Ctrl-C */
    if (!value)
        value = errors_take();
    else if (!ok)
        value = exception_of(self, result, value);
    task = PyLong_FromUnsignedLongLong(par_pool_result_task(result));
    if (task)
        all = PyTuple_Pack(3, task, ok ? Py_True : Py_False, value);
    Py_XDECREF(task);
    Py_DECREF(value);
    return all;
}

/* Wait for the next result of CHANNEL, and do tasks meanwhile if HELPS. */
static PyObject *wait_for(farm *self, int channel, double seconds, bool helps)
{
    double until = seconds > 0 ? par_time() + seconds : 0;
    par_pool_result *result;
    par_pool_task *task;
    par_pool_turn turn;
    PyObject *all;
    bool given_up;
    par_error err;

    for (;;) {
        self->users++;
        err = par_pool_wait(self->pool, channel, seconds, &result, helps ? &task : NULL,
                            &turn);
        self->users--;
        if (err)
            return errors_raise(self->state, err);
        switch (turn) {
        case PAR_POOL_RESULT:
            all = triple(self, result);
            par_pool_result_free(&result);
            return all;
        case PAR_POOL_TASK:
            if (farm_do(self, &task, &given_up) < 0 || farm_check_interrupt() < 0)
                return NULL;
            break;
        case PAR_POOL_NOTHING:
            Py_RETURN_NONE;
        case PAR_POOL_LATE:
            PyErr_SetString(PyExc_TimeoutError, "no task is done yet");
            return NULL;
        }
        if (seconds > 0)
            seconds = until > par_time() ? until - par_time() : 0;
    }
}

PyObject *farm_next(PyObject *object, PyObject *const *args, Py_ssize_t count,
                    PyObject *keywords)
{
    static const signature s = {"next", 2, 1, {"channel", "timeout"}};
    farm *self = farm_self_of(object);
    PyObject *v[ARGUMENTS_MAX];
    double seconds;
    int from, helps;

    if (arguments_sort(&s, args, count, keywords, v) < 0 || farm_check_open(self) < 0 ||
        arguments_int(self->state, v[0], "channel", -1, &from) < 0 ||
        arguments_timeout(v[1], &seconds) < 0 || farm_release(self) < 0)
        return NULL;
    helps = PySet_Contains(self->inner, v[0]);
    return helps < 0 ? NULL : wait_for(self, from, seconds, helps);
}
