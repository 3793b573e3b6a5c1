/* crash.c - which rank has crashed, and where.
 * SPDX-License-Identifier: MIT
 *
 * The handler writes what it can without memory of the heap and without locks, which the
 * program may have left in any state, puts back what was there before it, and lets the
 * signal come again. It has a stack of its own: a stack that is full is a crash, too.
 */
#define _GNU_SOURCE /* dladdr */
#include "crash.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "par.h"
#include "words.h"

enum {
    FRAMES_MAX = 64,
    OURS = 3, /* frames: tell, on_crash and what called it */
    LINE_BYTES = 512,
    STACK_BYTES = 128 * 1024,
};

static const struct {
    const char *text;
    int signum;
    bool has_address;
} crashes[] = {
    {"SIGSEGV: there is no such memory, or it cannot be used so", SIGSEGV, true},
    {"SIGBUS: memory that is not there any more", SIGBUS, true},
    {"SIGFPE: an operation on numbers has no result", SIGFPE, false},
    {"SIGILL: no such instruction on this machine", SIGILL, false},
    {"SIGABRT: the program, or a library, has called abort", SIGABRT, false},
};

enum { CRASHES = sizeof crashes / sizeof *crashes };

static struct sigaction before[CRASHES]; /* what the handler takes the place of */
static pid_t rank_pid;
static char stack[STACK_BYTES];

/* ---- what the handler writes ---------------------------------------------- */

static void append(char line[LINE_BYTES], const char *text)
{
    size_t used = strlen(line), length = strlen(text);

    if (length > LINE_BYTES - 1 - used)
        length = LINE_BYTES - 1 - used;
    memcpy(line + used, text, length);
    line[used + length] = '\0';
}

static void append_address(char line[LINE_BYTES], const void *address)
{
    char digits[2 * sizeof(uintptr_t) + 1], *at = digits + sizeof digits - 1;
    uintptr_t value = (uintptr_t)address;

    *at = '\0';
    do
        *--at = "0123456789abcdef"[value % 16];
    while (value /= 16);
    append(line, ", address 0x");
    append(line, at);
}

__attribute__((noinline)) static void tell(const char *text, const void *const *address)
{
    char line[LINE_BYTES] = "";
    void *frames[FRAMES_MAX];
    bool is_first = words_crash();
    int count;

    append(line, words_name());
    append(line, text);
    if (address)
        append_address(line, *address);
    append(line, "\n");
    if (write(STDERR_FILENO, line, strlen(line)) < 0)
        return; /* nobody listens */
    count = backtrace(frames, FRAMES_MAX);
    if (is_first && count > OURS)
        backtrace_symbols_fd(frames + OURS, count - OURS, STDERR_FILENO);
}

static void on_crash(int signum, siginfo_t *info, void *context)
{
    static atomic_flag has_told = ATOMIC_FLAG_INIT;
    bool again = atomic_flag_test_and_set(&has_told);
    bool is_fault = info->si_code > 0; /* else it was sent */
    const void *address = info->si_addr;

    (void)context;
    for (int i = 0; i < CRASHES; i++) {
        if (crashes[i].signum != signum)
            continue;
        /* A child made by fork is not the rank. */
        if (getpid() == rank_pid && !again)
            tell(crashes[i].text, crashes[i].has_address && is_fault ? &address : NULL);
        /* Who comes next may have had us as the next, too. */
        if (again)
            signal(signum, SIG_DFL);
        else
            sigaction(signum, &before[i], NULL);
    }
    if (!is_fault) /* else the instruction fails once more */
        raise(signum);
}

/* ---- who is watched ------------------------------------------------------- */

static void have_stack(void)
{
    stack_t now, ours = {.ss_sp = stack, .ss_size = sizeof stack};

    if (sigaltstack(NULL, &now) == 0 &&
        ((now.ss_flags & SS_DISABLE) || now.ss_size < sizeof stack))
        sigaltstack(&ours, NULL);
}

static bool same_object(const void *a, const void *b)
{
    Dl_info of_a, of_b;

    return a && b && dladdr(a, &of_a) && dladdr(b, &of_b) &&
           of_a.dli_fbase == of_b.dli_fbase;
}

static bool may_replace(const struct sigaction *found, const void *friend)
{
    if (!(found->sa_flags & SA_SIGINFO) && found->sa_handler == SIG_DFL)
        return true;
    if (!(found->sa_flags & SA_SIGINFO) && found->sa_handler == SIG_IGN)
        return false;
    return same_object((const void *)(uintptr_t)found->sa_sigaction, friend);
}

static void watch(const void *friend)
{
    struct sigaction ours = {.sa_sigaction = on_crash,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK};
    void *frame;

    backtrace(&frame, 1); /* loads what it needs, which a handler could not */
    have_stack();
    rank_pid = getpid();
    sigemptyset(&ours.sa_mask);
    for (int i = 0; i < CRASHES; i++) {
        struct sigaction found;

        if (sigaction(crashes[i].signum, NULL, &found) < 0 ||
            found.sa_sigaction == on_crash || !may_replace(&found, friend))
            continue;
        before[i] = found;
        sigaction(crashes[i].signum, &ours, NULL);
    }
}

void crash_watch(void)
{
    watch(NULL);
}

void par_crash_before(const void *address)
{
    if (rank_pid && address)
        watch(address);
}
