/* check_stderr.h - what a test's own process writes to stderr.
 * SPDX-License-Identifier: MIT */
#ifndef CHECK_STDERR_H
#define CHECK_STDERR_H

/* What PRINT writes, until the next call. It must fit into a pipe. */
const char *check_stderr(void print(void));

#endif
