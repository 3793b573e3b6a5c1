/* leave.c - all ranks leave the job together.
 * SPDX-License-Identifier: MIT
 *
 * They wait for each other here, asleep, and not in MPI_Finalize, awake; and for
 * their tasks, as long as those can end. Where all ranks are here, tasks alone make
 * collective calls: a rank that has none left will never make more than it has made,
 * and a task elsewhere that is in a later one waits in vain.
 */
#include "leave.h"

#include <inttypes.h>

#include "background.h"
#include "lock.h"
#include "outbox.h"
#include "wait.h"

/* What a rank says: of this communicator and of all; the largest counts. */
enum { LEFT, LEFT_ANYWHERE, MADE, LESS_THAN_MADE };

static const double pause_s = 0.02; /* between two rounds */

static int64_t left_anywhere(void)
{
    int64_t left = 0;

    for (par_comm *comm = comm_next(NULL); comm; comm = comm_next(comm))
        left += (int64_t)background_left(comm);
    return left;
}

/* Needs the lock. */
static par_error say(par_comm *comm, int64_t all_left)
{
    comm_end *end = &comm->end;
    int64_t left = (int64_t)background_left(comm), made = comm->collectives;
    int code;

    end->said[LEFT] = left;
    end->said[LEFT_ANYWHERE] = all_left;
    end->said[MADE] = made;
    end->said[LESS_THAN_MADE] = left ? INT64_MIN : -made;
    code = MPI_Iallreduce(end->said, end->heard, 4, MPI_INT64_T, MPI_MAX, comm->body,
                          &end->request);
    end->is_under_way = code == MPI_SUCCESS;
    return end->is_under_way ? PAR_OK : error_mpi(code, "MPI_Iallreduce");
}

/* Needs the lock. */
static par_error say_all(void)
{
    int64_t left = left_anywhere();
    par_error err = PAR_OK;

    for (par_comm *comm = comm_next(NULL); !err && comm; comm = comm_next(comm))
        err = say(comm, left);
    return err;
}

static par_error step_hearing(void *under_way, bool *done_p)
{
    par_error err = PAR_OK;

    *(bool *)under_way = false;
    for (par_comm *comm = comm_next(NULL); !err && comm; comm = comm_next(comm)) {
        int done = 1, code = MPI_SUCCESS;

        if (comm->end.is_under_way)
            code = MPI_Test(&comm->end.request, &done, MPI_STATUS_IGNORE);
        if (code != MPI_SUCCESS)
            err = error_mpi(code, "MPI_Iallreduce");
        comm->end.is_under_way = !done;
        *(bool *)under_way |= !done;
    }
    *done_p = !*(bool *)under_way;
    return err;
}

/* All ranks say what they have, and hear what all have said. */
static par_error hold_round(void)
{
    static bool under_way; /* since a call that was interrupted */
    par_error err = PAR_OK;

    lock_take();
    if (!under_way)
        err = say_all();
    if (!err)
        return wait_until(step_hearing, watch_tell_end, &under_way, true);
    lock_give();
    return err;
}

/* Whether tasks of COMM are in a call that another rank will never make. */
static par_error check_comm(const par_comm *comm)
{
    const int64_t *heard = comm->end.heard;

    if (!heard[LEFT] || heard[LESS_THAN_MADE] == INT64_MIN ||
        heard[MADE] <= -heard[LESS_THAN_MADE])
        return PAR_OK;
    return error_set(PAR_ERR_MISMATCH,
                     "the job cannot end: a rank is in the collective call %" PRId64
                     " of a communicator of %d ranks, which was started and not waited "
                     "for, and another one lacks it: all ranks must make the same calls",
                     heard[MADE] - 1, comm->size);
}

static par_error check_comms(void)
{
    par_error err = PAR_OK;

    for (par_comm *comm = comm_next(NULL); !err && comm; comm = comm_next(comm))
        err = check_comm(comm);
    return err;
}

/* Until no task is left here, or the time is up. */
static par_error step_pause(void *until, bool *done_p)
{
    *done_p = !left_anywhere() || par_time() >= *(double *)until;
    return PAR_OK;
}

static par_error pause_or_idle(void)
{
    double until = par_time() + pause_s;

    lock_take();
    return wait_until(step_pause, watch_tell_end, &until, true);
}

/* The world, which is the oldest of all communicators, has heard of all tasks. */
static bool all_are_over(void)
{
    return comm_next(NULL)->end.heard[LEFT_ANYWHERE] == 0;
}

/* All ranks are here: what MPI still has of what they sent comes there, after which
 * nobody sends anything any more. */
static par_error empty_outbox(void)
{
    par_error err;

    lock_take();
    for (par_comm *comm = comm_next(NULL); comm; comm = comm_next(comm))
        comm->is_closing = true;
    err = wait_until(outbox_step_empty, NULL, NULL, false);
    return err ? err : hold_round();
}

par_error leave_together(void)
{
    for (;;) {
        par_error err = hold_round();

        if (!err)
            err = check_comms();
        if (!err && all_are_over())
            return empty_outbox();
        if (!err)
            err = pause_or_idle();
        if (err)
            return err;
    }
}
