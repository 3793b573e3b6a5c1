/* encode.c - a Python object as the content of a message.
 * SPDX-License-Identifier: MIT */
#include "codec.h"

#include "memo.h"

/* What trying to write a value in the tagged form comes to. */
typedef enum outcome {
    WRITTEN,
    PICKLE_IT, /* it has a part that the form doesn't know */
    FAILED,    /* with an exception */
} outcome;

typedef struct writer {
    codec_out *out;
    memo seen;
    int depth;
} writer;

/* ---- bytes -------------------------------------------------------------- */

static bool grow(codec_out *out, size_t more)
{
    size_t room = 2 * out->room + more;
    unsigned char *bytes =
        PyMem_RawRealloc(out->bytes == out->first ? NULL : out->bytes, room);

    if (!bytes) {
        PyErr_NoMemory();
        return false;
    }
    if (out->bytes == out->first)
        memcpy(bytes, out->first, out->used);
    out->bytes = bytes;
    out->room = room;
    return true;
}

/* Room for BYTES more; NULL with an exception. */
static inline unsigned char *claim(codec_out *out, size_t bytes)
{
    unsigned char *to;

    if (out->room - out->used < bytes && !grow(out, bytes))
        return NULL;
    to = out->bytes + out->used;
    out->used += bytes;
    return to;
}

static inline outcome put(codec_out *out, codec_tag tag, const void *value, size_t bytes)
{
    unsigned char *to = claim(out, 1 + bytes);

    if (!to)
        return FAILED;
    to[0] = (unsigned char)tag;
    memcpy(to + 1, value, bytes);
    return WRITTEN;
}

/* TAG and LENGTH, and room for BYTES after them; NULL with an exception. */
static unsigned char *claim_run(codec_out *out, codec_tag tag, Py_ssize_t length,
                                size_t bytes)
{
    uint64_t long_length = (uint64_t)length;
    bool is_short = length < CODEC_LENGTH_LONG;
    size_t head = is_short ? 2 : 2 + sizeof long_length;
    unsigned char *to = claim(out, head + bytes);

    if (!to)
        return NULL;
    to[0] = (unsigned char)tag;
    to[1] = (unsigned char)(is_short ? length : CODEC_LENGTH_LONG);
    if (!is_short)
        memcpy(to + 2, &long_length, sizeof long_length);
    return to + head;
}

static outcome put_run(codec_out *out, codec_tag tag, const char *bytes,
                       Py_ssize_t length)
{
    unsigned char *to = claim_run(out, tag, length, (size_t)length);

    if (!to)
        return FAILED;
    memcpy(to, bytes, (size_t)length);
    return WRITTEN;
}

/* ---- values ------------------------------------------------------------- */

static inline outcome put_int(codec_out *out, PyObject *value)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    int64_t wide = number;
    int32_t middle = (int32_t)number;
    int8_t narrow = (int8_t)number;

    if (overflow)
        return PICKLE_IT;
    if (narrow == number)
        return put(out, TAG_INT8, &narrow, sizeof narrow);
    if (middle == number)
        return put(out, TAG_INT32, &middle, sizeof middle);
    return put(out, TAG_INT64, &wide, sizeof wide);
}

static inline outcome put_float(codec_out *out, PyObject *value)
{
    double number = PyFloat_AS_DOUBLE(value);

    return put(out, TAG_FLOAT, &number, sizeof number);
}

/* What is no int and no float: those come by the million, and stay in the loops. */
static outcome put_other(writer *w, PyObject *value);

static inline outcome put_value(writer *w, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);

    if (type == &PyLong_Type)
        return put_int(w->out, value);
    if (type == &PyFloat_Type)
        return put_float(w->out, value);
    return put_other(w, value);
}

static outcome put_complex(codec_out *out, PyObject *value)
{
    Py_complex number = PyComplex_AsCComplex(value);

    return put(out, TAG_COMPLEX, &number, sizeof number);
}

/* A value that is held more than once may come again, itself or, in a
 * container, around itself. Then the pickler, which keeps one object one, does
 * it: a copy for each would be another structure, and could be endless. */
static outcome first_time(writer *w, PyObject *value)
{
#ifndef Py_GIL_DISABLED
    if (Py_REFCNT(value) == 1)
        return WRITTEN;
#endif
    switch (memo_add(&w->seen, value)) {
    case MEMO_NEW:
        return WRITTEN;
    case MEMO_SEEN:
        return PICKLE_IT;
    default:
        PyErr_NoMemory();
        return FAILED;
    }
}

/* Only long ones are worth a look. */
static outcome first_time_long(writer *w, PyObject *value, Py_ssize_t length)
{
    return length > 256 ? first_time(w, value) : WRITTEN;
}

static outcome put_str(writer *w, PyObject *value)
{
    Py_ssize_t length;
    const char *text;
    outcome result;

    if (PyUnicode_IS_COMPACT_ASCII(value)) {
        text = (const char *)PyUnicode_1BYTE_DATA(value);
        length = PyUnicode_GET_LENGTH(value);
    } else {
        text = PyUnicode_AsUTF8AndSize(value, &length);
    }
    if (!text) { /* lone surrogates */
        PyErr_Clear();
        return PICKLE_IT;
    }
    result = first_time_long(w, value, length);
    return result ? result : put_run(w->out, TAG_STR, text, length);
}

static outcome put_bytes(writer *w, PyObject *value)
{
    outcome result = first_time_long(w, value, PyBytes_GET_SIZE(value));

    return result ? result
                  : put_run(w->out, TAG_BYTES, PyBytes_AS_STRING(value),
                            PyBytes_GET_SIZE(value));
}

/* One object stays one, however short: it can be changed. */
static outcome put_bytearray(writer *w, PyObject *value)
{
    outcome result = first_time(w, value);

    return result ? result
                  : put_run(w->out, TAG_BYTEARRAY, PyByteArray_AS_STRING(value),
                            PyByteArray_GET_SIZE(value));
}

static outcome put_tuple(writer *w, PyObject *tuple)
{
    Py_ssize_t length = PyTuple_GET_SIZE(tuple);
    outcome result = claim_run(w->out, TAG_TUPLE, length, 0) ? WRITTEN : FAILED;

    for (Py_ssize_t i = 0; !result && i < length; i++)
        result = put_value(w, PyTuple_GET_ITEM(tuple, i));
    return result;
}

static outcome changed(PyObject *container)
{
    PyErr_Format(PyExc_RuntimeError, "a %s changed while it was being sent",
                 Py_TYPE(container)->tp_name);
    return FAILED;
}

static outcome put_list(writer *w, PyObject *list)
{
    Py_ssize_t length = PyList_GET_SIZE(list);
    outcome result = claim_run(w->out, TAG_LIST, length, 0) ? WRITTEN : FAILED;

    for (Py_ssize_t i = 0; !result && i < length; i++)
        result = i < PyList_GET_SIZE(list) ? put_value(w, PyList_GET_ITEM(list, i))
                                           : changed(list);
    return result;
}

static outcome put_set(writer *w, codec_tag tag, PyObject *set)
{
    PyObject *iterator = PyObject_GetIter(set), *item;
    outcome result = FAILED;

    if (iterator && claim_run(w->out, tag, PySet_GET_SIZE(set), 0))
        result = WRITTEN;
    while (!result && (item = PyIter_Next(iterator))) {
        result = put_value(w, item);
        Py_DECREF(item);
    }
    Py_XDECREF(iterator);
    return result || !PyErr_Occurred() ? result : FAILED;
}

static outcome put_dict(writer *w, PyObject *dict)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    outcome result =
        claim_run(w->out, TAG_DICT, PyDict_GET_SIZE(dict), 0) ? WRITTEN : FAILED;

    while (!result && PyDict_Next(dict, &at, &key, &value)) {
        result = put_value(w, key);
        if (!result)
            result = put_value(w, value);
    }
    return result;
}

static outcome put_container(writer *w, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    outcome result;

    if (type == &PyTuple_Type && !PyTuple_GET_SIZE(value)) /* there is only one () */
        return put_tuple(w, value);
    if (w->depth == CODEC_DEPTH)
        return PICKLE_IT;
    result = first_time(w, value);
    if (result)
        return result;

    w->depth++;
    if (type == &PyTuple_Type)
        result = put_tuple(w, value);
    else if (type == &PyList_Type)
        result = put_list(w, value);
    else if (type == &PyDict_Type)
        result = put_dict(w, value);
    else
        result = put_set(w, type == &PySet_Type ? TAG_SET : TAG_FROZENSET, value);
    w->depth--;
    return result;
}

static outcome put_other(writer *w, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);

    if (type == &PyUnicode_Type)
        return put_str(w, value);
    if (value == Py_None)
        return put(w->out, TAG_NONE, "", 0);
    if (type == &PyBool_Type)
        return put(w->out, value == Py_True ? TAG_TRUE : TAG_FALSE, "", 0);
    if (type == &PyTuple_Type || type == &PyList_Type || type == &PyDict_Type ||
        type == &PySet_Type || type == &PyFrozenSet_Type)
        return put_container(w, value);
    if (type == &PyBytes_Type)
        return put_bytes(w, value);
    if (type == &PyByteArray_Type)
        return put_bytearray(w, value);
    if (type == &PyComplex_Type)
        return put_complex(w->out, value);
    return PICKLE_IT;
}

static outcome put_tagged(PyObject *object, codec_out *out)
{
    writer w = {.out = out, .depth = 0};
    outcome result;

    memo_init(&w.seen);
    result = put_value(&w, object);
    memo_free(&w.seen);
    if (result == WRITTEN) {
        out->content = (par_content){.kind = PAR_OBJECT, .type = CODEC_TAGGED};
        out->one = (par_part){out->bytes, out->used};
    }
    return result;
}

/* ---- choice ------------------------------------------------------------- */

/* A run of characters or bytes in OWNER's own memory. */
static int encode_run(PyObject *owner, par_type type, uint8_t variant, const char *run,
                      Py_ssize_t bytes, codec_out *out)
{
    out->owner = Py_NewRef(owner);
    out->content = (par_content){.kind = PAR_ARRAY,
                                 .type = (uint8_t)type,
                                 .variant = variant,
                                 .dims = 1,
                                 .bytes = (uint64_t)bytes};
    out->one = (par_part){(void *)(uintptr_t)run, (size_t)bytes};
    return 0;
}

static int encode_str(core_state *state, PyObject *object, codec_out *out)
{
    Py_ssize_t bytes;
    const char *text;

    if (PyUnicode_IS_COMPACT_ASCII(object))
        return encode_run(object, PAR_CHAR, CODEC_ASCII,
                          (const char *)PyUnicode_1BYTE_DATA(object),
                          PyUnicode_GET_LENGTH(object), out);
    text = PyUnicode_AsUTF8AndSize(object, &bytes);
    if (text)
        return encode_run(object, PAR_CHAR, CODEC_UTF8, text, bytes, out);
    PyErr_Clear(); /* lone surrogates */
    return pickle_encode(state, object, out);
}

/* A bytearray is held by a view: nobody may resize it while it is being sent. */
static int encode_bytearray(PyObject *object, codec_out *out)
{
    PyObject *view = PyMemoryView_FromObject(object);

    if (!view)
        return -1;
    encode_run(view, PAR_BYTE, CODEC_BYTEARRAY, PyMemoryView_GET_BUFFER(view)->buf,
               PyMemoryView_GET_BUFFER(view)->len, out);
    Py_DECREF(view);
    return 0;
}

int codec_encode(core_state *state, PyObject *object, codec_out *out)
{
    PyTypeObject *type = Py_TYPE(object);

    out->parts = &out->one;
    out->part_count = 1;
    out->list = NULL;
    out->copy = NULL;
    out->owner = out->extra = NULL;
    out->bytes = out->first;
    out->used = 0;
    out->room = sizeof out->first;

    if (type == &PyUnicode_Type)
        return encode_str(state, object, out);
    if (type == &PyBytes_Type)
        return encode_run(object, PAR_BYTE, CODEC_BYTES, PyBytes_AS_STRING(object),
                          PyBytes_GET_SIZE(object), out);
    if (type == &PyByteArray_Type)
        return encode_bytearray(object, out);
    switch (put_tagged(object, out)) {
    case WRITTEN:
        return 0;
    case FAILED:
        return -1;
    case PICKLE_IT:
        break;
    }
    if (array_check(object))
        return array_encode(state, object, out);
    return pickle_encode(state, object, out);
}

void codec_release(codec_out *out)
{
    Py_CLEAR(out->owner);
    Py_CLEAR(out->extra);
    PyMem_RawFree(out->list);
    PyMem_RawFree(out->copy);
    out->list = NULL;
    out->copy = NULL;
    if (out->bytes != out->first)
        PyMem_RawFree(out->bytes);
    out->bytes = out->first;
}

void codec_move(codec_out *to, codec_out *out)
{
    *to = *out;
    if (out->bytes == out->first)
        to->bytes = to->first;
    out->owner = out->extra = NULL;
    out->list = NULL;
    out->copy = NULL;
    out->bytes = out->first;
}

int codec_copy(codec_out *out)
{
    par_part *parts = out->list ? out->list : &out->one;
    size_t total = 0;
    unsigned char *at;

    for (size_t i = 0; i < out->part_count; i++)
        total += parts[i].bytes;
    at = out->copy = PyMem_RawMalloc(total);
    if (!at) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < out->part_count; i++) {
        if (parts[i].bytes)
            memcpy(at, parts[i].data, parts[i].bytes);
        parts[i].data = at;
        at += parts[i].bytes;
    }
    return 0;
}
