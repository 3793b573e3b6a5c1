/* test_launch.c - who has chosen a rank's CPUs, by what launchers leave behind.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "affinity.h"
#include "check_par.h"
#include "environ.h"
#include "launch.h"

/* What a launcher leaves behind: variables, and the rank's CPUs. */
typedef struct trace {
    const char *variables[4]; /* "name=value" */
    int size, local;
    const char *have;
    const char *room; /* the launcher's own CPUs; NULL: not to be seen */
    bool chosen;
    const char *why; /* a part of it */
} trace;

#define OMPI4 "OMPI_MCA_orte_launch=1"
#define OMPI5 "PRTE_LAUNCHED=1"
#define SRUN "SLURM_PROCID=0"

/* On a node of 2 packages with 4 cores of 2 hardware threads each: 0-15. */
static const trace traces[] = {
    /* mpirun of Open MPI 4, its defaults */
    {{OMPI4}, 1, 0, "0-1", "0-15", false, "mpirun's default"},
    {{OMPI4}, 2, 1, "2-3", "0-15", false, "mpirun's default"},
    {{OMPI4}, 2, 1, "2-3", NULL, false, "mpirun's default"},
    {{OMPI4}, 4, 3, "8-15", "0-15", false, "mpirun's default"},
    {{OMPI4}, 20, 3, "0-15", "0-15", false, ""},
    {{OMPI4}, 20, 3, "0-3", "0-3", false, ""},
    {{OMPI4, "OMPI_MCA_rmaps_base_mapping_policy=ppr:1:node"},
     4,
     0,
     "0-7",
     "0-15",
     false,
     "mpirun's default"},
    {{OMPI4, "OMPI_MCA_rmaps_base_mapping_policy=node"},
     2,
     0,
     "0-1",
     "0-15",
     false,
     "mpirun's default"},
    /* what it has been told */
    {{OMPI4, "OMPI_MCA_hwloc_base_binding_policy=core"},
     2,
     1,
     "2-3",
     "0-15",
     true,
     "mpirun --bind-to core"},
    {{OMPI4, "OMPI_MCA_hwloc_base_binding_policy=none"},
     2,
     1,
     "0-15",
     "0-15",
     true,
     "mpirun --bind-to none"},
    {{OMPI4, "OMPI_MCA_rmaps_base_mapping_policy=slot:PE=2"},
     1,
     0,
     "0-3",
     "0-15",
     true,
     "mpirun --map-by slot:PE=2"},
    {{OMPI4, "OMPI_MCA_rmaps_base_mapping_policy=ppr:1:socket"},
     2,
     0,
     "0-7",
     "0-15",
     true,
     "mpirun --map-by ppr:1:socket"},
    {{OMPI4, "OMPI_MCA_hwloc_base_cpu_list=3"},
     1,
     0,
     "3",
     "0-15",
     true,
     "mpirun --cpu-list 3"},
    {{OMPI4, "OMPI_MCA_hwloc_base_cpu_set=3"},
     1,
     0,
     "3",
     "0-15",
     true,
     "mpirun --cpu-set 3"},
    {{OMPI4, "OMPI_MCA_rmaps_base_cpus_per_rank=2"},
     1,
     0,
     "0-3",
     "0-15",
     true,
     "mpirun --cpus-per-rank 2"},
    /* somebody else than mpirun: mpirun -np 1 taskset -c 2,3, a rankfile */
    {{OMPI4}, 1, 0, "2-3", "0-15", true, "taskset"},
    {{OMPI4}, 2, 1, "0-1", "0-15", true, "taskset"},
    {{OMPI4}, 2, 1, "2", "0-15", true, "taskset"},
    {{OMPI4}, 4, 0, "0-3", "0-15", true, "taskset"},
    /* Open MPI 5 and hydra */
    {{OMPI5}, 2, 0, "0-1", "0-15", true, "bound by mpirun, which doesn't say why"},
    {{OMPI5}, 4, 0, "0-15", "0-15", true, "not bound, and mpirun doesn't say why"},
    {{"PMI_FD=5"}, 4, 0, "0-15", "0-15", true, "PAR_BIND=auto"},
    /* srun */
    {{SRUN, "SLURM_CPU_BIND_TYPE=mask_cpu:"}, 2, 0, "0-1", NULL, true, "srun (mask_cpu)"},
    {{SRUN, "SLURM_CPU_BIND_TYPE=none"},
     2,
     0,
     "0-15",
     NULL,
     true,
     "srun --cpu-bind=none"},
    {{SRUN}, 2, 0, "0-15", NULL, false, ""},
    {{SRUN}, 2, 0, "0-7", NULL, true, "a part of the node"},
    /* mpirun within sbatch: mpirun is it */
    {{OMPI4, SRUN, "SLURM_CPU_BIND_TYPE=none"},
     2,
     0,
     "0-1",
     "0-15",
     false,
     "mpirun's default"},
    /* nobody */
    {{NULL}, 1, 0, "0-15", NULL, true, "started alone"},
    {{NULL}, 1, 0, "4", NULL, true, "started alone"},
    /* a launcher that we don't know */
    {{NULL}, 4, 0, "0-15", NULL, false, ""},
    {{NULL}, 4, 0, "0-3", NULL, true, "a part of the node"},
};

enum { TRACES = sizeof traces / sizeof *traces };

static void forget(void)
{
    static const char *const all[] = {"OMPI_MCA_",    "PRTE_LAUNCHED",
                                      "PMI_FD",       "HYDI_CONTROL_FD",
                                      "SLURM_PROCID", "SLURM_CPU_BIND_TYPE"};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        environ_forget(all[i]);
}

static void set(const trace *t)
{
    forget();
    for (int i = 0; i < 4 && t->variables[i]; i++) {
        char text[128], *value;

        snprintf(text, sizeof text, "%s", t->variables[i]);
        value = strchr(text, '=');
        *value++ = '\0';
        ck_assert_int_eq(setenv(text, value, 1), 0);
    }
}

START_TEST(a_launchers_choice_is_told_from_its_default)
{
    const trace *t = &traces[_i];
    machine *m = place_machine("pack:2 [numa] core:4 pu:2", false);
    share_claim claim = {.have = policy_list_entry(t->have, 0)};
    mask room = {{0}};

    ck_assert_ptr_nonnull(m);
    set(t);
    if (t->room)
        room = policy_list_entry(t->room, 0);
    launch_judge(launch_who(t->size), t->size, t->local, m, &room, &claim);
    ck_assert_msg(claim.chosen == t->chosen, "%s: %s on %s", claim.why, t->variables[0],
                  t->have);
    ck_assert_msg(strstr(claim.why, t->why) && !*t->why == !*claim.why,
                  "\"%s\" instead of \"%s\"", claim.why, t->why);
    free(m);
    forget();
}
END_TEST

/* What mpirun is told as a variable, for one rank on its first core; and what is said of
 * that, NULL where it is nothing about less than a node. */
static const struct {
    const char *variable, *why;
} spellings[] = {
#define MAP_BY "OMPI_MCA_rmaps_base_mapping_policy="
    {MAP_BY "slot", NULL},
    {MAP_BY "SLOT", NULL},
    {MAP_BY "sl", NULL},
    {MAP_BY "Node:oversubscribe", NULL},
    {MAP_BY ":oversubscribe", NULL},
    {MAP_BY "ppr:1:NODE", NULL},
    {MAP_BY "PPR:1:node:oversubscribe", NULL},
    {MAP_BY ":pe=1", "kept: mpirun --map-by :pe=1"},
    {MAP_BY "Slot:Pe=1", "kept: mpirun --map-by Slot:Pe=1"},
    {MAP_BY "ppr:1:node:PE=1", "kept: mpirun --map-by ppr:1:node:PE=1"},
    {MAP_BY "PPR:1:Socket", "kept: mpirun --map-by PPR:1:Socket"},
    {MAP_BY "SOCKET:oversubscribe", "kept: mpirun --map-by SOCKET:oversubscribe"},
#undef MAP_BY
    {"OMPI_MCA_hwloc_base_bind_to_core=1", "kept: mpirun --bind-to-core"},
    {"OMPI_MCA_hwloc_base_bind_to_core=0", NULL},
    {"OMPI_MCA_hwloc_base_bind_to_socket=true", "kept: mpirun --bind-to-socket"},
    {"OMPI_MCA_rmaps_base_bycore=1", "kept: mpirun --bycore"},
    {"OMPI_MCA_rmaps_base_bycore=false", NULL},
    {"OMPI_MCA_rmaps_base_bynode=1", NULL},
    {"OMPI_MCA_rmaps_ppr_n_persocket=1", "kept: mpirun --npersocket 1"},
    {"OMPI_MCA_rmaps_ppr_n_pernode=1", NULL},
    {"OMPI_MCA_rmaps_ppr_pattern=1:socket", "kept: mpirun --ppr 1:socket"},
    {"OMPI_MCA_rmaps_ppr_pattern=1:node", NULL},
    {"OMPI_MCA_orte_rankfile=/a/file", "kept: mpirun --rankfile /a/file"},
};

enum { SPELLINGS = sizeof spellings / sizeof *spellings };

START_TEST(an_option_is_known_in_all_spellings)
{
    const char *why = spellings[_i].why;
    trace t = {.variables = {OMPI4, spellings[_i].variable}};
    machine *m = place_machine("pack:2 [numa] core:4 pu:2", false);
    share_claim claim = {.have = policy_list_entry("0-1", 0)};
    mask room = {{0}};

    set(&t);
    launch_judge(launch_who(1), 1, 0, m, &room, &claim);
    ck_assert_msg(claim.chosen == !!why, "%s", spellings[_i].variable);
    ck_assert_str_eq(claim.why, why ? why : "mpirun's default");
    free(m);
    forget();
}
END_TEST

/* Where a rank may go if it is to be moved. */
static void check_room(const char *variable, int size, const char *have, const char *own,
                       const char *expected)
{
    trace t = {.variables = {variable}};
    machine *m = place_machine("pack:2 [numa] core:4 pu:2", false);
    share_claim claim = {.have = policy_list_entry(have, 0)};
    mask room = {{0}}, wanted = policy_list_entry(expected, 0);
    char text[64];

    if (own)
        room = policy_list_entry(own, 0);
    set(&t);
    launch_judge(launch_who(size), size, 0, m, &room, &claim);
    mask_text(&claim.room, text, sizeof text);
    ck_assert_msg(mask_equal(&claim.room, &wanted), "%s, not %s", text, expected);
    free(m);
    forget();
}

START_TEST(mpirun_gives_what_it_may_use_itself)
{
    check_room(OMPI4, 1, "0-1", "0-15", "0-15");
    check_room(OMPI4, 1, "0-1", "4-7", "4-7"); /* taskset -c 4-7 mpirun */
    check_room(OMPI4, 1, "0-1", NULL, "0-15");
    check_room(OMPI5, 1, "0-1", "4-7", "4-7");
    check_room(OMPI4, 1, "0-1", "64-99", "0-15");
}
END_TEST

/* The exit status of a process that calls ASK with OWN. */
static int child(int (*ask)(void *), void *own)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(ask(own));
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

/* Whether the room of a rank is OWN, a mask. */
static int has_room(void *own)
{
    mask room = launch_room(LAUNCHER_OPEN_MPI_4);

    return mask_equal(&room, own);
}

/* The same for a rank that is started by a process called NAME, on the first of its
 * CPUs. */
static int starter_has_room(void *name)
{
    mask now = affinity_of(0), own = {{0}};

    mask_add(&own, mask_next(&now, -1));
    if (prctl(PR_SET_NAME, name) || affinity_set(&now, &own))
        return -1;
    return child(has_room, &own);
}

START_TEST(mpirun_is_known_by_its_name)
{
    static char *const names[] = {"mpirun",        "mpirun.openmpi", "mpiexec.openmpi",
                                  "mpiexec.hydra", "orted",          "hydra_pmi_proxy"};
    static char *const others[] = {"mpi", "mpirunner", "python3.11"};
    mask now = affinity_of(0), outer = launch_room(LAUNCHER_OPEN_MPI_4), first = {{0}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_msg(child(starter_has_room, names[i]) == 1, "%s", names[i]);
    mask_add(&first, mask_next(&now, -1));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(child(starter_has_room, others[i]) == mask_equal(&outer, &first),
                      "%s", others[i]);
}
END_TEST

START_TEST(others_give_no_more_than_they_gave)
{
    check_room(SRUN, 2, "0-3", NULL, "0-3");
    check_room(NULL, 1, "5", NULL, "5");
    check_room(NULL, 3, "5-6", NULL, "5-6");
}
END_TEST

START_TEST(without_a_machine_a_rank_is_free)
{
    share_claim claim = {.have = policy_list_entry("3", 0)};
    mask room = {{0}};

    set(&traces[0]);
    launch_judge(launch_who(1), 1, 0, NULL, &room, &claim);
    ck_assert_int_eq(claim.chosen, 0);
    forget();
}
END_TEST

static void add(Suite *suite)
{
    check_add_each(suite, TRACES, a_launchers_choice_is_told_from_its_default);
    check_add_each(suite, SPELLINGS, an_option_is_known_in_all_spellings);
    check_add(suite, mpirun_gives_what_it_may_use_itself);
    check_add(suite, mpirun_is_known_by_its_name);
    check_add(suite, others_give_no_more_than_they_gave);
    check_add(suite, without_a_machine_a_rank_is_free);
}

const check_program program = {.name = "launch", .add = add, .alone = true};
