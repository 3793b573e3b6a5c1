/* request.c - an operation under way as a Python object.
 * SPDX-License-Identifier: MIT
 *
 * A thread that waits has let go of the GIL but not of libpar's request; so
 * that is ended, and freed, only when no thread is inside libpar with it.
 */
#include "request.h"

#include <sched.h>

#include "arguments.h"
#include "background.h"
#include "comm.h"
#include "errors.h"
#include "orphan.h"
#include "status.h"

static request *self_of(PyObject *object)
{
    return (request *)object;
}

request *request_new(core_state *state, const char *what)
{
    request *self = PyObject_New(request, state->request_type);

    if (!self)
        return NULL;
    self->state = state;
    self->what = what;
    self->par = NULL;
    self->users = 0;
    self->out = NULL;
    self->call = NULL;
    self->message = NULL;
    self->buffer = self->result = self->exception = self->status = NULL;
    return self;
}

static void release_out(codec_out *out)
{
    if (out)
        codec_release(out);
    PyMem_Free(out);
}

/* ---- the end ------------------------------------------------------------ */

static PyObject *receive_result(request *self)
{
    PyObject *result =
        codec_decode_for(self->state, &self->message, self->buffer, false, false);

    par_message_return(&self->message); /* of one that did not fit */
    return result;
}

/* End PAR, which is done; nobody else uses it. */
static void end(request *self)
{
    par_error err;

    self->users++;
    err = par_wait(&self->par, NULL);
    release_out(self->out);
    self->out = NULL;
    if (err) {
        errors_raise(self->state, err);
    } else if (self->call) {
        self->result = background_result(self->call);
    } else if (self->message) {
        self->status = status_of_message(self->state, self->message);
        self->result = self->status ? receive_result(self) : NULL;
    } else {
        self->result = Py_NewRef(Py_None);
    }
    if (!self->result)
        self->exception = errors_take();
    Py_CLEAR(self->buffer);
    self->users--;
}

static bool has_ended(const request *self)
{
    return self->result || self->exception;
}

/* Wait until SELF has ended, or SECONDS have passed (for ever if negative): 1, or 0;
 * -1 with an exception. */
static int wait_for(request *self, double seconds)
{
    double until = par_time() + seconds;

    while (!has_ended(self)) {
        double left = seconds < 0 ? -1 : until - par_time();
        size_t index, done = 0;
        par_error err = PAR_OK;

        if (self->par) {
            self->users++;
            err = par_wait_some(&self->par, 1, seconds < 0 || left > 0 ? left : 0, &index,
                                &done);
            self->users--;
        }
        if (err) {
            errors_raise(self->state, err);
            return -1;
        }
        if (done && !self->users) {
            end(self);
        } else if (done || !self->par) { /* another thread is about to end it */
            Py_BEGIN_ALLOW_THREADS sched_yield();
            Py_END_ALLOW_THREADS
        } else {
            return 0;
        }
    }
    return 1;
}

static PyObject *outcome(request *self)
{
    if (self->result)
        return Py_NewRef(self->result);
    PyErr_SetObject((PyObject *)Py_TYPE(self->exception), self->exception);
    return NULL;
}

/* ---- start -------------------------------------------------------------- */

PyObject *request_isend(core_state *state, par_comm *par, PyObject *object,
                        PyObject *dest, PyObject *tag, bool copy)
{
    int to, under;
    request *self;
    par_error err;

    if (arguments_int(state, dest, "destination", 0, &to) < 0 ||
        arguments_int(state, tag, "tag", COMM_DEFAULT_TAG, &under) < 0)
        return NULL;
    orphan_sweep(state);
    self = request_new(state, "send");
    if (!self)
        return NULL;
    self->out = PyMem_Malloc(sizeof *self->out);
    if (!self->out) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    if (codec_encode(state, object, self->out) < 0 || (copy && codec_copy(self->out) < 0))
        goto fail;
    err = par_message_send_start(par, &self->out->content, self->out->parts,
                                 self->out->part_count, to, under, &self->par);
    if (err) {
        errors_raise(state, err);
        goto fail;
    }
    return (PyObject *)self;

fail:
    Py_DECREF(self);
    return NULL;
}

PyObject *request_ireceive(core_state *state, par_comm *par, PyObject *source,
                           PyObject *tag, PyObject *buffer)
{
    int from, under;
    request *self;
    par_error err;

    if (arguments_int(state, source, "source", PAR_ANY_SOURCE, &from) < 0 ||
        arguments_int(state, tag, "tag", COMM_DEFAULT_TAG, &under) < 0)
        return NULL;
    self = request_new(state, "receive");
    if (!self)
        return NULL;
    self->buffer = Py_XNewRef(buffer);
    err = par_message_receive_start(par, from, under, &self->message, &self->par);
    if (err) {
        Py_DECREF(self);
        return errors_raise(state, err);
    }
    return (PyObject *)self;
}

/* ---- methods ------------------------------------------------------------ */

static PyObject *wait_method(PyObject *object, PyObject *const *args, Py_ssize_t count,
                             PyObject *keywords)
{
    static const signature s = {"wait", 1, 0, {"timeout"}};
    request *self = self_of(object);
    double seconds;
    PyObject *v[ARGUMENTS_MAX];
    int ended;

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    if (arguments_timeout(v[0], &seconds) < 0)
        return NULL;
    ended = wait_for(self, seconds);
    if (ended == 0)
        PyErr_Format(PyExc_TimeoutError, "the operation is not done after %R s", v[0]);
    return ended == 1 ? outcome(self) : NULL;
}

static PyObject *test(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    int ended = wait_for(self_of(object), 0);

    return ended < 0 ? NULL : PyBool_FromLong(ended);
}

static PyObject *get_done(PyObject *object, void *Py_UNUSED(closure))
{
    return test(object, NULL);
}

static PyObject *get_result(PyObject *object, void *Py_UNUSED(closure))
{
    int ended = wait_for(self_of(object), 0);

    if (ended == 0)
        PyErr_SetString(self_of(object)->state->error, "the operation is not done yet");
    return ended == 1 ? outcome(self_of(object)) : NULL;
}

static PyObject *get_status(PyObject *object, void *Py_UNUSED(closure))
{
    PyObject *status = self_of(object)->status;

    return Py_NewRef(status ? status : Py_None);
}

static PyObject *cancel(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    request *self = self_of(object);
    bool cancelled = false;
    par_error err = self->par ? par_cancel(self->par, &cancelled) : PAR_OK;

    return err ? errors_raise(self->state, err) : PyBool_FromLong(cancelled);
}

/* An event loop must not wait itself: pypar.awaiting has a thread that does. */
static PyObject *await(PyObject *object)
{
    PyObject *module = PyImport_ImportModule("pypar.awaiting");
    PyObject *coroutine =
        module ? PyObject_CallMethod(module, "result_of", "O", object) : NULL;
    PyObject *iterator =
        coroutine ? PyObject_CallMethod(coroutine, "__await__", NULL) : NULL;

    Py_XDECREF(module);
    Py_XDECREF(coroutine);
    return iterator;
}

static PyObject *repr(PyObject *object)
{
    request *self = self_of(object);

    return PyUnicode_FromFormat("<pypar.Request: %s, %s>", self->what,
                                self->exception ? "failed"
                                : self->result  ? "done"
                                                : "under way");
}

/* A receive that nobody wants any more is called back, and its message left to
 * others; all else goes on. */
static void abandon(request *self)
{
    bool done = false;

    if (self->call) {
        par_task_leave(&self->par);
        return;
    }
    if (!self->out) {
        par_receive_leave(&self->par);
        return;
    }
    par_test(&self->par, NULL, &done);
    if (self->par)
        orphan_leave(self->state, self->par, self->out);
}

/* Whether SELF is a receive that waits still at the end of the script. */
static bool is_left_over(request *self)
{
    size_t index, done = 0;

    return self->state->is_ending && !self->call && !self->out &&
           !par_wait_some(&self->par, 1, 0, &index, &done) && !done;
}

static void dealloc(PyObject *object)
{
    request *self = self_of(object);
    PyTypeObject *type = Py_TYPE(object);
    PyObject *kind, *value, *trace;

    if (self->par && par_initialized() && is_left_over(self))
        return; /* with its memory, where libpar may put a message: it will be listed */
    PyErr_Fetch(&kind, &value, &trace);
    if (self->par && par_initialized())
        abandon(self);
    background_free(self->call);
    PyErr_Restore(kind, value, trace);
    release_out(self->out);
    Py_XDECREF(self->buffer);
    Py_XDECREF(self->result);
    Py_XDECREF(self->exception);
    Py_XDECREF(self->status);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* ---- several ------------------------------------------------------------ */

/* The objects of SEQUENCE, all of them Requests, as a tuple. */
static PyObject *tuple_of(core_state *state, PyObject *sequence)
{
    PyObject *tuple = PySequence_Tuple(sequence);

    for (Py_ssize_t i = 0; tuple && i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);

        if (!Py_IS_TYPE(item, state->request_type)) {
            PyErr_Format(PyExc_TypeError, "%R (%s) is not a pypar.Request", item,
                         Py_TYPE(item)->tp_name);
            Py_CLEAR(tuple);
        }
    }
    return tuple;
}

/* Wait inside libpar for some of TUPLE: how many are done, with their INDICES; -1
 * with an exception. */
static Py_ssize_t wait_inside(core_state *state, PyObject *tuple, double seconds,
                              size_t *indices)
{
    size_t count = (size_t)PyTuple_GET_SIZE(tuple), done = 0;
    par_request **inside = PyMem_Calloc(count, sizeof(*inside));
    par_error err;

    if (!inside) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        request *r = self_of(PyTuple_GET_ITEM(tuple, i));

        inside[i] = r->par;
        r->users++;
    }
    err = par_wait_some(inside, count, seconds, indices, &done);
    for (size_t i = 0; i < count; i++)
        self_of(PyTuple_GET_ITEM(tuple, i))->users--;
    PyMem_Free(inside);
    if (err)
        errors_raise(state, err);
    return err ? -1 : (Py_ssize_t)done;
}

static bool any_has_ended(PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (has_ended(self_of(PyTuple_GET_ITEM(tuple, i))))
            return true;
    return false;
}

static PyObject *list_ended(PyObject *tuple)
{
    PyObject *list = PyList_New(0);

    for (Py_ssize_t i = 0; list && i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);

        if (has_ended(self_of(item)) && PyList_Append(list, item) < 0)
            Py_CLEAR(list);
    }
    return list;
}

/* End those of TUPLE that are done; wait for one, SECONDS at most, if none is. */
static int end_some(core_state *state, PyObject *tuple, double seconds)
{
    size_t *indices = PyMem_Calloc((size_t)PyTuple_GET_SIZE(tuple) + 1, sizeof *indices);
    Py_ssize_t done;
    int failed = 0;

    if (!indices) {
        PyErr_NoMemory();
        return -1;
    }
    done = wait_inside(state, tuple, any_has_ended(tuple) ? 0 : seconds, indices);
    for (Py_ssize_t i = 0; !failed && i < done; i++)
        failed =
            wait_for(self_of(PyTuple_GET_ITEM(tuple, (Py_ssize_t)indices[i])), -1) < 0;
    PyMem_Free(indices);
    return done < 0 || failed ? -1 : 0;
}

static PyObject *wait_some(PyObject *module, PyObject *const *args, Py_ssize_t count,
                           PyObject *keywords)
{
    static const signature s = {"wait_some", 2, 1, {"requests", "timeout"}};
    core_state *state = state_of(module);
    PyObject *v[ARGUMENTS_MAX], *tuple, *list = NULL;
    double seconds;

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    if (arguments_timeout(v[1], &seconds) < 0)
        return NULL;
    tuple = tuple_of(state, v[0]);
    if (tuple && end_some(state, tuple, seconds) == 0)
        list = list_ended(tuple);
    Py_XDECREF(tuple);
    return list;
}

/* A Request that ends when its method _set is called. */
static PyObject *event(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    core_state *state = state_of(module);
    request *self = request_new(state, "event");
    par_error err = self ? par_event_start(state->world, &self->par) : PAR_OK;

    if (err) {
        Py_DECREF(self);
        return errors_raise(state, err);
    }
    return (PyObject *)self;
}

static PyObject *set_method(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    request *self = self_of(object);
    par_error err = self->par ? par_event_set(self->par) : PAR_OK;

    if (err)
        return errors_raise(self->state, err);
    Py_RETURN_NONE;
}

/* ---- the type ----------------------------------------------------------- */

#define FAST(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef functions[] = {
    {"wait_some", FAST(wait_some), METH_FASTCALL | METH_KEYWORDS,
     "wait_some(requests, timeout=None)\n--\n\n"
     "Wait until some of requests are done, or timeout seconds have passed; return\n"
     "the list of those that are, in their order. It may be empty: without\n"
     "requests, or after the timeout, which raises nothing. Ask each for its\n"
     "result: that is where its exception is raised.\n\n"
     "TypeError if one is not a Request; ValueError if timeout is negative."},
    {"_event", event, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef methods[] = {
    {"wait", FAST(wait_method), METH_FASTCALL | METH_KEYWORDS,
     "wait($self, timeout=None)\n--\n\n"
     "Wait until the operation is done and return its result: the object received,\n"
     "None of a send, of a collective call what it returns. Again gives the same\n"
     "again.\n\n"
     "Raises what the operation did; TimeoutError after timeout seconds: the\n"
     "operation goes on. ValueError if timeout is negative."},
    {"test", test, METH_NOARGS,
     "test($self)\n--\n\n"
     "Whether the operation is done; doesn't wait."},
    {"cancel", cancel, METH_NOARGS,
     "cancel($self)\n--\n\n"
     "Call back a receive for which no message has come yet; doesn't wait. True if\n"
     "it was called back: wait() raises Error then, and no message is lost. False\n"
     "if it is too late, or something else: the operation goes on."},
    {"_set", set_method, METH_NOARGS, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     "__class_getitem__($cls, item, /)\n--\n\n"
     "A Request of a kind of result, for annotations: Request[int]."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"done", get_done, NULL, "Whether the operation is done, as test().", NULL},
    {"result", get_result, NULL,
     "What wait() returns, or raises; Error if the operation is not done yet.", NULL},
    {"status", get_status, NULL, "The Status of a receive that is done; else None.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc,
     "An operation under way: what Comm.isend, Comm.ireceive and the collective calls\n"
     "that begin with i return.\n\n"
     "It goes on whenever this rank calls pypar, a collective call at any time;\n"
     "wait(), pypar.wait_some() or await bring it to its end. Any thread may call.\n"
     "Collective calls are to be waited for before the script ends: an interpreter\n"
     "that ends gives them 10 s to end, and then ends the job."},
    {Py_tp_dealloc, dealloc},
    {Py_tp_repr, repr},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_am_await, await},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "pypar.Request",
    .basicsize = sizeof(request),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int request_add(PyObject *module, core_state *state)
{
    state->request_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    if (!state->request_type || PyModule_AddType(module, state->request_type) < 0)
        return -1;
    return PyModule_AddFunctions(module, functions);
}
