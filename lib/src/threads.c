/* threads.c - how many threads a rank can really use.
 * SPDX-License-Identifier: MIT */
#include "threads.h"

#include <stdlib.h>

#include "error.h"

/* What is lost of 1 / 3 + 1 / 3 + 1 / 3. */
static const double lost = 1e-6;

/* The core of the CPU number I of M, or the CPU itself if that is what counts. */
static int unit_of(const machine *m, int i, bool by_thread)
{
    return by_thread ? i : m->cpu[i].core;
}

/* A machine of which nothing is known but the CPUs of PLACES. */
static machine *plain_machine(const place *places, int count)
{
    mask all = {{0}};
    machine *m;

    for (int i = 0; i < count; i++)
        all = mask_or(&all, &places[i].mask);
    m = machine_new(mask_count(&all));
    for (int i = 0, os = -1; m && (os = mask_next(&all, os)) >= 0; i++)
        m->cpu[i] = (machine_cpu){.os = os, .core = i};
    return m;
}

/* Call it for each unit of M on which P may run, COUNT being USERS of that: adds one
 * to each, or adds up what P has of them. */
static void add_user(const machine *m, const place *p, bool by_thread, int *users)
{
    for (int i = 0, last = -1; i < m->cpus; i++)
        if (mask_has(&p->mask, m->cpu[i].os) && unit_of(m, i, by_thread) != last)
            users[last = unit_of(m, i, by_thread)]++;
}

static double parts(const machine *m, const place *p, bool by_thread, const int *users)
{
    double sum = 0;

    for (int i = 0, last = -1; i < m->cpus; i++)
        if (mask_has(&p->mask, m->cpu[i].os) && unit_of(m, i, by_thread) != last)
            sum += 1.0 / users[last = unit_of(m, i, by_thread)];
    return sum;
}

static double quota_of(const share_claim *claims, int count, int i)
{
    int sharers = 0;

    for (int k = 0; k < count; k++)
        sharers += claims[k].quota > 0 && claims[k].quota_group == claims[i].quota_group;
    return claims[i].quota > 0 ? claims[i].quota / sharers : 0;
}

/* Whole CPUs for TIME of them. */
static int round_up(double time)
{
    int whole = (int)time;

    return time - whole > lost ? whole + 1 : whole;
}

static void count_one(place *p, const share_claim *claim, double units)
{
    int all = mask_count(&p->mask);

    p->cpus = (int)(units + lost);
    if (claim->threads)
        p->cpus = claim->threads < all ? claim->threads : all;
    if (p->quota > 0 && p->cpus > round_up(p->quota))
        p->cpus = round_up(p->quota);
    if (p->cpus < 1)
        p->cpus = 1;
}

par_error threads_count(const machine *m, const share_claim *claims, int count,
                        policy how, place *places)
{
    machine *plain = m ? NULL : plain_machine(places, count);
    const machine *known = m ? m : plain;
    bool by_thread = how == POLICY_HWTHREAD;
    int *users = known ? calloc((size_t)known->cpus + 1, sizeof *users) : NULL;

    for (int i = 0; users && i < count; i++)
        add_user(known, &places[i], by_thread, users);
    for (int i = 0; users && i < count; i++) {
        places[i].quota = quota_of(claims, count, i);
        count_one(&places[i], &claims[i], parts(known, &places[i], by_thread, users));
    }
    free(plain);
    if (!users)
        return error_memory((size_t)count * sizeof *users, "CPUs");
    free(users);
    return PAR_OK;
}

double threads_time(const place *places, int count, int i)
{
    double has = 0;

    for (int cpu = -1; (cpu = mask_next(&places[i].mask, cpu)) >= 0;) {
        int users = 0;

        for (int k = 0; k < count; k++)
            users += mask_has(&places[k].mask, cpu);
        has += 1.0 / users;
    }
    return places[i].quota > 0 && places[i].quota < has ? places[i].quota : has;
}
