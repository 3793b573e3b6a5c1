/* wait.c - the one place where a rank waits.
 * SPDX-License-Identifier: MIT
 *
 *     spin, some µs  ->  yield the core, some ms  ->  sleep, longer and longer
 *
 * A sleep is an eighth of the time waited so far, so the wait grows by no more
 * than that, and never over half a millisecond, which bounds the answer.
 */
#include "wait.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#include "inbox.h"
#include "lock.h"

enum {
    SPINS = 200, /* some 20 µs: a message on its way within the node comes by then */
    YIELD_NS = 5 * 1000 * 1000,
    SLEEP_MAX_NS = 500 * 1000,
    SIGNALS_NS = 100 * 1000 * 1000,
};

static par_hooks hooks;
static int spins = SPINS;

void par_set_hooks(const par_hooks *new_hooks)
{
    hooks = new_hooks ? *new_hooks : (par_hooks){0};
}

void wait_configure(bool crowded)
{
    spins = crowded ? 1 : SPINS;
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* Give the core away for a time that suits a wait of WAITED; true where a
 * signal has come meanwhile. */
static bool rest(int64_t waited)
{
    int64_t ns = waited / 8 < SLEEP_MAX_NS ? waited / 8 : SLEEP_MAX_NS;

    if (waited < YIELD_NS) {
        sched_yield();
        return false;
    }
    return nanosleep(&(struct timespec){.tv_nsec = ns}, NULL) < 0 && errno == EINTR;
}

/* A wait that has become long. */
typedef struct long_wait {
    bool interruptible;
    void *released;
    int64_t since, signals_seen;
} long_wait;

static bool interrupted(long_wait *w, bool signalled, int64_t now)
{
    bool stop;

    if (!w->interruptible || !hooks.interrupt ||
        (!signalled && now - w->signals_seen < SIGNALS_NS))
        return false;
    w->signals_seen = now;
    if (hooks.acquire)
        hooks.acquire(hooks.context, w->released);
    stop = hooks.interrupt(hooks.context);
    if (hooks.release)
        w->released = hooks.release(hooks.context);
    return stop;
}

static par_error wait_long(wait_step *step, void *what, long_wait *w)
{
    for (;;) {
        bool done, signalled;
        par_error err;

        lock_take();
        err = step(what, &done);
        /* What it waits for may hang on a message of another communicator. */
        if (!err && !done)
            inbox_step_all();
        lock_give();
        if (err || done)
            return err;

        signalled = rest(now_ns() - w->since);
        if (interrupted(w, signalled, now_ns()))
            return error_set(PAR_ERR_INTERRUPTED, "a signal ended the wait");
    }
}

par_error wait_until(wait_step *step, void *what, bool interruptible)
{
    bool done;
    par_error err = step(what, &done);

    for (int i = 0; !err && !done && i < spins; i++) {
        lock_give();
        relax();
        lock_take();
        err = step(what, &done);
    }
    lock_give();
    if (err || done)
        return err;

    int64_t now = now_ns();
    long_wait w = {.interruptible = interruptible, .since = now, .signals_seen = now};

    if (hooks.release)
        w.released = hooks.release(hooks.context);
    err = wait_long(step, what, &w);
    if (hooks.acquire)
        hooks.acquire(hooks.context, w.released);
    return err;
}
