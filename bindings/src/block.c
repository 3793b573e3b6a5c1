/* block.c - memory that arrays lie in, the library's.
 * SPDX-License-Identifier: MIT */
#include "block.h"

static void destroy(PyObject *capsule)
{
    par_free(PyCapsule_GetPointer(capsule, NULL));
}

PyObject *block_own(void *memory)
{
    PyObject *capsule = PyCapsule_New(memory, NULL, destroy);

    if (!capsule)
        par_free(memory);
    return capsule;
}

PyObject *block_new(size_t bytes, void **data_p)
{
    *data_p = par_alloc(bytes);
    return *data_p ? block_own(*data_p) : PyErr_NoMemory();
}
