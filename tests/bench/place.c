/* place.c - the part of the benchmark that places ranks, as par_init does, again and
 * again.
 * SPDX-License-Identifier: MIT
 *
 *     mpirun -np 16 bench_place SOCKET JOB
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "node.h"
#include "use_mpi.h"

static _Noreturn void fail(const char *why)
{
    fprintf(stderr, "bench_place: %s\n", why);
    MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
    abort();
}

static void place_ranks(size_t count)
{
    static const par_options none;

    for (size_t i = 0; i < count; i++) {
        MPI_Comm node;

        if (node_split(MPI_COMM_WORLD, &node) || node_settle(node, &none))
            fail(par_error_detail());
        MPI_Comm_free(&node);
        node_forget();
    }
}

static void carry_out(const control_order *order)
{
    double start;

    if (strcmp(order->what, "place") != 0) {
        control_complain("what is \"%s\"?", order->what);
        return;
    }
    place_ranks(order->count / 4 + 1);
    MPI_Barrier(MPI_COMM_WORLD);
    start = par_time();
    place_ranks(order->count);
    control_answer(par_time() - start);
}

int main(int argc, char **argv)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING];
    control_order order;
    int rank, length;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Get_library_version(version, &length);
    version[strcspn(version, "\n")] = '\0';
    if (argc != 3 || !control_open(argv[1], argv[2], rank, version))
        fail("no driver to take orders from");
    while (control_read(&order))
        carry_out(&order);
    MPI_Finalize();
    return EXIT_SUCCESS;
}
