/* test_memory.c - where this process's memory lies.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* mkstemp */
#include "memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_par.h"

/* Count what MAPS says, with node 0 near and nodes 1 and 12 far. */
static void count(const char *maps, uint64_t *near_p, uint64_t *far_p)
{
    mask near = {{1}}, far = {{1 << 1 | 1 << 12}};
    char path[] = "/tmp/par-test-memory-XXXXXX";
    int file = mkstemp(path);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, maps, strlen(maps)), (ssize_t)strlen(maps));
    close(file);
    memory_count(path, &near, &far, near_p, far_p);
    unlink(path);
}

START_TEST(pages_are_counted_by_node)
{
    uint64_t near, far;

    count(
        "55d0 default heap anon=9 dirty=9 active=0 N0=4 N1=3 N12=2 kernelpagesize_kB=4\n"
        "7f00 bind:1 anon=3 dirty=3 N1=3 kernelpagesize_kB=2048\n"
        "7ffc default stack anon=5 dirty=5 N0=5 kernelpagesize_kB=4\n",
        &near, &far);
    ck_assert_uint_eq(near, 9 * 4096);
    ck_assert_uint_eq(far, 5 * 4096 + 3 * 2097152);
}
END_TEST

START_TEST(files_and_nodes_of_neither_set_are_left_out)
{
    uint64_t near, far;

    count("7f10 default file=/usr/lib/N1=7 anon=2 mapped=9 N1=9 kernelpagesize_kB=4\n"
          "7f20 default file=/dev/shm/x dirty=8 N0=8 kernelpagesize_kB=4\n"
          "7f30 default\n"
          "7f40 default anon=6 N5=5 N0=1 kernelpagesize_kB=4\n",
          &near, &far);
    ck_assert_uint_eq(near, 4096);
    ck_assert_uint_eq(far, 0);
}
END_TEST

START_TEST(a_kernel_that_says_nothing_counts_nothing)
{
    mask all = {{1}}, none = {{0}};
    uint64_t near = 1, far = 1;

    memory_count("/proc/self/no such file", &all, &none, &near, &far);
    ck_assert_uint_eq(near, 0);
    ck_assert_uint_eq(far, 0);
}
END_TEST

START_TEST(memory_of_this_process_is_found)
{
    enum { BYTES = 32 << 20 };
    mask all = {{UINT64_MAX}}, none = {{0}};
    uint64_t before, after, far;
    char *block;

    if (access("/proc/self/numa_maps", R_OK) != 0)
        return; /* this kernel knows no NUMA */
    memory_count("/proc/self/numa_maps", &all, &none, &before, &far);
    block = check_alloc(BYTES);
    check_fill(block, BYTES, 1);
    memory_count("/proc/self/numa_maps", &all, &none, &after, &far);
    ck_assert_uint_ge(after, before + BYTES / 2);
    ck_assert_uint_eq(far, 0);
    ck_assert(check_is_filled(block, BYTES, 1));
    free(block);
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, pages_are_counted_by_node);
    check_add(suite, files_and_nodes_of_neither_set_are_left_out);
    check_add(suite, a_kernel_that_says_nothing_counts_nothing);
    check_add(suite, memory_of_this_process_is_found);
}

const check_program program = {.name = "memory", .add = add, .alone = true};
