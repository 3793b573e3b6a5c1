/* program.h - a sample program from its command line to its end.
 * SPDX-License-Identifier: MIT
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "args.h"
#include "must.h"

/* Start the job, read the command line as PROGRAM says, and RUN, or help, or end the
 * job with a complaint; the status to exit with. */
static inline int program_run(const args_program *program, int argc, char **argv,
                              void (*run)(par_comm *world))
{
    char message[ARGS_MESSAGE_MAX];
    par_comm *world;

    must(par_init(&argc, &argv, NULL, &world));
    switch (args_read(program, argc, argv, message)) {
    case ARGS_OK:
        run(world);
        break;
    case ARGS_HELP:
        if (par_rank(world) == 0)
            args_help(program);
        break;
    case ARGS_BAD:
        if (par_rank(world) == 0)
            fail(ARGS_BAD_STATUS, "%s", message);
        break;
    }
    must(par_finalize());
    return EXIT_SUCCESS;
}

#endif
