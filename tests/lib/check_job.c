/* check_job.c - jobs that a test starts: this program again, in a role.
 * SPDX-License-Identifier: MIT */
#include "check_job.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "check_par.h"

/* For a job that takes one or two where all is well. */
#define JOB_SECONDS "120"

enum { BAD_JOBS = 3 }; /* that the machine may have disturbed */

char check_output[16384];

int check_play(const check_role *roles, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, roles[i].name) == 0)
            return roles[i].play();
    fprintf(stderr, "no such role: %s\n", name);
    return 2;
}

void check_begin(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    ck_ok(par_init(NULL, NULL, NULL, &world));
    me = par_rank(world);
    ranks = par_size(world);
    ck_ok(par_barrier(world));
}

int check_wait_for_ever(void)
{
    char x;
    size_t index, done;
    par_request *request;

    /* A time limit: else it is a deadlock, if those it is about take longer to be found.
     */
    par_receive_start(world, &x, 1, PAR_CHAR, 0, 99, &request);
    par_wait_some(&request, 1, 3600, &index, &done);
    return 0;
}

/* Add N ranks in ROLE to COMMAND; without mpirun if N is 0. */
static void add_ranks(char *command, size_t size, int n, const char *role)
{
    char flags[512];
    size_t used = strlen(command);

    if (n) {
        snprintf(flags, sizeof flags, CHECK_MPIRUN_FLAGS, n);
        snprintf(command + used, size - used, "%s ", flags);
        used = strlen(command);
    }
    snprintf(command + used, size - used, "'%s' %s ", check_path, role);
}

/* Run COMMAND and give its exit status. A job that hangs is ended from outside,
 * with status 124. */
static int run(const char *command)
{
    size_t length;
    int status;
    FILE *pipe = popen(command, "r");

    ck_assert_ptr_nonnull(pipe);
    length = fread(check_output, 1, sizeof check_output - 1, pipe);
    check_output[length] = '\0';
    while (fgetc(pipe) != EOF)
        ;
    status = pclose(pipe);
    ck_assert_msg(WIFEXITED(status), "%s: %s", command, check_output);
    return WEXITSTATUS(status);
}

static int run_roles(int n, const char *role, const char *second, const char *settings)
{
    char command[4096];

    snprintf(command, sizeof command, "%s timeout -k 10 " JOB_SECONDS " %s ", settings,
             n ? CHECK_MPIRUN : "");
    add_ranks(command, sizeof command, n, role);
    if (second) {
        strcat(command, ": ");
        add_ranks(command, sizeof command, 1, second);
    }
    strcat(command, "2>&1 </dev/null");
    return run(command);
}

void check_roles_end(int expected, int n, const char *role, const char *second,
                     const char *settings)
{
    int status = run_roles(n, role, second, settings);

    ck_assert_msg(status == expected, "%s %s on %d ranks: status %d: %s", settings, role,
                  n, status, check_output);
}

void check_job_ends(int expected, int n, const char *role)
{
    check_roles_end(expected, n, role, NULL, "");
}

void check_job_ends_well(int n, const char *role)
{
    check_job_ends(EXIT_SUCCESS, n, role);
    if (n == 0) /* mpirun may have something to say */
        ck_assert_str_eq(check_output, "");
}

static int times_printed(const char *text)
{
    int found = 0;

    for (const char *at = check_output; (at = strstr(at, text)); at++)
        found++;
    return found;
}

void check_printed(int times, const char *text)
{
    int found = times_printed(text);

    ck_assert_msg(found == times, "\"%s\" is printed %d times instead of %d: %s", text,
                  found, times, check_output);
}

/* Whether a job does, else it is shown. */
static bool job_says(int expected, int n, const char *role, const check_line *lines,
                     size_t count)
{
    int status = run_roles(n, role, NULL, "");
    bool all = status == expected;

    for (size_t i = 0; i < count; i++)
        all = all && times_printed(lines[i].text) == lines[i].times;
    if (!all)
        printf("%s on %d ranks: status %d: %s", role, n, status, check_output);
    return all;
}

void check_jobs_say(int good, int expected, int n, const char *role,
                    const check_line *lines, size_t count)
{
    for (int bad = 0; good;)
        if (job_says(expected, n, role, lines, count))
            good--;
        else
            ck_assert_msg(++bad <= BAD_JOBS, "%d jobs of %s have failed, as shown above",
                          bad, role);
}
