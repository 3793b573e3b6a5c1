/* wait.c - the one place where a rank waits.
 * SPDX-License-Identifier: MIT
 *
 *     spin, some µs  ->  yield the core, some ms  ->  sleep, longer and longer
 *
 * A sleep is an eighth of the time waited so far, so the wait grows by no more
 * than that, and never over 0.8 ms, which bounds the answer.
 */
#include "wait.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#include "inbox.h"
#include "lock.h"

enum {
    SPINS = 200, /* some 20 µs: a message on its way within the node comes by then */
    STEPS = 4,   /* while the lock is held: to give and take it costs as much as one */
    YIELD_NS = 5 * 1000 * 1000,
    SLEEP_MAX_NS = 800 * 1000,
    SIGNALS_NS = 100 * 1000 * 1000,
};

static par_hooks hooks;
static void (*_Atomic chore)(void);

/* When a wait goes over to its next stage. */
static struct {
    int spins;
    int64_t yield_ns;
    bool rests; /* at all */
} policy = {SPINS, YIELD_NS, true};

static _Thread_local bool beside_work;

void wait_beside_work(void)
{
    beside_work = true;
}

void par_set_hooks(const par_hooks *new_hooks)
{
    lock_take();
    hooks = new_hooks ? *new_hooks : (par_hooks){0};
    lock_give();
}

void wait_set_chore(void (*new_chore)(void))
{
    chore = new_chore;
}

void wait_configure(par_wait_mode mode, bool crowded)
{
    policy.spins = mode == PAR_WAIT_SLEEP             ? 0
                   : mode == PAR_WAIT_AUTO && crowded ? 1
                                                      : SPINS;
    policy.yield_ns = mode == PAR_WAIT_SLEEP ? 0 : YIELD_NS;
    policy.rests = mode != PAR_WAIT_SPIN;
}

int64_t wait_now_ns(void)
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

    if (!policy.rests && !beside_work) {
        relax();
        return false;
    }
    if (waited < policy.yield_ns && !beside_work) {
        sched_yield();
        return false;
    }
    return nanosleep(&(struct timespec){.tv_nsec = ns}, NULL) < 0 && errno == EINTR;
}

/* A wait that has become long. */
typedef struct long_wait {
    par_hooks hooks; /* of its beginning: who has released must acquire */
    bool interruptible;
    void *released;
    int64_t since, signals_seen;
} long_wait;

static void release(long_wait *w)
{
    if (w->hooks.release)
        w->released = w->hooks.release(w->hooks.context);
}

static void acquire(long_wait *w)
{
    if (w->hooks.acquire)
        w->hooks.acquire(w->hooks.context, w->released);
}

static bool interrupted(long_wait *w, bool signalled, int64_t now)
{
    bool stop;

    if (!w->interruptible || !w->hooks.interrupt ||
        (!signalled && now - w->signals_seen < SIGNALS_NS))
        return false;
    w->signals_seen = now;
    acquire(w);
    stop = w->hooks.interrupt(w->hooks.context);
    release(w);
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

        if (chore)
            chore();
        signalled = rest(wait_now_ns() - w->since);
        if (interrupted(w, signalled, wait_now_ns()))
            return error_set(PAR_ERR_INTERRUPTED, "a signal ended the wait");
    }
}

par_error wait_until(wait_step *step, void *what, bool interruptible)
{
    bool done;
    par_error err = step(what, &done);

    /* No pause instruction here: it takes as long as a message. */
    for (int i = 0; !err && !done && i < policy.spins; i++) {
        if (i % STEPS == STEPS - 1) {
            lock_give();
            lock_take();
        }
        err = step(what, &done);
    }
    if (err || done) {
        lock_give();
        return err;
    }

    int64_t now = wait_now_ns();
    long_wait w = {.hooks = hooks,
                   .interruptible = interruptible && !beside_work,
                   .since = now,
                   .signals_seen = now};

    lock_give();
    release(&w);
    err = wait_long(step, what, &w);
    acquire(&w);
    return err;
}
