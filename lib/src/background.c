/* background.c - calls that a thread of the communicator makes, one after the other.
 * SPDX-License-Identifier: MIT */
#include "background.h"

#include <stdlib.h>

#include "lock.h"
#include "thread.h"
#include "wait.h"

typedef struct task {
    struct task *next;
    par_task *run;
    void *argument;
    par_request *request;
} task;

/* The thread of a communicator, and what it has to do; all under the lock. */
struct background {
    pthread_t thread;
    pthread_cond_t changed;
    task *first, *last; /* of the tasks that are not over, as they were started */
    size_t left;
    bool over;
};

static _Thread_local const struct background *own;

bool background_is_here(void)
{
    return own != NULL;
}

size_t background_left(const par_comm *comm)
{
    return comm->background ? comm->background->left : 0;
}

/* ---- the thread --------------------------------------------------------- */

/* Needs the lock, which is free meanwhile. */
static void run_first(struct background *b)
{
    task *first = b->first;
    par_error err;

    lock_give();
    error_restore(""); /* no detail of an earlier task's */
    err = first->run(first->argument);
    lock_take();
    b->first = first->next;
    b->left--;
    request_end_task(first->request, err);
    free(first);
}

static void *serve(void *what)
{
    struct background *b = what;

    own = b;
    wait_beside_work();
    lock_take();
    while (!b->over)
        if (b->first)
            run_first(b);
        else
            pthread_cond_wait(&b->changed, &lock_mutex);
    lock_give();
    return NULL;
}

/* Give COMM its thread. Needs the lock. */
static par_error begin(par_comm *comm)
{
    struct background *b;
    par_error err;

    if (comm->background)
        return PAR_OK;
    b = calloc(1, sizeof *b);
    if (!b)
        return error_memory(sizeof *b, "a communicator's thread");
    pthread_cond_init(&b->changed, NULL);
    err = thread_start(&b->thread, serve, b, "a communicator's thread");
    if (err) {
        pthread_cond_destroy(&b->changed);
        free(b);
        return err;
    }
    comm->background = b;
    return PAR_OK;
}

void background_stop(par_comm *comm)
{
    struct background *b = comm->background;

    if (!b)
        return;
    lock_take();
    b->over = true;
    pthread_cond_signal(&b->changed);
    lock_give();
    pthread_join(b->thread, NULL);
    pthread_cond_destroy(&b->changed);
    free(b);
    comm->background = NULL;
}

/* ---- tasks -------------------------------------------------------------- */

/* Needs the lock. */
static par_error add(par_comm *comm, par_task *run, void *argument,
                     par_request **request_p)
{
    struct background *b = comm->background;
    task *last = malloc(sizeof *last);
    par_request *request;
    par_error err;

    if (!last)
        return error_memory(sizeof *last, "a task");
    err = request_new(comm, request_p, &request);
    if (err) {
        free(last);
        return err;
    }
    request_begin_task(request);
    *last = (task){.run = run, .argument = argument, .request = request};
    if (b->first)
        b->last->next = last;
    else
        b->first = last;
    b->last = last;
    b->left++;
    pthread_cond_signal(&b->changed);
    *request_p = request;
    return PAR_OK;
}

par_error par_task_start(par_comm *comm, par_task *run, void *argument,
                         par_request **request_p)
{
    par_error err = comm_check(comm);

    if (!err && !run)
        err = error_set(PAR_ERR_ARG, "run is NULL: it is what the task does");
    if (err)
        return err;
    lock_take();
    err = begin(comm);
    if (!err)
        err = add(comm, run, argument, request_p);
    lock_give();
    return err;
}

static par_error step_idle(void *what, bool *done_p)
{
    const par_comm *comm = what;

    *done_p = false;
    if (!par_initialized())
        return comm_check(comm); /* another thread has ended the job */
    *done_p = !background_left(comm);
    return PAR_OK;
}

/* The tasks say themselves what they need. */
static void tell_idle(const void *what, watch_account *account)
{
    account->goes_on |= !background_left(what);
    watch_say(account, "wait for started calls");
}

par_error background_wait(const par_comm *comm)
{
    if (!comm->background || comm->background == own)
        return PAR_OK;
    lock_take();
    return wait_until(step_idle, tell_idle, (void *)(uintptr_t)comm, true);
}
