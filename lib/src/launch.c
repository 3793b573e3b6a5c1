/* launch.c - who has started this rank, and who has chosen its CPUs.
 * SPDX-License-Identifier: MIT
 *
 * A launcher's explicit choice is the user's; its default is nobody's. Open MPI 4 tells
 * them apart: options of its command line reach the ranks as variables. Its default is
 * a core each for jobs of one or two ranks, and a NUMA node or package each for larger
 * ones, or nothing where there are more ranks than cores.
 */
#define _GNU_SOURCE /* strcasestr */
#include "launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "affinity.h"
#include "cores.h"

#define LAUNCH_CURE "PAR_BIND=auto divides the node"

launcher launch_who(int size)
{
    if (getenv("OMPI_MCA_orte_launch"))
        return LAUNCHER_OPEN_MPI_4;
    if (getenv("PRTE_LAUNCHED") || getenv("PMI_FD") || getenv("HYDI_CONTROL_FD"))
        return LAUNCHER_SILENT;
    if (getenv("SLURM_PROCID"))
        return LAUNCHER_SLURM;
    return size == 1 ? LAUNCHER_NONE : LAUNCHER_OTHER;
}

/* ---- the launcher's process ----------------------------------------------- */

/* Where several MPIs are installed a name goes on with whose it is: mpirun.openmpi. */
static bool is_launcher(const char *name)
{
    static const char *const names[] = {"mpirun", "mpiexec",        "orterun",
                                        "orted",  "prterun",        "prte",
                                        "prted",  "hydra_pmi_proxy"};
    size_t length = strcspn(name, ".");

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (length == strlen(names[i]) && !strncmp(name, names[i], length))
            return true;
    return false;
}

/* The parent of PID, and the name of PID; 0 where that cannot be seen. */
static pid_t look_at(pid_t pid, char name[32])
{
    char path[64], line[512], *end;
    int parent = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (!file)
        return 0;
    /* "12 (name) S 1 ...", and a name may have anything in it */
    end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    fclose(file);
    if (!end || sscanf(end, ") %*c %d", &parent) != 1)
        return 0;
    *end = '\0';
    snprintf(name, 32, "%s", strchr(line, '(') + 1);
    return parent;
}

mask launch_room(launcher who)
{
    char name[32] = "";
    pid_t pid = getppid(), next;

    if (who != LAUNCHER_OPEN_MPI_4 && who != LAUNCHER_SILENT)
        return (mask){{0}};
    for (; pid > 1 && (next = look_at(pid, name)); pid = next)
        if (is_launcher(name))
            return affinity_of(pid);
    return (mask){{0}};
}

/* ---- who has chosen --------------------------------------------------------- */

/* Whether UNIT, of which Open MPI takes a beginning and small letters or capitals, is
 * less than a node: not where none is named. */
static bool is_within_node(const char *unit)
{
    static const char *const whole[] = {"slot", "node", "seq"};
    size_t length = strcspn(unit, ":");

    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (!strncasecmp(unit, whole[i], length))
            return false;
    return true;
}

/* Whether so many for each of a unit, as in 2:socket, are within a node. */
static bool deals_within_node(const char *value)
{
    const char *unit = strchr(value, ':');

    return is_within_node(unit ? unit + 1 : "");
}

/* Whether --map-by VALUE says anything about less than a node. */
static bool maps_within_node(const char *value)
{
    if (strcasestr(value, "PE="))
        return true;
    return strncasecmp(value, "ppr:", 4) ? is_within_node(value)
                                         : deals_within_node(value + 4);
}

static bool is_given(const char *value)
{
    return *value;
}

static bool is_on(const char *value)
{
    return *value && !strchr("0fFnN", *value); /* false, no */
}

/* What mpirun of Open MPI 4 has been told about CPUs; false where nothing. */
static bool told(char why[PLACE_WHY])
{
    static const struct {
        const char *variable, *option;
        bool (*is_about_cpus)(const char *value);
    } all[] = {
        {"OMPI_MCA_hwloc_base_binding_policy", "--bind-to", is_given},
        {"OMPI_MCA_hwloc_base_bind_to_core", "--bind-to-core", is_on},
        {"OMPI_MCA_hwloc_base_bind_to_socket", "--bind-to-socket", is_on},
        {"OMPI_MCA_hwloc_base_cpu_set", "--cpu-set", is_given},
        {"OMPI_MCA_hwloc_base_cpu_list", "--cpu-list", is_given},
        {"OMPI_MCA_orte_rankfile", "--rankfile", is_given},
        {"OMPI_MCA_rmaps_base_cpus_per_rank", "--cpus-per-rank", is_given},
        {"OMPI_MCA_rmaps_base_mapping_policy", "--map-by", maps_within_node},
        {"OMPI_MCA_rmaps_base_bycore", "--bycore", is_on},
        {"OMPI_MCA_rmaps_ppr_n_persocket", "--npersocket", is_given},
        {"OMPI_MCA_rmaps_ppr_pattern", "--ppr", deals_within_node},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *value = getenv(all[i].variable);
        bool has_value = all[i].is_about_cpus != is_on;

        if (!value || !all[i].is_about_cpus(value))
            continue;
        snprintf(why, PLACE_WHY, "kept: mpirun %s%s%.80s", all[i].option,
                 has_value ? " " : "", has_value ? value : "");
        return true;
    }
    return false;
}

/* Whether HAVE is one whole group of LEVEL. */
static bool is_group(const cores *all, cores_level level, const mask *have)
{
    for (int first = 0, end; first < all->count; first = end) {
        mask m = {{0}};

        end = cores_group_end(all, first, level);
        for (int i = first; i < end; i++)
            cores_add(all, i, 0, all->core[i].cpus, &m);
        if (mask_equal(&m, have))
            return true;
    }
    return false;
}

static bool is_core(const cores *all, int i, const mask *have)
{
    mask m = {{0}};

    if (i >= all->count)
        return false;
    cores_add(all, i, 0, all->core[i].cpus, &m);
    return mask_equal(&m, have);
}

/* Whether HAVE is what Open MPI 4 gives without being told. */
static bool is_default(int size, int local, const machine *m, const mask *have)
{
    mask allowed = machine_allowed(m);
    cores all;
    bool is;

    if (!cores_open(&all, m, &allowed))
        return false;
    is = size <= 2
             ? is_core(&all, local, have)
             : is_group(&all, CORES_NUMA, have) || is_group(&all, CORES_PACKAGE, have);
    cores_close(&all);
    return is;
}

/* ---- the verdict ------------------------------------------------------------ */

static void judge(share_claim *claim, bool chosen, const char *why)
{
    claim->chosen = chosen;
    snprintf(claim->why, PLACE_WHY, "%s", why);
}

static void judge_open_mpi_4(int size, int local, const machine *m, bool is_free,
                             share_claim *claim)
{
    if (told(claim->why))
        claim->chosen = true;
    else if (is_free)
        judge(claim, false, "");
    else if (m && is_default(size, local, m, &claim->have))
        judge(claim, false, "mpirun's default");
    else
        judge(claim, true, "kept: by taskset, a rankfile or the like; " LAUNCH_CURE);
}

static void judge_slurm(bool is_free, share_claim *claim)
{
    const char *type = getenv("SLURM_CPU_BIND_TYPE");
    int length = type ? (int)strcspn(type, ":") : 0;

    claim->chosen = length || !is_free;
    if (length && !strncmp(type, "none", 4))
        judge(claim, true, "kept: srun --cpu-bind=none; " LAUNCH_CURE);
    else if (length)
        snprintf(claim->why, PLACE_WHY, "kept: bound by srun (%.*s); srun -c gives more",
                 length < 32 ? length : 32, type);
    else
        judge(claim, !is_free, is_free ? "" : "kept: started on a part of the node");
}

void launch_judge(launcher who, int size, int local, const machine *m, const mask *room,
                  share_claim *claim)
{
    mask allowed = m ? machine_allowed(m) : claim->have;
    mask within = mask_and(&allowed, room);
    bool is_free;

    if (mask_next(&within, -1) < 0)
        within = allowed;
    claim->room =
        who == LAUNCHER_OPEN_MPI_4 || who == LAUNCHER_SILENT ? within : claim->have;
    is_free = mask_inside(&within, &claim->have);
    switch (who) {
    case LAUNCHER_NONE:
        judge(claim, true, "kept: started alone");
        break;
    case LAUNCHER_OPEN_MPI_4:
        judge_open_mpi_4(size, local, m, is_free, claim);
        break;
    case LAUNCHER_SILENT:
        judge(claim, true,
              is_free ? "kept: not bound, and mpirun doesn't say why; " LAUNCH_CURE
                      : "kept: bound by mpirun, which doesn't say why; " LAUNCH_CURE);
        break;
    case LAUNCHER_SLURM:
        judge_slurm(is_free, claim);
        break;
    case LAUNCHER_OTHER:
        judge(claim, !is_free, is_free ? "" : "kept: started on a part of the node");
        break;
    }
}
