/* collective.h - what all collective calls have in common.
 * SPDX-License-Identifier: MIT
 *
 * Each is a few of our own messages, with the call in front of the payload. Nobody
 * asks first whether all make the same call: who finds another one tells all, and who
 * waits, to send or to receive, looks at what else has come (call.h).
 */
#ifndef PAR_SRC_COLLECTIVE_H
#define PAR_SRC_COLLECTIVE_H

#include "call.h"
#include "op.h"

/* Whether ROOT is one of COMM's ranks; whether all ranks' COUNT elements together can
 * be at DATA. */
par_error collective_check_root(const par_comm *comm, int root);

par_error collective_check_whole(const par_comm *comm, const void *data, size_t count,
                                 par_type type);

/* The arguments of a call that hands parts of ROOT's DATA out or collects them there;
 * of one that joins elements on every rank. *BYTES_P is the length of COUNT of them. */
par_error collective_check_parts(const par_comm *comm, const void *part, const void *data,
                                 size_t count, par_type type, int root, size_t *bytes_p);
par_error collective_check_join(const par_comm *comm, const void *data,
                                const void *result, size_t count, par_type type,
                                par_op op, size_t *bytes_p);

/* Whether BYTES travel with the call, in one message that waits for nobody. */
bool collective_is_small(size_t bytes);

/* Wait until all ranks have entered C, and made the same call: a barrier. */
par_error collective_meet(collective *c);

/* The same as a whole call, FUNCTION of COMM. Where this rank cannot make it REFUSED says
 * why, else it is PAR_OK: all learn it, as in collective_leave. */
par_error collective_meet_for(par_comm *comm, collective_function function,
                              par_error refused);

/* The same, after which all ranks go on to what they can only do together, or none does:
 * who has met the others promises to stay, and goes on when all have promised. Before
 * that it may be interrupted, and then the others learn it instead of the promise. After
 * it nothing interrupts C. */
par_error collective_commit(collective *c);
par_error collective_commit_for(par_comm *comm, collective_function function,
                                par_error refused);

/* Enter, CALL and leave, for FUNCTION of no arguments; or fail on all ranks alike, where
 * this one has REFUSED. */
par_error collective_call_for(par_comm *comm, collective_function function,
                              par_error refused, par_error (*call)(collective *c));

/* Between these two MPI's own functions may make the ranks wait for each other, with the
 * lock: all have promised to come, so it is short. */
void collective_begin_mpi(void);
void collective_end_mpi(void);

/* CONTENT and PARTS, to be sent to DEST for C. */
request_outgoing collective_outgoing(const collective *c, const par_content *content,
                                     const par_part *parts, size_t part_count, int dest);

/* To whom a rank sends in turn N of 1 to size - 1, and from whom it receives: each
 * begins with the one behind it, so that not all send to rank 0 first. */
static inline int collective_nth_dest(const par_comm *comm, int n)
{
    return (comm->rank + n) % comm->size;
}

static inline int collective_nth_source(const par_comm *comm, int n)
{
    return (comm->rank - n + comm->size) % comm->size;
}

/* Send CONTENT and PARTS, or BYTES of C's type at DATA. */
par_error collective_send_content(collective *c, const par_content *content,
                                  const par_part *parts, size_t part_count, int dest);
par_error collective_send(collective *c, const void *data, size_t bytes, int dest);

/* Start all sends, then wait for all: a large one waits for its receiver, and
 * must not keep the others waiting. */
par_error collective_send_all(collective *c, const request_outgoing *outs, size_t count);

/* Receive SOURCE's message. */
par_error collective_receive(collective *c, int source, par_message **message_p);

/* At the same time send OUT_BYTES at OUT to DEST and receive IN_BYTES into IN from
 * SOURCE; a negative rank is nobody. */
par_error collective_swap(collective *c, const void *out, size_t out_bytes, int dest,
                          void *in, size_t in_bytes, int source);

/* Join all ranks' BYTES at DATA in RESULT of C's root, which may be DATA; hand BYTES at
 * DATA of C's root to all. */
par_error collective_climb(collective *c, const void *data, void *result, size_t bytes);
par_error collective_descend(collective *c, void *data, size_t bytes);

/* Join COUNT elements of C's type: LEFT those of lower ranks, TO may be either. */
static inline void collective_join(const collective *c, void *to, const void *left,
                                   const void *right, size_t count)
{
    op_join((par_op)c->wire.op, c->type, to, left, right, count);
}

/* Send each other rank its one of PARTS, one for each rank. */
par_error collective_hand_out(collective *c, const par_part *parts);

/* Receive each other rank's one of PARTS from it. */
par_error collective_collect(collective *c, const par_part *parts);

/* Make *PARTS_P, to be freed by the caller, of BYTES for each rank at DATA. */
par_error collective_parts(const collective *c, const void *data, size_t bytes,
                           par_part **parts_p);

/* Copy, unless a rank's part is in its place already. */
void collective_copy(void *to, const void *from, size_t bytes);

/* Receive BYTES.
 *
 * PAR_ERR_MISMATCH  SOURCE has sent more or fewer, too */
par_error collective_receive_into(collective *c, void *data, size_t bytes, int source);

#endif
