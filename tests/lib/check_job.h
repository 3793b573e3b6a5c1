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

#endif
