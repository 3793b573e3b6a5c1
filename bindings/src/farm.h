/* farm.h - a pool of ranks that do tasks, as a Python object.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_FARM_H
#define PYPAR_FARM_H

#include <pthread.h>

#include "codec.h"

typedef struct farm {
    PyObject_HEAD
    core_state *state;
    par_pool *pool; /* NULL once it is closed */
    int rank, size;
    int users;          /* threads inside serve() or next() */
    int given_up;       /* of those, in serve() */
    PyObject *shared;   /* by number: what this rank has decoded */
    PyObject *kept;     /* by task: what is sent from where it lies */
    PyObject *inner;    /* the channels that were opened within tasks */
    PyObject *on_error; /* NULL until this rank serves */
} farm;

/* How a task calls its function, and so what its message holds. It travels in the upper
 * half of the content's variant, whose lower half is the codec's. */
typedef enum farm_call {
    FARM_ONE = 1, /* the one argument */
    FARM_ARGS,    /* a tuple of them */
    FARM_NAMED,   /* (such a tuple, a dict of those with names) */
    FARM_EACH,    /* a list of the one argument of each call: the result is a list */
    FARM_STAR,    /* a list of all arguments of each call, likewise */
} farm_call;

enum { FARM_CALL_SHIFT = 4, FARM_CODEC_MASK = (1 << FARM_CALL_SHIFT) - 1 };

/* The status of a result: what the function returned, or the exception it raised. */
enum { FARM_RETURNED, FARM_RAISED };

/* farm.c: */

farm *farm_self_of(PyObject *object);

/* -1 with an exception where SELF is closed. */
int farm_check_open(farm *self);

/* What par.h calls a number, that of a task, say, which VALUE is. -1 with an exception
 * that calls it NAME. */
int farm_get_number(farm *self, PyObject *value, const char *name, uint64_t *number_p);

/* NULL with the exception that VALUE, called NAME, is not of the type that is RIGHT. */
PyObject *farm_wrong_type(farm *self, const char *name, PyObject *value,
                          const char *right);

/* farm_submit.c: methods, and: let go of what need not stay any more. -1 with an
 * exception. */
PyObject *farm_submit(PyObject *object, PyObject *const *args, Py_ssize_t count,
                      PyObject *keywords);
PyObject *farm_submit_many(PyObject *object, PyObject *const *args, Py_ssize_t count,
                           PyObject *keywords);
PyObject *farm_cancel(PyObject *object, PyObject *value);
int farm_release(farm *self);

/* farm_next.c: a method. */
PyObject *farm_next(PyObject *object, PyObject *const *args, Py_ssize_t count,
                    PyObject *keywords);

/* farm_do.c: */

/* Do *TASK_P, which ends. -1 with an exception, which is not the function's: the pool
 * has failed, or this rank is interrupted; or this thread was given up, *GIVEN_UP_P, and
 * the pool may be gone. */
int farm_do(farm *self, par_pool_task **task_p, bool *given_up_p);

/* Drop what has been forgotten. -1 with an exception. */
int farm_sweep(farm *self);

/* farm_break.c: */

/* A task that a thread is doing; lives in that thread's frame. */
typedef struct farm_doing {
    struct farm_doing *outer; /* which waits for others meanwhile */
    struct farm_doing *next, **link;
    farm *farm;
    par_pool_task *task;
    pthread_t thread;
    unsigned long ident; /* of the thread, for Python */
    bool is_main;        /* the thread */
    bool is_outer;
    bool is_calling; /* no more decoding, where modules are imported for good */
    bool is_raised;  /* the exception that interrupts it */
    bool is_given_up;
} farm_doing;

/* This thread begins a task; ends it, and nothing interrupts it any more. Need the GIL,
 * as all that follows but farm_interrupt. */
void farm_begin(farm_doing *here, farm *self, par_pool_task *task);
void farm_end(farm_doing *here);

/* The innermost task of this thread has been decoded; from now on it can be interrupted.
 * -1 with an exception if it is. */
int farm_begin_call(void);

/* The task of SELF's that this thread is doing, the innermost one; NULL outside of
 * tasks. */
const par_pool_task *farm_task(const farm *self);

/* -1 with an exception, once, if the innermost task of this thread is interrupted. */
int farm_check_interrupt(void);

/* Give up the tasks of SELF's that thread IDENT is doing, if all it does is interrupted:
 * whether that is so; -1 with an exception. */
int farm_give_up(farm *self, unsigned long ident);

/* A par_pool_interrupt. */
par_pool_interrupt farm_interrupt;

#endif
