/* stuck.c - whether this rank is stuck, and on whom.
 * SPDX-License-Identifier: MIT
 *
 * Why it is exact: the list of waits tells of every thread that waits in the library;
 * what they wait for must not be there or on its way to its place. All other threads
 * sleep (asleep.h), also those in a hook, where the program's code runs (a signal's
 * handler). A look takes its time, and a thread that it has seen asleep may wake another
 * one that it sees asleep later: but if a second look gives the same serial number then
 * no thread has run between the end of the first and the beginning of the second, for
 * each would have changed the epoch or its trace. So the process was at rest then, as a
 * whole.
 */
#include "stuck.h"

#include <stdlib.h>

#include "asleep.h"
#include "lock.h"
#include "request.h"
#include "wait.h"

/* Long enough for a signal that has come before to have been looked for. */
enum { RIPE_NS = 250 * 1000 * 1000, THREADS_MAX = 256 };

/* What the last look saw. */
static struct {
    stuck_state state;
    uint64_t serials, epoch, trace;
} last;

static watch_account account;

static struct {
    pid_t threads[THREADS_MAX];
    size_t count;
} waiting;

static bool add_thread(pid_t thread)
{
    for (size_t i = 0; i < waiting.count; i++)
        if (waiting.threads[i] == thread)
            return false; /* a wait within a wait: something else goes on there */
    if (waiting.count == THREADS_MAX)
        return false;
    waiting.threads[waiting.count++] = thread;
    return true;
}

static const watch_wait *wait_of(const list_node *node)
{
    return LIST_OF((list_node *)(uintptr_t)node, watch_wait, node);
}

/* Whether WAIT needs other ranks. */
static bool ask(const watch_wait *wait, stuck_state *state)
{
    if (wait->busy) /* it is looked at as those are that don't wait in the library */
        return true;
    if (!wait->tell || !add_thread(wait->thread))
        return false;
    if (wait->tell == watch_tell_end) {
        state->is_leaving = true;
        return true;
    }
    account.text[0] = '\0';
    wait->tell(wait->what, &account);
    return !account.goes_on;
}

static bool all_need_others(stuck_state *state)
{
    const list_node *node = watch_waits.next;

    account.count = waiting.count = 0;
    account.goes_on = false;
    for (; node != &watch_waits; node = node->next)
        if (!ask(wait_of(node), state))
            return false;
    return waiting.count > 0;
}

/* Whether every thread that looks for signals has done so since SINCE. */
static bool all_have_looked(int64_t since)
{
    const list_node *node = watch_waits.next;

    for (; node != &watch_waits; node = node->next) {
        const watch_wait *wait = wait_of(node);

        if (wait->looks && !wait->busy && wait->looked <= since)
            return false;
    }
    return true;
}

/* A rank at the end of the job has left its other threads behind, but not its tasks. */
static bool has_victim(bool is_leaving)
{
    const list_node *node = watch_waits.next;

    if (!is_leaving)
        return true;
    for (; node != &watch_waits; node = node->next)
        if (wait_of(node)->is_task)
            return true;
    return false;
}

const stuck_state *stuck_look(void)
{
    stuck_state seen = {0};
    uint64_t trace = 0;
    int64_t now = wait_now_ns();

    if (!all_need_others(&seen) || request_fetch_may_return() || asleep_until_signal() ||
        !asleep_all(waiting.threads, waiting.count, &lock_mutex, &trace)) {
        last.state = (stuck_state){0};
        return &last.state;
    }
    if (!last.state.serial || last.epoch != watch_epoch || last.trace != trace) {
        seen.serial = ++last.serials;
        seen.since = now;
        last.epoch = watch_epoch;
        last.trace = trace;
    } else {
        seen.serial = last.state.serial;
        seen.since = last.state.since;
    }
    seen.is_ripe = now - seen.since >= RIPE_NS && all_have_looked(seen.since);
    seen.is_victim = has_victim(seen.is_leaving);
    seen.edges = account.edges;
    seen.count = account.count;
    last.state = seen;
    return &last.state;
}
