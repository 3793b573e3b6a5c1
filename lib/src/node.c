/* node.c - the ranks of this node, and their places.
 * SPDX-License-Identifier: MIT */
#include "node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "affinity.h"
#include "launch.h"
#include "lock.h"
#include "quota.h"
#include "threads.h"
#include "wait.h"

/* Of its ranks' places only this one's is kept: with hundreds of ranks on a node all of
 * them, on each of them, would be memory that grows with the square. */
static struct {
    machine *machine;
    share_claim claim; /* what this rank has brought along, wherever it is by now */
    bool bind_memory;
    place place;
    int rank, ranks;
    int first; /* the lowest of its ranks, as the world numbers them */
    bool is_settled;
} node;

const machine *node_machine(void)
{
    return node.machine;
}

place node_place(void)
{
    place own;

    lock_take();
    own = node.place;
    lock_give();
    return own;
}

int node_first(void)
{
    return node.first;
}

void node_forget(void)
{
    free(node.machine);
    node.machine = NULL;
    node.is_settled = false;
}

/* One reads, for the kernel answers many at once slowly, and all have it. */
static par_error share_machine(MPI_Comm comm)
{
    int cpus = 0, code;

    if (node.rank == 0) {
        node.machine = place_machine(NULL, false);
        cpus = node.machine ? node.machine->cpus : 0;
    }
    code = MPI_Bcast(&cpus, 1, MPI_INT, 0, comm);
    if (code != MPI_SUCCESS)
        return error_mpi(code, "MPI_Bcast");
    if (!cpus)
        return PAR_OK;
    if (node.rank > 0)
        node.machine = machine_new(cpus);
    if (!node.machine)
        return error_memory(machine_bytes(cpus), "a machine");
    code = MPI_Bcast(node.machine, (int)machine_bytes(cpus), MPI_BYTE, 0, comm);
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Bcast");
}

/* What is asked of this rank beside its options: SLURM gives each task so many CPUs. */
static int threads_asked(const par_options *options)
{
    const char *slurm = getenv("SLURM_CPUS_PER_TASK");
    long threads = slurm ? strtol(slurm, NULL, 10) : 0;

    if (options->threads_per_rank)
        return options->threads_per_rank;
    return threads > 0 && threads < MASK_CPUS ? (int)threads : 0;
}

static share_claim make_claim(void)
{
    share_claim claim = {.have = affinity_of(0)};
    quota q = quota_read("");
    int rank, size;
    launcher who;
    mask room;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    who = launch_who(size);
    room = launch_room(who);
    claim.rank = rank;
    claim.quota = q.cpus;
    claim.quota_group = q.group;
    if (node.machine && node.machine->made_up) /* on which nobody has started it */
        claim.have = claim.room = machine_allowed(node.machine);
    else
        launch_judge(who, size, node.rank, node.machine, &room, &claim);
    return claim;
}

/* Every rank tells the others of its node what it has: ITEMS, of SIZE bytes each. */
static par_error tell(MPI_Comm comm, void *items, size_t size)
{
    int code = MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, items, (int)size,
                             MPI_BYTE, comm);

    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Allgather");
}

/* Go there, and see where that is: the kernel has the last word. */
static void go_to(place *p)
{
    const mask *from = node.is_settled ? &node.place.mask : &node.claim.have;
    mask wanted = p->mask;
    int err;

    if (!node.machine || node.machine->made_up) {
        p->bound = false;
        return;
    }
    if (!node.is_settled && !p->bound)
        return;
    err = affinity_set(from, &wanted);
    p->mask = affinity_of(0);
    if (mask_equal(&p->mask, &wanted))
        return;
    p->bound = false;
    snprintf(p->why, sizeof p->why, "not bound: the kernel refuses (%s)",
             err ? strerror(err) : "it knows better");
}

/* Its memory is to come from beside its CPUs. */
static void bind_memory(place *p)
{
    mask nodes = {{0}};
    size_t used = strlen(p->why);
    int err;

    if (!node.machine || node.machine->made_up)
        return;
    for (int i = 0; i < node.machine->cpus; i++)
        if (mask_has(&p->mask, node.machine->cpu[i].os))
            mask_add(&nodes, node.machine->cpu[i].numa_os);
    err = affinity_set_memory(&nodes);
    snprintf(p->why + used, sizeof p->why - used, "; memory %s%s",
             err ? "not bound: " : "bound", err ? strerror(err) : "");
}

par_error node_open_plan(node_plan *plan)
{
    size_t count = (size_t)node.ranks;

    plan->claims = calloc(count, sizeof *plan->claims);
    plan->places = calloc(count, sizeof *plan->places);
    return plan->claims && plan->places
               ? PAR_OK
               : error_memory(count * (sizeof(share_claim) + sizeof(place)), "places");
}

void node_close_plan(node_plan *plan)
{
    free(plan->claims);
    free(plan->places);
}

par_error node_make_plan(MPI_Comm comm, const par_options *options, node_plan *plan)
{
    par_error err;

    policy_parse(options->bind, &plan->how);
    plan->claims[node.rank] = node.claim;
    plan->claims[node.rank].threads = threads_asked(options);
    err = tell(comm, plan->claims, sizeof *plan->claims);
    return err ? err
               : share_out(node.machine, plan->claims, node.ranks, plan->how,
                           options->bind, plan->places);
}

/* How this rank waits depends on how many share its CPUs. */
static void keep(const place *places)
{
    double cpus = threads_time(places, node.ranks, node.rank);

    node.place = places[node.rank];
    node.first = places[0].rank;
    node.is_settled = true;
    if (wait_share_cpus(cpus))
        use_mpi_yield();
}

par_error node_follow(MPI_Comm comm, const node_plan *plan)
{
    place *places = plan->places;
    par_error err;

    go_to(&places[node.rank]);
    if (node.bind_memory)
        bind_memory(&places[node.rank]);
    err = tell(comm, places, sizeof *places);
    if (!err)
        err = threads_count(node.machine, plan->claims, node.ranks, plan->how, places);
    if (!err)
        keep(places);
    return err;
}

par_error node_split(MPI_Comm all, MPI_Comm *comm_p)
{
    int code = MPI_Comm_split_type(all, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, comm_p);

    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Comm_split_type");
}

par_error node_settle(MPI_Comm comm, const par_options *options)
{
    node_plan plan;
    par_error err;

    MPI_Comm_rank(comm, &node.rank);
    MPI_Comm_size(comm, &node.ranks);
    err = share_machine(comm);
    if (err)
        return err;
    node.claim = make_claim();
    node.bind_memory = options->bind_memory;
    err = node_open_plan(&plan);
    if (!err)
        err = node_make_plan(comm, options, &plan);
    if (!err)
        err = node_follow(comm, &plan);
    node_close_plan(&plan);
    return err;
}

/* ---- public ------------------------------------------------------------- */

par_error par_place_cpus(char *text, size_t size)
{
    mask now = affinity_of(0);

    if (!text || !size)
        return error_set(PAR_ERR_ARG, "text of size %zu: there must be room", size);
    mask_text(&now, text, size);
    return PAR_OK;
}

/* Before there is a job. */
static int cpus_alone(const mask *now)
{
    static const par_options none;
    quota q = quota_read("");
    share_claim claim = {.threads = threads_asked(&none), .quota = q.cpus};
    place alone = {.mask = *now};
    machine *m = place_machine(NULL, false);
    par_error err =
        threads_count(m && !m->made_up ? m : NULL, &claim, 1, POLICY_DEFAULT, &alone);

    free(m);
    return err ? 1 : alone.cpus;
}

int par_cpus(void)
{
    mask now = affinity_of(0);
    int count = mask_count(&now), cpus;

    lock_take();
    cpus = node.is_settled ? node.place.cpus : 0;
    lock_give();
    if (!cpus)
        cpus = cpus_alone(&now);
    return count > 0 && count < cpus ? count : cpus;
}
