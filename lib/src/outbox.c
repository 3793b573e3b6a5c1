/* outbox.c - slots that have been sent, and that MPI has not given back yet.
 * SPDX-License-Identifier: MIT
 *
 * Open MPI's shared memory keeps a message of more than 256 bytes, or one that finds its
 * receiver's box full, in a piece of memory that the receiver has to give back: until
 * that rank calls MPI the send is not over, though all has been copied and the receiver
 * finds it there. So programs don't wait for it, and neither does the answer to a
 * message. What goes over a network is waited for: only its sender can move it on.
 */
#include "outbox.h"

#include <stdlib.h>

#include "peers.h"

enum {
    MESSAGES = 64, /* Open MPI has memory for some 140 */
    FEW = 4,       /* not worth a look */
};

/* MPI is asked for all of them at once, which takes as long as for one. */
static struct {
    MPI_Request *requests;
    struct sent {
        const par_comm *comm;
        slot *slot;
    } * of;
    int *done;
    size_t count, room;
} box;

bool outbox_make_room(void)
{
    size_t room = box.room ? 2 * box.room : 2 * (size_t)MESSAGES;
    MPI_Request *requests;
    struct sent *of;
    int *done;

    if (box.count < box.room)
        return true;
    if ((requests = realloc(box.requests, room * sizeof *requests)))
        box.requests = requests;
    if ((of = realloc(box.of, room * sizeof *of)))
        box.of = of;
    if ((done = realloc(box.done, room * sizeof *done)))
        box.done = done;
    if (!requests || !of || !done)
        return false;
    box.room = room;
    return true;
}

void outbox_put(const par_comm *comm, slot *s)
{
    box.requests[box.count] = s->request;
    box.of[box.count++] = (struct sent){comm, s};
}

bool outbox_let_go(par_comm *comm, slot *s, int dest)
{
    if (!peers_is_here(comm_world_rank(comm, dest)))
        return false;
    if (box.count >= FEW)
        outbox_sweep();
    if (box.count >= MESSAGES || !outbox_make_room())
        return false;
    outbox_put(comm, s);
    return true;
}

void outbox_sweep(void)
{
    int count = 0;
    size_t left = 0;

    if (!box.count)
        return;
    MPI_Testsome((int)box.count, box.requests, &count, box.done, MPI_STATUSES_IGNORE);
    if (count <= 0)
        return;
    for (int i = 0; i < count; i++) {
        slot_give(box.of[box.done[i]].slot);
        box.of[box.done[i]].slot = NULL;
    }
    for (size_t i = 0; i < box.count; i++)
        if (box.of[i].slot) {
            box.requests[left] = box.requests[i];
            box.of[left++] = box.of[i];
        }
    box.count = left;
}

par_error outbox_step_empty(void *comm, bool *done_p)
{
    outbox_sweep();
    *done_p = true;
    for (size_t i = 0; i < box.count; i++)
        *done_p = *done_p && comm && box.of[i].comm != comm;
    return PAR_OK;
}
