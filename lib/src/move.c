/* move.c - places, chosen anew while the job runs.
 * SPDX-License-Identifier: MIT */
#include "agree.h"
#include "collective.h"
#include "node.h"
#include "options.h"

static par_error check_world(const par_comm *world)
{
    par_error err = collective_check(world);

    if (!err && !world->is_world)
        err = error_set(PAR_ERR_ARG,
                        "world has %d ranks: it must be the communicator "
                        "of all ranks that par_init gives",
                        world->size);
    return err;
}

static par_error compare(par_comm *world, const par_options *chosen)
{
    par_error err;

    collective_begin_mpi();
    err = agree_on_place(world->body, chosen);
    collective_end_mpi();
    return err;
}

/* Nobody moves before all nodes have found places for their ranks. */
static par_error move(par_comm *world, MPI_Comm node, const par_options *chosen,
                      node_plan *plan)
{
    par_error err;

    collective_begin_mpi();
    err = node_make_plan(node, chosen, plan);
    collective_end_mpi();
    err = collective_commit_for(world, COLLECTIVE_PLACE, err);
    if (err)
        return err;
    collective_begin_mpi();
    err = node_follow(node, plan);
    collective_end_mpi();
    return err;
}

static par_error move_on_nodes(par_comm *world, const par_options *chosen,
                               node_plan *plan)
{
    MPI_Comm node;
    par_error err;

    collective_begin_mpi();
    err = node_split(world->body, &node);
    collective_end_mpi();
    if (err)
        return err;
    err = move(world, node, chosen, plan);
    collective_begin_mpi();
    MPI_Comm_free(&node);
    collective_end_mpi();
    return err;
}

par_error par_place(par_comm *world, const char *bind, int threads_per_rank)
{
    par_options asked = {.bind = bind, .threads_per_rank = threads_per_rank},
                chosen = {0};
    node_plan plan = {0};
    par_error err = check_world(world);

    if (err)
        return err;
    err = options_choose_place(&asked, &chosen);
    if (!err)
        err = node_open_plan(&plan);
    err = collective_commit_for(world, COLLECTIVE_PLACE, err);
    if (!err)
        err = compare(world, &chosen);
    if (!err)
        err = move_on_nodes(world, &chosen, &plan);
    node_close_plan(&plan);
    return err;
}
