/* check_stderr.c - what a test's own process writes to stderr.
 * SPDX-License-Identifier: MIT */
#include "check_stderr.h"

#include <unistd.h>

#include "check_par.h"

const char *check_stderr(void print(void))
{
    static char text[65536];
    size_t used = 0;
    ssize_t more;
    int ends[2], kept = dup(STDERR_FILENO);

    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    print();
    dup2(kept, STDERR_FILENO); /* the last writer is gone */
    close(kept);
    while ((more = read(ends[0], text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)more;
    close(ends[0]);
    text[used] = '\0';
    return text;
}
