/* decode.c - the content of a message as a Python object.
 * SPDX-License-Identifier: MIT */
#include "codec.h"

#include "errors.h"

/* ---- the tagged form ---------------------------------------------------- */

typedef struct reader {
    core_state *state;
    const unsigned char *at, *end;
    int depth;
} reader;

static PyObject *damaged(reader *r)
{
    if (!PyErr_Occurred())
        PyErr_Format(r->state->error,
                     "rank %d: an object is damaged or of another version",
                     r->state->rank);
    return NULL;
}

/* The next BYTES; NULL where there are not so many. */
static inline const unsigned char *next(reader *r, size_t bytes)
{
    const unsigned char *from = r->at;

    if ((size_t)(r->end - from) < bytes)
        return NULL;
    r->at += bytes;
    return from;
}

/* The length of a run or a container, whose items have one byte at least: -1
 * where there cannot be so many. */
static Py_ssize_t next_length(reader *r)
{
    const unsigned char *from = next(r, 1);
    uint64_t length;

    if (!from)
        return -1;
    length = *from;
    if (length == CODEC_LENGTH_LONG) {
        from = next(r, sizeof length);
        if (!from)
            return -1;
        memcpy(&length, from, sizeof length);
    }
    return length <= (uint64_t)(r->end - r->at) ? (Py_ssize_t)length : -1;
}

static inline PyObject *get_number(reader *r, codec_tag tag)
{
    static const size_t sizes[] = {[TAG_INT8] = 1,
                                   [TAG_INT32] = 4,
                                   [TAG_INT64] = 8,
                                   [TAG_FLOAT] = 8,
                                   [TAG_COMPLEX] = 16};
    const unsigned char *from = next(r, sizes[tag]);
    int8_t narrow;
    int32_t middle;
    int64_t wide;
    double number;
    Py_complex pair;

    if (!from)
        return damaged(r);
    switch (tag) {
    case TAG_INT8:
        memcpy(&narrow, from, sizeof narrow);
        return PyLong_FromLong(narrow);
    case TAG_INT32:
        memcpy(&middle, from, sizeof middle);
        return PyLong_FromLong(middle);
    case TAG_INT64:
        memcpy(&wide, from, sizeof wide);
        return PyLong_FromLongLong(wide);
    case TAG_FLOAT:
        memcpy(&number, from, sizeof number);
        return PyFloat_FromDouble(number);
    default:
        memcpy(&pair, from, sizeof pair);
        return PyComplex_FromCComplex(pair);
    }
}

/* Numbers come by the million, and stay in the loops. */
static PyObject *get_other(reader *r, codec_tag tag);

static inline PyObject *get_value(reader *r)
{
    const unsigned char *tag = next(r, 1);

    if (!tag)
        return damaged(r);
    if (*tag >= TAG_INT8 && *tag <= TAG_COMPLEX)
        return get_number(r, (codec_tag)*tag);
    return get_other(r, (codec_tag)*tag);
}

static PyObject *get_run(reader *r, codec_tag tag)
{
    Py_ssize_t length = next_length(r);
    const char *from;

    if (length < 0)
        return damaged(r);
    from = (const char *)next(r, (size_t)length);
    if (tag == TAG_STR)
        return PyUnicode_DecodeUTF8(from, length, NULL);
    return tag == TAG_BYTES ? PyBytes_FromStringAndSize(from, length)
                            : PyByteArray_FromStringAndSize(from, length);
}

static PyObject *get_tuple(reader *r, Py_ssize_t length)
{
    PyObject *tuple = PyTuple_New(length);

    for (Py_ssize_t i = 0; tuple && i < length; i++) {
        PyObject *item = get_value(r);

        if (item)
            PyTuple_SET_ITEM(tuple, i, item);
        else
            Py_CLEAR(tuple);
    }
    return tuple;
}

static PyObject *get_list(reader *r, Py_ssize_t length)
{
    PyObject *list = PyList_New(length);

    for (Py_ssize_t i = 0; list && i < length; i++) {
        PyObject *item = get_value(r);

        if (item)
            PyList_SET_ITEM(list, i, item);
        else
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *get_set(reader *r, Py_ssize_t length, bool frozen)
{
    PyObject *set = frozen ? PyFrozenSet_New(NULL) : PySet_New(NULL);

    for (Py_ssize_t i = 0; set && i < length; i++) {
        PyObject *item = get_value(r);

        if (!item || PySet_Add(set, item) < 0)
            Py_CLEAR(set);
        Py_XDECREF(item);
    }
    return set;
}

static PyObject *get_dict(reader *r, Py_ssize_t length)
{
    PyObject *dict = PyDict_New();

    for (Py_ssize_t i = 0; dict && i < length; i++) {
        PyObject *key = get_value(r), *value = key ? get_value(r) : NULL;

        if (!value || PyDict_SetItem(dict, key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *get_container(reader *r, codec_tag tag)
{
    Py_ssize_t length = next_length(r);
    PyObject *container;

    if (length < 0 || r->depth == CODEC_DEPTH)
        return damaged(r);
    r->depth++;
    switch (tag) {
    case TAG_TUPLE:
        container = get_tuple(r, length);
        break;
    case TAG_LIST:
        container = get_list(r, length);
        break;
    case TAG_DICT:
        container = get_dict(r, length);
        break;
    default:
        container = get_set(r, length, tag == TAG_FROZENSET);
    }
    r->depth--;
    return container;
}

static PyObject *get_other(reader *r, codec_tag tag)
{
    switch (tag) {
    case TAG_NONE:
        return Py_NewRef(Py_None);
    case TAG_FALSE:
        return Py_NewRef(Py_False);
    case TAG_TRUE:
        return Py_NewRef(Py_True);
    case TAG_STR:
    case TAG_BYTES:
    case TAG_BYTEARRAY:
        return get_run(r, tag);
    case TAG_TUPLE:
    case TAG_LIST:
    case TAG_SET:
    case TAG_FROZENSET:
    case TAG_DICT:
        return get_container(r, tag);
    default:
        return damaged(r);
    }
}

static PyObject *read_tagged(core_state *state, const void *bytes, size_t length)
{
    reader r = {
        .state = state, .at = bytes, .end = (const unsigned char *)bytes + length};
    PyObject *value = get_value(&r);

    if (value && r.at != r.end) {
        Py_DECREF(value);
        return damaged(&r);
    }
    return value;
}

/* ---- runs that may come apart -------------------------------------------- */

static void copy_out(const void *body, const par_part *parts, size_t part_count)
{
    const char *from = body;

    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].bytes)
            memcpy(parts[i].data, from, parts[i].bytes);
        from += parts[i].bytes;
    }
}

int codec_fill(core_state *state, codec_in *in, const par_part *parts, size_t part_count)
{
    par_error err = PAR_OK;

    if (in->body)
        copy_out(in->body, parts, part_count);
    else
        err = par_message_take(in->message_p, parts, part_count);
    in->is_taken = !err;
    return errors_raise_if(state, err);
}

/* FRESH, an object of the right size with room at TO, filled with the body. */
static PyObject *filled(core_state *state, codec_in *in, PyObject *fresh, void *to)
{
    par_part whole = {to, (size_t)in->content.bytes};

    if (fresh && codec_fill(state, in, &whole, 1) < 0)
        Py_CLEAR(fresh);
    return fresh;
}

typedef PyObject *make(core_state *state, const void *bytes, size_t length);

/* What MAKE makes of the body, wherever that lies. */
static PyObject *made(core_state *state, codec_in *in, make *from)
{
    par_part whole = {NULL, (size_t)in->content.bytes};
    PyObject *object;

    if (in->body || !whole.bytes) {
        in->is_taken = true;
        return from(state, in->body ? in->body : "", whole.bytes);
    }
    whole.data = PyMem_RawMalloc(whole.bytes);
    if (!whole.data)
        return PyErr_NoMemory();
    object = codec_fill(state, in, &whole, 1) < 0 ? NULL
                                                  : from(state, whole.data, whole.bytes);
    PyMem_RawFree(whole.data);
    return object;
}

/* Text of C that is no UTF-8 keeps its bytes, as file names do. */
static PyObject *make_str(core_state *Py_UNUSED(state), const void *bytes, size_t length)
{
    return PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)length, "surrogateescape");
}

/* A long one is received straight into the str. */
static PyObject *decode_str(core_state *state, codec_in *in)
{
    PyObject *text;

    if (in->content.variant != CODEC_ASCII || in->body || !in->content.bytes)
        return made(state, in, make_str);
    text = PyUnicode_New((Py_ssize_t)in->content.bytes, 127);
    return filled(state, in, text, text ? PyUnicode_1BYTE_DATA(text) : NULL);
}

static PyObject *decode_bytes(core_state *state, codec_in *in)
{
    Py_ssize_t length = (Py_ssize_t)in->content.bytes;
    PyObject *bytes;

    if (in->content.variant == CODEC_BYTEARRAY) {
        bytes = PyByteArray_FromStringAndSize(NULL, length);
        return filled(state, in, bytes, bytes ? PyByteArray_AS_STRING(bytes) : NULL);
    }
    bytes = PyBytes_FromStringAndSize(NULL, length);
    return filled(state, in, bytes, bytes ? PyBytes_AS_STRING(bytes) : NULL);
}

/* ---- choice ------------------------------------------------------------- */

PyObject *codec_read(core_state *state, codec_in *in)
{
    const par_content *content = &in->content;

    if (content->kind == PAR_ARRAY) {
        if (content->type == PAR_CHAR && content->dims == 1)
            return decode_str(state, in);
        if (content->type == PAR_BYTE && content->dims == 1)
            return decode_bytes(state, in);
        return array_decode(state, in);
    }
    if (content->type == CODEC_TAGGED && content->part_count == 1)
        return made(state, in, read_tagged);
    if (content->type == CODEC_PICKLE)
        return pickle_decode(state, in);
    PyErr_Format(state->error,
                 "rank %d: the message holds an object in encoding %d, which is not "
                 "Python's: it is 1 or 2",
                 state->rank, content->type);
    return NULL;
}

/* ---- messages ----------------------------------------------------------- */

PyObject *codec_name_message(const par_status *status)
{
    if (status->tag < 0) /* a collective call's */
        return PyUnicode_FromFormat("the message from rank %d", status->source);
    return PyUnicode_FromFormat("the message from rank %d with tag %d", status->source,
                                status->tag);
}

/* What went wrong is the object's affair; say which message it was. */
static void add_note(const par_status *status)
{
    PyObject *error = errors_take(), *result = NULL;
    PyObject *message = codec_name_message(status), *note = NULL;

    if (message)
        note = PyUnicode_FromFormat("while decoding %U", message);
    Py_XDECREF(message);
    if (note)
        result = PyObject_CallMethod(error, "add_note", "O", note);
    Py_XDECREF(note);
    Py_XDECREF(result);
    PyErr_Clear();
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DECREF(error);
}

int codec_take(core_state *state, par_message **message_p, void *to, size_t bytes)
{
    return errors_raise_if(state, par_message_take(message_p, &(par_part){to, bytes}, 1));
}

PyObject *codec_decode(core_state *state, par_message **message_p)
{
    codec_in in = {.message_p = message_p};
    par_status status;
    PyObject *object;

    par_message_content(*message_p, &in.content, &status);
    in.body = par_message_body(*message_p);
    object = codec_read(state, &in);
    if (!in.is_taken)
        return object;
    if (!object)
        add_note(&status);
    par_message_free(message_p); /* where its body has not been taken out of it */
    return object;
}

PyObject *codec_decode_into(core_state *state, par_message **message_p, PyObject *buffer,
                            bool exact)
{
    PyObject *array = array_of_buffer(state, buffer);
    int failed;

    if (!array)
        return NULL;
    if (array == Py_None) {
        Py_DECREF(array);
        return codec_decode(state, message_p);
    }
    failed = array_receive(state, message_p, array, exact);
    Py_DECREF(array);
    return failed ? NULL : Py_NewRef(buffer);
}

static bool is_mismatch(core_state *state)
{
    return PyErr_ExceptionMatches(state->type_mismatch) ||
           PyErr_ExceptionMatches(state->size_mismatch);
}

/* Whether both are objects: no array's memory comes into it. */
static bool is_object_for(const par_message *message, PyObject *buffer)
{
    par_content content;

    par_message_content(message, &content, NULL);
    return content.kind == PAR_OBJECT && array_is(buffer) && !array_check(buffer);
}

PyObject *codec_decode_for(core_state *state, par_message **message_p, PyObject *buffer,
                           bool exact, bool vanilla)
{
    PyObject *object;

    if (!buffer || buffer == Py_None || is_object_for(*message_p, buffer))
        return codec_decode(state, message_p);
    object = codec_decode_into(state, message_p, buffer, exact);
    if (object || !vanilla || !is_mismatch(state))
        return object;
    PyErr_Clear(); /* the message is untouched */
    return codec_decode(state, message_p);
}
