/* array_room.c - NumPy's arrays as room for what comes.
 * SPDX-License-Identifier: MIT */
#include "array.h"

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
        if (!PyArray_ISWRITEABLE((PyArrayObject *)buffer))
            return PyErr_Format(
                PyExc_ValueError,
                "rank %d: the buffer is read-only: it is to be written to", state->rank);
        return Py_NewRef(buffer);
    }
    if (!is_writable_buffer(buffer))
        return Py_NewRef(Py_None);
    if (!array_need_numpy(state))
        return NULL;
    view = PyMemoryView_FromObject(buffer);
    array = view ? PyArray_FROM_O(view) : NULL;
    Py_XDECREF(view);
    return array;
}

PyObject *array_room(core_state *state, PyObject *buffer)
{
    PyObject *array = array_of_buffer(state, buffer);

    if (array == Py_None) {
        Py_DECREF(array);
        return PyErr_Format(PyExc_TypeError,
                            "rank %d: buffer is of type %s: it must be an array or other "
                            "memory that can be written to",
                            state->rank, Py_TYPE(buffer)->tp_name);
    }
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

/* Raise EXCEPTION, naming both sides; WHO is new, or NULL with an exception. Always
 * -1. */
static int refuse(PyObject *exception, core_state *state, PyObject *who,
                  const par_content *content, PyArray_Descr *descr, PyArrayObject *array,
                  bool exact)
{
    PyObject *text = who ? describe(content, descr) : NULL;

    if (text)
        PyErr_Format(exception, "rank %d: %U holds %U; the buffer is for %s%zd %S",
                     state->rank, who, text, exact ? "" : "up to ",
                     (Py_ssize_t)PyArray_SIZE(array), PyArray_DESCR(array));
    Py_XDECREF(text);
    Py_XDECREF(who);
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

/* The elements of FRESH, in C order, become the first of ARRAY, in C order. */
static int rearrange(PyArrayObject *fresh, PyArrayObject *array)
{
    PyObject *from = PyArray_Ravel(fresh, NPY_CORDER);
    PyObject *to = from ? PyObject_GetAttrString((PyObject *)array, "flat") : NULL;
    int failed = to ? PySequence_SetSlice(to, 0, PyArray_SIZE(fresh), from) : -1;

    Py_XDECREF(to);
    Py_XDECREF(from);
    return failed;
}

static int receive_and_rearrange(core_state *state, par_message **message_p,
                                 const par_content *content, PyArray_Descr *descr,
                                 PyArrayObject *array)
{
    PyArrayObject *fresh;
    int failed;

    Py_INCREF(descr);
    fresh = array_make(state, content, descr);
    if (!fresh)
        return -1;
    failed = codec_take(state, message_p, PyArray_DATA(fresh), (size_t)content->bytes);
    if (!failed)
        failed = rearrange(fresh, array);
    Py_DECREF(fresh);
    return failed;
}

static int receive_into(core_state *state, par_message **message_p,
                        const par_content *content, const par_status *status,
                        PyArray_Descr *descr, PyArrayObject *array, bool exact)
{
    uint64_t room = (uint64_t)PyArray_NBYTES(array);

    if (!descr || !same_type(content, descr, PyArray_DESCR(array)))
        return refuse(state->type_mismatch, state, codec_name_message(status), content,
                      descr, array, exact);
    if (content->bytes > room || (exact && content->bytes != room))
        return refuse(state->size_mismatch, state, codec_name_message(status), content,
                      descr, array, exact);
    if (lies_alike(content, array))
        return codec_take(state, message_p, PyArray_DATA(array), (size_t)content->bytes);
    return receive_and_rearrange(state, message_p, content, descr, array);
}

int array_receive(core_state *state, par_message **message_p, PyObject *array, bool exact)
{
    par_content content;
    par_status status;
    PyArray_Descr *descr = NULL;
    int failed;

    par_message_content(*message_p, &content, &status);
    if (content.kind == PAR_ARRAY && !(descr = array_descr(state, &content)))
        return -1;
    failed = receive_into(state, message_p, &content, &status, descr,
                          (PyArrayObject *)array, exact);
    Py_XDECREF(descr);
    return failed;
}

/* What OUT would send, as an array that leads to its memory; DESCR is stolen. */
static PyArrayObject *array_over(const codec_out *out, PyArray_Descr *descr)
{
    const par_content *content = &out->content;
    bool is_fortran = content->type != PAR_BYTE && content->variant & CODEC_FORTRAN;
    npy_intp shape[CODEC_MAX_DIMS];

    shape[0] = (npy_intp)(out->one.bytes / (size_t)PyDataType_ELSIZE(descr));
    for (unsigned d = 0; content->dims != 1 && d < content->dims; d++)
        shape[d] = (npy_intp)content->shape[d];
    return (PyArrayObject *)PyArray_NewFromDescr(
        &PyArray_Type, descr, content->dims, shape, NULL, out->one.data,
        is_fortran ? NPY_ARRAY_FARRAY_RO : NPY_ARRAY_CARRAY_RO, NULL);
}

static int put(core_state *state, const codec_out *out, PyArray_Descr *descr,
               PyObject *what, PyArrayObject *array)
{
    PyArrayObject *from;
    int failed;

    if (!descr || !same_type(&out->content, descr, PyArray_DESCR(array)))
        return refuse(state->type_mismatch, state, what, &out->content, descr, array,
                      true);
    if (out->one.bytes != (size_t)PyArray_NBYTES(array))
        return refuse(state->size_mismatch, state, what, &out->content, descr, array,
                      true);
    Py_XDECREF(what);
    if (lies_alike(&out->content, array)) {
        memmove(PyArray_DATA(array), out->one.data, out->one.bytes);
        return 0;
    }
    Py_INCREF(descr);
    from = array_over(out, descr);
    failed = from ? rearrange(from, array) : -1;
    Py_XDECREF(from);
    return failed;
}

int array_put(core_state *state, const codec_out *out, const char *what, PyObject *array)
{
    PyArray_Descr *descr = NULL;
    int failed;

    if (out->content.kind == PAR_ARRAY && !(descr = array_descr(state, &out->content)))
        return -1;
    failed = put(state, out, descr, PyUnicode_FromString(what), (PyArrayObject *)array);
    Py_XDECREF(descr);
    return failed;
}

/* ---- rows ------------------------------------------------------------------ */

/* How long axis D is of CONTENT, of elements of ITEM_SIZE bytes. */
static uint64_t axis(const par_content *content, int d, size_t item_size)
{
    return content->dims == 1 ? content->bytes / item_size : content->shape[d];
}

/* -1 where the further axes differ. */
static Py_ssize_t rows_of(const par_content *content, size_t item_size,
                          PyArrayObject *array)
{
    int lacking = PyArray_NDIM(array) - content->dims;

    if (lacking != 0 && lacking != 1)
        return -1;
    for (int d = 1; d < PyArray_NDIM(array); d++)
        if (axis(content, d - lacking, item_size) != (uint64_t)PyArray_DIM(array, d))
            return -1;
    return lacking ? 1 : (Py_ssize_t)axis(content, 0, item_size);
}

static PyObject *shape_of(const par_content *content, size_t item_size)
{
    PyObject *shape = PyTuple_New(content->dims);

    for (int d = 0; shape && d < content->dims; d++) {
        PyObject *length = PyLong_FromUnsignedLongLong(axis(content, d, item_size));

        if (length)
            PyTuple_SET_ITEM(shape, d, length);
        else
            Py_CLEAR(shape);
    }
    return shape;
}

static void refuse_shape(core_state *state, const par_content *content, size_t item_size,
                         int from, PyObject *array)
{
    PyObject *theirs = shape_of(content, item_size);
    PyObject *ours = PyObject_GetAttrString(array, "shape");

    if (theirs && ours)
        PyErr_Format(state->size_mismatch,
                     "rank %d: what rank %d gives has shape %R, the buffer %R: they may "
                     "differ in the first axis alone",
                     state->rank, from, theirs, ours);
    Py_XDECREF(theirs);
    Py_XDECREF(ours);
}

static Py_ssize_t count_rows(core_state *state, const par_content *content,
                             PyArray_Descr *descr, int from, PyArrayObject *array)
{
    size_t item_size;
    Py_ssize_t rows;

    if (!descr || !same_type(content, descr, PyArray_DESCR(array)))
        return refuse(state->type_mismatch, state,
                      PyUnicode_FromFormat("what rank %d gives", from), content, descr,
                      array, true);
    item_size = (size_t)PyDataType_ELSIZE(descr);
    rows = rows_of(content, item_size, array);
    if (rows < 0)
        refuse_shape(state, content, item_size, from, (PyObject *)array);
    return rows;
}

Py_ssize_t array_rows(core_state *state, const par_content *content, int from,
                      PyObject *array)
{
    PyArray_Descr *descr = NULL;
    Py_ssize_t rows;

    if (content->kind == PAR_ARRAY && !(descr = array_descr(state, content)))
        return -1;
    rows = count_rows(state, content, descr, from, (PyArrayObject *)array);
    Py_XDECREF(descr);
    return rows;
}
