/* comm.h - a communicator as a Python object.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_COMM_H
#define PYPAR_COMM_H

#include <stdbool.h>

#include "state.h"

typedef struct comm {
    PyObject_HEAD
    core_state *state; /* lives as long as this object's type */
    par_comm *par;     /* libpar's; NULL once it is freed */
    PyObject *node;    /* the communicator of this node's ranks, once asked for */
    bool is_node;      /* it is another's node: all who ask have the same one */
} comm;

/* What Comm's methods and the module's functions have in common; NULL with an
 * exception, which it is for all of them once the job is over. */
PyObject *comm_rank(core_state *state, par_comm *par);
PyObject *comm_size(core_state *state, par_comm *par);
PyObject *comm_barrier(core_state *state, par_comm *par);

/* p2p.c: VALUES are dest, tag and so on as they were given; NULL where not. */
PyObject *p2p_send(core_state *state, par_comm *par, PyObject *object, PyObject *dest,
                   PyObject *tag);
PyObject *p2p_receive(core_state *state, par_comm *par, PyObject *source, PyObject *tag,
                      PyObject *buffer, PyObject *vanilla, PyObject *return_status);
/* WAIT: until there is a message; else None where there is none. */
PyObject *p2p_probe(core_state *state, par_comm *par, PyObject *source, PyObject *tag,
                    bool wait);

/* collective.c, reduce.c, exchange.c */
PyObject *collective_broadcast(core_state *state, par_comm *par, PyObject *object,
                               PyObject *root, PyObject *vanilla);
PyObject *collective_scatter(core_state *state, par_comm *par, PyObject *objects,
                             PyObject *root, PyObject *buffer, PyObject *counts);
PyObject *collective_gather(core_state *state, par_comm *par, PyObject *object,
                            PyObject *root, PyObject *buffer);
PyObject *collective_reduce(core_state *state, par_comm *par, PyObject *object,
                            PyObject *op, PyObject *root, PyObject *buffer);

PyObject *collective_allreduce(core_state *state, par_comm *par, PyObject *object,
                               PyObject *op, PyObject *buffer);
PyObject *collective_scan(core_state *state, par_comm *par, PyObject *object,
                          PyObject *op, PyObject *buffer, bool exclusive);
PyObject *collective_reduce_scatter(core_state *state, par_comm *par, PyObject *object,
                                    PyObject *op, PyObject *counts, PyObject *buffer);
PyObject *collective_allgather(core_state *state, par_comm *par, PyObject *object,
                               PyObject *buffer);
PyObject *collective_alltoall(core_state *state, par_comm *par, PyObject *objects,
                              PyObject *buffer, PyObject *counts);

/* The tag of a message whose sender, or receiver, names none. */
enum { COMM_DEFAULT_TAG = 1 };

#endif
