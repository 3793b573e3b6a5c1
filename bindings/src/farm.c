/* farm.c - a pool of ranks that do tasks, as a Python object.
 * SPDX-License-Identifier: MIT */
#include "farm.h"

#include "arguments.h"
#include "comm.h"
#include "errors.h"

farm *farm_self_of(PyObject *object)
{
    return (farm *)object;
}

/* The end of the job closes all pools. */
static bool is_open(farm *self)
{
    if (!par_initialized())
        self->pool = NULL;
    return self->pool != NULL;
}

int farm_check_open(farm *self)
{
    if (is_open(self))
        return 0;
    PyErr_Format(PyExc_ValueError, "rank %d: the farm is closed", self->rank);
    return -1;
}

int farm_get_number(farm *self, PyObject *value, const char *name, uint64_t *number_p)
{
    *number_p = PyLong_Check(value) ? PyLong_AsUnsignedLongLong(value) : 0;
    if (PyErr_Occurred())
        PyErr_Clear();
    else if (*number_p)
        return 0;
    PyErr_Format(PyExc_ValueError,
                 "rank %d: %s is %R: it must be one that %s() has given", self->rank,
                 name, value, name[0] == 's' ? "share" : "submit");
    return -1;
}

PyObject *farm_wrong_type(farm *self, const char *name, PyObject *value,
                          const char *right)
{
    return PyErr_Format(PyExc_TypeError, "rank %d: %s is of type %s: it must be a %s",
                        self->rank, name, Py_TYPE(value)->tp_name, right);
}

/* ---- functions and channels --------------------------------------------- */

static PyObject *share(PyObject *object, PyObject *what)
{
    farm *self = farm_self_of(object);
    codec_out out;
    uint64_t shared = 0;
    int failed;

    if (farm_check_open(self) < 0)
        return NULL;
    failed = codec_encode(self->state, what, &out);
    if (!failed)
        failed = errors_raise_if(
            self->state,
            par_pool_share(self->pool, &out.content, out.parts, out.part_count, &shared));
    codec_release(&out);
    return failed ? NULL : PyLong_FromUnsignedLongLong(shared);
}

static PyObject *forget(PyObject *object, PyObject *value)
{
    farm *self = farm_self_of(object);
    uint64_t shared;

    if (farm_check_open(self) < 0 ||
        farm_get_number(self, value, "shared", &shared) < 0 ||
        errors_raise_if(self->state, par_pool_forget(self->pool, shared)) < 0 ||
        farm_sweep(self) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *channel(PyObject *object, PyObject *value)
{
    farm *self = farm_self_of(object);
    int ordered = PyObject_IsTrue(value), number;
    const par_pool_task *within = farm_task(self);
    PyObject *key;

    if (ordered < 0 || farm_check_open(self) < 0 ||
        errors_raise_if(self->state,
                        par_pool_channel_open(self->pool, ordered, within, &number)) < 0)
        return NULL;
    key = PyLong_FromLong(number);
    if (key && within && PySet_Add(self->inner, key) < 0)
        Py_CLEAR(key);
    return key;
}

static PyObject *close_channel(PyObject *object, PyObject *const *args, Py_ssize_t count,
                               PyObject *keywords)
{
    static const signature s = {"close_channel", 2, 1, {"channel", "interrupt"}};
    farm *self = farm_self_of(object);
    PyObject *v[ARGUMENTS_MAX];
    int number, breaks = 0;
    par_error err;

    if (arguments_sort(&s, args, count, keywords, v) < 0 || farm_check_open(self) < 0 ||
        arguments_int(self->state, v[0], "channel", -1, &number) < 0 ||
        (v[1] && (breaks = PyObject_IsTrue(v[1])) < 0))
        return NULL;
    err = breaks ? par_pool_channel_break(self->pool, number)
                 : par_pool_channel_close(self->pool, number);
    if (errors_raise_if(self->state, err) < 0 || PySet_Discard(self->inner, v[0]) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- working ------------------------------------------------------------ */

/* Do tasks until there are none any more, or nobody waits for this thread. */
static int serve_all(farm *self)
{
    bool given_up = false;
    par_pool_task *task;

    for (;;) {
        if (errors_raise_if(self->state, par_pool_take(self->pool, &task)) < 0)
            return -1;
        if (!task)
            return 0;
        if (farm_do(self, &task, &given_up) < 0) {
            if (!given_up)
                return -1;
            PyErr_Clear();
            self->given_up--;
            return 0;
        }
        if (PyErr_CheckSignals() < 0)
            return -1;
        /* Other threads want to go on, and functions in C never let them. */
        Py_BEGIN_ALLOW_THREADS Py_END_ALLOW_THREADS
    }
}

static PyObject *serve(PyObject *object, PyObject *on_error)
{
    farm *self = farm_self_of(object);
    int failed;

    if (farm_check_open(self) < 0)
        return NULL;
    if (!PyCallable_Check(on_error))
        return farm_wrong_type(self, "on_error", on_error, "function");
    Py_XSETREF(self->on_error, Py_NewRef(on_error));
    self->users++;
    failed = serve_all(self);
    self->users--;
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *give_up(PyObject *object, PyObject *thread)
{
    farm *self = farm_self_of(object);
    unsigned long ident = PyLong_AsUnsignedLong(thread);
    int gave_up =
        PyErr_Occurred() || farm_check_open(self) < 0 ? -1 : farm_give_up(self, ident);

    return gave_up < 0 ? NULL : PyBool_FromLong(gave_up);
}

static PyObject *stop(PyObject *object, PyObject *const *args, Py_ssize_t count,
                      PyObject *keywords)
{
    static const signature s = {"stop", 1, 0, {"discard"}};
    farm *self = farm_self_of(object);
    PyObject *v[ARGUMENTS_MAX];
    int discard = 0;

    if (arguments_sort(&s, args, count, keywords, v) < 0 || farm_check_open(self) < 0 ||
        (v[0] && (discard = PyObject_IsTrue(v[0])) < 0) ||
        errors_raise_if(self->state, par_pool_stop(self->pool, discard)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *close_method(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    farm *self = farm_self_of(object);

    if (!is_open(self))
        Py_RETURN_NONE;
    if (self->users > self->given_up) {
        PyErr_Format(self->state->error,
                     "rank %d: the farm cannot be closed: %d threads are in its serve() "
                     "or next()",
                     self->rank, self->users);
        return NULL;
    }
    if (errors_raise_if(self->state, par_pool_close(&self->pool)) < 0)
        return NULL;
    PyDict_Clear(self->kept);
    PyDict_Clear(self->shared);
    PySet_Clear(self->inner);
    Py_RETURN_NONE;
}

/* ---- the type ----------------------------------------------------------- */

static PyObject *get_rank(PyObject *object, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(farm_self_of(object)->rank);
}

static PyObject *get_size(PyObject *object, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(farm_self_of(object)->size);
}

/* An object without a pool yet. */
static farm *farm_new(PyTypeObject *type, core_state *state)
{
    farm *self = (farm *)type->tp_alloc(type, 0);

    if (!self)
        return NULL;
    self->state = state;
    self->shared = PyDict_New();
    self->kept = PyDict_New();
    self->inner = PySet_New(NULL);
    if (!self->shared || !self->kept || !self->inner)
        Py_CLEAR(self);
    return self;
}

static PyObject *new (PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"comm", NULL};
    core_state *state = PyType_GetModuleState(type);
    PyObject *given;
    farm *self;
    par_comm *par;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!:Farm", names, state->comm_type,
                                     &given))
        return NULL;
    self = farm_new(type, state);
    if (!self)
        return NULL;
    par = ((comm *)given)->par;
    if (errors_raise_if(state, par_pool_open(par, NULL, &self->pool)) < 0 ||
        errors_raise_if(state, par_pool_on_interrupt(self->pool, farm_interrupt, NULL)) <
            0) {
        Py_DECREF(self);
        return NULL;
    }
    self->rank = par_rank(par);
    self->size = par_size(par);
    return (PyObject *)self;
}

static int traverse(PyObject *object, visitproc visit, void *arg)
{
    farm *self = farm_self_of(object);

    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->shared);
    Py_VISIT(self->kept);
    Py_VISIT(self->inner);
    Py_VISIT(self->on_error);
    return 0;
}

static int clear(PyObject *object)
{
    farm *self = farm_self_of(object);

    if (self->shared)
        PyDict_Clear(self->shared);
    Py_CLEAR(self->on_error);
    return 0;
}

static void dealloc(PyObject *object)
{
    farm *self = farm_self_of(object);
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_XDECREF(self->shared);
    Py_XDECREF(self->inner);
    Py_XDECREF(self->on_error);
    /* What nobody has closed lives on, for that is collective, and so does what it sends
     * from where it lies. */
    if (!self->pool)
        Py_XDECREF(self->kept);
    type->tp_free(object);
    Py_DECREF(type);
}

#define FAST(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
    {"share", share, METH_O,
     "share($self, obj, /)\n--\n\n"
     "Give a number to obj, any object: a function that tasks are to call, which goes\n"
     "to each rank that does one of them once. It is copied."},
    {"forget", forget, METH_O,
     "forget($self, shared, /)\n--\n\n"
     "No task that names shared comes any more: it is dropped everywhere when those\n"
     "that do are done. ValueError if this rank hasn't shared it, or has forgotten it."},
    {"channel", channel, METH_O,
     "channel($self, ordered, /)\n--\n\n"
     "Open a channel and return its number: what tasks that are submitted there come\n"
     "to, next() gives, in the order of the tasks if ordered, or else as they are\n"
     "done.\n\n"
     "One that is opened by a thread that is doing a task belongs to that task: what\n"
     "is submitted there goes before other tasks, and next() does such tasks while it\n"
     "waits, whichever thread calls it."},
    {"close_channel", FAST(close_channel), METH_FASTCALL | METH_KEYWORDS,
     "close_channel($self, channel, interrupt=False)\n--\n\n"
     "Close a channel. Tasks that nobody has begun are taken back, and what others\n"
     "come to is dropped; a thread in next() is told that nothing is outstanding.\n\n"
     "With interrupt a private exception is raised in those tasks that have begun, in\n"
     "the midst of a system call, too, where the main thread does them and calls\n"
     "_check_task() when _task_signal() comes."},
    {"submit", FAST(farm_submit), METH_FASTCALL | METH_KEYWORDS,
     "submit($self, channel, shared, args, kwargs=None, copied=False)\n--\n\n"
     "Submit a task, a call of the function that shared names with args, a tuple, and\n"
     "kwargs, a dict; return its number. Large arrays must not be changed before it is\n"
     "done, unless they are copied.\n\n"
     "Raises what the pickler raises where the arguments cannot be sent; nothing is\n"
     "submitted then."},
    {"submit_many", FAST(farm_submit_many), METH_FASTCALL | METH_KEYWORDS,
     "submit_many($self, channel, shared, items, star=False, copied=False)\n--\n\n"
     "Submit several calls as one task: it comes to the list of what the function\n"
     "returns for each of items, a list of its one argument, or with star of all its\n"
     "arguments. An exception in one of them is what all come to."},
    {"cancel", farm_cancel, METH_O,
     "cancel($self, task, /)\n--\n\n"
     "Take a task of this rank back if nobody has begun it, and return whether that is\n"
     "so: then next() never gives it."},
    {"next", FAST(farm_next), METH_FASTCALL | METH_KEYWORDS,
     "next($self, channel, timeout=None)\n--\n\n"
     "Wait until a task of channel is done, and return (task, ok, value): what its\n"
     "function returned, or with ok False the exception it raised. None if none is\n"
     "outstanding. Other threads run meanwhile; one at a time waits for a channel.\n\n"
     "TimeoutError after timeout seconds."},
    {"serve", serve, METH_O,
     "serve($self, on_error, /)\n--\n\n"
     "Do tasks until the farm is stopped.\n\n"
     "on_error(exception) is called, as in an except clause, with what a task's\n"
     "function raises or what cannot be encoded, and returns the exception that is\n"
     "sent in its place. KeyboardInterrupt is raised here, too, on ranks other than 0."},
    {"give_up", give_up, METH_O,
     "give_up($self, thread, /)\n--\n\n"
     "Whether the thread with this ident is doing tasks that are all interrupted. Then\n"
     "nobody waits for it any more, and its serve() returns when it comes back to that.\n"
     "On rank 0."},
    {"stop", FAST(stop), METH_FASTCALL | METH_KEYWORDS,
     "stop($self, discard=False)\n--\n\n"
     "Let serve() return everywhere when all tasks are done; with discard those that\n"
     "nobody has begun are taken back. Only tasks may submit from now on. On rank 0."},
    {"close", close_method, METH_NOARGS,
     "close($self)\n--\n\n"
     "End the farm, which rank 0 stops if it has not; waits until all tasks are done.\n"
     "Collective. Again is harmless. Error while a thread of this rank is in serve()\n"
     "or next()."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"rank", get_rank, NULL, "This process's rank in the farm's communicator.", NULL},
    {"size", get_size, NULL, "How many ranks the farm has.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc,
     "Farm(comm)\n--\n\n"
     "The ranks of comm do tasks for each other: what pypar.Pool and pypar.Executor\n"
     "stand on. Collective. Any rank submits tasks; those that serve() do them, rank 0\n"
     "in a thread.\n\n"
     "All but serve() may be called by any thread. ValueError after close(), and for a\n"
     "number that was never given."},
    {Py_tp_new, new},
    {Py_tp_dealloc, dealloc},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "pypar._core.Farm",
    .basicsize = sizeof(farm),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int farm_add(PyObject *module, core_state *Py_UNUSED(state))
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    int failed = type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;

    Py_XDECREF(type);
    return failed;
}
