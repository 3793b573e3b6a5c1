/* inbox.c - takes in whatever MPI delivers on one communicator.
 * SPDX-License-Identifier: MIT */
#include "inbox.h"

#include <stdio.h>
#include <string.h>

static list_node open_boxes = {&open_boxes, &open_boxes};

static bool stop(inbox *box, par_error error, const char *cause)
{
    box->error = error;
    snprintf(box->cause, sizeof box->cause, "%s", cause);
    return false;
}

static bool stop_mpi(inbox *box, int code, const char *call)
{
    error_mpi(code, call);
    return stop(box, PAR_ERR_MPI, par_error_detail());
}

par_error inbox_error(const inbox *box)
{
    return box->error ? error_set(box->error, "%s", box->cause) : PAR_OK;
}

/* Post what is missing; with one slot posted the inbox works, if slowly. */
static bool post(inbox *box)
{
    while (box->count < INBOX_SLOTS) {
        slot *s = slot_take();
        int code;

        if (!s)
            return box->count || stop(box, PAR_ERR_MEMORY, "no memory for messages");
        code = MPI_Irecv(slot_bytes(s), (int)slot_size, MPI_BYTE, MPI_ANY_SOURCE,
                         MPI_ANY_TAG, box->mpi, &s->request);
        if (code != MPI_SUCCESS) {
            slot_give(s);
            return stop_mpi(box, code, "MPI_Irecv");
        }
        box->posted[(box->oldest + box->count) % INBOX_SLOTS] = s;
        box->count++;
    }
    return true;
}

par_error inbox_open(inbox *box, MPI_Comm mpi)
{
    box->mpi = mpi;
    box->oldest = box->count = 0;
    box->come = 0;
    box->last.bytes = SIZE_MAX;
    box->error = PAR_OK;
    match_init(&box->table);
    list_init(&box->words);
    if (!post(box))
        return inbox_error(box);
    list_insert(&open_boxes, &box->node);
    return PAR_OK;
}

static void unpost(inbox *box)
{
    slot *s = box->posted[box->oldest];
    int done = 0;

    MPI_Cancel(&s->request);
    while (!done)
        if (MPI_Test(&s->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS)
            break;
    slot_give(s);
    box->oldest = (box->oldest + 1) % INBOX_SLOTS;
    box->count--;
}

void inbox_close(inbox *box)
{
    par_message *message;

    list_remove(&box->node);
    while (box->count)
        unpost(box);
    while ((message = match_pop(&box->table)) || (message = inbox_next_word(box)))
        message_drop(message);
    MPI_Comm_free(&box->mpi);
}

/* Most messages have the header of the one before, which needs no second look. */
static bool read_header(inbox *box, const unsigned char *from, size_t bytes,
                        wire_header *header)
{
    if (bytes == box->last.bytes && !memcmp(from, box->last.raw, WIRE_HEADER_BYTES)) {
        *header = box->last.header;
        return true;
    }
    if (!wire_get(from, bytes, header))
        return false;
    box->last.bytes = bytes;
    memcpy(box->last.raw, from, WIRE_HEADER_BYTES);
    box->last.header = *header;
    return true;
}

/* Check the message in S, which came with STATUS. */
static bool open_message(inbox *box, slot *s, MPI_Status *status)
{
    par_message *message = &s->message;
    wire_meta meta;
    int bytes;

    message->source = status->MPI_SOURCE;
    MPI_Get_count(status, MPI_BYTE, &bytes);
    if (read_header(box, slot_bytes(s), (size_t)bytes, &message->header)) {
        message_open(message, slot_bytes(s) + WIRE_HEADER_BYTES);
        if (!message->meta || wire_get_meta(message->meta, &message->header, &meta))
            return true;
    }
    snprintf(box->cause, sizeof box->cause,
             "%d bytes that are no message of this version of par came from rank %d",
             bytes, status->MPI_SOURCE);
    box->error = PAR_ERR_WIRE;
    return false;
}

/* Messages that nobody waits for leave the slot, unless there is no memory:
 * slots are few and large. */
static par_message *out_of_slot(par_message *message)
{
    par_message *copy = message->in_slot ? message_copy(message) : NULL;

    if (copy)
        message_drop(message);
    return copy ? copy : message;
}

static void keep(inbox *box, par_message *message)
{
    match_keep(&box->table, out_of_slot(message));
}

static void keep_word(inbox *box, par_message *message)
{
    list_insert(&box->words, &out_of_slot(message)->by_age);
}

par_message *inbox_next_word(inbox *box)
{
    par_message *first = LIST_OF(box->words.next, par_message, by_age);

    if (list_is_empty(&box->words))
        return NULL;
    list_remove(&first->by_age);
    return first;
}

static void accept(inbox *box, par_message *message)
{
    if (message->header.context == WIRE_WORD) {
        keep_word(box, message);
        return;
    }
    match_age(&box->table, message);
    if (!match_arrive(&box->table, message))
        keep(box, message);
}

void inbox_put(inbox *box, par_message *message)
{
    accept(box, message);
}

bool inbox_step(inbox *box)
{
    slot *s;
    MPI_Status status;
    int done, code;

    if (box->error || !post(box))
        return false;
    s = box->posted[box->oldest];
    code = MPI_Test(&s->request, &done, &status);
    if (code != MPI_SUCCESS)
        return stop_mpi(box, code, "receiving a header");
    if (!done)
        return false;

    box->oldest = (box->oldest + 1) % INBOX_SLOTS;
    box->count--;
    box->come++;
    if (!open_message(box, s, &status)) {
        slot_give(s);
        return false;
    }
    accept(box, &s->message);
    return true;
}

void inbox_step_all(void)
{
    for (list_node *node = open_boxes.next; node != &open_boxes; node = node->next)
        while (inbox_step(LIST_OF(node, inbox, node)))
            ;
}
