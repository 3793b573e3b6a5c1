/* state.h - what the extension module holds.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_STATE_H
#define PYPAR_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <par.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct core_state {
    par_comm *world;
    int rank; /* in the world, for errors, also when the job is over */
    PyObject *error, *type_mismatch, *size_mismatch; /* pypar.Error and its children */
    PyObject *interrupted; /* raised in a task that nobody wants any more */
    PyTypeObject *comm_type, *status_type, *request_type;
    struct orphan *orphans; /* sends under way that nobody waits for */
    size_t calls;           /* collective ones under way in the background */
    par_request *idle;      /* an event, where somebody waits until there are none */
    bool is_ending;         /* the interpreter */
    pid_t pid;              /* a child made by fork is no rank */
    /* functions of pickle; the last is NULL until the plain pickler has refused */
    PyObject *dumps, *loads, *cloud_dumps;
    PyObject *dumps_keywords, *loads_keywords; /* tuples of their keyword names */
} core_state;

/* The state of the extension's MODULE. */
core_state *state_of(PyObject *module);

/* Add to MODULE: what each of these files defines. -1 with an exception. */
int errors_add(PyObject *module, core_state *state);
int status_add(PyObject *module, core_state *state);
int request_add(PyObject *module, core_state *state);
int comm_add(PyObject *module, core_state *state);
int farm_add(PyObject *module, core_state *state);
int pickle_add(core_state *state);

#endif
