/* test_alone.c - a process that is alone to MPI: whether it is meant to be.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "alone.h"
#include "check_par.h"
#include "environ.h"

/* An environment of these "NAME=value" and no other launcher's. */
static void start(const char *const *settings)
{
    static const char *const prefixes[] = {"PMI",   "OMPI_COMM_WORLD_", "MV2_",
                                           "SLURM", "PAR_ALONE",        "PAR_STARTED_BY"};

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        environ_forget(prefixes[i]);
    for (; *settings; settings++) {
        char name[64] = "";
        size_t length = strcspn(*settings, "=");

        memcpy(name, *settings, length);
        ck_assert_int_eq(setenv(name, *settings + length + 1, 1), 0);
    }
}

#define START(...) start((const char *const[]){__VA_ARGS__, NULL})

static void accept(int size)
{
    ck_ok(alone_prepare());
    ck_ok(alone_check(size, "An MPI"));
}

static void refuse(const char *by, const char *cure)
{
    ck_ok(alone_prepare());
    ck_fails(PAR_ERR_MPI, alone_check(1, "An MPI"));
    ck_detail("An MPI");
    ck_detail("PAR_ALONE=1");
    ck_detail(by);
    ck_detail(cure);
}

START_TEST(several_processes_that_are_alone_are_refused)
{
    START("OMPI_COMM_WORLD_SIZE=4", "OMPI_COMM_WORLD_RANK=2");
    refuse("mpirun of Open MPI has started 4", "number 2");
    START("PMI_SIZE=3", "PMI_RANK=0", "PMI_FD=9");
    refuse("mpirun of MPICH", "PMI_SIZE");
    START("MV2_COMM_WORLD_SIZE=2", "MV2_COMM_WORLD_RANK=1");
    refuse("mpirun of MVAPICH", "started 2");
    START("SLURM_STEP_NUM_TASKS=5", "SLURM_PROCID=4", "PMIX_NAMESPACE=x", "PMIX_RANK=4");
    refuse("srun has started 5", "--mpi=pmix");
}
END_TEST

START_TEST(ranks_that_know_of_each_other_are_fine)
{
    START("OMPI_COMM_WORLD_SIZE=4", "OMPI_COMM_WORLD_RANK=2");
    accept(4);
    START("SLURM_STEP_NUM_TASKS=2", "SLURM_PROCID=1", "PMI_FD=4", "PMI_SIZE=2");
    accept(2);
}
END_TEST

START_TEST(one_process_is_fine_whatever_is_around_it)
{
    START("HOME=/");
    accept(1);
    START("OMPI_COMM_WORLD_SIZE=1", "OMPI_COMM_WORLD_RANK=0");
    accept(1);
    START("PMI_SIZE=1", "PMI_RANK=0");
    accept(1);
    /* the script of a batch job; an mpirun for one process within a step of many */
    START("SLURM_JOB_ID=7", "SLURM_NTASKS=16", "SLURM_NPROCS=16", "SLURM_PROCID=0");
    accept(1);
    START("SLURM_STEP_NUM_TASKS=4", "SLURM_PROCID=0", "OMPI_COMM_WORLD_SIZE=1");
    accept(1);
}
END_TEST

START_TEST(srun_without_a_word_to_mpi_is_refused_before_mpi_starts)
{
    START("SLURM_STEP_NUM_TASKS=4", "SLURM_STEP_ID=1", "SLURM_PROCID=3");
    ck_fails(PAR_ERR_MPI, alone_prepare());
    ck_detail("srun has started 4");
    ck_detail("number 3");
    ck_detail("--mpi=pmix");
    START("SLURM_STEP_NUM_TASKS=1", "SLURM_STEP_ID=1", "SLURM_PROCID=0");
    accept(1);
    ck_assert_ptr_null(getenv("SLURM_STEP_ID"));
}
END_TEST

START_TEST(a_process_that_is_to_be_alone_forgets_its_launcher)
{
    START("PAR_ALONE=1", "OMPI_COMM_WORLD_SIZE=4", "PMIX_RANK=2", "PMI_SIZE=4",
          "SLURM_STEP_NUM_TASKS=4", "OMPI_MCA_btl=self");
    accept(1);
    ck_assert_ptr_null(getenv("PMIX_RANK"));
    ck_assert_ptr_null(getenv("OMPI_COMM_WORLD_SIZE"));
    ck_assert_str_eq(getenv("OMPI_MCA_btl"), "self");
}
END_TEST

START_TEST(a_rank_keeps_its_launcher)
{
    START("OMPI_COMM_WORLD_SIZE=4", "PMIX_NAMESPACE=a", "PMIX_RANK=2");
    alone_mark();
    accept(4);
    ck_assert_str_eq(getenv("PMIX_RANK"), "2");
}
END_TEST

/* The mark says another process's number. */
static void pretend_to_be_started_by(const char *pid)
{
    char mark[512];
    const char *rest = strchr(getenv("PAR_STARTED_BY"), ':');

    snprintf(mark, sizeof mark, "%s%s", pid, rest);
    setenv("PAR_STARTED_BY", mark, 1);
}

START_TEST(what_a_rank_has_started_is_a_job_of_its_own)
{
    START("OMPI_COMM_WORLD_SIZE=4", "PMIX_NAMESPACE=a", "PMIX_RANK=2");
    alone_mark();
    pretend_to_be_started_by("1");
    accept(1);
    ck_assert_ptr_null(getenv("PMIX_RANK"));
    ck_assert_ptr_null(getenv("PAR_STARTED_BY"));
}
END_TEST

START_TEST(what_a_launcher_has_started_that_a_rank_has_started_is_a_rank)
{
    START("OMPI_COMM_WORLD_SIZE=4", "PMIX_NAMESPACE=a", "PMIX_RANK=2");
    alone_mark();
    pretend_to_be_started_by("1");
    setenv("PMIX_NAMESPACE", "b", 1);
    accept(4);
    ck_assert_str_eq(getenv("PMIX_RANK"), "2");
}
END_TEST

START_TEST(without_a_launcher_there_is_nothing_to_leave_word_of)
{
    START("HOME=/");
    alone_mark();
    ck_assert_ptr_null(getenv("PAR_STARTED_BY"));
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, several_processes_that_are_alone_are_refused);
    check_add(suite, ranks_that_know_of_each_other_are_fine);
    check_add(suite, one_process_is_fine_whatever_is_around_it);
    check_add(suite, srun_without_a_word_to_mpi_is_refused_before_mpi_starts);
    check_add(suite, a_process_that_is_to_be_alone_forgets_its_launcher);
    check_add(suite, a_rank_keeps_its_launcher);
    check_add(suite, what_a_rank_has_started_is_a_job_of_its_own);
    check_add(suite, what_a_launcher_has_started_that_a_rank_has_started_is_a_rank);
    check_add(suite, without_a_launcher_there_is_nothing_to_leave_word_of);
}

const check_program program = {.name = "alone", .add = add, .alone = true};
