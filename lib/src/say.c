/* say.c - a line on stderr, with the ranks that it is about.
 * SPDX-License-Identifier: MIT */
#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "numbers.h"
#include "par.h"

static int job_size = 1;

void say_configure(int size)
{
    job_size = size;
}

void say_name(char name[SAY_NAME_BYTES], int rank, int pid)
{
    *name = '\0';
    if (job_size > 1)
        snprintf(name, SAY_NAME_BYTES, "[rank %d of %d · %s · %d] ", rank, job_size,
                 par_hostname(), pid);
}

static void put(const char *text, size_t length)
{
    while (length) {
        ssize_t done = write(STDERR_FILENO, text, length);

        if (done < 0 && errno != EINTR)
            return; /* nobody listens */
        if (done > 0) {
            text += done;
            length -= (size_t)done;
        }
    }
}

void say(const char *name, const char *text)
{
    size_t bytes = strlen(name) + strlen(text) + 2;
    const char *end = *text && text[strlen(text) - 1] == '\n' ? "" : "\n";
    char *piece = malloc(bytes);

    if (!piece) { /* then in several, which those of others may come between */
        put(name, strlen(name));
        put(text, strlen(text));
        put(end, strlen(end));
        return;
    }
    put(piece, (size_t)snprintf(piece, bytes, "%s%s%s", name, text, end));
    free(piece);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

void say_of(int *ranks, int count, const char *text)
{
    char list[256], name[256 + SAY_NAME_BYTES];

    qsort(ranks, (size_t)count, sizeof *ranks, by_number);
    numbers_text(ranks, count, list, sizeof list);
    snprintf(name, sizeof name, "[ranks %s of %d · %s] ", list, job_size, par_hostname());
    say(name, text);
}
