/* ask.h - what ranks that wait ask each other.
 * SPDX-License-Identifier: MIT
 *
 * A word travels on the communicator that it is about, behind everything its sender
 * sent there before; who waits for nothing never sees it. All need the lock.
 */
#ifndef PAR_SRC_ASK_H
#define PAR_SRC_ASK_H

#include "comm.h"

typedef enum word_kind {
    WORD_ASK,     /* are you stuck? */
    WORD_ANSWER,  /* I am, */
    WORD_GET,     /* on whom? */
    WORD_RECORD,  /* on these */
    WORD_CONFIRM, /* are you still? */
    WORD_CONFIRMED,
    WORD_REFRESH, /* what you know of others may be old: ask again */
    WORD_TELL,    /* what do you wait for? Yes: there is a deadlock */
    WORD_TEXT,    /* for this */
    WORD_LOOK,    /* what do these ranks of your node do, which don't answer? */
    WORD_SEEN,    /* this */
} word_kind;

typedef struct word {
    uint8_t kind;
    bool yes;     /* what it says, by kind */
    bool instead; /* of a record: its sender searches, and gives none */
    uint32_t all; /* of records: how many there are in all; of what was seen: whose */
    uint64_t mine, yours; /* serial numbers of the sender, and of who gets it */
    int64_t number;       /* of a message; of a question */
} word;

/* A record: its sender cannot go on without RANK of the world, which was stuck with
 * SERIAL when it was asked. */
typedef struct word_need {
    int64_t rank;
    uint64_t serial;
} word_need;

/* Bytes that fit behind a word. */
size_t ask_room(void);

/* Send W with BYTES at REST behind it to DEST of COMM; to this rank itself, too. What
 * MPI refuses is lost, which no word minds. */
void ask_send(par_comm *comm, int dest, const word *w, const void *rest, size_t bytes);

/* The next word that has come to COMM, with *BYTES_P at *REST_P behind it; both are gone
 * at the next call. NULL where there is none. */
const word *ask_next(par_comm *comm, int *source_p, const void **rest_p, size_t *bytes_p);

#endif
