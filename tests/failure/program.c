/* program.c - runs the program that the command line names.
 * SPDX-License-Identifier: MIT */
#include "program.h"

#include <string.h>

int me, size;
char large[1 << 20];

void must(par_error err)
{
    if (err)
        par_abort(3, NULL);
}

int main(int argc, char **argv)
{
    const program *wanted = programs;
    par_comm *world;

    must(par_init(&argc, &argv, NULL, &world));
    me = par_rank(world);
    size = par_size(world);
    while (wanted->name && (argc != 2 || strcmp(wanted->name, argv[1]) != 0))
        wanted++;
    if (!wanted->name)
        par_abort(2, "no such program");
    wanted->run(world);
    must(par_finalize());
    return 0;
}
