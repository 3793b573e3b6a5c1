/* block.c - memory for large arrays, used again.
 * SPDX-License-Identifier: MIT */
#include "block.h"

#include <stdlib.h>
#include <sys/mman.h>

enum {
    KEPT = 8,
    KEPT_BYTES = 128 << 20, /* all together: no more is held back from the rest */
    ALIGNMENT = 2 << 20,    /* of a huge page */
};

typedef struct block {
    void *data;
    size_t bytes;
} block;

/* The last given back comes last. */
static block kept[KEPT];
static int count;
static size_t kept_bytes;

static block take_out(int i)
{
    block b = kept[i];

    kept_bytes -= b.bytes;
    count--;
    for (; i < count; i++)
        kept[i] = kept[i + 1];
    return b;
}

/* They are not what is being used now. */
static void drop_all(void)
{
    while (count)
        free(kept[--count].data);
    kept_bytes = 0;
}

static void keep(block b)
{
    if (b.bytes > KEPT_BYTES) {
        free(b.data);
        return;
    }
    if (count == KEPT || kept_bytes + b.bytes > KEPT_BYTES)
        drop_all();
    kept[count++] = b;
    kept_bytes += b.bytes;
}

/* The last that BYTES fit, without wasting as much again; else fresh memory. */
static block find(size_t bytes)
{
    block b = {.bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT};

    for (int i = count - 1; i >= 0; i--)
        if (kept[i].bytes >= bytes && kept[i].bytes / 2 <= b.bytes)
            return take_out(i);
    b.data = aligned_alloc(ALIGNMENT, b.bytes);
    if (b.data)
        madvise(b.data, b.bytes, MADV_HUGEPAGE); /* a wish */
    return b;
}

static void destroy(PyObject *capsule)
{
    block *b = PyCapsule_GetPointer(capsule, NULL);

    keep(*b);
    PyMem_RawFree(b);
}

PyObject *block_new(size_t bytes, void **data_p)
{
    block *b = PyMem_RawMalloc(sizeof *b);
    PyObject *capsule;

    if (!b)
        return PyErr_NoMemory();
    *b = find(bytes);
    capsule = b->data ? PyCapsule_New(b, NULL, destroy) : PyErr_NoMemory();
    if (!capsule) {
        free(b->data);
        PyMem_RawFree(b);
        return NULL;
    }
    *data_p = b->data;
    return capsule;
}
