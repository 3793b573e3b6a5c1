/* memo.h - a set of objects that have been seen, by identity.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_MEMO_H
#define PYPAR_MEMO_H

#include <stdbool.h>
#include <stddef.h>

enum { MEMO_FIRST = 16 };

/* Open addressing; CAPACITY is a power of two and never more than half used. */
typedef struct memo {
    const void **slots;
    size_t capacity, used;
    const void *first[MEMO_FIRST];
} memo;

typedef enum memo_answer {
    MEMO_NEW,
    MEMO_SEEN,
    MEMO_NO_MEMORY,
} memo_answer;

void memo_init(memo *m);
void memo_free(memo *m);

/* Note OBJECT, and say whether it had been noted before. */
memo_answer memo_add(memo *m, const void *object);

#endif
