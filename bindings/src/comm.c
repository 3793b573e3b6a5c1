/* comm.c - a communicator as a Python object.
 * SPDX-License-Identifier: MIT */
#include "comm.h"

#include "arguments.h"
#include "background.h"
#include "errors.h"
#include "request.h"

static comm *self_of(PyObject *object)
{
    return (comm *)object;
}

PyObject *comm_rank(core_state *state, par_comm *par)
{
    int rank = par_rank(par);

    return rank < 0 ? errors_raise(state, par_barrier(par)) : PyLong_FromLong(rank);
}

PyObject *comm_size(core_state *state, par_comm *par)
{
    int size = par_size(par);

    return size < 0 ? errors_raise(state, par_barrier(par)) : PyLong_FromLong(size);
}

static PyObject *get_rank(PyObject *object, void *Py_UNUSED(closure))
{
    return comm_rank(self_of(object)->state, self_of(object)->par);
}

static PyObject *get_size(PyObject *object, void *Py_UNUSED(closure))
{
    return comm_size(self_of(object)->state, self_of(object)->par);
}

static PyObject *repr(PyObject *object)
{
    comm *self = self_of(object);

    if (!par_initialized() || !self->par)
        return PyUnicode_FromFormat("<pypar.Comm, %s>",
                                    self->par ? "finalized" : "freed");
    return PyUnicode_FromFormat("<pypar.Comm, rank %d of %d>", par_rank(self->par),
                                par_size(self->par));
}

static PyObject *send(PyObject *object, PyObject *const *args, Py_ssize_t count,
                      PyObject *keywords)
{
    static const signature s = {"send", 3, 2, {"obj", "dest", "tag"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return p2p_send(self->state, self->par, v[0], v[1], v[2]);
}

static PyObject *receive(PyObject *object, PyObject *const *args, Py_ssize_t count,
                         PyObject *keywords)
{
    static const signature s = {
        "receive", 4, 0, {"source", "tag", "buffer", "return_status"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return p2p_receive(self->state, self->par, v[0], v[1], v[2], NULL, v[3]);
}

static PyObject *isend(PyObject *object, PyObject *const *args, Py_ssize_t count,
                       PyObject *keywords)
{
    static const signature s = {"isend", 4, 2, {"obj", "dest", "tag", "copy"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];
    int copy;

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    copy = v[3] ? PyObject_IsTrue(v[3]) : 0;
    if (copy < 0)
        return NULL;
    return request_isend(self->state, self->par, v[0], v[1], v[2], copy);
}

static PyObject *ireceive(PyObject *object, PyObject *const *args, Py_ssize_t count,
                          PyObject *keywords)
{
    static const signature s = {"ireceive", 3, 0, {"source", "tag", "buffer"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return request_ireceive(self->state, self->par, v[0], v[1], v[2]);
}

static PyObject *probe(PyObject *object, PyObject *const *args, Py_ssize_t count,
                       PyObject *keywords)
{
    static const signature s = {"probe", 2, 0, {"source", "tag"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return p2p_probe(self->state, self->par, v[0], v[1], true);
}

static PyObject *iprobe(PyObject *object, PyObject *const *args, Py_ssize_t count,
                        PyObject *keywords)
{
    static const signature s = {"iprobe", 2, 0, {"source", "tag"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return p2p_probe(self->state, self->par, v[0], v[1], false);
}

/* ---- communicators made of others ---------------------------------------- */

static PyObject *comm_new(core_state *state, par_comm *par);

/* The result of libpar's call that made PAR, or failed with ERR. */
static PyObject *made(core_state *state, par_error err, par_comm *par)
{
    if (err)
        return errors_raise(state, err);
    return par ? comm_new(state, par) : Py_NewRef(Py_None);
}

static PyObject *split(PyObject *object, PyObject *const *args, Py_ssize_t count,
                       PyObject *keywords)
{
    static const signature s = {"split", 2, 1, {"color", "key"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];
    par_comm *par = NULL;
    par_error err;
    int color, key;

    if (arguments_sort(&s, args, count, keywords, v) < 0 ||
        arguments_int(self->state, v[0] == Py_None ? NULL : v[0], "color", PAR_NO_COLOR,
                      &color) < 0 ||
        arguments_int(self->state, v[1] == Py_None ? NULL : v[1], "key",
                      par_rank(self->par), &key) < 0)
        return NULL;
    if (v[0] != Py_None && color < 0) {
        PyErr_Format(PyExc_ValueError,
                     "rank %d: color is %d: it must be 0 or more, or None",
                     self->state->rank, color);
        return NULL;
    }
    err = par_split(self->par, color, key, &par);
    return made(self->state, err, par);
}

static PyObject *duplicate(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    par_comm *par = NULL;
    par_error err = par_duplicate(self_of(object)->par, &par);

    return made(self_of(object)->state, err, par);
}

static PyObject *get_node(PyObject *object, void *Py_UNUSED(closure))
{
    comm *self = self_of(object);
    par_comm *par = NULL;
    par_error err;

    if (!self->node) {
        err = par_split_node(self->par, &par);
        self->node = made(self->state, err, par);
        if (self->node)
            self_of(self->node)->is_node = true;
    }
    return Py_XNewRef(self->node);
}

static PyObject *free_comm(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    comm *self = self_of(object);
    par_error err;

    if (self->is_node) {
        PyErr_Format(PyExc_ValueError,
                     "rank %d: all who ask for node have this Comm: only one that split "
                     "or duplicate made can be freed",
                     self->state->rank);
        return NULL;
    }
    err = par_comm_free(&self->par);
    if (err)
        return errors_raise(self->state, err);
    Py_RETURN_NONE;
}

static PyObject *to_fortran(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    int handle = 0;
    par_error err = par_to_fortran(self_of(object)->par, &handle);

    return err ? errors_raise(self_of(object)->state, err) : PyLong_FromLong(handle);
}

static PyObject *from_fortran(PyObject *module, PyObject *value)
{
    core_state *state = state_of(module);
    par_comm *par = NULL;
    par_error err;
    int handle;

    if (arguments_int(state, value, "handle", 0, &handle) < 0)
        return NULL;
    err = par_from_fortran(handle, &par);
    return made(state, err, par);
}

static PyObject *report(PyObject *object, PyObject *form)
{
    core_state *state = self_of(object)->state;
    PyObject *result;
    char *text = NULL;
    par_error err;
    int number;

    if (arguments_int(state, form, "form", 0, &number) < 0)
        return NULL;
    err = par_place_report(self_of(object)->par, (par_report_form)number, &text);
    if (err)
        return errors_raise(state, err);
    if (!text)
        Py_RETURN_NONE;
    result = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
    free(text);
    return result;
}

static PyObject *grid(PyObject *object, PyObject *const *args, Py_ssize_t count,
                      PyObject *keywords)
{
    static const signature s = {"grid", 2, 0, {"dims", "periodic"}};
    PyObject *v[ARGUMENTS_MAX], *module, *result;

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    module = PyImport_ImportModule("pypar.grid");
    if (!module)
        return NULL;
    result = PyObject_CallMethod(module, "Grid", "OOO", object, v[0] ? v[0] : Py_None,
                                 v[1] ? v[1] : Py_False);
    Py_DECREF(module);
    return result;
}

static PyObject *to_mpi4py(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    PyObject *module = PyImport_ImportModule("pypar.interop");
    PyObject *result =
        module ? PyObject_CallMethod(module, "to_mpi4py", "O", object) : NULL;

    Py_XDECREF(module);
    return result;
}

static PyObject *from_mpi4py(PyObject *Py_UNUSED(type), PyObject *const *args,
                             Py_ssize_t count, PyObject *keywords)
{
    static const signature s = {"from_mpi4py", 1, 1, {"comm"}};
    PyObject *v[ARGUMENTS_MAX], *module, *result;

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    module = PyImport_ImportModule("pypar.interop");
    result = module ? PyObject_CallMethod(module, "from_mpi4py", "O", v[0]) : NULL;
    Py_XDECREF(module);
    return result;
}

/* ---- collective --------------------------------------------------------- */

static PyObject *barrier(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    return comm_barrier(self_of(object)->state, self_of(object)->par);
}

static PyObject *broadcast(PyObject *object, PyObject *const *args, Py_ssize_t count,
                           PyObject *keywords)
{
    static const signature s = {"broadcast", 2, 0, {"obj", "root"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_broadcast(self->state, self->par, v[0] ? v[0] : Py_None, v[1],
                                NULL);
}

static PyObject *scatter(PyObject *object, PyObject *const *args, Py_ssize_t count,
                         PyObject *keywords)
{
    static const signature s = {"scatter", 4, 0, {"objs", "root", "buffer", "counts"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_scatter(self->state, self->par, v[0] ? v[0] : Py_None, v[1], v[2],
                              v[3]);
}

static PyObject *gather(PyObject *object, PyObject *const *args, Py_ssize_t count,
                        PyObject *keywords)
{
    static const signature s = {"gather", 3, 1, {"obj", "root", "buffer"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_gather(self->state, self->par, v[0], v[1], v[2]);
}

static PyObject *reduce(PyObject *object, PyObject *const *args, Py_ssize_t count,
                        PyObject *keywords)
{
    static const signature s = {"reduce", 4, 2, {"obj", "op", "root", "buffer"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_reduce(self->state, self->par, v[0], v[1], v[2], v[3]);
}

static PyObject *allreduce(PyObject *object, PyObject *const *args, Py_ssize_t count,
                           PyObject *keywords)
{
    static const signature s = {"allreduce", 3, 2, {"obj", "op", "buffer"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_allreduce(self->state, self->par, v[0], v[1], v[2]);
}

static PyObject *scan(PyObject *object, PyObject *const *args, Py_ssize_t count,
                      PyObject *keywords)
{
    static const signature s = {"scan", 3, 2, {"obj", "op", "buffer"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_scan(self->state, self->par, v[0], v[1], v[2], false);
}

static PyObject *exscan(PyObject *object, PyObject *const *args, Py_ssize_t count,
                        PyObject *keywords)
{
    static const signature s = {"exscan", 3, 2, {"obj", "op", "buffer"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_scan(self->state, self->par, v[0], v[1], v[2], true);
}

static PyObject *reduce_scatter(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                PyObject *keywords)
{
    static const signature s = {
        "reduce_scatter", 4, 2, {"obj", "op", "counts", "buffer"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_reduce_scatter(self->state, self->par, v[0], v[1], v[2], v[3]);
}

static PyObject *allgather(PyObject *object, PyObject *const *args, Py_ssize_t count,
                           PyObject *keywords)
{
    static const signature s = {"allgather", 2, 1, {"obj", "buffer"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_allgather(self->state, self->par, v[0], v[1]);
}

static PyObject *alltoall(PyObject *object, PyObject *const *args, Py_ssize_t count,
                          PyObject *keywords)
{
    static const signature s = {"alltoall", 3, 1, {"objs", "buffer", "counts"}};
    comm *self = self_of(object);
    PyObject *v[ARGUMENTS_MAX];

    if (arguments_sort(&s, args, count, keywords, v) < 0)
        return NULL;
    return collective_alltoall(self->state, self->par, v[0], v[1], v[2]);
}

/* Each of these, made by the communicator's thread: a Request of it. */
#define STARTED(name)                                                                   \
    static PyObject *i##name(PyObject *object, PyObject *const *args, Py_ssize_t count, \
                             PyObject *keywords)                                        \
    {                                                                                   \
        return background_start(self_of(object), #name, args, count, keywords);         \
    }

STARTED(barrier)
STARTED(broadcast)
STARTED(scatter)
STARTED(gather)
STARTED(reduce)
STARTED(allreduce)
STARTED(allgather)
STARTED(alltoall)

static PyGetSetDef properties[] = {
    {"rank", get_rank, NULL, "This process's number, 0 to size - 1.", NULL},
    {"size", get_size, NULL, "How many ranks there are.", NULL},
    {"node", get_node, NULL,
     "The Comm of the ranks on this rank's host, made when first asked for: Collective "
     "then. The same one each time.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define FAST(function) ((PyCFunction)(void (*)(void))(function))

#define STARTED_METHOD(name, arguments)                                           \
    {                                                                             \
        "i" #name, FAST(i##name), METH_FASTCALL | METH_KEYWORDS,                  \
            "i" #name "($self" arguments ")\n--\n\n"                              \
            "Start " #name " and return its Request, whose result is what " #name \
            "\nreturns; doesn't wait. Collective.\n\n"                            \
            "What it is given must stay as it is until that is done."             \
    }

static PyMethodDef methods[] = {
    {"send", FAST(send), METH_FASTCALL | METH_KEYWORDS,
     "send($self, obj, dest, tag=1)\n--\n\n"
     "Send obj, any object, to rank dest under tag.\n\n"
     "A small message (4 KB, see PAR_INLINE) is gone at once; a large one waits\n"
     "until dest has begun to receive it. Ctrl-C ends that wait, not the send. An\n"
     "object that cannot be pickled raises what the pickler does, and nothing is\n"
     "sent."},
    {"receive", FAST(receive), METH_FASTCALL | METH_KEYWORDS,
     "receive($self, source=-1, tag=1, buffer=None, return_status=False)\n--\n\n"
     "Wait for an object from rank source (-1, any_source: any) under tag (-1,\n"
     "any_tag: any) and return it; with return_status, (object, Status).\n\n"
     "Messages of one source and tag arrive in the order in which they were sent.\n"
     "An array arrives as a new one, or in buffer, an array or other writable\n"
     "memory, which is what is returned then: it may be longer than the message\n"
     "and of another shape. A message that doesn't fit it raises TypeMismatch or\n"
     "SizeMismatch and stays, to be received again. A buffer of any other type is\n"
     "as good as None."},
    {"isend", FAST(isend), METH_FASTCALL | METH_KEYWORDS,
     "isend($self, obj, dest, tag=1, copy=False)\n--\n\n"
     "Start send and return its Request, whose result is None; doesn't wait.\n\n"
     "An array must stay as it is until that is done, unless it is copied first.\n"
     "The send goes on if the Request is dropped."},
    {"ireceive", FAST(ireceive), METH_FASTCALL | METH_KEYWORDS,
     "ireceive($self, source=-1, tag=1, buffer=None)\n--\n\n"
     "Start receive and return its Request, whose result is the object, or buffer;\n"
     "doesn't wait.\n\n"
     "Receives get the messages that fit them in the order in which they were\n"
     "started. A Request that is dropped is cancelled, and its message is left to\n"
     "others."},
    {"probe", FAST(probe), METH_FASTCALL | METH_KEYWORDS,
     "probe($self, source=-1, tag=1)\n--\n\n"
     "Wait until a message is there that receive with these arguments would get,\n"
     "and return its Status; it stays to be received."},
    {"iprobe", FAST(iprobe), METH_FASTCALL | METH_KEYWORDS,
     "iprobe($self, source=-1, tag=1)\n--\n\n"
     "Return the Status of a message that receive with these arguments would get,\n"
     "or None if there is none now; doesn't wait."},
    {"barrier", barrier, METH_NOARGS,
     "barrier($self)\n--\n\n"
     "Wait until every rank has come here. Collective."},
    {"broadcast", FAST(broadcast), METH_FASTCALL | METH_KEYWORDS,
     "broadcast($self, obj=None, root=0)\n--\n\n"
     "Return root's obj on every rank. Collective.\n\n"
     "Where obj is an array on another rank, it is filled in place and returned;\n"
     "TypeMismatch or SizeMismatch unless it has the type and size of root's. Arrays\n"
     "of objects and of subclasses are sent as objects: one takes the other's place."},
    {"scatter", FAST(scatter), METH_FASTCALL | METH_KEYWORDS,
     "scatter($self, objs=None, root=0, buffer=None, counts=None)\n--\n\n"
     "Return to rank r the r-th of root's objs, which must be one for each rank.\n"
     "Collective.\n\n"
     "With counts, one for each rank, root's objs is one array, or another sequence,\n"
     "and rank r gets the next counts[r] of it along the first axis. With buffer an\n"
     "array is parted in the same way, equally where there are no counts, the first\n"
     "ranks getting one more. objs and counts are looked at on root alone:\n"
     "ValueError unless they are one for each rank, and the counts together as many\n"
     "as objs.\n\n"
     "buffer, an array or other writable memory, is filled with this rank's part and\n"
     "returned: TypeMismatch or SizeMismatch if that doesn't fit."},
    {"gather", FAST(gather), METH_FASTCALL | METH_KEYWORDS,
     "gather($self, obj, root=0, buffer=None)\n--\n\n"
     "Return the list of all ranks' objs, in the order of the ranks, on root; None\n"
     "elsewhere. Collective.\n\n"
     "With buffer on root, each obj is an array of any length along the first axis:\n"
     "they are put into buffer one behind the other, which they must fill, and it is\n"
     "returned. An array that lacks the first axis is one row. TypeMismatch or\n"
     "SizeMismatch name the rank that doesn't fit; buffer is as it was then. obj of\n"
     "root may be its own place in buffer."},
    {"reduce", FAST(reduce), METH_FASTCALL | METH_KEYWORDS,
     "reduce($self, obj, op, root=0, buffer=None)\n--\n\n"
     "Return all ranks' objs joined by op, in the order of the ranks, on root;\n"
     "None elsewhere. Collective.\n\n"
     "op is pypar.SUM, PROD, MAX, MIN, LAND, LOR, LXOR, BAND, BOR or BXOR, or a\n"
     "function of two arguments. The numbers join arrays, which must be of one\n"
     "type and size, element by element, and other objects as Python's operators\n"
     "do. TypeMismatch if op cannot join elements of an array's type.\n\n"
     "MINLOC and MAXLOC are for pairs (value, index), or arrays of two fields, a\n"
     "float64 or int64 and an int64: the pair with the smallest or largest value; of\n"
     "equal ones that with the smallest index.\n\n"
     "buffer, an array, is filled with the result on root and returned: TypeMismatch\n"
     "or SizeMismatch if that doesn't fit. It may be obj itself."},
    {"allreduce", FAST(allreduce), METH_FASTCALL | METH_KEYWORDS,
     "allreduce($self, obj, op, buffer=None)\n--\n\n"
     "reduce with the result on every rank. Collective."},
    {"scan", FAST(scan), METH_FASTCALL | METH_KEYWORDS,
     "scan($self, obj, op, buffer=None)\n--\n\n"
     "Return the objs of ranks 0 to this one, joined as by reduce. Collective."},
    {"exscan", FAST(exscan), METH_FASTCALL | METH_KEYWORDS,
     "exscan($self, obj, op, buffer=None)\n--\n\n"
     "Return the objs of the ranks before this one, joined as by reduce; None on\n"
     "rank 0, whose buffer stays as it is. Collective."},
    {"reduce_scatter", FAST(reduce_scatter), METH_FASTCALL | METH_KEYWORDS,
     "reduce_scatter($self, obj, op, counts=None, buffer=None)\n--\n\n"
     "Join all ranks' arrays as reduce does, and return to rank r the next counts[r]\n"
     "along the first axis. Collective.\n\n"
     "All ranks give the same counts; without them parts are equal, the first ranks\n"
     "getting one more. ValueError unless counts are one for each rank and together\n"
     "as many as obj has. An obj that is no array is a list of one for each rank:\n"
     "the r-th of all are joined for rank r. buffer is as in reduce."},
    {"allgather", FAST(allgather), METH_FASTCALL | METH_KEYWORDS,
     "allgather($self, obj, buffer=None)\n--\n\n"
     "Return the list of all ranks' objs, in the order of the ranks, on every\n"
     "rank; with buffer as gather does. Collective."},
    {"alltoall", FAST(alltoall), METH_FASTCALL | METH_KEYWORDS,
     "alltoall($self, objs, buffer=None, counts=None)\n--\n\n"
     "Send to rank r the r-th of objs and return the list of what the ranks sent\n"
     "to this one. Collective; ValueError unless objs are one for each rank.\n\n"
     "With counts, or buffer, objs is an array in parts, as in scatter. With buffer\n"
     "what the ranks sent is put there one behind the other, as in gather, and it is\n"
     "returned. objs and buffer must not overlap."},
    STARTED_METHOD(barrier, ""),
    STARTED_METHOD(broadcast, ", obj=None, root=0"),
    STARTED_METHOD(scatter, ", objs=None, root=0, buffer=None, counts=None"),
    STARTED_METHOD(gather, ", obj, root=0, buffer=None"),
    STARTED_METHOD(reduce, ", obj, op, root=0, buffer=None"),
    STARTED_METHOD(allreduce, ", obj, op, buffer=None"),
    STARTED_METHOD(allgather, ", obj, buffer=None"),
    STARTED_METHOD(alltoall, ", objs, buffer=None, counts=None"),
    {"split", FAST(split), METH_FASTCALL | METH_KEYWORDS,
     "split($self, color, key=None)\n--\n\n"
     "Return a Comm of the ranks that give the same color, ordered by key (by rank\n"
     "unless given); None on ranks whose color is None. Collective."},
    {"duplicate", duplicate, METH_NOARGS,
     "duplicate($self)\n--\n\n"
     "Return a Comm of the same ranks, whose messages never meet this one's.\n"
     "Collective."},
    {"free", free_comm, METH_NOARGS,
     "free($self)\n--\n\n"
     "Free a Comm that split or duplicate made; messages that nobody has received\n"
     "are dropped. Collective.\n\n"
     "ValueError for the world and for a node, and while requests are under way:\n"
     "nothing is freed then. A Comm that is dropped without free lives until the job\n"
     "ends."},
    {"grid", FAST(grid), METH_FASTCALL | METH_KEYWORDS,
     "grid($self, dims=None, periodic=False)\n--\n\n"
     "Return a pypar.Grid of these ranks. Collective.\n\n"
     "dims is how many there are in each dimension (0: choose it), or how many\n"
     "dimensions to choose, two unless given; periodic, a bool or one for each\n"
     "dimension, whether it closes to a ring."},
    {"to_mpi4py", to_mpi4py, METH_NOARGS,
     "to_mpi4py($self)\n--\n\n"
     "Return an mpi4py.MPI.Intracomm of the same ranks, whose messages never meet\n"
     "this one's. Collective.\n\n"
     "ImportError without mpi4py."},
    {"from_mpi4py", FAST(from_mpi4py), METH_FASTCALL | METH_KEYWORDS | METH_STATIC,
     "from_mpi4py(comm)\n--\n\n"
     "Return a Comm with the ranks of comm, an mpi4py.MPI.Comm, whose messages never\n"
     "meet that one's: pypar.from_mpi4py. Collective over comm."},
    {"_to_fortran", to_fortran, METH_NOARGS, NULL},
    {"_report", report, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef functions[] = {
    {"_from_fortran", from_fortran, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static void dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    /* What nobody has freed lives on until the job ends: to free is collective, and
     * the garbage collector's time is not the same on all ranks. */
    Py_XDECREF(self_of(object)->node);
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_doc,
     "Ranks that exchange messages. pypar.world is all ranks of the job.\n\n"
     "split, duplicate and node make others. Messages of one never meet those of\n"
     "another. What holds for all methods:\n\n"
     "A rank or tag is any integer; anything else is a TypeError, and one out of\n"
     "range (ranks: 0 to size - 1, tags: 0 to pypar.max_tag) a ValueError. Any\n"
     "thread may call. While a call waits, other threads run and Ctrl-C raises\n"
     "KeyboardInterrupt; in a collective call that has begun to send what is large,\n"
     "once the others have come to take it. After pypar.finalize() calls raise Error,\n"
     "after free() ValueError.\n\n"
     "\"Collective\" means that all ranks call it, in the same order relative to\n"
     "their other collective calls here. It waits for what this rank needs of the\n"
     "others, which may be before they are done.\n\n"
     "A collective call that differs between ranks (another method, root, op, or\n"
     "type or size of arrays), or that one rank cannot make because of what it is to\n"
     "send, raises Error on all ranks that wait in it. A rank that had done its part\n"
     "by then learns it from its next collective call, which fails on all ranks\n"
     "unless another one has learnt it already. A call that is refused for its root,\n"
     "op or buffer is none: the others wait for the right one."},
    {Py_tp_dealloc, dealloc},
    {Py_tp_repr, repr},
    {Py_tp_getset, properties},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "pypar.Comm",
    .basicsize = sizeof(comm),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

static PyObject *comm_new(core_state *state, par_comm *par)
{
    comm *self = PyObject_New(comm, state->comm_type);

    if (self) {
        self->state = state;
        self->par = par;
        self->node = NULL;
        self->is_node = false;
    }
    return (PyObject *)self;
}

int comm_add(PyObject *module, core_state *state)
{
    PyObject *world;
    int failed;

    state->comm_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    if (!state->comm_type || PyModule_AddType(module, state->comm_type) < 0)
        return -1;
    world = comm_new(state, state->world);
    failed = PyModule_AddObjectRef(module, "world", world);
    Py_XDECREF(world);
    return failed ? -1 : PyModule_AddFunctions(module, functions);
}
