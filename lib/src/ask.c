/* ask.c - what ranks that wait ask each other.
 * SPDX-License-Identifier: MIT */
#include "ask.h"

#include <string.h>

#include "outbox.h"

size_t ask_room(void)
{
    return slot_size - WIRE_HEADER_BYTES - sizeof(word);
}

static wire_header header_of(size_t bytes)
{
    return (wire_header){.context = WIRE_WORD,
                         .kind = PAR_ARRAY,
                         .type = PAR_BYTE,
                         .dims = 1,
                         .bytes = sizeof(word) + bytes};
}

static void put(unsigned char *to, const word *w, const void *rest, size_t bytes)
{
    memcpy(to, w, sizeof *w);
    if (bytes)
        memcpy(to + sizeof *w, rest, bytes);
}

static void send_to_self(par_comm *comm, const word *w, const void *rest, size_t bytes)
{
    par_message *message = message_new(sizeof *w + bytes);

    if (!message)
        return;
    message->source = comm->rank;
    message->header = header_of(bytes);
    message_open(message, message_bytes(message));
    put(message->body, w, rest, bytes);
    inbox_put(&comm->inbox, message);
}

/* Synchronous: once it is over it is out of MPI's hands, and its communicator may go. */
static void send_to(par_comm *comm, int dest, slot *s, int bytes)
{
    if (MPI_Issend(slot_bytes(s), bytes, MPI_BYTE, dest, 0, comm->inbox.mpi,
                   &s->request) != MPI_SUCCESS) {
        slot_give(s);
        return;
    }
    comm->sent++;
    outbox_put(comm, s);
}

void ask_send(par_comm *comm, int dest, const word *w, const void *rest, size_t bytes)
{
    wire_header header = header_of(bytes);
    slot *s;

    if (comm->is_closing)
        return;
    if (dest == comm->rank) {
        send_to_self(comm, w, rest, bytes);
        return;
    }
    s = outbox_make_room() ? slot_take() : NULL;
    if (!s)
        return;
    wire_put(slot_bytes(s), &header);
    put(slot_bytes(s) + WIRE_HEADER_BYTES, w, rest, bytes);
    send_to(comm, dest, s, WIRE_HEADER_BYTES + (int)header.bytes);
}

static bool is_word(const par_message *message)
{
    return message->body && message->header.bytes >= sizeof(word);
}

const word *ask_next(par_comm *comm, int *source_p, const void **rest_p, size_t *bytes_p)
{
    static par_message *last;
    static word w;

    do {
        if (last)
            message_drop(last);
        last = inbox_next_word(&comm->inbox);
    } while (last && !is_word(last));
    if (!last)
        return NULL;
    *source_p = last->source;
    *rest_p = last->body + sizeof w;
    *bytes_p = (size_t)last->header.bytes - sizeof w;
    memcpy(&w, last->body, sizeof w); /* it lies where its message put it */
    return &w;
}
