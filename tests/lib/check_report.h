/* check_report.h - reports of ranks on machines that a test makes up.
 * SPDX-License-Identifier: MIT */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include "report.h"

enum { MADE_RANKS = 10000, MADE_MACHINES = 32 };

/* What a report is made of, for made_free. */
typedef struct made {
    machine *machines[MADE_MACHINES];
    report_rank *rank;
    int ranks, machine_count;
} made;

made made_begin(void);
void made_free(made *m);

/* Add a machine, from hwloc's synthetic description; its number. */
int made_machine(made *m, const char *description);

/* Add a rank on node NODE, whose host is PREFIX and that number, on machine BOX, -1 for
 * one that could not be read, with the CPUs in a list. It uses one and has WHY. */
report_rank *made_rank(made *m, const char *prefix, int node, int box, const char *cpus,
                       const char *why);

/* The report as text or JSON, and all its warnings a line each; for free(). */
char *made_text(const made *m, bool all);
char *made_json(const made *m);
char *made_warnings(const made *m);

/* How many lines TEXT has, and how often WORDS stand in it. */
int lines_in(const char *text);
int times_in(const char *text, const char *words);

/* WORDS stand in TEXT, or don't: if it fails the text is shown. */
#define ck_in(words, text) \
    ck_assert_msg(times_in((text), (words)) > 0, "no \"%s\" in:\n%s", (words), (text))
#define ck_not_in(words, text) \
    ck_assert_msg(times_in((text), (words)) == 0, "\"%s\" in:\n%s", (words), (text))

#endif
