/* process.c - what the system knows of a process.
 * SPDX-License-Identifier: MIT */
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The state that the system gives in the file at PATH. */
static char read_state(const char *path)
{
    char line[512] = "", *state;
    FILE *file = fopen(path, "re");

    if (file && !fgets(line, sizeof line, file))
        line[0] = '\0';
    if (file)
        fclose(file);
    state = strrchr(line, ')');
    return state && strlen(state) >= 3 ? state[2] : '?';
}

/* The state of process PID's main thread. */
static char main_state(int pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    return read_state(path);
}

bool process_has_ended(int pid)
{
    return (kill(pid, 0) < 0 && errno == ESRCH) || main_state(pid) == 'Z';
}

char process_state(int pid)
{
    char path[96], state = main_state(pid);
    struct dirent *entry;
    DIR *threads;

    if (state != 'S' && state != 'D')
        return state;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    threads = opendir(path);
    while (threads && state != 'R' && (entry = readdir(threads))) {
        snprintf(path, sizeof path, "/proc/%d/task/%.32s/stat", pid, entry->d_name);
        if (read_state(path) == 'R')
            state = 'R';
    }
    if (threads)
        closedir(threads);
    return state;
}
