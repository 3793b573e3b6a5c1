/* same.c - texts of several ranks, of which the same one is written once.
 * SPDX-License-Identifier: MIT */
#include "same.h"

#include <stdlib.h>
#include <string.h>

#include "say.h"

/* The number at *AT, which moves behind it. */
static unsigned long long number(const char **at, int base)
{
    char *end;
    unsigned long long value = strtoull(*at, &end, base);

    *at = end;
    return value;
}

static bool both_begin(const char *x, const char *y, const char *word)
{
    return !strncmp(x, word, strlen(word)) && !strncmp(y, word, strlen(word));
}

bool same_texts(const same_text *a, const same_text *b)
{
    const char *x = a->text, *y = b->text;

    while (*x && *x == *y) {
        bool address = both_begin(x, y, "0x"), rank = both_begin(x, y, "rank ");
        unsigned long long one, other;

        x += rank ? 5 : address ? 2 : 1;
        y += rank ? 5 : address ? 2 : 1;
        if (!rank && !address)
            continue;
        one = number(&x, rank ? 10 : 16);
        other = number(&y, rank ? 10 : 16);
        if (rank && one != other &&
            (one != (unsigned)a->rank || other != (unsigned)b->rank))
            return false;
    }
    return *x == *y;
}

/* Write the first of the COUNT TEXTS for all who say the same; those are taken out.
 * Returns how many are left. */
static int say_first(same_text *texts, int count, int *ranks)
{
    const same_text first = texts[0];
    char name[SAY_NAME_BYTES];
    int alike = 0, left = 0;

    for (int i = 0; i < count; i++)
        if (same_texts(&first, &texts[i]))
            ranks[alike++] = texts[i].rank;
        else
            texts[left++] = texts[i];
    if (alike > 1) {
        say_of(ranks, alike, first.text);
    } else {
        say_name(name, first.rank, first.pid);
        say(name, first.text);
    }
    return left;
}

int same_say(same_text *texts, int count, int most, int *ranks)
{
    for (int i = 0; count && i < most; i++)
        count = say_first(texts, count, ranks);
    return count;
}
