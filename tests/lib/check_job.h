/* check_job.h - jobs that a test starts: this program again, in a role.
 * SPDX-License-Identifier: MIT */
#ifndef CHECK_JOB_H
#define CHECK_JOB_H

#include <stddef.h>

typedef struct check_role {
    const char *name;
    int (*play)(void); /* gives the exit status */
} check_role;

/* Play the one of COUNT ROLES that is named NAME: its exit status, 2 if there is none. */
int check_play(const check_role *roles, size_t count, const char *name);

/* For a role on several ranks: the job begins; no core file is written of it. */
void check_begin(void);

/* For a role: wait for what nobody sends. 0 where that fails. */
int check_wait_for_ever(void);

/* What the last job has printed. */
extern char check_output[16384];

/* A job of N ranks in ROLE, without mpirun if N is 0, and, unless SECOND is NULL, of one
 * more in that, ends with status EXPECTED; SETTINGS like "A=b" for its environment. A job
 * that hangs is ended from outside. */
void check_roles_end(int expected, int n, const char *role, const char *second,
                     const char *settings);

void check_job_ends(int expected, int n, const char *role);

/* With status 0; without mpirun also without a word. */
void check_job_ends_well(int n, const char *role);

/* The last job has printed TEXT so many TIMES. */
void check_printed(int times, const char *text);

/* What a job prints, and how often. */
typedef struct check_line {
    int times;
    const char *text;
} check_line;

/* At least GOOD jobs of some more end with status EXPECTED and print all LINES: where the
 * machine stands still for longer than ranks wait for each other, one says too much or
 * too little. */
void check_jobs_say(int good, int expected, int n, const char *role,
                    const check_line *lines, size_t count);

#define CHECK_JOBS_SAY(good, expected, n, role, ...)                                   \
    check_jobs_say((good), (expected), (n), (role), (const check_line[]){__VA_ARGS__}, \
                   sizeof((const check_line[]){__VA_ARGS__}) / sizeof(check_line))
#define CHECK_JOB_SAYS(expected, n, role, ...) \
    CHECK_JOBS_SAY(1, expected, n, role, __VA_ARGS__)

#endif
