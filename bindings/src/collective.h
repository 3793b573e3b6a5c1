/* collective.h - what the collective calls have in common.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_COLLECTIVE_H
#define PYPAR_COLLECTIVE_H

#include "codec.h"

/* Which rank is root: what differs there begins before libpar is called. -1 with an
 * exception. */
int collective_get_root(core_state *state, par_comm *par, PyObject *value, int *root_p);

/* What a rank sends, an object for each. */
typedef struct collective_outs {
    codec_out *each;
    par_content *contents;
    const par_part **parts;
    size_t *part_counts;
    int encoded;
} collective_outs;

/* codec_encode for a collective call; where it fails, the call of the other ranks has
 * failed, too. */
int collective_encode(core_state *state, par_comm *par, PyObject *object, codec_out *out);

/* The same of ITEMS, one for each rank; free O, which was {0}, after success and after
 * failure, which is -1 with an exception. */
int collective_outs_make(core_state *state, collective_outs *o, par_comm *par,
                         PyObject *const *items);
void collective_outs_free(collective_outs *o);

/* The objects in MESSAGES, which are all ended, with MINE at place HERE: as a list, or
 * as BUFFER, whose ROOM they fill, where that is not NULL. NULL with an exception. */
PyObject *collective_take_all(core_state *state, par_message **messages, int size,
                              PyObject *mine, int here, PyObject *buffer, PyObject *room);

/* Whether the caller gave VALUE. */
static inline bool collective_is_given(PyObject *value)
{
    return value && value != Py_None;
}

/* *ROOM_P is a new reference to BUFFER as an array with rows; NULL where it is not
 * given. -1 with an exception. */
int collective_get_room(core_state *state, PyObject *buffer, PyObject **room_p);

/* Whether each rank's part is to be cut out of OBJECTS, as where COUNTS are given, or
 * BUFFER, which one array fills; else OBJECTS are one for each rank. */
bool collective_is_cut(PyObject *objects, PyObject *counts, PyObject *buffer);

/* What OBJECTS, so CUT or not, have for each rank: a tuple. NULL with an exception that
 * names FUNCTION, and then the call of the other ranks has failed, too. */
PyObject *collective_items(core_state *state, par_comm *par, const char *function,
                           PyObject *objects, PyObject *counts, bool cut);

/* What a reduce or one of its kin joins, which all ranks make as JOIN says, as a list:
 * all ranks' OBJECT, on the rank that ROOT is, others get None; the same on all ranks; or
 * the parts for this rank of all ranks' OBJECT, which is an array, or anything where
 * COUNTS are given, or one object for each rank. NULL with an exception. */
PyObject *collective_gather_to_join(core_state *state, par_comm *par, PyObject *object,
                                    PyObject *root, const par_join *join);
PyObject *collective_allgather_to_join(core_state *state, par_comm *par, PyObject *object,
                                       const par_join *join);
PyObject *collective_exchange_to_join(core_state *state, par_comm *par, PyObject *object,
                                      PyObject *counts, const par_join *join);

#endif
