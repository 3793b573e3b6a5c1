/* block.h - memory for large arrays, used again.
 * SPDX-License-Identifier: MIT
 *
 * The kernel clears each page of fresh memory, which takes longer than to receive
 * into it. So what a large array has left is kept for the next. Needs the GIL.
 */
#ifndef PYPAR_BLOCK_H
#define PYPAR_BLOCK_H

#include "state.h"

/* From this size on it is worth it; below, malloc does the same. */
enum { BLOCK_MIN = 1 << 20 };

/* A capsule with memory of BYTES or more at *DATA_P, not cleared, which is kept for
 * the next when the capsule dies; NULL with an exception. */
PyObject *block_new(size_t bytes, void **data_p);

#endif
