/* wait.c - the one place where a rank waits.
 * SPDX-License-Identifier: MIT
 *
 *     spin, some µs  ->  yield the core, some ms  ->  sleep, longer and longer
 *
 * A sleep is an eighth of the time waited so far, so the wait grows by no more
 * than that, and never over 0.8 ms, which bounds the answer. To look up from it takes
 * some 30 µs: where more than eight ranks share a CPU they sleep longer, or those that
 * wait would leave none of it to those that don't.
 */
#include "wait.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "inbox.h"
#include "line.h"
#include "lock.h"

enum {
    SPINS = 200, /* some 20 µs: a message on its way within the node comes by then */
    STEPS = 4,   /* while the lock is held: to give and take it costs as much as one */
    YIELD_NS = 5 * 1000 * 1000,
    SLEEP_MAX_NS = 800 * 1000, /* with that many on a CPU: */
    SLEEPERS = 8,
    SLEEP_LONGEST_NS = 50 * 1000 * 1000,
    SIGNALS_NS = 100 * 1000 * 1000,
    LINE_NS = 150 * 1000 * 1000, /* when it is worth while to know the program's line */
};

static par_hooks hooks;
static bool has_hooks;
static void (*_Atomic chore)(int64_t waited_ns);

/* When a wait goes over to its next stage. */
static struct {
    par_wait_mode mode;
    int spins;
    int64_t yield_ns, sleep_ns;
    bool rests; /* at all */
} policy = {PAR_WAIT_AUTO, SPINS, YIELD_NS, SLEEP_MAX_NS, true};

static _Thread_local bool beside_work, asleep;

void wait_beside_work(void)
{
    beside_work = asleep = true;
}

void wait_asleep(bool yes)
{
    asleep = yes || beside_work;
}

void par_set_hooks(const par_hooks *new_hooks)
{
    lock_take();
    hooks = new_hooks ? *new_hooks : (par_hooks){0};
    has_hooks = new_hooks != NULL;
    lock_give();
}

void wait_set_chore(void (*new_chore)(int64_t waited_ns))
{
    chore = new_chore;
}

void wait_configure(par_wait_mode mode)
{
    policy.mode = mode;
    policy.spins = mode == PAR_WAIT_SLEEP ? 0 : SPINS;
    policy.yield_ns = mode == PAR_WAIT_SLEEP ? 0 : YIELD_NS;
    policy.rests = mode != PAR_WAIT_SPIN;
}

/* The longest where so many ranks share a CPU. */
static int64_t sleep_of(double ranks)
{
    double ns = ranks > SLEEPERS ? SLEEP_MAX_NS * ranks / SLEEPERS : SLEEP_MAX_NS;

    return ns < SLEEP_LONGEST_NS ? (int64_t)ns : SLEEP_LONGEST_NS;
}

bool wait_share_cpus(double cpus)
{
    bool crowded = cpus < 1 - 1e-6; /* sums of thirds lose something */

    if (policy.mode == PAR_WAIT_AUTO)
        policy.spins = crowded ? 1 : SPINS;
    policy.sleep_ns = sleep_of(cpus > 0 ? 1 / cpus : 1);
    return crowded;
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
    int64_t ns = waited / 8 < policy.sleep_ns ? waited / 8 : policy.sleep_ns;

    if (!policy.rests && !asleep) {
        relax();
        return false;
    }
    if (waited < policy.yield_ns && !asleep) {
        sched_yield();
        return false;
    }
    return nanosleep(&(struct timespec){.tv_nsec = ns}, NULL) < 0 && errno == EINTR;
}

/* A wait that has become long. */
typedef struct long_wait {
    par_hooks hooks; /* of its beginning: who has released must acquire */
    void *released;
    watch_wait watch; /* the time it began, too */
} long_wait;

/* Code of the program's may run until after_hook. False where the hooks have been taken
 * away: their owner has ended, or is about to. */
static bool before_hook(long_wait *w)
{
    bool may;

    lock_take();
    may = has_hooks;
    w->watch.busy = may;
    w->watch.looks = w->watch.looks && may;
    lock_give();
    return may;
}

static void after_hook(long_wait *w)
{
    lock_take();
    w->watch.busy = false;
    lock_give();
}

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

    if (!w->watch.looks || (!signalled && now - w->watch.looked < SIGNALS_NS))
        return false;
    if (!before_hook(w))
        return false;
    acquire(w);
    stop = w->hooks.interrupt(w->hooks.context);
    release(w);
    w->watch.looked = wait_now_ns();
    after_hook(w);
    return stop;
}

/* Note the line of the program that waits. */
static void note_line(long_wait *w)
{
    char line[WATCH_LINE_BYTES] = "";
    bool found = false;

    if (w->hooks.line && before_hook(w)) {
        acquire(w);
        found = w->hooks.line(w->hooks.context, line, sizeof line);
        release(w);
        after_hook(w);
    }
    if (!found)
        line_of_caller(line, sizeof line);
    if (!line[0])
        memcpy(line, "-", sizeof "-"); /* nobody can tell */
    lock_take();
    memcpy(w->watch.line, line, sizeof line);
    lock_give();
}

static par_error wait_long(wait_step *step, void *what, long_wait *w)
{
    for (;;) {
        bool done, signalled;
        int64_t waited;
        par_error err;

        lock_take();
        err = step(what, &done);
        /* What it waits for may hang on a message of another communicator. */
        if (!err && !done)
            inbox_step_all();
        else
            watch_leave(&w->watch);
        lock_give();
        if (err || done)
            return err;

        waited = wait_now_ns() - w->watch.since;
        if (waited >= LINE_NS && !w->watch.line[0])
            note_line(w);
        if (chore)
            chore(waited);
        signalled = rest(waited);
        if (interrupted(w, signalled, wait_now_ns())) {
            lock_take();
            watch_leave(&w->watch);
            lock_give();
            return error_set(PAR_ERR_INTERRUPTED, "a signal ended the wait");
        }
    }
}

par_error wait_until(wait_step *step, watch_tell *tell, void *what, bool interruptible)
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

    long_wait w; /* not cleared: it has room for texts */

    w.hooks = hooks;
    w.released = NULL;
    watch_enter(&w.watch, tell, what, wait_now_ns());
    w.watch.looks = interruptible && hooks.interrupt && !beside_work;
    w.watch.is_task = beside_work;
    lock_give();
    release(&w);
    err = wait_long(step, what, &w);
    acquire(&w);
    return err;
}
