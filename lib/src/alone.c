/* alone.c - a process that is alone to MPI: whether it is meant to be.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* environ */
#include "alone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "environ.h"

enum { MARK_BYTES = 512 };

static const char mark_name[] = "PAR_STARTED_BY";

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

/* ---- what a rank has started --------------------------------------------- */

/* PID and what the launcher has called it; empty where there is no launcher. Ranks of
 * one step of SLURM differ in SLURM_PROCID, those of one mpirun in their PMIX_RANK. */
static void write_mark(long pid, char *text, size_t size)
{
    static const char *const names[] = {"PMIX_NAMESPACE", "PMIX_RANK", "PMI_RANK",
                                        "PMI_FD",         "PMI_PORT",  "SLURM_STEP_ID",
                                        "SLURM_PROCID"};
    size_t used = (size_t)snprintf(text, size, "%ld", pid);
    bool any = false;

    for (size_t i = 0; i < sizeof names / sizeof *names && used < size; i++) {
        const char *value = getenv(names[i]);

        any |= value && *value;
        used += (size_t)snprintf(text + used, size - used, ":%s", value ? value : "");
    }
    if (!any)
        *text = '\0';
}

void alone_mark(void)
{
    char mark[MARK_BYTES];

    write_mark((long)getpid(), mark, sizeof mark);
    if (*mark)
        setenv(mark_name, mark, 1);
}

/* Whether another process, a rank, got these very variables from the launcher. */
static bool has_inherited(void)
{
    const char *mark = getenv(mark_name);
    long pid = mark ? strtol(mark, NULL, 10) : 0;
    char same[MARK_BYTES];

    if (!mark || pid == (long)getpid())
        return false;
    write_mark(pid, same, sizeof same);
    return !strcmp(mark, same);
}

/* By which Open MPI, MPICH and SLURM tell a process who it is, or where to ask. */
static void forget_launcher(void)
{
    static const char *const prefixes[] = {
        "PMIX_",          "PMI_",          "OMPI_COMM_WORLD_", "OMPI_MCA_ess",
        "OMPI_MCA_orte_", "OMPI_MCA_pmix", "OMPI_UNIVERSE_",   "PRTE_LAUNCHED",
        "HYDI_",          "MPI_LOCAL",     "SLURM_STEP",       "SLURM_PROCID"};

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        environ_forget(prefixes[i]);
    unsetenv(mark_name);
}

/* ---- what has started several -------------------------------------------- */

/* How a launcher says how many it has started, and which of them this one is. */
typedef struct claim {
    const char *size, *number, *by, *cure;
} claim;

static const char mpis_own[] = "start the job with the mpirun that belongs to it";

static const claim claims[] = {
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "an mpirun of Open MPI", mpis_own},
    {"PMI_SIZE", "PMI_RANK", "an mpirun of MPICH or its kin (or srun --mpi=pmi2)",
     mpis_own},
    {"MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK", "an mpirun of MVAPICH", mpis_own},
    {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun",
     "start the job with srun --mpi=pmix (srun --mpi=list says what there is), or with "
     "mpirun"},
};

static long number_in(const char *name)
{
    const char *value = getenv(name);

    return value ? strtol(value, NULL, 10) : 0;
}

static bool may_be_alone(void)
{
    const char *value = getenv("PAR_ALONE");

    return value && !strcmp(value, "1");
}

static par_error refuse(const claim *of, const char *mpi)
{
    return error_set(PAR_ERR_MPI,
                     "%s has started %s processes (%s), of which this is number %s, but "
                     "%s: %s; or set PAR_ALONE=1 where each is meant to be a job of its "
                     "own",
                     of->by, getenv(of->size), of->size,
                     is_set(of->number) ? getenv(of->number) : "?", mpi, of->cure);
}

/* srun --mpi=none: Open MPI would print pages and end the process. */
static bool srun_says_nothing(void)
{
    return is_set("SLURM_STEP_NUM_TASKS") && !is_set("PMIX_NAMESPACE") &&
           !is_set("PMI_FD") && !is_set("PMI_PORT") && !is_set("OMPI_COMM_WORLD_SIZE");
}

par_error alone_prepare(void)
{
    const claim *srun = &claims[sizeof claims / sizeof *claims - 1];

    if (may_be_alone() || has_inherited())
        forget_launcher();
    if (!srun_says_nothing())
        return PAR_OK;
    if (number_in(srun->size) > 1)
        return refuse(srun, "it has told them nothing of each other");
    forget_launcher(); /* one process, which needs no launcher */
    return PAR_OK;
}

par_error alone_check(int size, const char *library)
{
    char mpi[256];

    /* A step of SLURM's may hold an mpirun that has started this one alone. */
    if (size != 1 || may_be_alone() || number_in(claims[0].size) == 1)
        return PAR_OK;
    snprintf(mpi, sizeof mpi, "to this library's MPI (%s) each of them is the only one",
             library);
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        if (number_in(claims[i].size) > 1)
            return refuse(&claims[i], mpi);
    return PAR_OK;
}
