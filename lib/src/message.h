/* message.h - a message that has arrived.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_MESSAGE_H
#define PAR_SRC_MESSAGE_H

#include "list.h"
#include "wire.h"

/* It lives in a slot, or in memory of its own with the bytes behind it. */
struct par_message {
    _Alignas(16) list_node by_key; /* what follows it is aligned for any number */
    list_node by_age; /* the two are its places among the messages nobody took yet */
    uint64_t age;
    par_comm *comm;
    int source;
    int behalf; /* 1 + the rank that SOURCE has handed it on for; 0 without */
    wire_header header;
    unsigned char *meta; /* NULL where there is none, or it comes apart */
    unsigned char *body; /* NULL where there is none, or it comes apart */
    void *meta_apart;    /* the meta that came apart, owned */
    void *fetched; /* where the body that comes apart goes, par_alloc's; NULL without */
    bool in_slot;
    /* Of a broadcast: hand the body on once it is in PARTS; NULL without. */
    par_error (*relay)(struct par_message *message, const par_part *parts,
                       size_t part_count);
};

/* The bytes that lie behind MESSAGE in the memory it lives in. */
static inline unsigned char *message_bytes(par_message *message)
{
    return (unsigned char *)(message + 1);
}

/* A message in memory of its own, with room for BYTES behind it; NULL where
 * there is no memory. */
par_message *message_new(size_t bytes);

/* A copy, in memory of its own, of a message that came in one piece. */
par_message *message_copy(const par_message *message);

/* Point meta and body of MESSAGE at the bytes that follow its header. */
void message_open(par_message *message, unsigned char *follows);

/* Give MESSAGE's memory back, or its slot; needs the lock. */
void message_drop(par_message *message);

/* The parts of the body of MESSAGE, *COUNT_P of them, one after the other in ROOM: to be
 * freed; NULL where there is no memory. */
par_part *message_parts(const par_message *message, void *room, size_t *count_p);

/* What PAR_ERR_TYPE and PAR_ERR_SIZE say of a message: "3 double", "an object". */
void message_describe(uint8_t kind, uint8_t type, uint64_t bytes, char *text,
                      size_t size);

/* The status of a message as its receiver sees it. */
par_status message_status(const par_message *message);

#endif
