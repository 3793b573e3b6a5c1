/* environ.c - environment variables that are set for a while, or taken away.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* environ */
#include "environ.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t count(char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

static void free_list(char **list)
{
    for (char **at = list; at && *at; at++)
        free(*at);
    free(list);
}

static char **copy_names(size_t n)
{
    char **names = calloc(n + 1, sizeof *names);

    for (size_t i = 0; names && i < n; i++) {
        names[i] = strndup(environ[i], strcspn(environ[i], "="));
        if (!names[i]) {
            free_list(names);
            return NULL;
        }
    }
    return names;
}

char **environ_remember(void)
{
    return copy_names(count(environ));
}

static bool has(char *const *names, const char *name)
{
    for (; *names; names++)
        if (!strcmp(*names, name))
            return true;
    return false;
}

void environ_restore(char **names)
{
    char **now = names ? environ_remember() : NULL;

    for (char **at = now; at && *at; at++)
        if (!has(names, *at))
            unsetenv(*at);
    free_list(now);
    free_list(names);
}

void environ_forget(const char *prefix)
{
    char **now = environ_remember();

    for (char **at = now; at && *at; at++)
        if (!strncmp(*at, prefix, strlen(prefix)))
            unsetenv(*at);
    free_list(now);
}
