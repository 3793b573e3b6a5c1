/* inbox.h - takes in whatever MPI delivers on one communicator.
 * SPDX-License-Identifier: MIT
 *
 * A few receives for any source and tag are always posted; each message lands
 * in a slot, is checked, and goes to the match table. A slot that has been
 * used is posted again only at the next step, while the answer is on its way
 * rather than before it leaves: that makes the posted slots as fast as a
 * receive of one's own. Needs the lock throughout.
 */
#ifndef PAR_SRC_INBOX_H
#define PAR_SRC_INBOX_H

#include "match.h"
#include "slot.h"
#include "use_mpi.h"

enum { INBOX_SLOTS = 4 };

typedef struct inbox {
    list_node node; /* among all that are open */
    MPI_Comm mpi;   /* its own, for headers */
    match_table table;
    list_node words;           /* messages of WIRE_WORD, by_age, as they came */
    slot *posted[INBOX_SLOTS]; /* a ring; MPI fills them in order */
    unsigned oldest, count;
    uint64_t come; /* messages that MPI has delivered so far */
    struct {
        size_t bytes; /* of the message; SIZE_MAX: there was none */
        unsigned char raw[WIRE_HEADER_BYTES];
        wire_header header;
    } last;          /* whose header was right */
    par_error error; /* from then on nothing can be received: the first cause */
    char cause[160];
} inbox;

/* Take in messages from MPI, which becomes the inbox's own. */
par_error inbox_open(inbox *box, MPI_Comm mpi);

/* Stop, drop what nobody received, and free the communicator. */
void inbox_close(inbox *box);

/* Look once: true where a message has been taken in. */
bool inbox_step(inbox *box);

/* Look at all open inboxes, until none has anything. */
void inbox_step_all(void);

/* A message, in memory of its own, comes from this rank itself. */
void inbox_put(inbox *box, par_message *message);

/* The oldest message of WIRE_WORD, taken out: it is the caller's, to be dropped; NULL
 * where there is none. */
par_message *inbox_next_word(inbox *box);

/* The error that has stopped BOX, with its detail; PAR_OK while it works. */
par_error inbox_error(const inbox *box);

#endif
