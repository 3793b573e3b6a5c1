/* status.h - what has been received.
 * SPDX-License-Identifier: MIT */
#ifndef PYPAR_STATUS_H
#define PYPAR_STATUS_H

#include "state.h"

/* The Status of MESSAGE, as Python counts it. */
PyObject *status_of_message(core_state *state, const par_message *message);

/* The Status of a message that is only known as STATUS. */
PyObject *status_of(core_state *state, const par_status *status);

#endif
