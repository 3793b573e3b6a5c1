/* use_mpi.c - the one door through which MPI enters.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* dladdr */
#include "use_mpi.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "environ.h"

typedef bool set_yield(bool yields);

/* Open MPI's switch, in one of the libraries that it is made of; NULL in others. */
static set_yield *find_set_yield(void)
{
    Dl_info mpi;
    void *library = NULL;
    union {
        void *object;
        set_yield *function;
    } symbol = {NULL};

    if (dladdr((void *)(uintptr_t)MPI_Init, &mpi))
        library = dlopen(mpi.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (library) {
        symbol.object = dlsym(library, "opal_progress_set_yield_when_idle");
        dlclose(library); /* it stays, as it was there before */
    }
    return symbol.function;
}

static bool started_here; /* else the switch is somebody else's affair */
static set_yield *yield_switch;
static bool told_to_yield;

/* Up to this length Open MPI's shared-memory transport (vader in 4, sm in 5) sends
 * at once; beyond it, and that is 4 KiB, it first asks the receiver, which makes 4 KiB
 * three times as slow. From 32 KiB on to ask costs less than to copy once more. The
 * user's own setting stays. */
int use_mpi_start(int *argc, char ***argv)
{
    static const char limit[] = "20480"; /* 16 KiB and what comes with it */
    static const char box[] = "32768";
    char **before = environ_remember();
    int level, code;

    setenv("OMPI_MCA_btl_vader_eager_limit", limit, 0);
    setenv("OMPI_MCA_btl_sm_eager_limit", limit, 0);
    /* What finds no room in the box of its receiver waits until its sender calls MPI
     * again: so there is more room than the 4 KiB of Open MPI. */
    setenv("OMPI_MCA_btl_vader_fbox_size", box, 0);
    setenv("OMPI_MCA_btl_sm_fbox_size", box, 0);
    /* A world of one, without mpirun, needs no daemon beside it: Open MPI 4 would start
     * one for the processes that it might spawn, which takes longer than all the rest. */
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    /* Which rank has crashed, and where, crash.c tells. */
    setenv("OMPI_MCA_opal_signal", "", 0);
    started_here = true;
    code = MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &level);
    environ_restore(before);
    return code;
}

void use_mpi_describe(char *text, size_t size)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    Dl_info mpi = {0};
    int length;

    MPI_Get_library_version(version, &length);
    version[strcspn(version, ",\n")] = '\0'; /* pages may follow */
    dladdr((void *)(uintptr_t)MPI_Init, &mpi);
    snprintf(text, size, "%s, %s", version, mpi.dli_fname ? mpi.dli_fname : "built in");
}

bool use_mpi_takes_threads(void)
{
    int level;

    return MPI_Query_thread(&level) == MPI_SUCCESS && level >= MPI_THREAD_SERIALIZED;
}

void use_mpi_yield(void)
{
    told_to_yield = true;
}

void use_mpi_begin_blocking(void)
{
    if (told_to_yield && yield_switch)
        yield_switch(true);
}

void use_mpi_end_blocking(void)
{
    if (started_here && !yield_switch)
        yield_switch = find_set_yield();
    if (yield_switch)
        told_to_yield |= yield_switch(false);
}

#ifdef OPEN_MPI
/* What MPI_Abort calls after it has printed a page of its own. The reason has been
 * said already, by those who know it. */
extern int ompi_mpi_abort(MPI_Comm comm, int code) __attribute__((weak));
#endif

static int abort_code;

static void *exit_soon(void *unused)
{
    (void)unused;
    nanosleep(&(struct timespec){.tv_nsec = 300 * 1000 * 1000}, NULL);
    _exit(abort_code);
}

/* mpirun answers who asks for the end of all ranks, but not while it ends them already:
 * then those who waited for the answer would be killed, after a second. */
_Noreturn void use_mpi_abort(int code)
{
    static atomic_flag is_called = ATOMIC_FLAG_INIT;
    pthread_t thread;

    /* Another thread is about to end this process: Open MPI would return. */
    while (atomic_flag_test_and_set(&is_called))
        pause();
    abort_code = code;
    if (pthread_create(&thread, NULL, exit_soon, NULL) == 0)
        pthread_detach(thread);
#ifdef OPEN_MPI
    if (ompi_mpi_abort)
        ompi_mpi_abort(MPI_COMM_WORLD, code);
    else
#endif
        MPI_Abort(MPI_COMM_WORLD, code);
    _exit(code);
}

par_error error_mpi(int code, const char *call)
{
    char words[MPI_MAX_ERROR_STRING];
    int length;

    if (MPI_Error_string(code, words, &length) != MPI_SUCCESS)
        return error_set(PAR_ERR_MPI, "%s failed with code %d", call, code);
    return error_set(PAR_ERR_MPI, "%s failed: %s", call, words);
}
