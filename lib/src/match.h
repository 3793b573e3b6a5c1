/* match.h - messages that have arrived meet receives that wait for them.
 * SPDX-License-Identifier: MIT
 *
 * The library matches by itself, and has MPI deliver whatever comes. So a message
 * that a receive cannot take stays, a receive can be called back without a
 * race, and any number of waiting receives costs MPI no more than one.
 * Knows no MPI; the caller holds the lock.
 */
#ifndef PAR_SRC_MATCH_H
#define PAR_SRC_MATCH_H

#include "list.h"
#include "message.h"

enum {
    MATCH_BINS = 1024
}; /* 32 KiB for each communicator; short lists for 100,000 receives */

enum { MATCH_CONTEXTS = WIRE_COLLECTIVE + 1 };

/* A receive that waits for its message. */
typedef struct match_receive {
    list_node node;
    uint64_t age;
    wire_context context;
    int source, tag; /* or PAR_ANY_SOURCE, PAR_ANY_TAG */
    /* A message for it has come. True: it has taken the message. False: it
     * cannot, and the message stays. Either way it waits no longer. */
    bool (*arrive)(struct match_receive *receive, par_message *message);
} match_receive;

typedef struct match_table {
    list_node messages[MATCH_BINS];   /* by context, source and tag; oldest first */
    list_node by_age[MATCH_CONTEXTS]; /* all of a context's messages; oldest first */
    list_node receives[MATCH_BINS];   /* those that name source and tag; oldest first */
    list_node wild_receives;          /* the others; oldest first */
    uint64_t ages;                    /* given out so far, to messages and receives */
} match_table;

void match_init(match_table *table);

/* The receives that wait, one after the other: the one after RECEIVE, the first after
 * NULL, NULL after the last. */
match_receive *match_next_receive(match_table *table, const match_receive *receive);

/* Hand RECEIVE the oldest message it can match, or keep it until one comes:
 * true where it has to wait. */
bool match_post(match_table *table, match_receive *receive);

/* Take back a RECEIVE that waits. */
void match_unpost(match_receive *receive);

/* Give MESSAGE the age of one that comes now. */
void match_age(match_table *table, par_message *message);

/* Hand MESSAGE to the oldest receive that matches and takes it; true where one
 * has. Of the others, keep it with match_keep. */
bool match_arrive(match_table *table, par_message *message);

/* Keep MESSAGE, by its age, until it is received. */
void match_keep(match_table *table, par_message *message);

/* The oldest message for SOURCE and TAG, which stays; NULL where there is none. */
par_message *match_find(match_table *table, wire_context context, int source, int tag);

/* The youngest message of CONTEXT; the one before MESSAGE, of the same context. NULL
 * where there is none. */
par_message *match_newest(match_table *table, wire_context context);
par_message *match_older(match_table *table, const par_message *message);

/* Take MESSAGE out. */
void match_take(par_message *message);

/* Take the oldest of all messages out; NULL where there is none. */
par_message *match_pop(match_table *table);

#endif
