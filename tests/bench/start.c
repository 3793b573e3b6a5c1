/* start.c - what the start of a job takes, in time and in memory, in C.
 * SPDX-License-Identifier: MIT
 *
 *     mpirun -np 16 bench_start mpi|par
 *
 * Every rank prints a line of JSON; scale.py reads them.
 */
#include <malloc.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "par.h"

enum { LINE_BYTES = 256 };

static bool is_par;
static par_comm *world;
static int rank, size;

static _Noreturn void fail(const char *why)
{
    fprintf(stderr, "bench_start: %s\n", why);
    exit(EXIT_FAILURE);
}

static void must(bool right)
{
    if (!right)
        fail(is_par ? par_error_detail() : "MPI failed");
}

static void start(int *argc, char ***argv)
{
    int given;

    if (is_par) {
        must(!par_init(argc, argv, NULL, &world));
        rank = par_rank(world);
        size = par_size(world);
        return;
    }
    must(!MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &given));
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
}

static void end(void)
{
    if (is_par)
        must(!par_finalize());
    else
        must(!MPI_Finalize());
}

/* Every rank sends to every other. */
static void talk(void)
{
    for (int step = 1; step < size; step++) {
        int dest = (rank + step) % size, source = (rank + size - step) % size;
        int64_t out = rank, in;

        if (is_par) {
            must(!par_send(world, &out, 1, PAR_INT64, dest, 0));
            must(!par_receive(world, &in, 1, PAR_INT64, source, 0, NULL));
        } else {
            must(!MPI_Sendrecv(&out, 1, MPI_INT64_T, dest, 0, &in, 1, MPI_INT64_T, source,
                               0, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        }
        if (in != source)
            fail("what arrived is not what was sent");
    }
}

/* KiB that the kernel's summary of this process has under NAME. */
static long kib_of(const char *name)
{
    char line[LINE_BYTES];
    size_t length = strlen(name);
    long kib = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "re");

    if (!file)
        fail("this kernel has no /proc/self/smaps_rollup");
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, name, length) && line[length] == ':')
            kib = strtol(line + length + 1, NULL, 10);
    fclose(file);
    return kib;
}

/* Append what this process has now to the LINE. */
static void note_memory(char *line, const char *when)
{
    size_t used = strlen(line);

    snprintf(line + used, LINE_BYTES - used,
             ", \"%s\": {\"private\": %ld, \"pss\": %ld, \"heap\": %zu}", when,
             kib_of("Private_Dirty") + kib_of("Private_Clean"), kib_of("Pss"),
             mallinfo2().uordblks / 1024);
}

int main(int argc, char **argv)
{
    char line[LINE_BYTES];
    double begin = par_time();

    if (argc != 2 || (strcmp(argv[1], "mpi") != 0 && strcmp(argv[1], "par") != 0))
        fail("its argument is mpi or par");
    is_par = !strcmp(argv[1], "par");
    start(&argc, &argv);
    snprintf(line, sizeof line, "{\"seconds\": %.3f", par_time() - begin);
    note_memory(line, "started");
    talk();
    note_memory(line, "talked");
    printf("%s}\n", line);
    end();
    return EXIT_SUCCESS;
}
