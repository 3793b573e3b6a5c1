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
static const char *const scatter_words[] = {"cost", "block", "pool", NULL};
enum { BY_COST, BY_BLOCK, BY_POOL };

static uint64_t scatter = BY_COST;
static uint64_t *numbers;
static size_t count;

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
    .count_p = &count,
};

/* Which rank computes what. Every rank has the same number of slots, as the
 * scatter wants it; a slot holds an index into the numbers, or NONE. */
typedef struct fib_plan {
    size_t slots;
    int64_t *index; /* slots of rank 0, slots of rank 1, ... */
} fib_plan;

/* What becomes of a number. */
typedef struct answer {
    uint64_t value;
    double seconds;
    int rank; /* that has computed it */
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

/* The indices of the numbers, the costliest first: the caller's, to be freed. */
static int64_t *by_cost(void)
{
    int64_t *order = allocate(count, sizeof *order);

    for (size_t i = 0; i < count; i++)
        order[i] = (int64_t)i;
    qsort(order, count, sizeof *order, compare_cost);
    return order;
}

/* OWNER[i] is the rank for numbers[i]. */
static void share_by_cost(int *owner, int size)
{
    double *load = allocate((size_t)size, sizeof *load);
    int64_t *order = by_cost();

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

static answer compute(uint64_t n)
{
    double start = cpu_time();
    answer a = {.value = fib(n)};

    a.seconds = cpu_time() - start;
    return a;
}

/* ---- by a plan ------------------------------------------------------------- */

static void compute_slots(const int64_t *index, size_t slots, answer *answers)
{
    for (size_t i = 0; i < slots; i++)
        if (index[i] != NONE)
            answers[i] = compute(numbers[index[i]]);
}

/* What ALL, the slots of all ranks, hold, for each number. */
static void sort_out(const fib_plan *plan, int size, const answer *all, answer *answers)
{
    for (size_t slot = 0; slot < plan->slots * (size_t)size; slot++)
        if (plan->index[slot] != NONE) {
            answer *a = &answers[plan->index[slot]];

            *a = all[slot];
            a->rank = (int)(slot / plan->slots);
        }
}

static void run_plan(par_comm *world, answer *answers)
{
    int size = par_size(world);
    fib_plan plan = plan_make(size);
    int64_t *mine = allocate(plan.slots, sizeof *mine);
    answer *slots = allocate(plan.slots, sizeof *slots);
    answer *all = allocate(plan.slots * (size_t)size, sizeof *all);

    must(par_scatter(world, plan.index, mine, plan.slots, PAR_INT64, 0));
    compute_slots(mine, plan.slots, slots);
    must(par_gather(world, slots, plan.slots * sizeof *slots, PAR_BYTE, all, 0));
    sort_out(&plan, size, all, answers);
    free(all);
    free(slots);
    free(mine);
    free(plan.index);
}

/* ---- by a pool -------------------------------------------------------------- */

static const par_content bytes = {.kind = PAR_ARRAY, .type = PAR_BYTE, .dims = 1};

/* A task is the index of a number, and its result index and answer. */
typedef struct result {
    int64_t index;
    answer answer;
} result;

static void do_number(par_pool *pool, par_pool_task *task)
{
    result r = {0};

    must(par_message_take(par_pool_task_message(task),
                          &(par_part){&r.index, sizeof r.index}, 1));
    r.answer = compute(numbers[r.index]);
    must(par_pool_answer(pool, &task, 0, &bytes, &(par_part){&r, sizeof r}, 1));
}

static void work(par_pool *pool)
{
    par_pool_task *task;

    for (must(par_pool_take(pool, &task)); task; must(par_pool_take(pool, &task)))
        do_number(pool, task);
}

/* The costliest first: what is left at the end is evened out best if it is small. */
static void submit_all(par_pool *pool, int channel)
{
    int64_t *order = by_cost();
    uint64_t number;

    for (size_t i = 0; i < count; i++)
        must(par_pool_submit(pool, channel, 0, &bytes,
                             &(par_part){&order[i], sizeof *order}, 1, NULL, &number));
    free(order);
}

static void keep(par_pool_result *from, answer *answers)
{
    result r;

    memcpy(&r, par_message_body(*par_pool_result_message(from)), sizeof r);
    answers[r.index] = r.answer;
    answers[r.index].rank = par_pool_result_worker(from);
    par_pool_result_free(&from);
}

/* Rank 0 computes, too, while it waits for the others. */
static void collect(par_pool *pool, int channel, answer *answers)
{
    par_pool_result *from;
    par_pool_task *task;
    par_pool_turn turn;

    for (;;) {
        must(par_pool_wait(pool, channel, -1, &from, &task, &turn));
        if (turn == PAR_POOL_NOTHING)
            return;
        if (turn == PAR_POOL_TASK)
            do_number(pool, task);
        else
            keep(from, answers);
    }
}

static void run_pool(par_comm *world, answer *answers)
{
    par_pool *pool;
    int channel;

    must(par_pool_open(world, NULL, &pool));
    if (par_rank(world) == 0) {
        must(par_pool_channel_open(pool, false, NULL, &channel));
        submit_all(pool, channel);
        collect(pool, channel, answers);
        must(par_pool_stop(pool, false));
    } else {
        work(pool);
    }
    must(par_pool_close(&pool));
}

/* ---- what is printed --------------------------------------------------------- */

static void print_values(const answer *answers)
{
    putchar('[');
    for (size_t i = 0; i < count; i++)
        printf("%s%" PRIu64, i ? ", " : "", answers[i].value);
    puts("]");
}

static void print_rank(int rank, const char *host, const answer *answers, double seconds)
{
    double busy = 0;
    bool has_some = false;

    for (size_t i = 0; i < count; i++)
        busy += answers[i].rank == rank ? answers[i].seconds : 0;
    printf("rank %d on %s: %.3f s, efficiency %.1f %%, fib of", rank, host, busy,
           100 * busy / seconds);
    for (size_t i = 0; i < count; i++)
        if (answers[i].rank == rank) {
            printf(" %" PRIu64, numbers[i]);
            has_some = true;
        }
    puts(has_some ? "" : " nothing");
}

static void report(int size, const answer *answers, const char *hosts, double seconds)
{
    double serial = 0;

    for (size_t i = 0; i < count; i++)
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
        hosts = allocate((size_t)par_size(world), sizeof host);
    must(par_gather(world, host, sizeof host, PAR_CHAR, hosts, 0));
    return hosts;
}

static void run(par_comm *world)
{
    answer *answers = allocate(count, sizeof *answers);
    char *hosts = gather_hosts(world);

    must(par_barrier(world));
    double start = par_time();
    (scatter == BY_POOL ? run_pool : run_plan)(world, answers);
    double seconds = par_time() - start;
    if (par_rank(world) == 0)
        report(par_size(world), answers, hosts, seconds);
    free(hosts);
    free(answers);
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
