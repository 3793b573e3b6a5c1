/* test_place.c - which CPUs this rank may use.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* CPU sets */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_par.h"
#include "place.h"

/* Of this process when it began. */
static cpu_set_t before;

/* The CPUs of SET as a list with ranges: "0-3,8". */
static void list(const cpu_set_t *set, char *text)
{
    const char *begin = text;

    *text = '\0';
    for (int first = 0; first < CPU_SETSIZE; first++) {
        int last = first;

        if (!CPU_ISSET(first, set))
            continue;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
            last++;
        text += sprintf(text, "%s%d", text > begin ? "," : "", first);
        if (last > first)
            text += sprintf(text, "-%d", last);
        first = last;
    }
}

START_TEST(the_cpus_are_those_the_kernel_allows)
{
    char expected[4096], text[4096];

    list(&before, expected);
    ck_ok(par_place_cpus(text, sizeof text));
    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(par_cpus(), CPU_COUNT(&before));
}
END_TEST

START_TEST(a_rank_bound_to_one_cpu_may_use_that_one)
{
    char expected[16], text[64];

    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        cpu_set_t one;

        if (!CPU_ISSET(cpu, &before))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
        snprintf(expected, sizeof expected, "%d", cpu);
        ck_ok(par_place_cpus(text, sizeof text));
        ck_assert_str_eq(text, expected);
        ck_assert_int_eq(par_cpus(), 1);
    }
    ck_assert_int_eq(sched_setaffinity(0, sizeof before, &before), 0);
}
END_TEST

START_TEST(what_does_not_fit_the_text_is_cut)
{
    char whole[4096], text[16];

    ck_ok(par_place_cpus(whole, sizeof whole));
    for (size_t size = 1; size < sizeof text; size++) {
        memset(text, 'x', sizeof text);
        ck_ok(par_place_cpus(text, size));
        ck_assert_uint_lt(strlen(text), size);
        ck_assert_int_eq(strncmp(text, whole, strlen(text)), 0);
        for (size_t at = size; at < sizeof text; at++)
            ck_assert_int_eq(text[at], 'x');
    }
}
END_TEST

START_TEST(no_room_for_the_text_is_refused)
{
    char text = 'x';

    ck_fails(PAR_ERR_ARG, par_place_cpus(NULL, 10));
    ck_fails(PAR_ERR_ARG, par_place_cpus(&text, 0));
    ck_assert_int_eq(text, 'x');
}
END_TEST

START_TEST(this_machine_has_the_cpus_that_the_kernel_knows)
{
    machine *m = place_machine(NULL, false);
    mask allowed;

    ck_assert_ptr_nonnull(m);
    ck_assert_int_eq(m->made_up, 0);
    ck_assert_int_eq(m->cpus, (int)sysconf(_SC_NPROCESSORS_ONLN));
    allowed = machine_allowed(m);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &before))
            ck_assert_msg(mask_has(&allowed, cpu), "CPU %d", cpu);
    free(m);
}
END_TEST

static void add(Suite *suite)
{
    if (sched_getaffinity(0, sizeof before, &before))
        abort();
    check_add(suite, the_cpus_are_those_the_kernel_allows);
    check_add(suite, a_rank_bound_to_one_cpu_may_use_that_one);
    check_add(suite, what_does_not_fit_the_text_is_cut);
    check_add(suite, no_room_for_the_text_is_refused);
    check_add(suite, this_machine_has_the_cpus_that_the_kernel_knows);
}

const check_program program = {.name = "place", .add = add, .alone = true};
