/* line.c - the line of a C program that has called this library.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* dladdr */
#include "line.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FRAMES = 32 };

/* ---- where from --------------------------------------------------------- */

static void write_line(const char *at, const Dl_info *info, char *text, size_t size)
{
    const char *symbol = info->dli_sname ? info->dli_sname : "";
    const char *from = info->dli_sname ? info->dli_saddr : info->dli_fbase;

    snprintf(text, size, "@%s 0x%zx %s+0x%zx", info->dli_fname,
             (size_t)(at - (char *)info->dli_fbase), symbol, (size_t)(at - from));
}

/* Of a program that has the library's code in itself it is the last line of the program
 * that can be told from the library's: main's. */
void line_of_caller(char *text, size_t size)
{
    void *frames[FRAMES];
    int count = backtrace(frames, FRAMES);
    Dl_info library, info;
    const char *at;

    snprintf(text, size, "%s", "");
    if (!dladdr((void *)(uintptr_t)line_of_caller, &library))
        return;
    for (int i = 1; i < count; i++) {
        at = (char *)frames[i] - 1; /* the call, not what follows it */
        if (dladdr(at, &info) && info.dli_fbase != library.dli_fbase) {
            if (!strstr(library.dli_fname, "libpar")) {
                at = (char *)frames[i - 1] - 1;
                dladdr(at, &info);
            }
            if (!strstr(info.dli_fname,
                        "/libc.so")) /* it calls at the end of a program */
                write_line(at, &info, text, size);
            return;
        }
    }
}

/* ---- which line that is ------------------------------------------------- */

/* What the program ARGV, whose path is searched for, writes; false where it fails. */
static bool run(char *const *argv, char *text, size_t size)
{
    posix_spawn_file_actions_t files;
    int ends[2];
    size_t used = 0;
    ssize_t more;
    pid_t child;
    bool runs;

    if (pipe2(ends, O_CLOEXEC))
        return false;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    runs = !posix_spawnp(&child, argv[0], &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    while (runs && used < size - 1 &&
           (more = read(ends[0], text + used, size - 1 - used)) > 0)
        used += (size_t)more;
    text[used] = '\0';
    close(ends[0]);
    if (runs)
        waitpid(child, NULL, 0);
    return used > 0;
}

/* PATH, or what follows the working directory in it. */
static const char *shorten(const char *path)
{
    static char here[4096];
    size_t length;

    if (!here[0] && !getcwd(here, sizeof here - 1))
        return path;
    length = strlen(here);
    return strncmp(path, here, length) == 0 && path[length] == '/' ? path + length + 1
                                                                   : path;
}

static bool ask_addr2line(char *program, char *offset, char *text, size_t size)
{
    char *argv[] = {"addr2line", "-e", program, offset, NULL}, answer[1024];

    if (!run(argv, answer, sizeof answer) || answer[0] == '?' || !strchr(answer, ':'))
        return false;
    answer[strcspn(answer, " \n")] = '\0'; /* "(discriminator 2)" may follow */
    if (strstr(answer, ":?") || strstr(answer, ":0"))
        return false;
    snprintf(text, size, "%s", shorten(answer));
    return true;
}

void line_resolve(char *text, size_t size)
{
    char copy[1024], *symbol, *offset;

    if (text[0] != '@')
        return;
    snprintf(copy, sizeof copy, "%s", text + 1);
    symbol = strrchr(copy, ' ');
    if (!symbol)
        return;
    *symbol++ = '\0';
    offset = strrchr(copy, ' ');
    if (!offset)
        return;
    *offset++ = '\0';
    if (!ask_addr2line(copy, offset, text, size))
        snprintf(text, size, "%s (%s)", symbol, shorten(copy));
}
