/* module.c - the extension module pypar._core: the old pypar's functions.
 * SPDX-License-Identifier: MIT
 *
 * Importing it starts the job; leaving the interpreter ends it: libpar does that
 * when the process exits, with the exit status known, so that a rank that has
 * failed doesn't wait for others that may wait for it.
 */
#include "arguments.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "background.h"
#include "comm.h"
#include "errors.h"
#include "fail.h"
#include "farm.h"
#include "line.h"
#include "orphan.h"

core_state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* ---- what the old pypar's functions are --------------------------------- */

/* Scripts pass, and the old pypar ignored, any positional arguments to these. */
#define IGNORED PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count)

static PyObject *get_rank(PyObject *module, IGNORED)
{
    return comm_rank(state_of(module), state_of(module)->world);
}

static PyObject *get_size(PyObject *module, IGNORED)
{
    return comm_size(state_of(module), state_of(module)->world);
}

static PyObject *get_processor_name(PyObject *Py_UNUSED(module), IGNORED)
{
    return PyUnicode_DecodeFSDefault(par_hostname());
}

static PyObject *get_time(PyObject *Py_UNUSED(module), IGNORED)
{
    return PyFloat_FromDouble(par_time());
}

static PyObject *get_cpus(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(par_cpus());
}

/* _place(bind, threads) */
static PyObject *place(PyObject *module, PyObject *args)
{
    core_state *state = state_of(module);
    const char *bind;
    PyObject *number;
    int threads;

    if (!PyArg_ParseTuple(args, "zO:place", &bind, &number) ||
        arguments_int(state, number == Py_None ? NULL : number, "threads", 0, &threads) <
            0 ||
        errors_raise_if(state, par_place(state->world, bind, threads)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *barrier(PyObject *module, IGNORED)
{
    return comm_barrier(state_of(module), state_of(module)->world);
}

static PyObject *initialized(PyObject *Py_UNUSED(module), IGNORED)
{
    return PyBool_FromLong(par_initialized());
}

static PyObject *finalize(PyObject *module, IGNORED)
{
    par_error err;

    if (orphan_finish(state_of(module)) < 0)
        return NULL;
    err = par_finalize();
    if (err)
        return errors_raise(state_of(module), err);
    if (PyErr_Occurred()) /* where warnings are errors */
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *send(PyObject *module, PyObject *const *args, Py_ssize_t count,
                      PyObject *keywords)
{
    static const signature s = {
        "send", 6, 2, {"x", "destination", "use_buffer", "vanilla", "tag", "bypass"}};
    core_state *state = state_of(module);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return p2p_send(state, state->world, v[0], v[1], v[4]);
}

static PyObject *receive(PyObject *module, PyObject *const *args, Py_ssize_t count,
                         PyObject *keywords)
{
    static const signature s = {
        "receive",
        6,
        1,
        {"source", "buffer", "vanilla", "tag", "return_status", "bypass"}};
    core_state *state = state_of(module);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return p2p_receive(state, state->world, v[0], v[3], v[1], v[2], v[4]);
}

static PyObject *broadcast(PyObject *module, PyObject *const *args, Py_ssize_t count,
                           PyObject *keywords)
{
    static const signature s = {
        "broadcast", 4, 1, {"buffer", "root", "vanilla", "bypass"}};
    core_state *state = state_of(module);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_broadcast(state, state->world, v[0], v[1], v[2]);
}

/* ---- what libpar asks of the interpreter while it waits ------------------ */

static void *release_gil(void *Py_UNUSED(context))
{
    /* A thread of C's own, such as a communicator's, may have none. */
    return PyGILState_Check() ? PyEval_SaveThread() : NULL;
}

static void park(void *Py_UNUSED(unused))
{
    for (;;)
        pause();
}

/* Up to Python 3.13 an interpreter that ends has threads that come back exit; but libpar
 * still knows this one's frames. So it stays, as it does from Python 3.14 on. */
static void acquire_gil(void *Py_UNUSED(context), void *released)
{
    if (!released)
        return;
    pthread_cleanup_push(park, NULL);
    PyEval_RestoreThread(released);
    pthread_cleanup_pop(0);
}

static bool look_for_signals(void *Py_UNUSED(context))
{
    return PyGILState_Check() && (PyErr_CheckSignals() < 0 || farm_check_interrupt() < 0);
}

/* The interpreter is about to end: libpar may not call it any more. */
static PyObject *detach(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    if (getpid() == state_of(module)->pid) {
        background_end(state_of(module));
        par_set_hooks(NULL);
    }
    Py_RETURN_NONE;
}

static int attach(PyObject *module)
{
    static const par_hooks hooks = {.release = release_gil,
                                    .acquire = acquire_gil,
                                    .interrupt = look_for_signals,
                                    .line = line_find};
    PyObject *atexit = PyImport_ImportModule("atexit");
    PyObject *leave = PyObject_GetAttrString(module, "_detach"), *done = NULL;

    if (atexit && leave)
        done = PyObject_CallMethod(atexit, "register", "O", leave);
    line_note_package(module);
    if (done)
        par_set_hooks(&hooks);
    state_of(module)->pid = getpid();
    Py_XDECREF(done);
    Py_XDECREF(leave);
    Py_XDECREF(atexit);
    return done ? 0 : -1;
}

/* ---- tasks of pools ------------------------------------------------------ */

static PyObject *task_signal(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(par_pool_signal());
}

static PyObject *check_task(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    if (farm_check_interrupt() < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* What pickles objects first; cloudpickle gets those that it refuses. */
static PyObject *set_pickler(PyObject *module, PyObject *dumps)
{
    Py_XSETREF(state_of(module)->dumps, Py_NewRef(dumps));
    Py_RETURN_NONE;
}

/* ---- the module --------------------------------------------------------- */

#define FAST(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef functions[] = {
    {"rank", FAST(get_rank), METH_FASTCALL,
     "rank()\n--\n\n"
     "This process's number, 0 to size() - 1. Error after finalize()."},
    {"size", FAST(get_size), METH_FASTCALL,
     "size()\n--\n\n"
     "How many ranks there are. Error after finalize()."},
    {"get_processor_name", FAST(get_processor_name), METH_FASTCALL,
     "get_processor_name()\n--\n\n"
     "The name of this rank's host."},
    {"time", FAST(get_time), METH_FASTCALL,
     "time()\n--\n\n"
     "Seconds since a fixed moment in this host's past."},
    {"cpus", get_cpus, METH_NOARGS,
     "cpus()\n--\n\n"
     "How many threads this rank has a use for, at least 1: its cores, in part those\n"
     "that other ranks may use, too, but no more than the CPU time that it is\n"
     "granted. os.cpu_count() is the whole machine's."},
    {"barrier", FAST(barrier), METH_FASTCALL,
     "barrier()\n--\n\n"
     "Wait until every rank has come here. Collective."},
    {"initialized", FAST(initialized), METH_FASTCALL,
     "initialized()\n--\n\n"
     "Whether the job has not been finalized yet."},
    {"finalize", FAST(finalize), METH_FASTCALL,
     "finalize()\n--\n\n"
     "End the job; waits for all ranks, and for this rank's sends that are under\n"
     "way. Again is harmless, and so is leaving it out: it happens when the\n"
     "interpreter exits.\n\n"
     "What is left over, messages that nobody has received, say, one rank lists as\n"
     "a RuntimeWarning; with PAR_LEFTOVERS=error in the environment it is also an\n"
     "Error on all ranks."},
    {"abort", FAST(fail_abort), METH_FASTCALL | METH_KEYWORDS,
     "abort(code=1, text=None)\n--\n\n"
     "End all ranks at once with exit status code, of which the system lets eight\n"
     "bits through; 0 becomes 1. What has been printed is flushed first. Doesn't\n"
     "return.\n\n"
     "text goes to stderr, after this rank's number, host and process; where several\n"
     "ranks of a host say the same, it is told once. Without text the status is told,\n"
     "where there are several ranks."},
    {"send", FAST(send), METH_FASTCALL | METH_KEYWORDS,
     "send(x, destination, use_buffer=False, vanilla=False, tag=1, bypass=False)\n--\n\n"
     "Send x, any object, to rank destination under tag: pypar.world.send.\n\n"
     "use_buffer, vanilla and bypass change nothing: every form of send meets\n"
     "every form of receive."},
    {"receive", FAST(receive), METH_FASTCALL | METH_KEYWORDS,
     "receive(source, buffer=None, vanilla=False, tag=1, return_status=False, "
     "bypass=False)\n--\n\n"
     "Wait for an object from rank source (any_source: any) under tag (any_tag:\n"
     "any); return it, or (object, Status) with return_status:\n"
     "pypar.world.receive.\n\n"
     "An array given as buffer is filled and returned; a message that doesn't fit\n"
     "it raises TypeMismatch or SizeMismatch and stays, or with vanilla is returned\n"
     "instead. bypass changes nothing."},
    {"broadcast", FAST(broadcast), METH_FASTCALL | METH_KEYWORDS,
     "broadcast(buffer, root=0, vanilla=False, bypass=False)\n--\n\n"
     "Return root's buffer, any object, on every rank: pypar.world.broadcast.\n\n"
     "An array is filled in place; if root's doesn't fit it, that raises TypeMismatch\n"
     "or SizeMismatch, or with vanilla is returned instead. bypass changes nothing."},
    {"_check_task", check_task, METH_NOARGS, NULL},
    {"_task_signal", task_signal, METH_NOARGS, NULL},
    {"_abort_later", FAST(fail_abort_later), METH_FASTCALL, NULL},
    {"_crash_after_python", fail_crash_after_python, METH_NOARGS, NULL},
    {"_detach", detach, METH_NOARGS, NULL},
    {"_place", place, METH_VARARGS, NULL},
    {"_say", fail_say, METH_O, NULL},
    {"_set_pickler", set_pickler, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static int add_constants(PyObject *module)
{
    static const struct {
        const char *name;
        long value;
    } constants[] = {
        {"MAX", 1},
        {"MIN", 2},
        {"SUM", 3},
        {"PROD", 4},
        {"LAND", 5},
        {"BAND", 6},
        {"LOR", 7},
        {"BOR", 8},
        {"LXOR", 9},
        {"BXOR", 10},
        {"MAXLOC", 11},
        {"MINLOC", 12},
        {"any_source", PAR_ANY_SOURCE},
        {"any_tag", PAR_ANY_TAG},
        {"default_tag", COMM_DEFAULT_TAG},
    };

    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    if (PyModule_AddStringConstant(module, "__version__", PAR_VERSION) < 0)
        return -1;
    return PyModule_AddIntConstant(module, "max_tag", par_max_tag());
}

/* Many scripts go on without a pypar that cannot be imported. */
static int refuse_to_start(par_error err)
{
    PyObject *error, *hush, *done = NULL;

    PyErr_Format(PyExc_ImportError, "pypar cannot start: %s", par_error_detail());
    if (err != PAR_ERR_ELSEWHERE)
        return -1;
    error = errors_take();
    hush = PyImport_ImportModule("pypar.hush");
    if (hush)
        done = PyObject_CallMethod(hush, "leave_to_others", "O", error);
    Py_XDECREF(hush);
    Py_XDECREF(done);
    if (done)
        PyErr_SetObject(PyExc_ImportError, error);
    Py_XDECREF(error);
    return -1;
}

#define TEXT(number) #number
#define LANGUAGE(major, minor) "Python " TEXT(major) "." TEXT(minor)

static int start_job(core_state *state)
{
    static const par_options options = {
        .leftovers = PAR_LEFTOVERS_WARN,
        .warn = errors_warn,
        .language = LANGUAGE(PY_MAJOR_VERSION, PY_MINOR_VERSION),
    };
    par_error err = par_init(NULL, NULL, &options, &state->world);

    if (err)
        return refuse_to_start(err);
    state->rank = par_rank(state->world);
    return PyErr_Occurred() ? -1 : 0; /* where warnings are errors */
}

/* What libpar has left in the environment for processes that this one starts goes to
 * os.environ, too, of which scripts make that of a process. */
static int share_mark(void)
{
    static const char name[] = "PAR_STARTED_BY";
    PyObject *os = PyImport_ImportModule("os"), *environ, *mark;
    int failed = -1;

    environ = os ? PyObject_GetAttrString(os, "environ") : NULL;
    mark = PyUnicode_DecodeFSDefault(getenv(name) ? getenv(name) : "");
    if (environ && mark)
        failed = getenv(name) ? PyMapping_SetItemString(environ, name, mark) : 0;
    Py_XDECREF(mark);
    Py_XDECREF(environ);
    Py_XDECREF(os);
    return failed;
}

static int exec(PyObject *module)
{
    core_state *state = state_of(module);

    return start_job(state) || share_mark() || errors_add(module, state) ||
                   status_add(module, state) || pickle_add(state) ||
                   request_add(module, state) || comm_add(module, state) ||
                   farm_add(module, state) || add_constants(module) || attach(module)
               ? -1
               : 0;
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    core_state *state = state_of(module);

    Py_VISIT(state->error);
    Py_VISIT(state->type_mismatch);
    Py_VISIT(state->size_mismatch);
    Py_VISIT(state->interrupted);
    Py_VISIT(state->comm_type);
    Py_VISIT(state->status_type);
    Py_VISIT(state->request_type);
    Py_VISIT(state->dumps);
    Py_VISIT(state->loads);
    Py_VISIT(state->cloud_dumps);
    Py_VISIT(state->dumps_keywords);
    Py_VISIT(state->loads_keywords);
    return 0;
}

static int clear(PyObject *module)
{
    core_state *state = state_of(module);

    Py_CLEAR(state->error);
    Py_CLEAR(state->type_mismatch);
    Py_CLEAR(state->size_mismatch);
    Py_CLEAR(state->interrupted);
    Py_CLEAR(state->comm_type);
    Py_CLEAR(state->status_type);
    Py_CLEAR(state->request_type);
    Py_CLEAR(state->dumps);
    Py_CLEAR(state->loads);
    Py_CLEAR(state->cloud_dumps);
    Py_CLEAR(state->dumps_keywords);
    Py_CLEAR(state->loads_keywords);
    return 0;
}

static void free_module(void *module)
{
    clear(module);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pypar._core",
    .m_doc = "The part of pypar that is written in C.",
    .m_size = sizeof(core_state),
    .m_methods = functions,
    .m_slots = module_slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_module,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&definition);
}
