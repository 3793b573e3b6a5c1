/* farm_break.c - tasks that are interrupted.
 * SPDX-License-Identifier: MIT
 *
 * libpar says which task nobody wants any more, in a thread that has not got the GIL and
 * must not wait for it. A task of the main thread is interrupted by a signal, whose
 * handler calls farm_check_interrupt, so that a system call is broken off, too; one of
 * another thread by an exception that Python raises there between two of its steps.
 *
 * Whether a thread does that task at all is looked at with the GIL, and when a task is
 * over its exception is taken back: so none escapes into what comes next.
 */
#define _GNU_SOURCE /* gettid */
#include <signal.h>
#include <unistd.h>

#include "errors.h"
#include "farm.h"

/* All tasks that threads of this process are doing. */
static farm_doing *all;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static _Thread_local farm_doing *innermost;

/* ---- here --------------------------------------------------------------- */

/* Whether this is the process's first thread. The system is asked once: there are many
 * tasks. */
static bool is_main(void)
{
    static _Thread_local enum { UNKNOWN, MAIN, OTHER } kind;

    if (kind == UNKNOWN)
        kind = gettid() == getpid() ? MAIN : OTHER;
    return kind == MAIN;
}

void farm_begin(farm_doing *here, farm *self, par_pool_task *task)
{
    *here = (farm_doing){.outer = innermost,
                         .farm = self,
                         .task = task,
                         .thread = pthread_self(),
                         .ident = PyThread_get_thread_ident(),
                         .is_main = is_main()};
    pthread_mutex_lock(&mutex);
    if (innermost)
        innermost->is_outer = true;
    here->next = all;
    here->link = &all;
    if (all)
        all->link = &here->next;
    all = here;
    pthread_mutex_unlock(&mutex);
    innermost = here;
}

void farm_end(farm_doing *here)
{
    pthread_mutex_lock(&mutex);
    *here->link = here->next;
    if (here->next)
        here->next->link = here->link;
    if (here->outer)
        here->outer->is_outer = false;
    pthread_mutex_unlock(&mutex);
    innermost = here->outer;
    if (here->is_raised && PyThreadState_Get()->async_exc)
        PyThreadState_SetAsyncExc(here->ident, NULL);
}

const par_pool_task *farm_task(const farm *self)
{
    const farm_doing *d = innermost;

    while (d && d->farm != self)
        d = d->outer;
    return d ? d->task : NULL;
}

int farm_begin_call(void)
{
    innermost->is_calling = true;
    return farm_check_interrupt();
}

int farm_check_interrupt(void)
{
    farm_doing *here = innermost;
    PyObject *kind;

    if (!here || !here->is_calling || !par_pool_task_is_interrupted(here->task))
        return 0;
    kind = here->farm->state->interrupted;
    if (here->is_raised) { /* by Python, when it comes to it, or before */
        if (PyThreadState_Get()->async_exc != kind)
            return 0;
        PyThreadState_SetAsyncExc(here->ident, NULL);
    }
    here->is_raised = true;
    PyErr_SetNone(kind);
    return -1;
}

/* ---- a thread that does not come back ------------------------------------- */

/* The innermost of the tasks that thread IDENT is doing, if nobody wants any of them;
 * NULL. While this thread has the GIL that one does not leave them. */
static farm_doing *find_unwanted(const farm *self, unsigned long ident)
{
    farm_doing *found, *each;

    pthread_mutex_lock(&mutex);
    for (found = all; found && (found->ident != ident || found->is_outer);)
        found = found->next;
    pthread_mutex_unlock(&mutex);
    for (each = found; each; each = each->outer)
        if (each->farm != self || !par_pool_task_is_interrupted(each->task))
            return NULL;
    return found;
}

int farm_give_up(farm *self, unsigned long ident)
{
    farm_doing *innermost_there = find_unwanted(self, ident);

    if (!innermost_there || innermost_there->is_given_up)
        return innermost_there != NULL;
    for (farm_doing *each = innermost_there; each; each = each->outer) {
        par_pool_task *task = each->task;

        if (errors_raise_if(self->state, par_pool_give_up(self->pool, &task)) < 0)
            return -1;
        each->is_given_up = true;
    }
    self->given_up++;
    return 1;
}

/* ---- in other threads --------------------------------------------------- */

/* Needs the GIL and the mutex. */
static void raise_there(farm_doing *there)
{
    if (there->is_raised || there->is_outer || !there->is_calling ||
        !par_pool_task_is_interrupted(there->task))
        return;
    there->is_raised = true;
    PyThreadState_SetAsyncExc(there->ident, there->farm->state->interrupted);
}

static void *raise_all(void *Py_UNUSED(unused))
{
    PyGILState_STATE gil = PyGILState_Ensure();

    pthread_mutex_lock(&mutex);
    for (farm_doing *there = all; there; there = there->next)
        raise_there(there);
    pthread_mutex_unlock(&mutex);
    PyGILState_Release(gil);
    return NULL;
}

/* A thread that may wait for the GIL does the rest. Without one the task goes on. */
static void start_raise_all(void)
{
    pthread_attr_t attributes;
    sigset_t every, before;
    pthread_t thread;

    if (!Py_IsInitialized())
        return;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_create(&thread, &attributes, raise_all, NULL);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Without a handler the signal would end the process. */
static bool takes_signals(const farm_doing *there)
{
    struct sigaction now;

    return there->is_main && sigaction(par_pool_signal(), NULL, &now) == 0 &&
           now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN;
}

void farm_interrupt(void *Py_UNUSED(context), const par_pool_task *task)
{
    const farm_doing *there;
    bool by_signal = false;

    pthread_mutex_lock(&mutex);
    for (there = all; there && there->task != task;)
        there = there->next;
    if (there && takes_signals(there))
        by_signal = pthread_kill(there->thread, par_pool_signal()) == 0;
    pthread_mutex_unlock(&mutex);
    if (there && !by_signal) /* else its thread looks before it begins */
        start_raise_all();
}
