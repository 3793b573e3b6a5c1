/* pi.c - pi as the area under 4 / (1 + x * x) from 0 to 1, by midpoints.
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "must.h"
#include "par.h"
#include "program.h"

static uint64_t intervals = 1000000;

static const args_option options[] = {
    {"--intervals", "into how many the ranks cut the range, 1000000 unless given", NULL,
     1, 1000000000, &intervals},
    {NULL, NULL, NULL, 0, 0, NULL},
};

static const args_program program = {
    .name = "pi",
    .about = "pi as the area under 4 / (1 + x * x), cut into intervals among all ranks",
    .options = options,
};

/* This rank's part of the area. The rounding error of each sum is carried to the
 * next (Kahan, 1965): with more or fewer ranks the whole differs by a few
 * roundings and not by a million. */
static double area(int rank, int size)
{
    double sum = 0, carried = 0, n = (double)intervals;

    for (uint64_t i = (uint64_t)rank; i < intervals; i += (uint64_t)size) {
        double x = ((double)i + 0.5) / n;
        double height = 4 / (1 + x * x) - carried;
        double next = sum + height;
        carried = (next - sum) - height;
        sum = next;
    }
    return sum / n;
}

static void run(par_comm *world)
{
    const double exact = 3.14159265358979323846;
    int rank = par_rank(world), size = par_size(world);

    must(par_barrier(world));
    double start = par_time(), part = area(rank, size), pi = 0;
    must(par_reduce(world, &part, &pi, 1, PAR_DOUBLE, PAR_SUM, 0));
    double seconds = par_time() - start;
    if (rank == 0)
        printf("pi %.15f, error %.1e, %" PRIu64 " intervals on %d ranks, %.3f s\n", pi,
               fabs(pi - exact), intervals, size, seconds);
}

int main(int argc, char **argv)
{
    return program_run(&program, argc, argv, run);
}
