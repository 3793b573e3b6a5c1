/* node.c - the ranks of this node, and their places.
 * SPDX-License-Identifier: MIT */
#include "node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "affinity.h"
#include "launch.h"
#include "quota.h"
#include "threads.h"
#include "wait.h"

/* Of its ranks' places only this one's is kept: with hundreds of ranks on a node all of
 * them, on each of them, would be memory that grows with the square. */
static struct {
    machine *machine;
    place place;
    int rank, ranks;
    int first; /* the lowest of its ranks, as the world numbers them */
    bool is_settled;
} node;

const machine *node_machine(void)
{
    return node.machine;
}

const place *node_place(void)
{
    return node.is_settled ? &node.place : NULL;
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

static share_claim make_claim(const par_options *options)
{
    share_claim claim = {.threads = threads_asked(options), .have = affinity_of(0)};
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
    mask wanted = p->mask;
    int err;

    if (!p->bound)
        return;
    if (node.machine->made_up) {
        p->bound = false;
        return;
    }
    err = affinity_set(&wanted);
    p->mask = affinity_of(0);
    p->bound = mask_equal(&p->mask, &wanted);
    if (!p->bound)
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

static par_error find_places(MPI_Comm comm, const par_options *options,
                             share_claim *claims, place *places)
{
    policy how;
    par_error err;

    policy_parse(options->bind, &how);
    claims[node.rank] = make_claim(options);
    err = tell(comm, claims, sizeof *claims);
    if (!err)
        err = share_out(node.machine, claims, node.ranks, how, options->bind, places);
    if (err)
        return err; /* alike on all of them */
    go_to(&places[node.rank]);
    if (options->bind_memory)
        bind_memory(&places[node.rank]);
    err = tell(comm, places, sizeof *places);
    return err ? err : threads_count(node.machine, claims, node.ranks, how, places);
}

/* How this rank waits depends on how many share its CPUs. */
static void keep(const place *places, const par_options *options)
{
    bool crowded = threads_are_crowded(places, node.ranks, node.rank);

    node.place = places[node.rank];
    node.first = places[0].rank;
    node.is_settled = true;
    wait_configure(options->wait, crowded);
    if (crowded)
        use_mpi_yield();
}

par_error node_split(MPI_Comm *comm_p)
{
    int code = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL,
                                   comm_p);

    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Comm_split_type");
}

par_error node_settle(MPI_Comm comm, const par_options *options)
{
    share_claim *claims;
    place *places;
    par_error err;

    MPI_Comm_rank(comm, &node.rank);
    MPI_Comm_size(comm, &node.ranks);
    claims = calloc((size_t)node.ranks, sizeof *claims);
    places = calloc((size_t)node.ranks, sizeof *places);
    err = share_machine(comm);
    if (!err && (!claims || !places))
        err = error_memory((size_t)node.ranks * (sizeof *claims + sizeof *places),
                           "places");
    if (!err)
        err = find_places(comm, options, claims, places);
    if (!err)
        keep(places, options);
    free(claims);
    free(places);
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
    int count = mask_count(&now);
    int cpus = node.is_settled ? node.place.cpus : cpus_alone(&now);

    return count > 0 && count < cpus ? count : cpus;
}
