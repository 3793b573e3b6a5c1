/* report.h - where the ranks are: what they tell of themselves, arranged by node, and
 * the forms in which it is shown.
 * SPDX-License-Identifier: MIT
 *
 * The ranks' words are gathered (report.c) and arranged (report_nodes.c); from then on
 * everything is a pure function of a report.
 */
#ifndef PAR_SRC_REPORT_H
#define PAR_SRC_REPORT_H

#include <stdio.h>

#include "error.h"
#include "place.h"

/* What a rank tells of itself: plain data, which travels as bytes. */
typedef struct report_rank {
    place place;
    int32_t node;       /* the same number for all ranks of a node */
    int32_t machine;    /* which of the report's machines it is on; -1: not known */
    int32_t threads;    /* how many it is told to start; 0 if nobody has said so */
    uint64_t near, far; /* bytes of its memory at its own NUMA nodes, and at others */
    char host[64];
} report_rank;

typedef struct report_node {
    const machine *machine; /* NULL: it could not be read */
    const char *host;
    const int *ranks; /* in order */
    int count;
    int like; /* the first node whose machine is the same and whose ranks have the same
               * places; itself if there is none before it */
} report_node;

typedef struct report {
    int ranks, nodes;
    const report_rank *rank;
    report_node *node; /* in the order of their first ranks */
    int *members;      /* what the nodes' ranks are parts of */
} report;

/* Arrange RANKS ranks by their nodes, on MACHINES. Both stay the caller's and must
 * live as long as the report, which report_free frees.
 *
 * PAR_ERR_MEMORY
 */
par_error report_arrange(const report_rank *rank, int ranks,
                         const machine *const *machines, report *report_p);
void report_free(report *r);

/* How the CPUs of a machine are grouped. */
typedef enum report_level {
    REPORT_PACKAGE,
    REPORT_NUMA,
    REPORT_L3,
    REPORT_CORE,
} report_level;

/* The number of CPU's group; -1 where the machine has none such. */
int report_group(const machine_cpu *cpu, report_level level);

/* The numbers of the groups that CPUs of CPUS are in: a set like one of CPUs. */
mask report_groups(const machine *m, const mask *cpus, report_level level);

/* What is wrong with the places of a node's ranks. */
typedef struct report_warning {
    const char *kind; /* a word for programs: "shared-core" */
    const int *ranks; /* that it is about, in order */
    int count;
    const char *text; /* a sentence */
} report_warning;

typedef par_error report_sink(const report_warning *warning, void *context);

/* Give each warning about NODE to SINK.
 *
 * PAR_ERR_MEMORY, and SINK's own errors
 */
par_error report_warn(const report *r, const report_node *node, report_sink *sink,
                      void *context);

/* Draw the CPUs of NODE with its ranks on them, each line behind INDENT spaces.
 *
 * PAR_ERR_MEMORY
 */
par_error report_draw(FILE *out, const report *r, const report_node *node, int indent);

/* Write the whole report as text. Without ALL, what looks alike is folded.
 *
 * PAR_ERR_MEMORY
 */
par_error report_text(FILE *out, const report *r, bool all);

/* The same as JSON, with nothing left out. */
par_error report_json(FILE *out, const report *r);

/* Print what par_place_report tells in FORM, unless that is none, to stderr of rank 0.
 * Collective. An error is printed, too: a job doesn't fail for it. */
void report_print(par_comm *world, par_report_form form);

#endif
