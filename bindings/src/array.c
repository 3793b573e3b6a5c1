/* array.c - NumPy's arrays and scalars.
 * SPDX-License-Identifier: MIT
 *
 * NumPy is imported when the first array comes along: pypar works without it.
 */
#define ARRAY_IMPORTS
#include "array.h"

#include "block.h"

/* ---- NumPy itself ------------------------------------------------------- */

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

bool array_need_numpy(core_state *state)
{
    if (import_numpy())
        return true;
    if (PyErr_ExceptionMatches(PyExc_ImportError)) {
        PyErr_Clear();
        PyErr_Format(state->error,
                     "rank %d: the message holds an array: receiving it needs NumPy here",
                     state->rank);
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

/* The type of field I of DESCR, which has fields, where it lies at byte AT and is in
 * this machine's order; else NPY_VOID. */
static int field_type(PyArray_Descr *descr, Py_ssize_t i, long at)
{
    PyObject *name = PyTuple_GetItem(PyDataType_NAMES(descr), i);
    PyObject *field = PyDict_GetItem(PyDataType_FIELDS(descr), name);
    PyArray_Descr *its = (PyArray_Descr *)PyTuple_GetItem(field, 0);

    if (PyLong_AsLong(PyTuple_GetItem(field, 1)) != at || !PyArray_ISNBO(its->byteorder))
        return NPY_VOID;
    return its->type_num;
}

static bool is_int64(int number)
{
    return number == NPY_LONGLONG ||
           (number == NPY_LONG && sizeof(long) == sizeof(int64_t));
}

/* A record of a value and its index, whatever they are called. */
static par_type type_of_location(PyArray_Descr *descr)
{
    if (!PyDataType_HASFIELDS(descr) || PyTuple_Size(PyDataType_NAMES(descr)) != 2 ||
        PyDataType_ELSIZE(descr) != sizeof(par_double_index) ||
        !is_int64(field_type(descr, 1, offsetof(par_double_index, index))))
        return PAR_OPAQUE;
    if (field_type(descr, 0, 0) == NPY_DOUBLE)
        return PAR_DOUBLE_INDEX;
    return is_int64(field_type(descr, 0, 0)) ? PAR_INT64_INDEX : PAR_OPAQUE;
}

/* Whether the fields of DESCR are called as C calls them, so that C's type says all. */
static bool is_named_as_in_c(PyArray_Descr *descr)
{
    PyObject *names = PyDataType_NAMES(descr);

    return descr->typeobj == &PyVoidArrType_Type &&
           PyDict_Size(PyDataType_FIELDS(descr)) == 2 &&
           PyUnicode_CompareWithASCIIString(PyTuple_GetItem(names, 0), "value") == 0 &&
           PyUnicode_CompareWithASCIIString(PyTuple_GetItem(names, 1), "index") == 0;
}

static par_type type_of(PyArray_Descr *descr)
{
    int number = descr->type_num;
    par_type location;

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
    case NPY_VOID:
        location = type_of_location(descr);
        return location == PAR_OPAQUE || is_named_as_in_c(descr) ? location : PAR_OPAQUE;
    default:
        return PAR_OPAQUE;
    }
}

static PyArray_Descr *descr_of_location(const char *value)
{
    PyObject *fields = Py_BuildValue("[(ss)(ss)]", "value", value, "index", "i8");
    PyArray_Descr *descr = NULL;

    if (fields)
        PyArray_DescrConverter(fields, &descr);
    Py_XDECREF(fields);
    return descr;
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

    if (type == PAR_DOUBLE_INDEX || type == PAR_INT64_INDEX)
        return descr_of_location(type == PAR_DOUBLE_INDEX ? "f8" : "i8");
    return PyArray_DescrFromType(numbers[type]);
}

PyArray_Descr *array_descr(core_state *state, const par_content *content)
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
                     state->rank);
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
    descr = array_descr(state, content);
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
                     state->rank, PyArray_DESCR(array));
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
        .bytes = (uint64_t)PyArray_NBYTES(array),
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

/* The same over DATA, which OWNER keeps. */
static PyArrayObject *make_over(const par_content *content, PyArray_Descr *descr,
                                npy_intp *shape, void *data, PyObject *owner)
{
    int layout = content->variant & CODEC_FORTRAN ? NPY_ARRAY_FARRAY : NPY_ARRAY_CARRAY;
    PyArrayObject *array = (PyArrayObject *)PyArray_NewFromDescr(
        &PyArray_Type, descr, content->dims, shape, NULL, data, layout, NULL);

    if (array && PyArray_SetBaseObject(array, Py_NewRef(owner)) < 0) /* steals it */
        Py_CLEAR(array);
    return array;
}

/* The same in memory that has been used before. */
static PyArrayObject *make_large(const par_content *content, PyArray_Descr *descr,
                                 npy_intp *shape)
{
    void *data;
    PyObject *block = block_new((size_t)content->bytes, &data);
    PyArrayObject *array;

    if (!block) {
        Py_DECREF(descr);
        return NULL;
    }
    array = make_over(content, descr, shape, data, block);
    Py_DECREF(block);
    return array;
}

static void get_shape(const par_content *content, PyArray_Descr *descr, npy_intp *shape)
{
    if (content->dims == 1)
        shape[0] = (npy_intp)(content->bytes / (uint64_t)PyDataType_ELSIZE(descr));
    else
        for (unsigned d = 0; d < content->dims; d++)
            shape[d] = (npy_intp)content->shape[d];
}

/* ARRAY, where it is as long as CONTENT says; NULL with an exception. */
static PyArrayObject *check_size(core_state *state, const par_content *content,
                                 PyArrayObject *array)
{
    if (array && (uint64_t)PyArray_NBYTES(array) != content->bytes) {
        PyErr_Format(state->error, "rank %d: an array of %zd bytes came with %llu",
                     state->rank, (Py_ssize_t)PyArray_NBYTES(array),
                     (unsigned long long)content->bytes);
        Py_CLEAR(array);
    }
    return array;
}

PyArrayObject *array_make(core_state *state, const par_content *content,
                          PyArray_Descr *descr)
{
    npy_intp shape[CODEC_MAX_DIMS];
    PyArrayObject *array;

    get_shape(content, descr, shape);
    array = content->bytes >= BLOCK_MIN
                ? make_large(content, descr, shape)
                : (PyArrayObject *)PyArray_NewFromDescr(&PyArray_Type, descr,
                                                        content->dims, shape, NULL, NULL,
                                                        order_flag(content), NULL);
    return check_size(state, content, array);
}

/* An array, of DESCR, which is stolen, of the body of IN where that lies. */
static PyArrayObject *array_over_body(core_state *state, codec_in *in,
                                      PyArray_Descr *descr)
{
    npy_intp shape[CODEC_MAX_DIMS];
    PyArrayObject *array;

    get_shape(&in->content, descr, shape);
    array = make_over(&in->content, descr, shape, (void *)(uintptr_t)in->body, in->owner);
    in->is_taken = true;
    return check_size(state, &in->content, array);
}

PyObject *array_decode(core_state *state, codec_in *in)
{
    const par_content *content = &in->content;
    bool is_scalar = content->variant & CODEC_SCALAR;
    PyArray_Descr *descr;
    PyArrayObject *array;

    if (!array_need_numpy(state) || !(descr = array_descr(state, content)))
        return NULL;
    if (in->owner)
        return (PyObject *)array_over_body(state, in, descr);
    array = array_make(state, content, descr);
    if (array &&
        codec_fill(state, in, &(par_part){PyArray_DATA(array), (size_t)content->bytes},
                   1) < 0)
        Py_CLEAR(array);
    return array && is_scalar ? PyArray_Return(array) : (PyObject *)array;
}

/* ---- reduce ------------------------------------------------------------- */

/* As C joins them: the names of a location's fields don't matter. */
static par_type type_to_join(PyObject *array)
{
    PyArray_Descr *descr = PyArray_DESCR((PyArrayObject *)array);

    return descr->type_num == NPY_VOID ? type_of_location(descr) : type_of(descr);
}

static void refuse_location(core_state *state, PyObject *array, par_op op)
{
    PyErr_Format(state->type_mismatch,
                 "rank %d: %s cannot join elements of %S: it wants two fields, a float64 "
                 "or int64 and its int64 index, as in numpy.dtype([('value', 'f8'), "
                 "('index', 'i8')])",
                 state->rank, op == PAR_MINLOC ? "MINLOC" : "MAXLOC",
                 PyArray_DESCR((PyArrayObject *)array));
}

/* Whether ARRAY is one of NumPy's own and no more: joining others' elements may take
 * more, a mask or a unit, say. A memmap has nothing of that kind. */
static bool is_plain(PyObject *array)
{
    PyObject *numpy, *memmap = NULL;
    bool is_memmap;

    if (PyArray_CheckExact(array))
        return true;
    numpy = PyImport_ImportModule("numpy");
    if (numpy)
        memmap = PyObject_GetAttrString(numpy, "memmap");
    is_memmap = memmap == (PyObject *)Py_TYPE(array);
    Py_XDECREF(memmap);
    Py_XDECREF(numpy);
    PyErr_Clear();
    return is_memmap;
}

PyObject *array_for_reduce(core_state *state, PyObject *object, par_op op)
{
    bool wants_location = op == PAR_MINLOC || op == PAR_MAXLOC;
    par_type type;

    if (!array_is(object))
        return Py_NewRef(Py_None);
    type = type_to_join(object);
    if (wants_location && type != PAR_DOUBLE_INDEX && type != PAR_INT64_INDEX) {
        refuse_location(state, object, op);
        return NULL;
    }
    if (type == PAR_OPAQUE || (!wants_location && !is_plain(object)))
        return Py_NewRef(Py_None);
    return PyArray_FROM_OF(object, NPY_ARRAY_IN_ARRAY);
}

void *array_data(PyObject *array, size_t *count_p, par_type *type_p)
{
    *count_p = (size_t)PyArray_SIZE((PyArrayObject *)array);
    *type_p = type_to_join(array);
    return PyArray_DATA((PyArrayObject *)array);
}

PyObject *array_like(PyObject *object, Py_ssize_t rows)
{
    PyArrayObject *array = (PyArrayObject *)object;
    npy_intp shape[CODEC_MAX_DIMS];

    for (int d = 0; d < PyArray_NDIM(array); d++)
        shape[d] = d == 0 && rows >= 0 ? rows : PyArray_DIM(array, d);
    Py_INCREF(PyArray_DESCR(array));
    return PyArray_Empty(PyArray_NDIM(array), shape, PyArray_DESCR(array), false);
}

/* Whether the memory of the two is one and the same, or apart. */
static bool lie_well(PyArrayObject *a, PyArrayObject *b)
{
    const char *from_a = PyArray_DATA(a), *from_b = PyArray_DATA(b);

    return from_a == from_b || from_a + PyArray_NBYTES(a) <= from_b ||
           from_b + PyArray_NBYTES(b) <= from_a;
}

bool array_can_take(PyObject *room, PyObject *object, size_t count)
{
    PyArrayObject *to = (PyArrayObject *)room, *array = (PyArrayObject *)object;

    return PyArray_ISCARRAY(to) && (size_t)PyArray_SIZE(to) == count &&
           PyArray_EquivTypes(PyArray_DESCR(to), PyArray_DESCR(array)) &&
           lie_well(to, array);
}
