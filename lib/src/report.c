/* report.c - where the ranks are: what they tell of themselves is gathered and shown.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* open_memstream */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "affinity.h"
#include "comm.h"
#include "digest.h"
#include "memory.h"
#include "node.h"

/* What all ranks learn of each other, so that equal machines travel once. */
typedef struct machine_key {
    int32_t node; /* the same for all ranks of a node */
    int32_t cpus; /* 0: this rank has no machine to tell of */
    uint64_t digest;
} machine_key;

typedef struct gathering {
    par_comm *comm;
    int ranks;
    report_rank self;
    machine *machine;  /* this node's, with its devices, on the first of its ranks here */
    machine_key *keys; /* of all ranks */
    size_t *sent;      /* bytes of the machine that each rank sends: one of equal ones */
    /* On rank 0 alone: */
    report_rank *rank;      /* of all ranks */
    char *bytes;            /* the machines, one behind the other */
    const machine **begins; /* where each rank's begins; NULL: it has sent none */
} gathering;

/* ---- this rank ------------------------------------------------------------ */

/* The NUMA nodes of the CPUs of SET, by the kernel's numbers. */
static mask numa_of(const machine *m, const mask *set)
{
    mask numa = {{0}};

    for (int c = 0; c < m->cpus; c++)
        if (mask_has(set, m->cpu[c].os))
            mask_add(&numa, m->cpu[c].numa_os);
    return numa;
}

/* What lies at NUMA nodes that have no CPUs is neither near nor far. */
static void find_memory(report_rank *self)
{
    const machine *m = node_machine();
    mask all, near, far;

    if (!m || m->made_up)
        return;
    all = (mask){{0}};
    for (int c = 0; c < m->cpus; c++)
        mask_add(&all, m->cpu[c].numa_os);
    near = numa_of(m, &self->place.mask);
    far = mask_without(&all, &near);
    memory_count("/proc/self/numa_maps", &near, &far, &self->near, &self->far);
}

/* This rank's place: where the kernel lets it run now, whoever has moved it since par
 * did. */
static place find_place(void)
{
    place p = node_place();
    mask now = affinity_of(0);
    char why[PLACE_WHY];
    const machine *m = node_machine();

    if ((m && m->made_up) || mask_next(&now, -1) < 0 || mask_equal(&now, &p.mask))
        return p;
    p.mask = now;
    p.cpus = par_cpus();
    p.bound = false;
    memcpy(why, p.why, sizeof why);
    snprintf(p.why, sizeof p.why, "moved since: %.180s", why);
    return p;
}

static void describe(report_rank *self)
{
    const char *threads = getenv("OMP_NUM_THREADS");

    *self = (report_rank){.place = find_place(), .node = node_first()};
    self->machine = -1;
    self->threads = threads ? atoi(threads) : 0;
    snprintf(self->host, sizeof self->host, "%s", par_hostname());
    find_memory(self);
}

/* ---- machines --------------------------------------------------------------- */

/* The lowest rank whose key is the same kind of machine as KEY; -1 where there is none.
 */
static int find_equal(const gathering *g, const machine_key *key)
{
    for (int r = 0; r < g->ranks; r++)
        if (g->keys[r].cpus == key->cpus && g->keys[r].digest == key->digest)
            return r;
    return -1;
}

static int find_first_of_node(const gathering *g, int32_t node)
{
    int r = 0;

    while (g->keys[r].node != node)
        r++;
    return r;
}

/* Tell all ranks what this one will send, after they know who is the first of a node:
 * it reads the machine once more, for its devices. */
static par_error share_keys(gathering *g)
{
    machine_key mine = {.node = g->self.node};
    par_error err = par_allgather(g->comm, &mine, sizeof mine, PAR_BYTE, g->keys);

    if (err)
        return err;
    if (find_first_of_node(g, mine.node) == par_rank(g->comm))
        g->machine = place_machine(NULL, true);
    if (g->machine) {
        mine.cpus = g->machine->cpus;
        mine.digest = digest_of(g->machine, machine_bytes(g->machine->cpus));
    }
    return par_allgather(g->comm, &mine, sizeof mine, PAR_BYTE, g->keys);
}

static void choose_senders(gathering *g)
{
    for (int r = 0; r < g->ranks; r++)
        if (g->keys[r].cpus && find_equal(g, &g->keys[r]) == r)
            g->sent[r] = machine_bytes(g->keys[r].cpus);
}

/* Where each machine will be on rank 0, and each rank's number there of its own. */
static void find_machines(gathering *g)
{
    size_t at = 0;

    for (int r = 0; r < g->ranks; r++) {
        if (g->sent[r])
            g->begins[r] = (const machine *)(g->bytes + at);
        at += g->sent[r];
    }
    for (int r = 0; r < g->ranks; r++) {
        const machine_key *first = &g->keys[find_first_of_node(g, g->rank[r].node)];

        g->rank[r].machine = first->cpus ? find_equal(g, first) : -1;
    }
}

static size_t bytes_of_machines(const gathering *g)
{
    size_t bytes = 0;

    for (int r = 0; r < g->ranks; r++)
        bytes += g->sent[r];
    return bytes;
}

/* ---- all ranks -------------------------------------------------------------- */

/* A rank without memory can't go on, nor can the others. */
static par_error no_room(const gathering *g, size_t bytes)
{
    par_error err = error_memory(bytes, "the report");

    par_collective_fail(g->comm, par_error_detail());
    return err;
}

static par_error make_room(gathering *g)
{
    size_t ranks = (size_t)g->ranks;

    g->keys = calloc(ranks, sizeof *g->keys);
    g->sent = calloc(ranks, sizeof *g->sent);
    if (par_rank(g->comm) == 0) {
        g->rank = calloc(ranks, sizeof *g->rank);
        g->begins = calloc(ranks, sizeof *g->begins);
    }
    return g->keys && g->sent && (par_rank(g->comm) || (g->rank && g->begins))
               ? PAR_OK
               : no_room(g, ranks * sizeof *g->rank);
}

/* Have on rank 0 what every rank tells, and the machines. */
static par_error gather(gathering *g)
{
    int me = par_rank(g->comm);
    par_error err = make_room(g);

    if (!err)
        err = share_keys(g);
    if (err)
        return err;
    choose_senders(g);
    if (me == 0) {
        g->bytes = malloc(bytes_of_machines(g) + 1);
        if (!g->bytes)
            return no_room(g, bytes_of_machines(g));
    }
    err = par_gatherv(g->comm, g->machine, g->sent[me], PAR_BYTE, g->bytes, g->sent, NULL,
                      0);
    if (!err)
        err = par_gather(g->comm, &g->self, sizeof g->self, PAR_BYTE, g->rank, 0);
    if (!err && me == 0)
        find_machines(g);
    return err;
}

static void forget(gathering *g)
{
    free(g->machine);
    free(g->keys);
    free(g->sent);
    free(g->rank);
    free(g->bytes);
    free(g->begins);
}

/* ---- what it is shown as ---------------------------------------------------- */

static par_error write_form(FILE *out, const report *r, par_report_form form)
{
    return form == PAR_REPORT_JSON ? report_json(out, r)
                                   : report_text(out, r, form == PAR_REPORT_ALL);
}

static par_error write_report(const gathering *g, par_report_form form, char **text_p)
{
    char *text = NULL;
    size_t size = 0;
    report r;
    FILE *out;
    bool written;
    par_error err = report_arrange(g->rank, g->ranks, g->begins, &r);

    if (err)
        return err;
    out = open_memstream(&text, &size);
    if (out)
        err = write_form(out, &r, form);
    report_free(&r);
    written = out && !ferror(out);
    if (out && (fclose(out) || !written || err)) {
        free(text);
        text = NULL;
    }
    if (!err && !text)
        err = error_memory(size, "the report's text");
    if (!err)
        *text_p = text;
    return err;
}

par_error par_place_report(par_comm *comm, par_report_form form, char **text_p)
{
    gathering g = {.comm = comm, .ranks = par_size(comm)};
    par_error err = comm_check(comm);

    if (err)
        return err;
    if (!text_p)
        return error_set(PAR_ERR_ARG, "text_p is NULL: it is where the text goes");
    if (form < PAR_REPORT_SHORT || form > PAR_REPORT_JSON)
        return error_set(PAR_ERR_ARG, "form is %d: it must be from %d to %d", (int)form,
                         PAR_REPORT_SHORT, PAR_REPORT_JSON);
    describe(&g.self);
    err = gather(&g);
    if (!err && par_rank(comm) == 0)
        err = write_report(&g, form, text_p);
    else if (!err)
        *text_p = NULL;
    forget(&g);
    return err;
}

/* ---- at the start ----------------------------------------------------------- */

void report_print(par_comm *world, par_report_form form)
{
    char *text = NULL;

    if (form == PAR_REPORT_NONE)
        return;
    if (par_place_report(world, form, &text))
        fprintf(stderr, "PAR_REPORT: %s\n", par_error_detail());
    else if (text)
        fputs(text, stderr);
    free(text);
}
