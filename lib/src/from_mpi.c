/* from_mpi.c - communicators of MPI's own, taken over.
 * SPDX-License-Identifier: MIT
 *
 * MPI's functions wait awake, with the lock, and nothing interrupts them: so the ranks
 * meet first. Then each says whether it stays. A rank that is interrupted until then
 * leaves the word behind that it does not, which MPI carries on while the rank waits for
 * other things, and all fail alike.
 */
#include <limits.h>
#include <stdlib.h>

#include "comm.h"
#include "lock.h"
#include "par_mpi.h"
#include "wait.h"

typedef struct meeting {
    struct meeting *next;
    MPI_Request here, word; /* all have come; all have said whether they stay */
    int said, heard;        /* the first rank that does not stay; INT_MAX: all do */
} meeting;

/* Those that an interrupt has ended here, and not yet elsewhere. */
static meeting *left_behind;

static par_error test(MPI_Request *request, bool *done_p)
{
    int done = 0, code = MPI_Test(request, &done, MPI_STATUS_IGNORE);

    *done_p = done;
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Test");
}

static par_error step_here(void *what, bool *done_p)
{
    return test(&((meeting *)what)->here, done_p);
}

static par_error step_word(void *what, bool *done_p)
{
    return test(&((meeting *)what)->word, done_p);
}

/* Which ranks are missing MPI does not tell. */
static void tell(const void *unused, watch_account *account)
{
    (void)unused;
    watch_say(account, "from_mpi");
    account->goes_on = true;
}

/* Needs the lock. */
static void sweep(void)
{
    meeting **link = &left_behind;

    while (*link) {
        meeting *m = *link;
        bool is_here, is_said;

        if (step_here(m, &is_here) || step_word(m, &is_said) || !is_here || !is_said) {
            link = &m->next;
            continue;
        }
        *link = m->next;
        free(m);
    }
}

static par_error leave_behind(meeting *m, par_error err)
{
    lock_take();
    m->next = left_behind;
    left_behind = m;
    lock_give();
    return err;
}

static par_error begin(MPI_Comm mpi, meeting **m_p)
{
    meeting *m = malloc(sizeof *m);
    int code;

    if (!m)
        return error_memory(sizeof *m, "a meeting of ranks");
    m->word = MPI_REQUEST_NULL;
    code = MPI_Ibarrier(mpi, &m->here);
    if (code != MPI_SUCCESS) {
        free(m);
        return error_mpi(code, "MPI_Ibarrier");
    }
    *m_p = m;
    return PAR_OK;
}

/* Say whether this rank stays. */
static par_error speak(meeting *m, MPI_Comm mpi, bool stays)
{
    int code;

    m->said = INT_MAX;
    lock_take();
    if (!stays)
        MPI_Comm_rank(mpi, &m->said);
    code = MPI_Iallreduce(&m->said, &m->heard, 1, MPI_INT, MPI_MIN, mpi, &m->word);
    lock_give();
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Iallreduce");
}

/* All ranks of MPI come here and stay, or all fail. */
static par_error meet(MPI_Comm mpi)
{
    meeting *m = NULL;
    par_error err, spoken;

    lock_take();
    sweep();
    err = begin(mpi, &m);
    if (err) {
        lock_give();
        return err;
    }
    err = wait_until(step_here, tell, m, true);
    spoken = speak(m, mpi, !err);
    if (err || spoken)
        return leave_behind(m, err ? err : spoken);
    lock_take();
    err = wait_until(step_word, tell, m, false);
    if (err)
        return leave_behind(m, err);
    if (m->heard != INT_MAX)
        err = error_set(PAR_ERR_MISMATCH,
                        "from_mpi has failed on rank %d of the communicator: a signal "
                        "ended its wait",
                        m->heard);
    free(m);
    return err;
}

static par_error check(MPI_Comm mpi, const par_comm *const *new_p)
{
    par_error err = comm_check_job();
    int is_inter = 0;

    if (!new_p)
        return error_set(PAR_ERR_ARG, "new_p is NULL: it is where the result goes");
    if (err)
        return err;
    if (mpi == MPI_COMM_NULL)
        return error_set(PAR_ERR_ARG, "mpi is MPI_COMM_NULL: it must be a communicator");
    lock_take();
    MPI_Comm_test_inter(mpi, &is_inter);
    lock_give();
    if (is_inter)
        return error_set(PAR_ERR_ARG, "mpi is an intercommunicator: it must be an "
                                      "intracommunicator, as MPI_Intercomm_merge makes");
    return PAR_OK;
}

par_error par_from_mpi(MPI_Comm mpi, par_comm **new_p)
{
    MPI_Comm copy;
    int code;
    par_error err = check(mpi, (const par_comm *const *)new_p);

    if (!err)
        err = meet(mpi);
    if (err)
        return err;
    lock_take();
    use_mpi_begin_blocking();
    code = MPI_Comm_dup(mpi, &copy);
    err = code == MPI_SUCCESS ? comm_adopt(copy, new_p) : error_mpi(code, "MPI_Comm_dup");
    use_mpi_end_blocking();
    lock_give();
    return err;
}

par_error par_from_fortran(int handle, par_comm **new_p)
{
    return par_from_mpi(par_initialized() ? MPI_Comm_f2c(handle) : MPI_COMM_NULL, new_p);
}
