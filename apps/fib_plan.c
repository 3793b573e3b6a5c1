/* fib_plan.c - Fibonacci numbers, shared out by a plan.
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "fib.h"
#include "must.h"

enum { NONE = -1 };

/* Which rank computes what. Every rank has the same number of slots, as the
 * scatter wants it; a slot holds an index into the numbers, or NONE. */
typedef struct fib_plan {
    size_t slots;
    int64_t *index; /* slots of rank 0, slots of rank 1, ... */
} fib_plan;

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
    double *load = fib_allocate((size_t)size, sizeof *load);
    int64_t *order = fib_costliest_first();

    for (size_t i = 0; i < fib_count; i++) {
        int rank = least_loaded(load, size);
        owner[order[i]] = rank;
        load[rank] += cost(fib_numbers[order[i]]);
    }
    free(order);
    free(load);
}

/* Runs of numbers as they stand, the longer ones first. */
static void share_by_block(int *owner, int size)
{
    size_t ranks = (size_t)size, next = 0;

    for (size_t rank = 0; rank < ranks; rank++)
        for (size_t n = fib_count / ranks + (rank < fib_count % ranks); n > 0; n--)
            owner[next++] = (int)rank;
}

typedef void sharing(int *owner, int size);

/* Every rank makes the same plan, for all know all numbers. */
static fib_plan plan_make(int size, sharing *share)
{
    int *owner = fib_allocate(fib_count, sizeof *owner);
    size_t *used = fib_allocate((size_t)size, sizeof *used);
    fib_plan plan = {0, NULL};

    share(owner, size);
    for (size_t i = 0; i < fib_count; i++)
        if (++used[owner[i]] > plan.slots)
            plan.slots = used[owner[i]];

    plan.index = fib_allocate(plan.slots * (size_t)size, sizeof *plan.index);
    for (size_t i = 0; i < plan.slots * (size_t)size; i++)
        plan.index[i] = NONE;
    memset(used, 0, (size_t)size * sizeof *used);
    for (size_t i = 0; i < fib_count; i++) {
        size_t rank = (size_t)owner[i];
        plan.index[rank * plan.slots + used[rank]++] = (int64_t)i;
    }
    free(used);
    free(owner);
    return plan;
}

/* ---- the plan, carried out ------------------------------------------------- */

static void compute_slots(const int64_t *index, size_t slots, fib_answer *answers)
{
    for (size_t i = 0; i < slots; i++)
        if (index[i] != NONE)
            answers[i] = fib_compute(fib_numbers[index[i]]);
}

/* What ALL, the slots of all ranks, hold, for each number. */
static void sort_out(const fib_plan *plan, int size, const fib_answer *all,
                     fib_answer *answers)
{
    for (size_t slot = 0; slot < plan->slots * (size_t)size; slot++)
        if (plan->index[slot] != NONE) {
            fib_answer *a = &answers[plan->index[slot]];

            *a = all[slot];
            a->rank = (int)(slot / plan->slots);
        }
}

static void run(par_comm *world, sharing *share, fib_answer *answers)
{
    int size = par_size(world);
    fib_plan plan = plan_make(size, share);
    int64_t *mine = fib_allocate(plan.slots, sizeof *mine);
    fib_answer *slots = fib_allocate(plan.slots, sizeof *slots);
    fib_answer *all = fib_allocate(plan.slots * (size_t)size, sizeof *all);

    must(par_scatter(world, plan.index, mine, plan.slots, PAR_INT64, 0));
    compute_slots(mine, plan.slots, slots);
    must(par_gather(world, slots, plan.slots * sizeof *slots, PAR_BYTE, all, 0));
    sort_out(&plan, size, all, answers);
    free(all);
    free(slots);
    free(mine);
    free(plan.index);
}

void fib_run_by_cost(par_comm *world, fib_answer *answers)
{
    run(world, share_by_cost, answers);
}

void fib_run_by_block(par_comm *world, fib_answer *answers)
{
    run(world, share_by_block, answers);
}
