/* slot.h - memory for messages that travel in one piece, used again and again.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_SLOT_H
#define PAR_SRC_SLOT_H

#include "message.h"
#include "use_mpi.h"

typedef struct slot {
    struct slot *next; /* while it is free */
    MPI_Request request;
    par_message message;
} slot;

/* The bytes of SLOT: header first. They follow its message. */
static inline unsigned char *slot_bytes(slot *s)
{
    return message_bytes(&s->message);
}

static inline slot *slot_of(par_message *message)
{
    return LIST_OF(message, slot, message);
}

/* Bytes in a slot, the same for all; to be set before the first is taken. */
extern size_t slot_size;

/* The next three need the lock. slot_take gives NULL where there is no memory. */
slot *slot_take(void);
void slot_give(slot *s);

/* Free all slots that were given back. */
void slot_free_all(void);

#endif
