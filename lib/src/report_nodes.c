/* report_nodes.c - the ranks of a report, arranged by node; which nodes are alike.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* ---- groups of CPUs ----------------------------------------------------- */

int report_group(const machine_cpu *cpu, report_level level)
{
    switch (level) {
    case REPORT_PACKAGE:
        return cpu->package;
    case REPORT_NUMA:
        return cpu->numa;
    case REPORT_L3:
        return cpu->l3;
    case REPORT_CORE:
        break;
    }
    return cpu->core;
}

mask report_groups(const machine *m, const mask *cpus, report_level level)
{
    mask groups = {{0}};

    for (int c = 0; c < m->cpus; c++)
        if (mask_has(cpus, m->cpu[c].os))
            mask_add(&groups, report_group(&m->cpu[c], level));
    return groups;
}

/* ---- nodes -------------------------------------------------------------- */

static bool same_place(const report_rank *a, const report_rank *b)
{
    return a->threads == b->threads && a->place.cpus == b->place.cpus &&
           a->place.bound == b->place.bound && a->place.quota == b->place.quota &&
           strcmp(a->place.why, b->place.why) == 0 &&
           mask_equal(&a->place.mask, &b->place.mask);
}

static bool same_node(const report *r, const report_node *a, const report_node *b)
{
    if (a->machine != b->machine || a->count != b->count)
        return false;
    for (int i = 0; i < a->count; i++)
        if (!same_place(&r->rank[a->ranks[i]], &r->rank[b->ranks[i]]))
            return false;
    return true;
}

/* Nodes that are like no other are few: each is compared with them alone. */
static void find_alike(report *r)
{
    for (int n = 0; n < r->nodes; n++) {
        r->node[n].like = n;
        for (int first = 0; first < n; first++)
            if (r->node[first].like == first &&
                same_node(r, &r->node[first], &r->node[n])) {
                r->node[n].like = first;
                break;
            }
    }
}

/* The node of each rank, from 0 on in the order of their first ranks, written to NODES;
 * how many there are. FIRSTS has room for as many numbers as ranks. */
static int number_nodes(const report *r, int *nodes, int *firsts)
{
    int count = 0;

    for (int i = 0; i < r->ranks; i++) {
        int n = 0;

        if (i && r->rank[i].node == r->rank[i - 1].node)
            n = nodes[i - 1]; /* as it mostly is */
        while (n < count && r->rank[firsts[n]].node != r->rank[i].node)
            n++;
        if (n == count)
            firsts[count++] = i;
        nodes[i] = n;
    }
    return count;
}

/* Give each node its part of the members; NODES has the node of each rank. */
static void lay_out(report *r, const machine *const *machines, const int *nodes,
                    const int *firsts)
{
    int *room = r->members;

    for (int n = 0; n < r->nodes; n++) {
        const report_rank *first = &r->rank[firsts[n]];

        r->node[n] = (report_node){.host = first->host, .ranks = room};
        if (first->machine >= 0)
            r->node[n].machine = machines[first->machine];
        for (int i = firsts[n]; i < r->ranks; i++)
            if (nodes[i] == n)
                *room++ = i;
        r->node[n].count = (int)(room - r->node[n].ranks);
    }
}

par_error report_arrange(const report_rank *rank, int ranks,
                         const machine *const *machines, report *report_p)
{
    report r = {.ranks = ranks, .rank = rank};
    size_t bytes = (size_t)ranks * sizeof(int);
    int *nodes = malloc(2 * bytes), *firsts = nodes + ranks;

    r.members = malloc(bytes);
    if (nodes)
        r.nodes = number_nodes(&r, nodes, firsts);
    r.node = malloc((size_t)(r.nodes + 1) * sizeof *r.node);
    if (!nodes || !r.members || !r.node) {
        free(nodes);
        report_free(&r);
        return error_memory(bytes, "the report");
    }
    lay_out(&r, machines, nodes, firsts);
    free(nodes);
    find_alike(&r);
    *report_p = r;
    return PAR_OK;
}

void report_free(report *r)
{
    free(r->node);
    free(r->members);
    *r = (report){0};
}
