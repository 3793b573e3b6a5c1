/* simulate.c - calls of libpar on more ranks than there are machines for, in the time of
 * a simulated cluster: simulate.sh.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "par.h"

static par_comm *world;
static int rank, size;

static _Noreturn void fail(const char *why)
{
    fprintf(stderr, "simulate: rank %d: %s\n", rank, why);
    exit(EXIT_FAILURE);
}

static void must(par_error err)
{
    if (err)
        fail(par_error_detail());
}

static void barrier(void)
{
    must(par_barrier(world));
}

/* An object of Python's of that size goes the same way. */
static void broadcast(void)
{
    char data[1000];

    memset(data, rank ? 0 : 7, sizeof data);
    must(par_broadcast(world, data, sizeof data, PAR_BYTE, 0));
    if (data[sizeof data - 1] != 7)
        fail("what was broadcast has not come");
}

static void allreduce(void)
{
    int64_t one = 1, sum;

    must(par_allreduce(world, &one, &sum, 1, PAR_INT64, PAR_SUM));
    if (sum != size)
        fail("the sum is wrong");
}

static void ring(void)
{
    int64_t token = 0;

    if (rank)
        must(par_receive(world, &token, 1, PAR_INT64, rank - 1, 1, NULL));
    token++;
    must(par_send(world, &token, 1, PAR_INT64, (rank + 1) % size, 1));
    if (!rank)
        must(par_receive(world, &token, 1, PAR_INT64, size - 1, 1, NULL));
    if (!rank && token != size)
        fail("the token has not been everywhere");
}

static const struct {
    const char *name;
    void (*call)(void);
} calls[] = {
    {"barrier", barrier},
    {"broadcast", broadcast},
    {"allreduce", allreduce},
    {"ring", ring},
};

/* Until the last rank is through. */
static void measure(const char *name, void (*call)(void))
{
    double begin, took, most;

    barrier();
    begin = par_time();
    call();
    took = par_time() - begin;
    must(par_allreduce(world, &took, &most, 1, PAR_DOUBLE, PAR_MAX));
    if (!rank)
        printf("%d ranks, %s: %.0f us\n", size, name, 1e6 * most);
}

int main(int argc, char **argv)
{
    must(par_init(&argc, &argv, NULL, &world));
    rank = par_rank(world);
    size = par_size(world);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        for (int at = 1; at < argc; at++)
            if (!strcmp(argv[at], calls[i].name))
                measure(calls[i].name, calls[i].call);
    fflush(stdout);
    barrier();
    /* All ranks are one process. The end of the job, in which each tells each other by
     * the simulator's own MPI_Iallreduce, would take it many times as long as the rest.
     */
    if (!rank)
        _exit(EXIT_SUCCESS);
    barrier();
}
