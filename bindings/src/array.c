/* array.c - NumPy's arrays and scalars. The only file that includes NumPy.
 * SPDX-License-Identifier: MIT
 *
 * NumPy is imported when the first array comes along: pypar works without it.
 */
#include "block.h"
#include "codec.h"

#define NPY_NO_DEPRECATED_API NPY_1_23_API_VERSION
#define NPY_TARGET_VERSION NPY_1_23_API_VERSION
#include <numpy/arrayobject.h>

/* ---- NumPy itself ------------------------------------------------------- */

/* NumPy keeps its functions in a static table, once for the process. */
static bool ready;

static bool import_numpy(void)
{
    ready = ready || _import_array() >= 0;
    return ready;
}

/* Whether arrays can exist: somebody has imported NumPy. */
static bool numpy_is_there(void)
{
    PyObject *name, *module;

    if (ready)
        return true;
    name = PyUnicode_FromString("numpy");
    module = name ? PyImport_GetModule(name) : NULL;
    Py_XDECREF(name);
    if (module)
        import_numpy();
    Py_XDECREF(module);
    PyErr_Clear(); /* a NumPy that cannot be imported has no arrays */
    return ready;
}

/* An array has arrived, so NumPy must be here. */
static bool need_numpy(core_state *state)
{
    if (import_numpy())
        return true;
    if (PyErr_ExceptionMatches(PyExc_ImportError)) {
        PyErr_Clear();
        PyErr_Format(state->error,
                     "rank %d: the message holds an array: receiving it needs NumPy here",
                     par_rank(state->world));
    }
    return false;
}

/* ---- types -------------------------------------------------------------- */

static par_type type_of_integer(size_t size, bool is_signed)
{
    switch (size) {
    case 1:
        return is_signed ? PAR_INT8 : PAR_UINT8;
    case 2:
        return is_signed ? PAR_INT16 : PAR_UINT16;
    case 4:
        return is_signed ? PAR_INT32 : PAR_UINT32;
    default:
        return is_signed ? PAR_INT64 : PAR_UINT64;
    }
}

static par_type type_of(PyArray_Descr *descr)
{
    int number = descr->type_num;

    if (!PyArray_ISNBO(descr->byteorder))
        return PAR_OPAQUE;
    if (PyTypeNum_ISINTEGER(number))
        return type_of_integer((size_t)PyDataType_ELSIZE(descr),
                               PyTypeNum_ISSIGNED(number));
    switch (number) {
    case NPY_BOOL:
        return PAR_BOOL;
    case NPY_FLOAT:
        return PAR_FLOAT;
    case NPY_DOUBLE:
        return PAR_DOUBLE;
    case NPY_CFLOAT:
        return PAR_COMPLEX_FLOAT;
    case NPY_CDOUBLE:
        return PAR_COMPLEX_DOUBLE;
    default:
        return PAR_OPAQUE;
    }
}

static PyArray_Descr *descr_of_type(par_type type)
{
    static const int numbers[] = {[PAR_BYTE] = NPY_UINT8,
                                  [PAR_CHAR] = NPY_INT8,
                                  [PAR_BOOL] = NPY_BOOL,
                                  [PAR_INT8] = NPY_INT8,
                                  [PAR_INT16] = NPY_INT16,
                                  [PAR_INT32] = NPY_INT32,
                                  [PAR_INT64] = NPY_INT64,
                                  [PAR_UINT8] = NPY_UINT8,
                                  [PAR_UINT16] = NPY_UINT16,
                                  [PAR_UINT32] = NPY_UINT32,
                                  [PAR_UINT64] = NPY_UINT64,
                                  [PAR_FLOAT] = NPY_FLOAT,
                                  [PAR_DOUBLE] = NPY_DOUBLE,
                                  [PAR_COMPLEX_FLOAT] = NPY_CFLOAT,
                                  [PAR_COMPLEX_DOUBLE] = NPY_CDOUBLE};

    return PyArray_DescrFromType(numbers[type]);
}

/* The dtype of the array that CONTENT describes; a new reference. */
static PyArray_Descr *descr_of(core_state *state, const par_content *content)
{
    PyObject *descr;

    if (content->type != PAR_OPAQUE)
        return descr_of_type((par_type)content->type);
    descr = pickle_read(state, content->extra, content->extra_bytes);
    if (descr &&
        (!PyArray_DescrCheck(descr) || PyDataType_REFCHK((PyArray_Descr *)descr) ||
         PyDataType_ELSIZE((PyArray_Descr *)descr) <= 0)) {
        PyErr_Format(state->error,
                     "rank %d: the message holds elements that only its sender knows",
                     par_rank(state->world));
        Py_CLEAR(descr);
    }
    return (PyArray_Descr *)descr;
}

Py_ssize_t array_item_size(core_state *state, const par_content *content)
{
    PyArray_Descr *descr;
    Py_ssize_t size;

    if (content->type != PAR_OPAQUE)
        return (Py_ssize_t)par_type_size((par_type)content->type);
    descr = descr_of(state, content);
    size = descr ? (Py_ssize_t)PyDataType_ELSIZE(descr) : -1;
    Py_XDECREF(descr);
    return size;
}

/* ---- out ---------------------------------------------------------------- */

/* Elements of a fixed size, which mean the same elsewhere. */
static bool can_travel(PyArray_Descr *descr)
{
    return descr->type_num < NPY_NTYPES_LEGACY && !PyDataType_REFCHK(descr) &&
           PyDataType_ELSIZE(descr) > 0;
}

/* Whether SCALAR is of just the type that its dtype stands for. */
static bool scalar_can_travel(PyObject *scalar)
{
    PyArray_Descr *descr = PyArray_DescrFromScalar(scalar);
    bool can = descr && descr->typeobj == Py_TYPE(scalar) && can_travel(descr);

    Py_XDECREF(descr);
    PyErr_Clear();
    return can;
}

bool array_is(PyObject *object)
{
    return numpy_is_there() && PyArray_Check(object);
}

bool array_check(PyObject *object)
{
    if (PyMemoryView_Check(object)) /* NumPy knows its formats */
        return numpy_is_there() || (import_numpy() || (PyErr_Clear(), false));
    if (!numpy_is_there())
        return false;
    if (PyArray_CheckExact(object))
        return can_travel(PyArray_DESCR((PyArrayObject *)object));
    return PyArray_IsScalar(object, Generic) && scalar_can_travel(object);
}

/* OBJECT as an array whose elements lie one after the other. */
static PyArrayObject *contiguous(PyObject *object)
{
    PyArrayObject *array;

    if (PyArray_IsScalar(object, Generic))
        return (PyArrayObject *)PyArray_FromScalar(object, NULL);
    if (PyArray_CheckExact(object)) {
        array = (PyArrayObject *)object;
        if (PyArray_IS_C_CONTIGUOUS(array) || PyArray_IS_F_CONTIGUOUS(array))
            return (PyArrayObject *)Py_NewRef(object);
        return (PyArrayObject *)PyArray_NewCopy(array, NPY_CORDER);
    }
    return (PyArrayObject *)PyArray_FROM_OF(object, NPY_ARRAY_C_CONTIGUOUS);
}

static int describe_opaque(core_state *state, PyArrayObject *array, codec_out *out)
{
    out->extra = pickle_small(state, (PyObject *)PyArray_DESCR(array));
    if (!out->extra)
        return -1;
    out->content.extra = PyBytes_AS_STRING(out->extra);
    out->content.extra_bytes = (size_t)PyBytes_GET_SIZE(out->extra);
    return 0;
}

int array_encode(core_state *state, PyObject *object, codec_out *out)
{
    PyArrayObject *array = contiguous(object);

    if (!array)
        return -1;
    out->owner = (PyObject *)array;
    if (!can_travel(PyArray_DESCR(array))) { /* of a memoryview */
        PyErr_Format(PyExc_TypeError, "rank %d: a memoryview of %R cannot be sent",
                     par_rank(state->world), PyArray_DESCR(array));
        return -1;
    }
    for (int d = 0; d < PyArray_NDIM(array); d++)
        out->shape[d] = (uint64_t)PyArray_DIM(array, d);
    out->content = (par_content){
        .kind = PAR_ARRAY,
        .type = (uint8_t)type_of(PyArray_DESCR(array)),
        .dims = (uint8_t)PyArray_NDIM(array),
        .shape = out->shape,
        .variant = (uint8_t)((PyArray_IS_C_CONTIGUOUS(array) ? 0 : CODEC_FORTRAN) |
                             (PyArray_IsScalar(object, Generic) ? CODEC_SCALAR : 0)),
    };
    out->one = (par_part){PyArray_DATA(array), (size_t)PyArray_NBYTES(array)};
    return out->content.type == PAR_OPAQUE ? describe_opaque(state, array, out) : 0;
}

/* ---- in ----------------------------------------------------------------- */

/* What PyArray_NewFromDescr wants to hear of an order. */
static int order_flag(const par_content *content)
{
    return content->variant & CODEC_FORTRAN ? NPY_ARRAY_F_CONTIGUOUS : 0;
}

/* The same in memory that has been used before. */
static PyArrayObject *make_large(const par_content *content, PyArray_Descr *descr,
                                 npy_intp *shape)
{
    void *data;
    PyObject *block = block_new((size_t)content->bytes, &data);
    PyArrayObject *array;
    int layout = content->variant & CODEC_FORTRAN ? NPY_ARRAY_FARRAY : NPY_ARRAY_CARRAY;

    if (!block) {
        Py_DECREF(descr);
        return NULL;
    }
    array = (PyArrayObject *)PyArray_NewFromDescr(&PyArray_Type, descr, content->dims,
                                                  shape, NULL, data, layout, NULL);
    if (!array) {
        Py_DECREF(block);
        return NULL;
    }
    if (PyArray_SetBaseObject(array, block) < 0) /* which steals it */
        Py_CLEAR(array);
    return array;
}

/* An array, not filled yet, of DESCR, which is stolen, for CONTENT. */
static PyArrayObject *make_array(core_state *state, const par_content *content,
                                 PyArray_Descr *descr)
{
    npy_intp shape[CODEC_MAX_DIMS];
    PyArrayObject *array;

    if (content->dims == 1)
        shape[0] = (npy_intp)(content->bytes / (uint64_t)PyDataType_ELSIZE(descr));
    else
        for (unsigned d = 0; d < content->dims; d++)
            shape[d] = (npy_intp)content->shape[d];
    array = content->bytes >= BLOCK_MIN
                ? make_large(content, descr, shape)
                : (PyArrayObject *)PyArray_NewFromDescr(&PyArray_Type, descr,
                                                        content->dims, shape, NULL, NULL,
                                                        order_flag(content), NULL);
    if (array && (uint64_t)PyArray_NBYTES(array) != content->bytes) {
        PyErr_Format(state->error, "rank %d: an array of %zd bytes came with %llu",
                     par_rank(state->world), (Py_ssize_t)PyArray_NBYTES(array),
                     (unsigned long long)content->bytes);
        Py_CLEAR(array);
    }
    return array;
}

PyObject *array_decode(core_state *state, par_message **message_p,
                       const par_content *content)
{
    bool is_scalar = content->variant & CODEC_SCALAR;
    PyArray_Descr *descr;
    PyArrayObject *array;

    if (!need_numpy(state) || !(descr = descr_of(state, content)))
        return NULL;
    array = make_array(state, content, descr);
    if (array &&
        codec_take(state, message_p, PyArray_DATA(array), (size_t)content->bytes) < 0)
        Py_CLEAR(array);
    return array && is_scalar ? PyArray_Return(array) : (PyObject *)array;
}

/* ---- into a buffer ------------------------------------------------------- */

static bool is_writable_buffer(PyObject *object)
{
    Py_buffer view;

    if (!PyObject_CheckBuffer(object))
        return false;
    if (PyObject_GetBuffer(object, &view, PyBUF_FULL) < 0) {
        PyErr_Clear();
        return false;
    }
    PyBuffer_Release(&view);
    return true;
}

PyObject *array_of_buffer(core_state *state, PyObject *buffer)
{
    PyObject *view, *array;

    if (array_is(buffer)) {
        if (PyArray_FailUnlessWriteable((PyArrayObject *)buffer, "the buffer") < 0)
            return NULL;
        return Py_NewRef(buffer);
    }
    if (!is_writable_buffer(buffer))
        return Py_NewRef(Py_None);
    if (!need_numpy(state))
        return NULL;
    view = PyMemoryView_FromObject(buffer);
    array = view ? PyArray_FROM_O(view) : NULL;
    Py_XDECREF(view);
    return array;
}

static PyObject *describe(const par_content *content, PyArray_Descr *descr)
{
    if (content->kind == PAR_OBJECT)
        return PyUnicode_FromString("an object");
    if (content->type == PAR_CHAR || content->type == PAR_BYTE)
        return PyUnicode_FromFormat("%llu %s", (unsigned long long)content->bytes,
                                    content->type == PAR_CHAR ? "characters" : "bytes");
    return PyUnicode_FromFormat(
        "%llu %S", (unsigned long long)content->bytes / (size_t)PyDataType_ELSIZE(descr),
        descr);
}

/* Raise EXCEPTION, naming both sides; always -1. */
static int refuse(core_state *state, PyObject *exception, const par_content *content,
                  PyArray_Descr *descr, const par_status *status, PyArrayObject *array,
                  bool exact)
{
    PyObject *text = describe(content, descr);

    if (text)
        PyErr_Format(exception,
                     "rank %d: the message from rank %d, tag %d, holds %U; the buffer is "
                     "for %s%zd %S",
                     par_rank(state->world), status->source, status->tag, text,
                     exact ? "" : "up to ", (Py_ssize_t)PyArray_SIZE(array),
                     PyArray_DESCR(array));
    Py_XDECREF(text);
    return -1;
}

/* Bytes without a meaning go into bytes of any. */
static bool same_type(const par_content *content, PyArray_Descr *theirs,
                      PyArray_Descr *ours)
{
    if (content->type == PAR_BYTE || content->type == PAR_CHAR)
        return PyDataType_ELSIZE(ours) == 1 && PyTypeNum_ISINTEGER(ours->type_num);
    return PyArray_EquivTypes(theirs, ours);
}

static bool same_shape(const par_content *content, PyArrayObject *array)
{
    if (content->dims != PyArray_NDIM(array))
        return false;
    for (unsigned d = 0; content->dims > 1 && d < content->dims; d++)
        if (content->shape[d] != (uint64_t)PyArray_DIM(array, (int)d))
            return false;
    return true;
}

/* Whether the bytes of the body, as they are, are what ARRAY begins with. */
static bool lies_alike(const par_content *content, PyArrayObject *array)
{
    if (content->variant & CODEC_FORTRAN && content->kind == PAR_ARRAY &&
        content->type != PAR_BYTE)
        return PyArray_IS_F_CONTIGUOUS(array) && same_shape(content, array);
    return PyArray_IS_C_CONTIGUOUS(array);
}

/* The elements of CONTENT, in C order, become the first of ARRAY, in C order. */
static int rearrange(core_state *state, par_message **message_p,
                     const par_content *content, PyArray_Descr *descr,
                     PyArrayObject *array)
{
    PyArrayObject *fresh;
    PyObject *from = NULL, *to;
    int failed = -1;

    Py_INCREF(descr);
    fresh = make_array(state, content, descr);
    if (!fresh)
        return -1;
    if (codec_take(state, message_p, PyArray_DATA(fresh), (size_t)content->bytes) == 0)
        from = PyArray_Ravel(fresh, NPY_CORDER);
    to = from ? PyObject_GetAttrString((PyObject *)array, "flat") : NULL;
    if (to)
        failed = PySequence_SetSlice(to, 0, PyArray_SIZE(fresh), from);
    Py_XDECREF(to);
    Py_XDECREF(from);
    Py_DECREF(fresh);
    return failed;
}

static int receive_into(core_state *state, par_message **message_p,
                        const par_content *content, const par_status *status,
                        PyArray_Descr *descr, PyArrayObject *array, bool exact)
{
    uint64_t room = (uint64_t)PyArray_NBYTES(array);

    if (!descr || !same_type(content, descr, PyArray_DESCR(array)))
        return refuse(state, state->type_mismatch, content, descr, status, array, exact);
    if (content->bytes > room || (exact && content->bytes != room))
        return refuse(state, state->size_mismatch, content, descr, status, array, exact);
    if (lies_alike(content, array))
        return codec_take(state, message_p, PyArray_DATA(array), (size_t)content->bytes);
    return rearrange(state, message_p, content, descr, array);
}

int array_receive(core_state *state, par_message **message_p, PyObject *array, bool exact)
{
    par_content content;
    par_status status;
    PyArray_Descr *descr = NULL;
    int failed;

    par_message_content(*message_p, &content, &status);
    if (content.kind == PAR_ARRAY && !(descr = descr_of(state, &content)))
        return -1;
    failed = receive_into(state, message_p, &content, &status, descr,
                          (PyArrayObject *)array, exact);
    Py_XDECREF(descr);
    return failed;
}

/* ---- reduce ------------------------------------------------------------- */

PyObject *array_for_reduce(PyObject *object)
{
    if (!array_is(object) ||
        type_of(PyArray_DESCR((PyArrayObject *)object)) == PAR_OPAQUE)
        return Py_NewRef(Py_None);
    return PyArray_FROM_OF(object, NPY_ARRAY_C_CONTIGUOUS);
}

void *array_data(PyObject *array, size_t *count_p, par_type *type_p)
{
    *count_p = (size_t)PyArray_SIZE((PyArrayObject *)array);
    *type_p = type_of(PyArray_DESCR((PyArrayObject *)array));
    return PyArray_DATA((PyArrayObject *)array);
}

PyObject *array_like(PyObject *array)
{
    return PyArray_NewLikeArray((PyArrayObject *)array, NPY_CORDER, NULL, 0);
}
