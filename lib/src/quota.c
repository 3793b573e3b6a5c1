/* quota.c - the CPU time that the control groups of this process are granted.
 * SPDX-License-Identifier: MIT
 *
 * A container or a batch system limits a job so, and no mask and no hwloc shows it.
 */
#define _GNU_SOURCE /* getline */
#include "quota.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- small files ---------------------------------------------------------- */

/* The first line of FOLDER/NAME; false where there is no such file. */
static bool read_line(const char *folder, const char *name, char *line, size_t size)
{
    char path[PATH_MAX];
    FILE *file;
    bool ok;

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return false;
    file = fopen(path, "re");
    if (!file)
        return false;
    ok = fgets(line, (int)size, file) != NULL;
    fclose(file);
    return ok;
}

/* Whether WORD is one of LIST, which has commas between them. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (; *list; list += strcspn(list, ","), list += *list == ',')
        if (strcspn(list, ",\n") == length && !strncmp(list, word, length))
            return true;
    return false;
}

/* ---- one limit ------------------------------------------------------------ */

/* The limit of the group in FOLDER, in CPUs; 0 where it has none. */
static double limit_of(const char *folder)
{
    char line[64], period[64];
    double time = 0, each = 0;

    if (read_line(folder, "cpu.max", line, sizeof line)) { /* "max 100000" is none */
        if (sscanf(line, "%lf %lf", &time, &each) != 2)
            return 0;
    } else if (read_line(folder, "cpu.cfs_quota_us", line, sizeof line) &&
               read_line(folder, "cpu.cfs_period_us", period, sizeof period)) {
        time = strtod(line, NULL); /* -1 is none */
        each = strtod(period, NULL);
    }
    return time > 0 && each > 0 ? time / each : 0;
}

/* Take the limit of the group in FOLDER where it is narrower. */
static void narrow(quota *q, const char *folder)
{
    double cpus = limit_of(folder);
    struct stat about;

    if (cpus <= 0 || (q->cpus > 0 && q->cpus <= cpus) || stat(folder, &about))
        return;
    q->cpus = cpus;
    q->group = (uint64_t)about.st_dev << 48 ^ (uint64_t)about.st_ino;
}

/* ---- where the groups are --------------------------------------------------- */

typedef struct mount {
    char top[PATH_MAX]; /* the group that is seen at PATH */
    char path[PATH_MAX];
} mount;

/* Whether LINE of mountinfo mounts control groups of VERSION that limit CPU time. */
static bool parse_mount(const char *line, int version, mount *m)
{
    const char *rest = strstr(line, " - ");
    char type[16], options[1024];

    if (!rest || sscanf(line, "%*s %*s %*s %4095s %4095s", m->top, m->path) != 2 ||
        sscanf(rest, " - %15s %*s %1023s", type, options) != 2)
        return false;
    return version == 2 ? !strcmp(type, "cgroup2")
                        : !strcmp(type, "cgroup") && has_word(options, "cpu");
}

static bool find_mount(const char *root, int version, mount *m)
{
    char path[PATH_MAX], *line = NULL;
    size_t size = 0;
    bool found = false;
    FILE *file;

    snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
    file = fopen(path, "re");
    while (file && !found && getline(&line, &size, file) > 0)
        found = parse_mount(line, version, m);
    free(line);
    if (file)
        fclose(file);
    return found;
}

/* Which version of groups LINE of /proc/self/cgroup is about, "4:cpu,cpuacct:/path" or
 * "0::/path", if they may limit CPU time; 0 if not. *GROUP_P is the path. */
static int parse_group(char *line, char **group_p)
{
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;

    if (!group)
        return 0;
    controllers++;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    *group_p = group;
    return !*controllers ? 2 : has_word(controllers, "cpu");
}

/* Look at the folder of GROUP and those above it, up to where the groups are mounted. */
static void look_upwards(quota *q, const char *root, const mount *m, const char *group)
{
    char folder[3 * PATH_MAX];
    size_t top = strcmp(m->top, "/") ? strlen(m->top) : 0;
    size_t end = strlen(root) + strlen(m->path);

    /* Beyond what is mounted, as "/../other", nothing can be seen. */
    if (!strncmp(group, m->top, top) && (group[top] == '/' || !group[top]))
        group += top;
    snprintf(folder, sizeof folder, "%s%s%s", root, m->path, group);
    for (;;) {
        char *slash = strrchr(folder, '/');

        narrow(q, folder);
        if (!slash || (size_t)(slash - folder) < end)
            return;
        *slash = '\0';
    }
}

quota quota_read(const char *root)
{
    char path[PATH_MAX], *line = NULL, *group;
    size_t size = 0;
    quota q = {0};
    FILE *file;

    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    file = fopen(path, "re");
    while (file && getline(&line, &size, file) > 0) {
        int version = parse_group(line, &group);
        mount m;

        if (version && find_mount(root, version, &m))
            look_upwards(&q, root, &m, group);
    }
    free(line);
    if (file)
        fclose(file);
    return q;
}
