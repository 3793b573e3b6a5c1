/* fib.c - Fibonacci numbers the slow way, shared out among all ranks.
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "must.h"
#include "par.h"

enum { LARGEST = 93, NONE = -1, HOST_MAX = 64 }; /* fib(94) needs 65 bits */

static const unsigned char default_numbers[] = {38, 37, 36, 35, 34, 33};
static const char *const scatter_words[] = {"cost", "block", NULL};
enum { BY_COST, BY_BLOCK };

static uint64_t scatter = BY_COST;
static uint64_t *numbers;
static size_t count;

static const args_option options[] = {
    {"--scatter",
     "how the numbers are shared out: the costliest first, each to the rank with\n"
     "      the least to do, or in blocks as they stand",
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
    .count_p = &count,
};

/* Which rank computes what. Every rank has the same number of slots, as the
 * scatter wants it; a slot holds an index into the numbers, or NONE. */
typedef struct fib_plan {
    size_t slots;
    int64_t *index; /* slots of rank 0, slots of rank 1, ... */
} fib_plan;

/* What comes back from a slot. */
typedef struct answer {
    uint64_t value;
    double seconds;
} answer;

static void *allocate(size_t n, size_t size)
{
    void *memory = calloc(n ? n : 1, size);

    if (!memory)
        fail(EXIT_FAILURE, "fib: no memory for %zu times %zu bytes", n, size);
    return memory;
}

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

/* How many calls fib(n) makes: 1 + those of fib(n - 1) and fib(n - 2). */
static double cost(uint64_t n)
{
    double calls = 1, next = 1;

    for (uint64_t i = 0; i < n; i++) {
        double sum = 1 + calls + next;
        calls = next;
        next = sum;
    }
    return calls;
}

/* The costliest first; equal ones in the order given. */
static int compare_cost(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    if (numbers[x] != numbers[y])
        return numbers[x] > numbers[y] ? -1 : 1;
    return (x > y) - (x < y);
}

static int least_loaded(const double *load, int size)
{
    int best = 0;

    for (int rank = 1; rank < size; rank++)
        if (load[rank] < load[best])
            best = rank;
    return best;
}

/* OWNER[i] is the rank for numbers[i]. */
static void share_by_cost(int *owner, int size)
{
    double *load = allocate((size_t)size, sizeof *load);
    int64_t *order = allocate(count, sizeof *order);

    for (size_t i = 0; i < count; i++)
        order[i] = (int64_t)i;
    qsort(order, count, sizeof *order, compare_cost);
    for (size_t i = 0; i < count; i++) {
        int rank = least_loaded(load, size);
        owner[order[i]] = rank;
        load[rank] += cost(numbers[order[i]]);
    }
    free(order);
    free(load);
}

/* Runs of numbers as they stand, the longer ones first. */
static void share_by_block(int *owner, int size)
{
    size_t ranks = (size_t)size, next = 0;

    for (size_t rank = 0; rank < ranks; rank++)
        for (size_t n = count / ranks + (rank < count % ranks); n > 0; n--)
            owner[next++] = (int)rank;
}

/* Every rank makes the same plan, for all know all numbers. */
static fib_plan plan_make(int size)
{
    int *owner = allocate(count, sizeof *owner);
    size_t *used = allocate((size_t)size, sizeof *used);
    fib_plan plan = {0, NULL};

    (scatter == BY_COST ? share_by_cost : share_by_block)(owner, size);
    for (size_t i = 0; i < count; i++)
        if (++used[owner[i]] > plan.slots)
            plan.slots = used[owner[i]];

    plan.index = allocate(plan.slots * (size_t)size, sizeof *plan.index);
    for (size_t i = 0; i < plan.slots * (size_t)size; i++)
        plan.index[i] = NONE;
    memset(used, 0, (size_t)size * sizeof *used);
    for (size_t i = 0; i < count; i++) {
        size_t rank = (size_t)owner[i];
        plan.index[rank * plan.slots + used[rank]++] = (int64_t)i;
    }
    free(used);
    free(owner);
    return plan;
}

/* Seconds that this rank has computed: those in which another rank had the
 * core don't count. */
static double cpu_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void compute(const int64_t *index, size_t slots, answer *answers)
{
    for (size_t i = 0; i < slots; i++) {
        if (index[i] == NONE)
            continue;
        double start = cpu_time();
        answers[i].value = fib(numbers[index[i]]);
        answers[i].seconds = cpu_time() - start;
    }
}

/* The answers of all slots of all ranks come together on rank 0, at ALL. */
static void run_plan(par_comm *world, const fib_plan *plan, answer *all)
{
    int64_t *mine = allocate(plan->slots, sizeof *mine);
    answer *answers = allocate(plan->slots, sizeof *answers);

    must(par_scatter(world, plan->index, mine, plan->slots, PAR_INT64, 0));
    compute(mine, plan->slots, answers);
    must(par_gather(world, answers, plan->slots * sizeof *answers, PAR_BYTE, all, 0));
    free(answers);
    free(mine);
}

static void print_values(const uint64_t *values)
{
    putchar('[');
    for (size_t i = 0; i < count; i++)
        printf("%s%" PRIu64, i ? ", " : "", values[i]);
    puts("]");
}

static void print_rank(int rank, const char *host, const fib_plan *plan, double busy,
                       double seconds)
{
    const int64_t *index = plan->index + (size_t)rank * plan->slots;

    printf("rank %d on %s: %.3f s, efficiency %.1f %%, fib of", rank, host, busy,
           100 * busy / seconds);
    for (size_t i = 0; i < plan->slots; i++)
        if (index[i] != NONE)
            printf(" %" PRIu64, numbers[index[i]]);
    puts(plan->slots == 0 || index[0] == NONE ? " nothing" : "");
}

static void report(int size, const fib_plan *plan, const answer *all, const char *hosts,
                   double seconds)
{
    uint64_t *values = allocate(count, sizeof *values);
    double *busy = allocate((size_t)size, sizeof *busy), serial = 0;

    for (size_t slot = 0; slot < plan->slots * (size_t)size; slot++) {
        if (plan->index[slot] == NONE)
            continue;
        values[plan->index[slot]] = all[slot].value;
        busy[slot / plan->slots] += all[slot].seconds;
        serial += all[slot].seconds;
    }
    print_values(values);
    printf("serial estimate %.3f s, time %.3f s, speed-up %.2f on %d ranks\n", serial,
           seconds, serial / seconds, size);
    for (int rank = 0; rank < size; rank++)
        print_rank(rank, hosts + (size_t)rank * HOST_MAX, plan, busy[rank], seconds);
    free(busy);
    free(values);
}

static char *gather_hosts(par_comm *world)
{
    char host[HOST_MAX] = "";
    char *hosts = NULL;

    snprintf(host, sizeof host, "%.*s", HOST_MAX - 1, par_hostname());
    if (par_rank(world) == 0)
        hosts = allocate((size_t)par_size(world), sizeof host);
    must(par_gather(world, host, sizeof host, PAR_CHAR, hosts, 0));
    return hosts;
}

static void run(par_comm *world)
{
    int size = par_size(world);
    fib_plan plan = plan_make(size);
    answer *all = allocate(plan.slots * (size_t)size, sizeof *all);
    char *hosts = gather_hosts(world);

    must(par_barrier(world));
    double start = par_time();
    run_plan(world, &plan, all);
    double seconds = par_time() - start;
    if (par_rank(world) == 0)
        report(size, &plan, all, hosts, seconds);
    free(hosts);
    free(all);
    free(plan.index);
}

static void use_default_numbers(void)
{
    count = sizeof default_numbers;
    for (size_t i = 0; i < count; i++)
        numbers[i] = default_numbers[i];
}

int main(int argc, char **argv)
{
    char message[ARGS_MESSAGE_MAX];
    par_comm *world;

    must(par_init(&argc, &argv, NULL, &world));
    numbers = program.numbers =
        allocate((size_t)argc + sizeof default_numbers, sizeof *numbers);
    switch (args_read(&program, argc, argv, message)) {
    case ARGS_OK:
        if (count == 0)
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
    free(numbers);
    must(par_finalize());
    return EXIT_SUCCESS;
}
