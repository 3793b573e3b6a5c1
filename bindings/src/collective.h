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

/* Encode ITEMS, one for each of SIZE ranks; free O, which was {0}, after success and
 * after failure, which is -1 with an exception. */
int collective_outs_make(core_state *state, collective_outs *o, PyObject *const *items,
                         int size);
void collective_outs_free(collective_outs *o);

/* The objects in MESSAGES, which are all ended, with MINE at place HERE, as a list;
 * NULL with an exception. */
PyObject *collective_decode_all(core_state *state, par_message **messages, int size,
                                PyObject *mine, int here);

#endif
