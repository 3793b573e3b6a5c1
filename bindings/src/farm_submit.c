/* farm_submit.c - calls that are handed in to a pool, as tasks.
 * SPDX-License-Identifier: MIT */
#include "farm.h"

#include "arguments.h"
#include "errors.h"

/* ---- what is sent from where it lies ------------------------------------ */

enum { KEEP_MIN = 1024 }; /* bytes; less is copied anyway */

static bool is_small(const codec_out *out)
{
    return out->part_count == 1 && out->parts->bytes < KEEP_MIN;
}

static void destroy_kept(PyObject *capsule)
{
    codec_out *kept = PyCapsule_GetPointer(capsule, NULL);

    codec_release(kept);
    PyMem_Free(kept);
}

/* A capsule for what OUT has; NULL, with no exception, where it is to be copied. */
static PyObject *kept_new(const codec_out *out)
{
    codec_out *kept = is_small(out) ? NULL : PyMem_Calloc(1, sizeof *kept);
    PyObject *capsule;

    if (!kept)
        return NULL;
    kept->bytes = kept->first;
    capsule = PyCapsule_New(kept, NULL, destroy_kept);
    if (!capsule) {
        PyMem_Free(kept);
        PyErr_Clear();
    }
    return capsule;
}

/* Let CAPSULE, which is stolen, have what OUT has until TASK is released. Without memory
 * for that, or for TASK, it stays for ever, since it is being sent. */
static int keep(farm *self, PyObject *task, PyObject *capsule, codec_out *out)
{
    codec_move(PyCapsule_GetPointer(capsule, NULL), out);
    if (!task || PyDict_SetItem(self->kept, task, capsule) < 0)
        return -1;
    Py_DECREF(capsule);
    return 0;
}

int farm_release(farm *self)
{
    uint64_t task;
    int failed = 0;

    while (!failed && (task = par_pool_released(self->pool))) {
        PyObject *key = PyLong_FromUnsignedLongLong(task);

        failed = key ? PyDict_DelItem(self->kept, key) : -1;
        Py_XDECREF(key);
    }
    return failed;
}

/* ---- tasks -------------------------------------------------------------- */

/* Where a task goes: its channel and its function; and whether its arguments are to be
 * copied, as they may change at once. */
typedef struct target {
    int channel;
    uint64_t shared;
    int copied;
} target;

/* Submit OUT, which is for a call HOW; the task's number, or NULL with an exception. */
static PyObject *submit_out(farm *self, const target *to, farm_call how, codec_out *out)
{
    PyObject *capsule = to->copied ? NULL : kept_new(out), *key = NULL;
    bool copied = true;
    uint64_t task = 0;
    par_error err;

    out->content.variant |= (uint8_t)(how << FARM_CALL_SHIFT);
    err = par_pool_submit(self->pool, to->channel, to->shared, &out->content, out->parts,
                          out->part_count, capsule ? &copied : NULL, &task);
    if (err)
        errors_raise(self->state, err);
    else
        key = PyLong_FromUnsignedLongLong(task);
    if (copied)
        Py_XDECREF(capsule);
    else if (keep(self, key, capsule, out) < 0)
        Py_CLEAR(key);
    return key;
}

static PyObject *submit_object(farm *self, const target *to, farm_call how,
                               PyObject *object)
{
    PyObject *task = NULL;
    codec_out out;

    if (farm_release(self) < 0)
        return NULL;
    if (codec_encode(self->state, object, &out) == 0)
        task = submit_out(self, to, how, &out);
    codec_release(&out);
    return task;
}

static int get_target(farm *self, PyObject *channel, PyObject *shared, PyObject *copied,
                      target *to)
{
    *to = (target){0};
    return farm_check_open(self) < 0 ||
                   arguments_int(self->state, channel, "channel", -1, &to->channel) < 0 ||
                   farm_get_number(self, shared, "shared", &to->shared) < 0 ||
                   (copied && (to->copied = PyObject_IsTrue(copied)) < 0)
               ? -1
               : 0;
}

PyObject *farm_submit(PyObject *object, PyObject *const *args, Py_ssize_t count,
                      PyObject *keywords)
{
    static const signature s = {
        "submit", 5, 3, {"channel", "shared", "args", "kwargs", "copied"}};
    farm *self = farm_self_of(object);
    PyObject *v[ARGUMENTS_MAX], *pair, *task;
    target to;

    if (arguments_sort(&s, args, count, keywords, v) < 0 ||
        get_target(self, v[0], v[1], v[4], &to) < 0)
        return NULL;
    if (!PyTuple_Check(v[2]))
        return farm_wrong_type(self, "args", v[2], "tuple");
    if (v[3] && v[3] != Py_None && !PyDict_Check(v[3]))
        return farm_wrong_type(self, "kwargs", v[3], "dict");
    if (!v[3] || v[3] == Py_None || !PyDict_GET_SIZE(v[3])) {
        if (PyTuple_GET_SIZE(v[2]) == 1)
            return submit_object(self, &to, FARM_ONE, PyTuple_GET_ITEM(v[2], 0));
        return submit_object(self, &to, FARM_ARGS, v[2]);
    }
    pair = PyTuple_Pack(2, v[2], v[3]);
    task = pair ? submit_object(self, &to, FARM_NAMED, pair) : NULL;
    Py_XDECREF(pair);
    return task;
}

PyObject *farm_submit_many(PyObject *object, PyObject *const *args, Py_ssize_t count,
                           PyObject *keywords)
{
    static const signature s = {
        "submit_many", 5, 3, {"channel", "shared", "items", "star", "copied"}};
    farm *self = farm_self_of(object);
    PyObject *v[ARGUMENTS_MAX];
    target to;
    int star = 0;

    if (arguments_sort(&s, args, count, keywords, v) < 0 ||
        get_target(self, v[0], v[1], v[4], &to) < 0 ||
        (v[3] && (star = PyObject_IsTrue(v[3])) < 0))
        return NULL;
    if (!PyList_Check(v[2]))
        return farm_wrong_type(self, "items", v[2], "list");
    return submit_object(self, &to, star ? FARM_STAR : FARM_EACH, v[2]);
}

PyObject *farm_cancel(PyObject *object, PyObject *value)
{
    farm *self = farm_self_of(object);
    uint64_t task;
    bool cancelled = false;

    if (farm_check_open(self) < 0 || farm_get_number(self, value, "task", &task) < 0 ||
        errors_raise_if(self->state, par_pool_cancel(self->pool, task, &cancelled)) < 0)
        return NULL;
    return PyBool_FromLong(cancelled);
}
