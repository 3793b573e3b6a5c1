/* stuck.h - whether this rank is stuck, and on whom.
 * SPDX-License-Identifier: MIT
 *
 * A rank is stuck if none of its threads can do anything unless another rank does
 * something first: each waits in the library, for others; or sleeps until another
 * thread of the process wakes it. Looked at twice with the same serial number it has
 * been so all the time. All need the lock.
 */
#ifndef PAR_SRC_STUCK_H
#define PAR_SRC_STUCK_H

#include "watch.h"

typedef struct stuck_state {
    uint64_t serial;         /* of this time; 0: the rank is not stuck */
    int64_t since;           /* when it was seen first */
    bool is_ripe;            /* it has been so for a while */
    bool is_leaving;         /* it has come to the end of the job */
    bool is_victim;          /* something of it waits that must not wait for ever */
    const watch_edge *edges; /* without one of these ranks it cannot go on */
    size_t count;
} stuck_state;

/* Look now. The result is the next call's to overwrite. */
const stuck_state *stuck_look(void);

#endif
