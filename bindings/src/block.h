/* block.h - memory that arrays lie in, the library's.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_BLOCK_H
#define PYPAR_BLOCK_H

#include "state.h"

/* From this size on what an array has left is used again; below, NumPy's own is as good.
 */
enum { BLOCK_MIN = 1 << 20 };

/* A capsule that frees MEMORY, of par_alloc, when it dies; NULL with an exception, and
 * MEMORY is free. */
PyObject *block_own(void *memory);

/* A capsule with memory of BYTES or more at *DATA_P, not cleared; NULL with an
 * exception. */
PyObject *block_new(size_t bytes, void **data_p);

#endif
