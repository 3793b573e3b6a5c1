/* check_par.h - Check for the ranks of a job: what all test programs share.
 * SPDX-License-Identifier: MIT
 *
 * A test program defines `program`; check_par.c has its main(). Every rank runs
 * every test, one after the other, with a barrier behind each. The names of the
 * tests are sentences; CK_RUN_CASE=name runs one alone.
 */
#ifndef CHECK_PAR_H
#define CHECK_PAR_H

#include <check.h>
#include <stdlib.h>

#include "par.h"

/* Check leaves a failed test by longjmp and goes on with the next one, while
 * the other ranks wait for messages that never come. So a failure prints its
 * reason with the rank and ends the job, on the spot and in any thread. */
#define _ck_assert_failed check_failed /* NOLINT(bugprone-reserved-identifier) */
/* Check notes each assertion in a file, which costs more than many of our
 * calls and knows no threads. */
#define _mark_point(file, line) ((void)0) /* NOLINT(bugprone-reserved-identifier) */

_Noreturn void check_failed(const char *file, int line, const char *expression,
                            const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The call succeeds; if not, the failure shows the reason. */
#define ck_ok(call) ck_fails(PAR_OK, call)

/* The call returns the par_error EXPECTED. */
#define ck_fails(expected, call) \
    check_error((expected), (call), #call, __FILE__, __LINE__)

/* The detail of this thread's last error has TEXT in it. */
#define ck_detail(text) check_detail((text), __FILE__, __LINE__)

void check_error(par_error expected, par_error got, const char *call, const char *file,
                 int line);
void check_detail(const char *text, const char *file, int line);

/* What a test program is. */
typedef struct check_program {
    const char *name;
    void (*add)(Suite *suite);
    /* Its tests start no rank: they call nothing that needs the job, or start
     * jobs of their own. */
    bool alone;
    /* What such a job runs: this program again, in ROLE; gives its exit status. */
    int (*play)(const char *role);
} check_program;

extern const check_program program;

/* The world, this rank and the number of ranks; NULL, 0 and 1 if alone. */
extern par_comm *world;
extern int me, ranks;

/* Where this program lies. */
extern const char *check_path;

/* Add a test to SUITE. */
#define check_add(suite, test) check_add_test((suite), #test, (test))

/* Add a test that wants LEAST ranks or more. */
#define check_add_from(suite, least, test) \
    check_add_test(ranks >= (least) ? (suite) : NULL, #test, (test))

/* Add a test that runs for each _i below COUNT. */
#define check_add_each(suite, count, test) \
    check_add_loop((suite), #test, (test), (int)(count))

#define check_add_test(suite, name, test) check_add_loop((suite), (name), (test), 1)

void check_add_loop(Suite *suite, const char *name, const TTest *test, int count);

/* Numbers that look random and are the same in every run and on every rank:
 * the next one after STATE, which is any number at first. */
uint64_t check_next(uint64_t *state);

/* BYTES bytes that depend on SEED alone, written to DATA or compared with it. */
void check_fill(void *data, size_t bytes, uint64_t seed);
bool check_is_filled(const void *data, size_t bytes, uint64_t seed);

/* Zeroed memory, or the end of the test. */
void *check_alloc(size_t bytes);

#endif
