/* asleep.c - whether this process can do anything but wait in the library.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "asleep.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { MPI_THREADS_MAX = 64 };

/* Operations of futex(2), as the kernel numbers them. */
enum { OPERATION_WAIT = 0, OPERATION_WAIT_BITSET = 9, FLAG_PRIVATE = 128 };
enum { OPERATION_MASK = 127 };

static pid_t mpi_threads[MPI_THREADS_MAX];
static size_t mpi_thread_count;

/* ---- reading /proc ------------------------------------------------------ */

/* At most SIZE - 1 bytes of the file at PATH; false where it cannot be read. */
static bool read_file(const char *path, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    ssize_t more = 1;

    if (file < 0)
        return false;
    while (used < size - 1 && (more = read(file, text + used, size - 1 - used)) > 0)
        used += (size_t)more;
    close(file);
    text[used] = '\0';
    return more >= 0;
}

static bool read_of_thread(pid_t thread, const char *name, char *text, size_t size)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)thread, name);
    return read_file(path, text, size);
}

/* The number behind NAME in TEXT; false where it is missing. */
static bool find_number(const char *text, const char *name, int base, uint64_t *number_p)
{
    const char *at = strstr(text, name);

    if (at)
        *number_p = strtoull(at + strlen(name), NULL, base);
    return at != NULL;
}

/* Call EACH for every thread of this process until it says no. */
static bool for_all_threads(bool (*each)(pid_t thread, void *context), void *context)
{
    DIR *threads = opendir("/proc/self/task");
    struct dirent *entry;
    bool all = threads != NULL;

    while (all && (entry = readdir(threads)))
        if (entry->d_name[0] != '.')
            all = each((pid_t)atoi(entry->d_name), context);
    if (threads)
        closedir(threads);
    return all;
}

/* ---- MPI's threads ------------------------------------------------------ */

static bool is_among(const pid_t *threads, size_t count, pid_t thread)
{
    for (size_t i = 0; i < count; i++)
        if (threads[i] == thread)
            return true;
    return false;
}

/* The threads before MPI, and who of them might start threads of its own. */
static struct {
    pid_t threads[MPI_THREADS_MAX];
    size_t count;
    bool known;
} before;

static bool note_before(pid_t thread, void *unused)
{
    (void)unused;
    if (before.count == MPI_THREADS_MAX)
        return false;
    before.threads[before.count++] = thread;
    return true;
}

void asleep_before_mpi(void)
{
    pid_t here = gettid();
    uint64_t trace;

    before.count = mpi_thread_count = 0;
    before.known =
        for_all_threads(note_before, NULL) && asleep_all(&here, 1, NULL, &trace);
}

static bool note_after(pid_t thread, void *unused)
{
    (void)unused;
    if (!is_among(before.threads, before.count, thread) &&
        mpi_thread_count < MPI_THREADS_MAX)
        mpi_threads[mpi_thread_count++] = thread;
    return true;
}

void asleep_after_mpi(void)
{
    if (before.known)
        for_all_threads(note_after, NULL);
}

void asleep_listen(void)
{
    if (mpi_thread_count < MPI_THREADS_MAX)
        mpi_threads[mpi_thread_count++] = gettid();
}

void asleep_listen_no_more(void)
{
    pid_t here = gettid();

    for (size_t i = 0; i < mpi_thread_count; i++)
        if (mpi_threads[i] == here)
            mpi_threads[i] = mpi_threads[--mpi_thread_count];
}

/* ---- who sleeps --------------------------------------------------------- */

/* Whether ADDRESS lies in memory that no other process can see. */
static bool is_private(uint64_t address)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool found = false;

    while (maps && !found && fgets(line, sizeof line, maps)) {
        uint64_t from, to, inode;
        char rights[5];

        found = sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64, &from, &to,
                       rights, &inode) == 4 &&
                address >= from && address < to && rights[3] == 'p' && inode == 0;
    }
    if (maps)
        fclose(maps);
    return found;
}

/* Whether CALL, with its first and its fourth argument, is what pause() becomes. */
static bool is_pause(long call, uint64_t first, uint64_t fourth)
{
#ifdef SYS_pause
    (void)first, (void)fourth;
    return call == SYS_pause;
#else
    return call == SYS_ppoll && !first && !fourth;
#endif
}

/* Whether THREAD sleeps in a futex of this process without a time limit, or until a
 * signal comes. */
static bool sleeps(pid_t thread, const void *other_than)
{
    char text[256];
    long call;
    uint64_t word, operation, value, limit;

    if (!read_of_thread(thread, "syscall", text, sizeof text) ||
        sscanf(text, "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, &call, &word,
               &operation, &value, &limit) != 5)
        return false; /* it runs */
    if (is_pause(call, word, limit))
        return true;
    if (call != SYS_futex || limit || word == (uintptr_t)other_than)
        return false;
    if ((operation & OPERATION_MASK) != OPERATION_WAIT &&
        (operation & OPERATION_MASK) != OPERATION_WAIT_BITSET)
        return false;
    return operation & FLAG_PRIVATE || is_private(word);
}

typedef struct look {
    const pid_t *known;
    size_t count;
    const void *other_than;
    uint64_t trace;
} look;

/* Bijections of each number, added up: order doesn't matter, every change shows. */
static uint64_t mixed(uint64_t number)
{
    number = (number ^ (number >> 31)) * UINT64_C(0x9E3779B97F4A7C15);
    number = (number ^ (number >> 29)) * UINT64_C(0xBF58476D1CE4E5B9);
    return number ^ (number >> 32);
}

static bool look_at(pid_t thread, void *context)
{
    look *l = context;
    char text[4096];
    uint64_t switches;

    if (is_among(l->known, l->count, thread) ||
        is_among(mpi_threads, mpi_thread_count, thread))
        return true;
    if (!sleeps(thread, l->other_than) ||
        !read_of_thread(thread, "status", text, sizeof text) ||
        !find_number(text, "\nvoluntary_ctxt_switches:", 10, &switches))
        return false;
    l->trace += mixed((uint64_t)thread << 40 ^ switches);
    return true;
}

bool asleep_all(const pid_t *known, size_t count, const void *other_than,
                uint64_t *trace_p)
{
    look l = {.known = known, .count = count, .other_than = other_than, .trace = 1};

    if (!for_all_threads(look_at, &l))
        return false;
    *trace_p = l.trace;
    return true;
}

/* ---- signals ------------------------------------------------------------ */

static uint64_t bit(int number)
{
    return UINT64_C(1) << (number - 1);
}

int asleep_task_signal(void)
{
    return SIGRTMIN + 7; /* far from those that people take first */
}

/* Signals whose handlers do nothing for the program: those that tell of a crash, that
 * people send to end it, that interrupt tasks, and the C library's own two. */
static uint64_t harmless(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGQUIT, SIGSEGV, SIGBUS,
                                  SIGFPE, SIGILL,  SIGABRT, SIGTRAP, SIGSYS,
                                  SIGURG, 32,      33};
    uint64_t mask = bit(asleep_task_signal());

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        mask |= bit(numbers[i]);
    return mask;
}

static bool is_timer_set(void)
{
    static const int clocks[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
    char timers[8];

    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        struct itimerval timer;

        if (getitimer(clocks[i], &timer) || timer.it_value.tv_sec ||
            timer.it_value.tv_usec)
            return true;
    }
    /* Those of timer_create; a kernel without the file cannot say. Their signals show
     * by their handlers then. */
    return read_file("/proc/self/timers", timers, sizeof timers) && timers[0];
}

bool asleep_until_signal(void)
{
    char text[4096];
    uint64_t caught;

    return is_timer_set() || !read_file("/proc/self/status", text, sizeof text) ||
           !find_number(text, "\nSigCgt:", 16, &caught) || caught & ~harmless();
}
