/* numbers.c - lists of numbers, and of hosts that are numbered, as text.
 * SPDX-License-Identifier: MIT */
#include "numbers.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that is cut at a part which does not fit. */
typedef struct list {
    char *text;
    size_t size, length;
    bool full;
} list;

static list begin(char *text, size_t size)
{
    *text = '\0';
    return (list){.text = text, .size = size};
}

/* Add FIRST, or FIRST-LAST, if it and what may stand for all behind it fit. */
static void add(list *l, const char *first, const char *last)
{
    static const char rest[] = ",...";
    const char *comma = l->length ? "," : "";
    size_t left = l->size - l->length;
    int wanted = snprintf(l->text + l->length, left, "%s%s%s%s", comma, first,
                          last ? "-" : "", last ? last : "");

    l->full = (size_t)wanted + sizeof rest > left;
    if (l->full)
        snprintf(l->text + l->length, left, "%s", rest + !*comma);
    else
        l->length += (size_t)wanted;
}

char *numbers_text(const int *numbers, int count, char *text, size_t size)
{
    list l = begin(text, size);
    char first[16], last[16];

    for (int i = 0, end; i < count && !l.full; i = end) {
        for (end = i + 1; end < count && numbers[end] == numbers[end - 1] + 1; end++)
            ;
        snprintf(first, sizeof first, "%d", numbers[i]);
        snprintf(last, sizeof last, "%d", numbers[end - 1]);
        add(&l, first, end - i > 1 ? last : NULL);
    }
    return text;
}

char *numbers_set(const mask *set, char *text, size_t size)
{
    list l = begin(text, size);
    char first[16], last[16];

    for (int from = -1, to; (from = mask_next(set, from)) >= 0 && !l.full; from = to) {
        for (to = from; mask_has(set, to + 1); to++)
            ;
        snprintf(first, sizeof first, "%d", from);
        snprintf(last, sizeof last, "%d", to);
        add(&l, first, to > from ? last : NULL);
    }
    return text;
}

/* Where the number at the end of NAME begins: at its end if there is none. */
static size_t stem(const char *name)
{
    size_t at = strlen(name);

    while (at && name[at - 1] >= '0' && name[at - 1] <= '9')
        at--;
    return at;
}

/* Whether NEXT is NAME with the next number. */
static bool follows(const char *name, const char *next)
{
    size_t at = stem(name);
    const char *a = name + at, *b = next + at;

    if (!*a || stem(next) != at || strncmp(name, next, at) != 0)
        return false;
    if ((*a == '0' || *b == '0') && strlen(a) != strlen(b)) /* a01 is not a1 */
        return false;
    return strtoull(a, NULL, 10) + 1 == strtoull(b, NULL, 10);
}

char *numbers_names(const char *const *names, int count, char *text, size_t size)
{
    list l = begin(text, size);

    for (int i = 0, end; i < count && !l.full; i = end) {
        for (end = i + 1; end < count && follows(names[end - 1], names[end]); end++)
            ;
        add(&l, names[i], end - i > 1 ? names[end - 1] : NULL);
    }
    return text;
}
