/* background.c - collective calls that a communicator's own thread makes.
 * SPDX-License-Identifier: MIT
 *
 * The thread is libpar's. It takes the GIL, calls the method that would wait, which lets
 * go of the GIL while it does so, and keeps what came of it.
 */
#include "background.h"

#include "errors.h"
#include "request.h"

/* How long an interpreter that ends waits for calls under way. For ever would be wrong:
 * it may end because of a failure, and others wait for this rank in something else. */
enum { SECONDS = 10 };

struct background_call {
    core_state *state;
    const char *name;
    PyObject *request; /* whose it is: kept while the call is under way */
    PyObject *method, *args, *keywords;
    size_t positional;
    PyObject *result, *exception;
};

/* ---- start -------------------------------------------------------------- */

static PyObject *tuple_of(PyObject *const *items, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);

    for (Py_ssize_t i = 0; tuple && i < count; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(items[i]));
    return tuple;
}

static background_call *call_new(comm *self, const char *name, PyObject *const *args,
                                 Py_ssize_t count, PyObject *keywords)
{
    background_call *call = PyMem_Calloc(1, sizeof *call);
    Py_ssize_t named = keywords ? PyTuple_GET_SIZE(keywords) : 0;

    if (!call) {
        PyErr_NoMemory();
        return NULL;
    }
    call->state = self->state;
    call->name = name;
    call->method = PyObject_GetAttrString((PyObject *)self, name);
    call->args = tuple_of(args, count + named);
    call->keywords = Py_XNewRef(keywords);
    call->positional = (size_t)count;
    if (call->method && call->args)
        return call;
    background_free(call);
    return NULL;
}

static void release_arguments(background_call *call)
{
    Py_CLEAR(call->method);
    Py_CLEAR(call->args);
    Py_CLEAR(call->keywords);
}

void background_free(background_call *call)
{
    if (!call)
        return;
    release_arguments(call);
    if (call->exception) {
        PyObject *name = PyUnicode_FromString(call->name);

        PyErr_SetObject((PyObject *)Py_TYPE(call->exception), call->exception);
        PyErr_WriteUnraisable(name);
        Py_XDECREF(name);
    }
    Py_XDECREF(call->result);
    Py_XDECREF(call->exception);
    PyMem_Free(call);
}

/* A task of libpar's, which comes without the GIL. */
static par_error make(void *argument)
{
    background_call *call = argument;
    core_state *state = call->state;
    PyGILState_STATE gil = PyGILState_Ensure();

    call->result = PyObject_Vectorcall(call->method, &PyTuple_GET_ITEM(call->args, 0),
                                       call->positional, call->keywords);
    if (!call->result)
        call->exception = errors_take();
    release_arguments(call);
    Py_DECREF(call->request); /* with which CALL may go */
    if (--state->calls == 0 && state->idle)
        par_event_set(state->idle);
    PyGILState_Release(gil);
    return PAR_OK;
}

PyObject *background_start(comm *self, const char *name, PyObject *const *args,
                           Py_ssize_t count, PyObject *keywords)
{
    core_state *state = self->state;
    request *new;
    par_error err;

    if (state->is_ending) {
        PyErr_Format(state->error, "i%s cannot start: the interpreter is ending", name);
        return NULL;
    }
    new = request_new(state, name);
    if (!new)
        return NULL;
    new->call = call_new(self, name, args, count, keywords);
    if (!new->call) {
        Py_DECREF(new);
        return NULL;
    }
    err = par_task_start(self->par, make, new->call, &new->par);
    if (err) {
        Py_DECREF(new);
        return errors_raise(state, err);
    }
    new->call->request = Py_NewRef(new);
    state->calls++;
    return (PyObject *)new;
}

/* ---- end ---------------------------------------------------------------- */

PyObject *background_result(background_call *call)
{
    PyObject *result = call->result, *exception = call->exception;

    call->result = call->exception = NULL;
    if (!result) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_DECREF(exception);
    }
    return result;
}

/* Wait until no call is under way, SECONDS at most: whether that is so. */
static bool wait_until_idle(core_state *state, double seconds)
{
    size_t index, done = 0;

    if (par_event_start(state->world, &state->idle))
        return false;
    if (par_wait_some(&state->idle, 1, seconds, &index, &done) == PAR_ERR_INTERRUPTED)
        PyErr_Print();
    par_event_set(state->idle);
    par_wait(&state->idle, NULL);
    return done > 0;
}

void background_end(core_state *state)
{
    bool failed = PySys_GetObject("last_value") != NULL; /* an exception was printed */
    bool one = state->calls == 1;
    char text[256];

    state->is_ending = true;
    if (!state->calls || wait_until_idle(state, failed ? 0 : SECONDS))
        return;
    PyOS_snprintf(text, sizeof text,
                  "ends the job: it leaves while %zu collective call%s, started and not "
                  "waited for, %s under way: all ranks must make %s, and wait() for what "
                  "they have started",
                  state->calls, one ? "" : "s", one ? "is" : "are", one ? "it" : "them");
    errors_flush();
    par_abort(EXIT_FAILURE, text);
}
