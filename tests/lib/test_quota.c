/* test_quota.c - the CPU time that control groups grant, in made-up folders.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "check_par.h"
#include "quota.h"

static char root[64];

static void run(const char *command)
{
    ck_assert_msg(system(command) == 0, "%s", command); /* NOLINT(cert-env33-c) */
}

static void begin(void)
{
    snprintf(root, sizeof root, "/tmp/par-quota-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void end(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -r %s", root);
    run(command);
}

/* A file of the made-up system, with the folders to it. */
static void put(const char *path, const char *text)
{
    char command[512], whole[256];
    FILE *file;

    snprintf(whole, sizeof whole, "%s%s", root, path);
    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s')\"", whole);
    run(command);
    file = fopen(whole, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* Version 2 alone, and this process in GROUP. */
static void version_2(const char *group)
{
    char line[128];

    snprintf(line, sizeof line, "0::%s\n", group);
    put("/proc/self/cgroup", line);
    put("/proc/self/mountinfo", "22 1 0:20 / /proc rw - proc proc rw\n"
                                "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - "
                                "cgroup2 cgroup2 rw,nsdelegate\n");
}

START_TEST(without_control_groups_there_is_no_limit)
{
    begin();
    ck_assert_double_eq(quota_read(root).cpus, 0);
    version_2("/");
    ck_assert_double_eq(quota_read(root).cpus, 0);
    put("/sys/fs/cgroup/job/cpu.max", "max 100000\n");
    version_2("/job");
    ck_assert_double_eq(quota_read(root).cpus, 0);
    end();
}
END_TEST

START_TEST(a_limit_of_version_2_is_read)
{
    begin();
    version_2("/job");
    put("/sys/fs/cgroup/job/cpu.max", "150000 100000\n");
    ck_assert_double_eq(quota_read(root).cpus, 1.5);
    end();
}
END_TEST

START_TEST(the_narrowest_of_all_groups_around_counts)
{
    quota inner, outer;

    begin();
    version_2("/a/b/c");
    put("/sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a/cpu.max", "800000 100000\n");
    inner = quota_read(root);
    ck_assert_double_eq(inner.cpus, 4);
    put("/sys/fs/cgroup/a/cpu.max", "100000 50000\n");
    outer = quota_read(root);
    ck_assert_double_eq(outer.cpus, 2);
    ck_assert(inner.group != outer.group);
    /* who is in another group of the same one has the same limit */
    version_2("/a/d");
    ck_assert_double_eq(quota_read(root).cpus, 2);
    ck_assert(quota_read(root).group == outer.group);
    end();
}
END_TEST

START_TEST(a_limit_of_version_1_is_read)
{
    begin();
    put("/proc/self/cgroup", "3:cpuset:/x\n2:cpuacct,cpu:/docker/1\n0::/\n");
    put("/proc/self/mountinfo",
        "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        "34 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    put("/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us", "50000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us", "100000\n");
    ck_assert_double_eq(quota_read(root).cpus, 0.5);
    put("/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us", "-1\n");
    ck_assert_double_eq(quota_read(root).cpus, 0);
    put("/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "300000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n");
    ck_assert_double_eq(quota_read(root).cpus, 3);
    end();
}
END_TEST

START_TEST(a_container_sees_its_group_where_groups_are_mounted)
{
    begin();
    put("/proc/self/cgroup", "2:cpu:/docker/1\n");
    put("/proc/self/mountinfo",
        "34 31 0:31 /docker/1 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    ck_assert_double_eq(quota_read(root).cpus, 2.5);
    /* a path that is not below what is mounted */
    put("/proc/self/cgroup", "2:cpu:/docker/12\n");
    ck_assert_double_eq(quota_read(root).cpus, 2.5);
    put("/proc/self/cgroup", "2:cpu:/../elsewhere\n");
    ck_assert_double_eq(quota_read(root).cpus, 2.5);
    end();
}
END_TEST

START_TEST(files_that_make_no_sense_are_no_limit)
{
    static const char *const texts[] = {"",         "\n",          "x y\n",
                                        "100000\n", "-5 100000\n", "100000 0\n"};

    begin();
    version_2("/job");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put("/sys/fs/cgroup/job/cpu.max", texts[i]);
        ck_assert_double_eq(quota_read(root).cpus, 0);
    }
    put("/proc/self/cgroup", "nonsense\n0:\n::\n");
    put("/proc/self/mountinfo", "nonsense\n - cgroup2\n");
    ck_assert_double_eq(quota_read(root).cpus, 0);
    end();
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, without_control_groups_there_is_no_limit);
    check_add(suite, a_limit_of_version_2_is_read);
    check_add(suite, the_narrowest_of_all_groups_around_counts);
    check_add(suite, a_limit_of_version_1_is_read);
    check_add(suite, a_container_sees_its_group_where_groups_are_mounted);
    check_add(suite, files_that_make_no_sense_are_no_limit);
}

const check_program program = {.name = "quota", .add = add, .alone = true};
