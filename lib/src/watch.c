/* watch.c - what the threads of this rank wait for.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* gettid */
#include "watch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "comm.h"
#include "numbers.h"

uint64_t watch_epoch = 1;
list_node watch_waits = {&watch_waits, &watch_waits};

void watch_enter(watch_wait *wait, watch_tell *tell, const void *what, int64_t now)
{
    static _Thread_local pid_t here; /* to ask for it takes as long as a message */

    wait->tell = tell;
    wait->what = what;
    if (!here)
        here = gettid();
    wait->thread = here;
    wait->since = wait->looked = now;
    wait->looks = wait->is_task = wait->busy = false;
    wait->line[0] = '\0';
    list_insert(&watch_waits, &wait->node);
    watch_epoch++;
}

void watch_leave(watch_wait *wait)
{
    list_remove(&wait->node);
    watch_epoch++;
}

void watch_needs(watch_account *account, par_comm *comm, int rank, int64_t body_tag)
{
    if (rank == comm->rank) /* another thread of this rank, which is looked at, too */
        return;
    if (account->count == account->room) {
        size_t room = account->room ? 2 * account->room : 16;
        watch_edge *edges = realloc(account->edges, room * sizeof *edges);

        if (!edges) {
            account->goes_on = true;
            return;
        }
        account->edges = edges;
        account->room = room;
    }
    account->edges[account->count++] = (watch_edge){comm, rank, body_tag, false};
}

void watch_needs_any(watch_account *account, par_comm *comm)
{
    for (int rank = 0; rank < comm->size; rank++)
        watch_needs(account, comm, rank, WATCH_SENDS);
}

void watch_needs_failure(watch_account *account, par_comm *comm)
{
    size_t at = account->count;

    watch_needs_any(account, comm);
    for (; at < account->count; at++)
        account->edges[at].is_unlikely = true;
}

void watch_tell_end(const void *what, watch_account *account)
{
    (void)what;
    watch_say(account, "finalize");
}

/* ---- texts -------------------------------------------------------------- */

void watch_say(watch_account *account, const char *format, ...)
{
    size_t used = strlen(account->text);
    va_list args;

    va_start(args, format);
    vsnprintf(account->text + used, sizeof account->text - used, format, args);
    va_end(args);
}

static int compare(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

void watch_say_comm(watch_account *account, const par_comm *comm)
{
    char list[WATCH_TEXT_BYTES / 2];
    int *ranks;

    if (comm->is_world)
        return;
    ranks = malloc((size_t)comm->size * sizeof *ranks);
    for (int rank = 0; ranks && rank < comm->size; rank++)
        ranks[rank] = comm_world_rank((par_comm *)(uintptr_t)comm, rank);
    if (ranks) {
        qsort(ranks, (size_t)comm->size, sizeof *ranks, compare);
        watch_say(account, " in a communicator of ranks %s",
                  numbers_text(ranks, comm->size, list, sizeof list));
    }
    free(ranks);
}
