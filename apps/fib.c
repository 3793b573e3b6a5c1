/* fib.c - Fibonacci numbers the slow way, shared out among all ranks.
 * SPDX-License-Identifier: MIT
 */
#include "fib.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "args.h"
#include "must.h"

enum { LARGEST = 93, HOST_MAX = 64 }; /* fib(94) needs 65 bits */

static const unsigned char default_numbers[] = {38, 37, 36, 35, 34, 33};
static const char *const scatter_words[] = {"cost", "block", "pool", NULL};
static void (*const scatter_forms[])(par_comm *, fib_answer *) = {
    fib_run_by_cost, fib_run_by_block, fib_run_by_pool};

static uint64_t scatter;
uint64_t *fib_numbers;
size_t fib_count;

static const args_option options[] = {
    {"--scatter",
     "how the numbers are shared out: the costliest first, each to the rank with\n"
     "      the least to do; in blocks as they stand; or by a pool, each to the next\n"
     "      rank that is free",
     scatter_words, 0, 0, &scatter},
    {NULL, NULL, NULL, 0, 0, NULL},
};

static args_program program = {
    .name = "fib",
    .about = "Fibonacci numbers by naive recursion, shared out among all ranks",
    .options = options,
    .numbers_help = "which ones, 38 37 36 35 34 33 unless given",
    .min = 0,
    .max = LARGEST,
    .count_p = &fib_count,
};

void *fib_allocate(size_t n, size_t size)
{
    void *memory = calloc(n ? n : 1, size);

    if (!memory)
        fail(EXIT_FAILURE, "fib: no memory for %zu times %zu bytes", n, size);
    return memory;
}

/* ---- numbers ---------------------------------------------------------------- */

/* Naive on purpose. A compiler that sees through it inlines it into itself and
 * merges equal calls, and then the cost is no longer that of the calls. */
#if defined(__GNUC__)
__attribute__((noinline))
#endif
static uint64_t
fib(uint64_t n)
{
#if defined(__GNUC__)
    __asm__ volatile("" : "+r"(n));
#endif
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

/* Seconds that this rank has computed: those in which another rank had the
 * core don't count. */
static double cpu_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

fib_answer fib_compute(uint64_t n)
{
    double start = cpu_time();
    fib_answer a = {.value = fib(n)};

    a.seconds = cpu_time() - start;
    return a;
}

/* The costliest first; equal ones in the order given. */
static int compare_cost(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    if (fib_numbers[x] != fib_numbers[y])
        return fib_numbers[x] > fib_numbers[y] ? -1 : 1;
    return (x > y) - (x < y);
}

int64_t *fib_costliest_first(void)
{
    int64_t *order = fib_allocate(fib_count, sizeof *order);

    for (size_t i = 0; i < fib_count; i++)
        order[i] = (int64_t)i;
    qsort(order, fib_count, sizeof *order, compare_cost);
    return order;
}

/* ---- what is printed --------------------------------------------------------- */

static void print_values(const fib_answer *answers)
{
    putchar('[');
    for (size_t i = 0; i < fib_count; i++)
        printf("%s%" PRIu64, i ? ", " : "", answers[i].value);
    puts("]");
}

static void print_rank(int rank, const char *host, const fib_answer *answers,
                       double seconds)
{
    double busy = 0;
    bool has_some = false;

    for (size_t i = 0; i < fib_count; i++)
        busy += answers[i].rank == rank ? answers[i].seconds : 0;
    printf("rank %d on %s: %.3f s, efficiency %.1f %%, fib of", rank, host, busy,
           100 * busy / seconds);
    for (size_t i = 0; i < fib_count; i++)
        if (answers[i].rank == rank) {
            printf(" %" PRIu64, fib_numbers[i]);
            has_some = true;
        }
    puts(has_some ? "" : " nothing");
}

static void report(int size, const fib_answer *answers, const char *hosts, double seconds)
{
    double serial = 0;

    for (size_t i = 0; i < fib_count; i++)
        serial += answers[i].seconds;
    print_values(answers);
    printf("serial estimate %.3f s, time %.3f s, speed-up %.2f on %d ranks\n", serial,
           seconds, serial / seconds, size);
    for (int rank = 0; rank < size; rank++)
        print_rank(rank, hosts + (size_t)rank * HOST_MAX, answers, seconds);
}

static char *gather_hosts(par_comm *world)
{
    char host[HOST_MAX] = "";
    char *hosts = NULL;

    snprintf(host, sizeof host, "%.*s", HOST_MAX - 1, par_hostname());
    if (par_rank(world) == 0)
        hosts = fib_allocate((size_t)par_size(world), sizeof host);
    must(par_gather(world, host, sizeof host, PAR_CHAR, hosts, 0));
    return hosts;
}

static void run(par_comm *world)
{
    fib_answer *answers = fib_allocate(fib_count, sizeof *answers);
    char *hosts = gather_hosts(world);

    must(par_barrier(world));
    double start = par_time();
    scatter_forms[scatter](world, answers);
    double seconds = par_time() - start;
    if (par_rank(world) == 0)
        report(par_size(world), answers, hosts, seconds);
    free(hosts);
    free(answers);
}

/* ---- the program ------------------------------------------------------------ */

static void use_default_numbers(void)
{
    fib_count = sizeof default_numbers;
    for (size_t i = 0; i < fib_count; i++)
        fib_numbers[i] = default_numbers[i];
}

int main(int argc, char **argv)
{
    char message[ARGS_MESSAGE_MAX];
    par_comm *world;

    must(par_init(&argc, &argv, NULL, &world));
    fib_numbers = program.numbers =
        fib_allocate((size_t)argc + sizeof default_numbers, sizeof *fib_numbers);
    switch (args_read(&program, argc, argv, message)) {
    case ARGS_OK:
        if (fib_count == 0)
            use_default_numbers();
        run(world);
        break;
    case ARGS_HELP:
        if (par_rank(world) == 0)
            args_help(&program);
        break;
    case ARGS_BAD:
        if (par_rank(world) == 0)
            fail(ARGS_BAD_STATUS, "%s", message);
        break;
    }
    free(fib_numbers);
    must(par_finalize());
    return EXIT_SUCCESS;
}
