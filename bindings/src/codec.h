/* codec.h - Python objects <-> the content of messages.
 * SPDX-License-Identifier: MIT
 *
 *     str, bytes, bytearray      PAR_ARRAY of PAR_CHAR or PAR_BYTE
 *     NumPy arrays and scalars   PAR_ARRAY of their par_type, or of PAR_OPAQUE
 *                                with the pickled dtype as extra description
 *     None, bool, int, float,    PAR_OBJECT in the tagged form
 *     complex, and tuple, list,
 *     dict, set of such
 *     all else                   PAR_OBJECT, pickled: the pickle and then its
 *                                buffers, a part each
 *
 * encode.c and decode.c choose; array.c and pickle.c know their libraries.
 */
#ifndef PYPAR_CODEC_H
#define PYPAR_CODEC_H

#include "state.h"

/* The encodings of PAR_OBJECT. */
enum { CODEC_TAGGED = 1, CODEC_PICKLE = 2 };

/* Variants of PAR_CHAR, of PAR_BYTE, and of an array's other types. What C sends has 0.
 */
enum { CODEC_UTF8 = 0, CODEC_ASCII = 1 };
enum { CODEC_BYTES = 0, CODEC_BYTEARRAY = 1 };
enum { CODEC_FORTRAN = 1, CODEC_SCALAR = 2 };

/* The first byte of a value in the tagged form, and what follows it; numbers are
 * little-endian. A LENGTH is one byte, or 255 and eight bytes. */
typedef enum codec_tag {
    TAG_NONE,
    TAG_FALSE,
    TAG_TRUE,
    TAG_INT8, /* 1, 4, 8 bytes */
    TAG_INT32,
    TAG_INT64,
    TAG_FLOAT,     /* 8 bytes */
    TAG_COMPLEX,   /* 16 bytes */
    TAG_STR,       /* length, UTF-8 */
    TAG_BYTES,     /* length, bytes */
    TAG_BYTEARRAY, /* likewise */
    TAG_TUPLE,     /* length, values */
    TAG_LIST,
    TAG_SET,
    TAG_FROZENSET,
    TAG_DICT, /* length, pairs of values */
} codec_tag;

enum {
    CODEC_LENGTH_LONG = 255,
    CODEC_DEPTH = 64, /* of containers in containers; deeper ones are pickled */
    CODEC_MAX_DIMS = 64,
};

/* An object that is ready to be sent. */
typedef struct codec_out {
    par_content content;   /* of an array its length, too */
    const par_part *parts; /* &one, or the list below */
    size_t part_count;
    par_part one;
    par_part *list;          /* owned; NULL without */
    unsigned char *copy;     /* owned; NULL without */
    PyObject *owner, *extra; /* who has the memory of the parts and of the extra */
    uint64_t shape[CODEC_MAX_DIMS];
    /* the tagged form grows here: in FIRST, or in memory of its own */
    unsigned char *bytes;
    size_t used, room;
    unsigned char first[512];
} codec_out;

/* Encode OBJECT; OUT must be released after success and after failure, which is
 * -1 with an exception. OBJECT must stay unchanged until then. */
int codec_encode(core_state *state, PyObject *object, codec_out *out);
void codec_release(codec_out *out);

/* Copy what is to be sent into memory of OUT's own, so that the object may change.
 * -1 with an exception. */
int codec_copy(codec_out *out);

/* Give what OUT owns to TO; to release OUT does nothing then. What is being sent
 * goes on being sent; it cannot be sent again. */
void codec_move(codec_out *to, codec_out *out);

/* What is to be decoded, and where its body comes from. */
typedef struct codec_in {
    par_content content;
    const void *body; /* NULL where it is to be taken out of *MESSAGE_P */
    par_message **message_p;
    PyObject *owner; /* of BODY, of whose memory an array may be made; NULL: copy it */
    bool is_taken;   /* the body, for better or worse: it cannot be decoded again */
} codec_in;

/* The object that IN holds; NULL with an exception. */
PyObject *codec_read(core_state *state, codec_in *in);

/* Get the body of IN into PARTS, which are those of its content. -1 with an exception. */
int codec_fill(core_state *state, codec_in *in, const par_part *parts, size_t part_count);

/* The object that *MESSAGE_P holds; ends the message. NULL with an exception: if
 * *MESSAGE_P is not NULL then, the message is untouched. */
PyObject *codec_decode(core_state *state, par_message **message_p);

/* What errors call the message that came with STATUS; NULL with an exception. */
PyObject *codec_name_message(const par_status *status);

/* Receive *MESSAGE_P into BUFFER where that can be written to, and return a new
 * reference to BUFFER; else decode it. EXACT: it must fill BUFFER. Fails like
 * codec_decode. */
PyObject *codec_decode_into(core_state *state, par_message **message_p, PyObject *buffer,
                            bool exact);

/* The same, with BUFFER NULL or None where there is none. An object takes the place of an
 * array that would be sent as one, too; VANILLA: anything takes the place of a BUFFER
 * that it doesn't fit. */
PyObject *codec_decode_for(core_state *state, par_message **message_p, PyObject *buffer,
                           bool exact, bool vanilla);

/* Receive the body of *MESSAGE_P, which is BYTES in one part, at TO; end the
 * message. -1 with an exception. */
int codec_take(core_state *state, par_message **message_p, void *to, size_t bytes);

/* ---- array.c ------------------------------------------------------------ */

/* Whether OBJECT is a NumPy array, of whatever elements. */
bool array_is(PyObject *object);

/* Whether OBJECT is an array, a scalar of NumPy or a memoryview that can travel as it is.
 */
bool array_check(PyObject *object);

/* As codec_encode, for such an object. */
int array_encode(core_state *state, PyObject *object, codec_out *out);

/* As codec_read, for an array. */
PyObject *array_decode(core_state *state, codec_in *in);

/* BUFFER as an array that can be written to, a new reference; Py_None (new)
 * where it is nothing to write to. NULL with an exception. */
PyObject *array_of_buffer(core_state *state, PyObject *buffer);

/* Receive *MESSAGE_P into ARRAY. Fails like codec_decode. */
int array_receive(core_state *state, par_message **message_p, PyObject *array,
                  bool exact);

/* BUFFER as an array that can be written to, a new reference; NULL with an exception,
 * which it is, too, where BUFFER is nothing to write to. */
PyObject *array_room(core_state *state, PyObject *buffer);

/* How many rows, which lie along the first axis, of ARRAY the array that CONTENT
 * describes is: one where it lacks that axis. -1 with an exception that names rank FROM
 * where it is of another type or its further axes differ. */
Py_ssize_t array_rows(core_state *state, const par_content *content, int from,
                      PyObject *array);

/* Copy what OUT, which is called WHAT, would send into ARRAY, which it must fill. -1
 * with an exception. */
int array_put(core_state *state, const codec_out *out, const char *what, PyObject *array);

/* The bytes of an element in what CONTENT describes; -1 with an exception. */
Py_ssize_t array_item_size(core_state *state, const par_content *content);

/* OBJECT as a C-contiguous array of elements that OP can join, or might if it were not
 * for its type. A new reference; Py_None (new) where OBJECT is no array, is of a subclass
 * that may hold more than elements, or its elements are not C's. NULL with an exception.
 */
PyObject *array_for_reduce(core_state *state, PyObject *object, par_op op);
void *array_data(PyObject *array, size_t *count_p, par_type *type_p);

/* An array, not filled yet, like ARRAY but with ROWS rows; all of them where that is
 * negative. */
PyObject *array_like(PyObject *array, Py_ssize_t rows);

/* Whether COUNT elements as ARRAY's, which is being read, can be written to ROOM as it
 * lies. */
bool array_can_take(PyObject *room, PyObject *array, size_t count);

/* ---- pickle.c ----------------------------------------------------------- */

int pickle_encode(core_state *state, PyObject *object, codec_out *out);
PyObject *pickle_decode(core_state *state, codec_in *in);

/* OBJECT as a bytes object; what such bytes say. */
PyObject *pickle_small(core_state *state, PyObject *object);
PyObject *pickle_read(core_state *state, const void *bytes, size_t length);

#endif
