/* check_par.c - Check for the ranks of a job: main, failures, and what fills buffers.
 * SPDX-License-Identifier: MIT */
#include "check_par.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

par_comm *world;
int me, ranks = 1;
const char *check_path;

/* Check runs the tests of this process alone: a failure is its own business. */
static bool check_may_go_on;

/* ---- failures ------------------------------------------------------------ */

static void print_failure(const char *file, int line, const char *reason)
{
    const char *name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    const char *test = tcase_name() ? tcase_name() : "outside of tests";
    char rank[32] = "";

    if (world)
        snprintf(rank, sizeof rank, "[rank %d] ", me);
    fflush(stdout);
    /* In one piece, for other ranks may print theirs at the same time. */
    fprintf(stderr, "%s%s: %s:%d: %s\n", rank, test, name, line, reason);
    fflush(stderr);
}

#undef _ck_assert_failed

_Noreturn void check_failed(const char *file, int line, const char *expression,
                            const char *format, ...)
{
    char reason[1024];
    va_list args;

    snprintf(reason, sizeof reason, "%s", expression);
    if (format) {
        va_start(args, format);
        vsnprintf(reason, sizeof reason, format, args);
        va_end(args);
    }
    if (check_may_go_on)
        _ck_assert_failed(file, line, expression, "%s", reason);
    print_failure(file, line, reason);
    par_abort(EXIT_FAILURE, NULL);
}

void check_error(par_error expected, par_error got, const char *call, const char *file,
                 int line)
{
    if (got == expected)
        return;
    check_failed(file, line, call, "%s: \"%s\" instead of \"%s\"; last detail: %s", call,
                 par_strerror(got), par_strerror(expected), par_error_detail());
}

void check_detail(const char *text, const char *file, int line)
{
    if (!strstr(par_error_detail(), text))
        check_failed(file, line, text, "\"%s\" is not in the detail: %s", text,
                     par_error_detail());
}

/* ---- tests --------------------------------------------------------------- */

/* A test takes all its messages: nothing is left to the next one. The second
 * barrier keeps the next one's messages from being taken for this one's. */
static void end_test(void)
{
    par_status left;
    bool found;

    ck_ok(par_barrier(world));
    ck_ok(par_probe_now(world, PAR_ANY_SOURCE, PAR_ANY_TAG, &left, &found));
    if (found)
        check_failed(__FILE__, __LINE__, "no message is left",
                     "the test left a message from rank %d, tag %d", left.source,
                     left.tag);
    ck_ok(par_barrier(world));
}

void check_add_loop(Suite *suite, const char *name, const TTest *test, int count)
{
    TCase *tcase;

    if (!suite)
        return;
    tcase = tcase_create(name);
    if (!program.alone)
        tcase_add_checked_fixture(tcase, NULL, end_test);
    tcase_add_loop_test(tcase, test, 0, count);
    suite_add_tcase(suite, tcase);
}

static int run_tests(void)
{
    Suite *suite = suite_create(program.name);
    SRunner *runner;
    int failed;

    program.add(suite);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    check_may_go_on = program.alone;
    srunner_run_all(runner, me ? CK_SILENT : CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    int status;

    check_path = argv[0];
    if (argc > 1)
        return program.play ? program.play(argv[1]) : 2;
    if (program.alone)
        return run_tests();
    ck_ok(par_init(&argc, &argv, NULL, &world));
    me = par_rank(world);
    ranks = par_size(world);
    status = run_tests();
    ck_ok(par_finalize());
    return status;
}

/* ---- what fills buffers --------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t check_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void check_fill(void *data, size_t bytes, uint64_t seed)
{
    unsigned char *to = data;

    for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
        uint64_t word = check_next(&seed);

        memcpy(to + at, &word, bytes - at < sizeof word ? bytes - at : sizeof word);
    }
}

bool check_is_filled(const void *data, size_t bytes, uint64_t seed)
{
    const unsigned char *from = data;

    for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
        uint64_t word = check_next(&seed);

        if (memcmp(from + at, &word, bytes - at < sizeof word ? bytes - at : sizeof word))
            return false;
    }
    return true;
}

void *check_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);

    ck_assert_msg(memory != NULL, "no memory for %zu bytes", bytes);
    return memory;
}
