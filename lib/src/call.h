/* call.h - a collective call, and whether the other ranks make the same.
 * SPDX-License-Identifier: MIT
 *
 * Each message of a collective has its sender's call in front, so a rank whose own
 * differs finds out. It tells all others, and so does one that cannot do its part:
 * nobody waits for ever for a rank that has given up. A rank that has waited for
 * long says so to the one it waits for, which may be waiting in another call.
 */
#ifndef PAR_SRC_CALL_H
#define PAR_SRC_CALL_H

#include "background.h"
#include "p2p.h"

typedef enum collective_function {
    COLLECTIVE_BARRIER,
    COLLECTIVE_BROADCAST,
    COLLECTIVE_SCATTER,
    COLLECTIVE_GATHER,
    COLLECTIVE_SCATTERV,
    COLLECTIVE_GATHERV,
    COLLECTIVE_REDUCE,
    COLLECTIVE_ALLREDUCE,
    COLLECTIVE_SCAN,
    COLLECTIVE_EXSCAN,
    COLLECTIVE_REDUCE_SCATTER,
    COLLECTIVE_ALLGATHER,
    COLLECTIVE_ALLTOALL,
    COLLECTIVE_ALLGATHERV,
    COLLECTIVE_ALLTOALLV,
    COLLECTIVE_MESSAGE_BROADCAST,
    COLLECTIVE_MESSAGE_SCATTER,
    COLLECTIVE_MESSAGE_GATHER,
    COLLECTIVE_MESSAGE_REDUCE,
    COLLECTIVE_MESSAGE_ALLREDUCE,
    COLLECTIVE_MESSAGE_SCAN,
    COLLECTIVE_MESSAGE_EXSCAN,
    COLLECTIVE_MESSAGE_REDUCE_SCATTER,
    COLLECTIVE_MESSAGE_ALLGATHER,
    COLLECTIVE_MESSAGE_ALLTOALL,
    COLLECTIVE_SPLIT,
    COLLECTIVE_FREE,
    COLLECTIVE_SPLIT_NODE,
    COLLECTIVE_TO_MPI,
    COLLECTIVE_PLACE,
    COLLECTIVE_FAIL,
    COLLECTIVE_FUNCTIONS,
} collective_function;

/* One collective call of this rank. */
typedef struct collective {
    par_comm *comm;
    int tag; /* its number in the communicator */
    par_type type;
    wire_call wire;
    uint64_t seen;     /* messages younger than this have not been looked at */
    bool told;         /* all other ranks know that it has failed */
    bool is_committed; /* this rank has promised to stay */
} collective;

/* Whether a collective call can be made on COMM now: waits for those that have been
 * started before. To be asked before collective_enter; the checks of collective.h do. */
par_error collective_check(const par_comm *comm);

/* Begin the next collective call of COMM, as *C_P, which is set in any case.
 *
 * PAR_ERR_MISMATCH  another rank's call differs or has failed, or that of an earlier
 *                   call did, which this rank had left by then
 */
par_error collective_enter(par_comm *comm, collective_function function, int root,
                           uint64_t count, par_type type, par_op op, collective *c_p);

/* The same for messages, which the callers join as JOIN says; FUNCTION where that is
 * NULL. call_check_join is to be asked before: PAR_ERR_ARG, JOIN is none. */
par_error call_check_join(const par_join *join);
par_error call_enter_join(par_comm *comm, collective_function function, int root,
                          const par_join *join, collective *c_p);

/* Say in ACCOUNT that this rank is in C: "barrier #3". */
void call_tell(const collective *c, watch_account *account);

/* End C, whose work has ended with ERR, and give ERR back. After any but PAR_OK the
 * other ranks fail in theirs, too. */
par_error collective_leave(collective *c, par_error err);

/* Whether MESSAGE, which has come for C, belongs to the same call: PAR_ERR_MISMATCH if
 * not, or if it says that the call has failed. *KNOCK_P: it is no more than a knock. */
par_error call_compare(collective *c, const par_message *message, bool *knock_p);

/* PAR_ERR_MISMATCH: in C, SOURCE has THEIRS bytes for this rank, which says OURS. */
par_error call_refuse_count(const collective *c, int source, uint64_t theirs,
                            uint64_t ours);

/* call_compare for all messages under C's tag that have come since the last look and
 * stay to be received. *LATE_P: there are some for earlier calls, for call_clear.
 * Needs the lock. */
par_error call_look(collective *c, bool *late_p);

/* Drop messages for earlier calls: the senders of large ones wait. Errors as those of
 * collective_enter. */
par_error call_clear(collective *c);

/* C has failed, as this thread's detail says: tell all other ranks, and drop what they
 * have sent for it. May be called again when more has come. The detail stays. */
void call_fail(collective *c);

/* Drop what still comes for calls that have failed, and answer knocks: for
 * wait_set_chore, because this rank may wait for something else by then. */
void call_clear_urgent(void);

/* Whether a message has come, and is left, of a call that this rank has not made, or has
 * made otherwise, and nobody knows of it: the detail says so. Needs the lock. */
bool call_is_left(par_comm *comm);

/* Tell DEST that this rank waits for it in C. */
par_error call_knock(const collective *c, int dest);

#endif
